//! The output: one JSON document, or nothing, and records without secrets.

use crate::support::broker::Mock;
use crate::support::frames::{frames, lines, windows};
use crate::support::kuu::{Done, Kuu};
use crate::support::wire::{Record, Source, Topic};

fn all(kuu: &Kuu, option: &str) -> [Done; 5] {
    let file = kuu.file("a.jsonl", lines(&frames(700)));
    [
        kuu.run(&format!("produce {file} {option}")).exits(0),
        kuu.run(&format!("count {option}")).exits(0),
        kuu.run(&format!("verify {option}")).exits(0),
        kuu.run(&format!("batch {file} {option}")).exits(0),
        kuu.run(&format!("count {file} {option}")).exits(0),
    ]
}

#[test]
fn json_is_one_document() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let results = all(&kuu, "--json");
    for (done, command) in results.iter().zip(["produce", "count", "verify", "batch", "count"]) {
        assert_eq!(done.out.trim_end().lines().count(), 1, "{done}");
        let record = done.document();
        assert_eq!((record.format, record.command.as_str()), (1, command));
        described(&record, &mock);
    }
    let [produce, count, verify, batch, streamed] = results.map(|done| done.document());
    let id = produce.topic.as_ref().and_then(|topic| topic.id.clone());
    assert!(id.is_some());
    let topic = Some(Topic { name: "messages".into(), partitions: 2, id });
    assert_eq!((&produce.topic, &count.topic), (&topic, &topic));
    let source = &produce.input[0];
    assert_eq!((source.name.as_str(), source.frames), ("a.jsonl", 700));
    assert_eq!(source.frame_bytes + 700, source.bytes);
    assert_eq!(batch.input, [Source { frame_bytes: batch.input[0].frame_bytes, ..source.clone() }]);
    assert_eq!(streamed.input, produce.input);
    assert_eq!(batch.windows, windows(&frames(700)));
    assert!(verify.verdict.is_some_and(|verdict| verdict.exact));
    for record in [&count, &batch, &streamed] {
        assert_eq!((record.ledger().read, record.ledger().counted), (700, 700), "{}", record.command);
    }
    assert_eq!(produce.figure("delivered_frames"), 700.0);
    assert_eq!(produce.figure("delivered_bytes"), source.frame_bytes as f64);
    assert!(produce.figure("produce_frames_per_s") > 0.0 && count.figure("count_frames_per_s") > 0.0);
    for name in produce.figures.keys().chain(count.figures.keys()) {
        let units = ["_us", "_bytes", "_per_s", "_frames", "_rows", "users"];
        assert!(units.iter().any(|unit| name.ends_with(unit)), "{name} does not name its unit");
    }
}

/// Checks the program, the broker and the machine in a record.
fn described(record: &Record, mock: &Mock) {
    assert!(record.written.ends_with('Z') && record.written.len() == 20, "{}", record.written);
    assert_eq!(record.command_line[1], record.command);
    let program = &record.program;
    assert_eq!(program.version, env!("CARGO_PKG_VERSION"));
    assert!(program.rustc.starts_with("rustc 1.") && program.librdkafka.starts_with("2."), "{program:?}");
    assert!(program.git == "unknown" || program.git.len() >= 7, "{program:?}");
    assert!(record.machine.cores > 0 && record.machine.memory_bytes > 1 << 28 && !record.machine.kernel.is_empty());
    if let Some(broker) = &record.broker {
        assert_eq!(broker.address, mock.address);
        assert!(["kafka", "embedded"].contains(&broker.kind.as_str()));
    }
    assert!(record.latency.is_empty() && record.remarks.is_empty());
}

#[test]
fn quiet_is_quiet() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let [produce, count, verify, batch, streamed] = all(&kuu, "--quiet");
    for done in [&produce, &count, &verify, &batch, &streamed] {
        assert_eq!((done.out.as_str(), done.err.as_str()), ("", ""), "{done}");
    }
    // The JSON document is still printed, and nothing else.
    for done in [kuu.run("batch a.jsonl -q --json").exits(0), kuu.run("count a.jsonl -q --json").exits(0)] {
        assert_eq!((done.document().ledger().counted, done.err.as_str()), (700, ""), "{done}");
    }
    for command in ["produce", "count", "verify"] {
        assert_eq!(kuu.record(command).command, command);
    }
    // Errors are not printed on standard output either.
    kuu.run("produce a.jsonl -q").exits(2).complains("already holds 700 frames");
}

#[test]
fn nothing_is_drawn_where_there_is_no_terminal() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    for done in all(&kuu, "") {
        for text in [&done.out, &done.err] {
            assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{done}");
        }
    }
}

#[test]
fn the_table_shows_each_window() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let [_, count, verify, ..] = all(&kuu, "");
    let expected = windows(&frames(700));
    for (window, name) in expected.iter().zip(["2016-07-11 13:39", "2016-07-11 13:40"]) {
        for done in [&count, &verify] {
            let line = done.out.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{done}"));
            let cells: Vec<&str> = line.split_whitespace().collect();
            assert_eq!((cells[2], cells.last()), (&*window.users.to_string(), Some(&&*window.frames.to_string())));
        }
    }
    verify.says("exact: 2 of 2 windows").says("ledger: 700 read = 700 counted + 0 malformed + 0 too late");
}

#[test]
fn no_secret_in_records() {
    let secrets = [
        "-X sasl.password=hunter2",
        "-Xsasl.password=hunter2",
        "-X=sasl.password=hunter2",
        "-qX sasl.password=hunter2",
        "-X SASL.PASSWORD=hunter2 -X sasl.password=hunter2",
        "-X sasl.password=a=hunter2",
        "-X ssl.key.password=hunter2",
        "-X ssl.keystore.password=hunter2",
        "-X sasl.oauthbearer.client.secret=hunter2",
    ];
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(50)));
    kuu.run(&format!("produce {file}")).exits(0);
    for secret in secrets {
        let (produce, batch, count) =
            (format!("produce --append {file}"), format!("batch {file}"), format!("count {file}"));
        let idle = "-X does nothing here";
        for (command, words) in
            [(&*produce, "--config FILE"), ("count", "--config FILE"), (&*batch, idle), (&*count, idle)]
        {
            let done = kuu.run(&format!("{command} {secret} --json")).exits(2).complains(words);
            assert!(!done.out.contains("hunter2") && !done.err.contains("hunter2"), "{done}");
        }
    }
    assert!(!kuu.has_record("count"));
    // Other properties are recorded.
    kuu.run("count -X fetch.wait.max.ms=7 --guarantee at-least-once").exits(0);
    assert_eq!(kuu.record("count").config["-X fetch.wait.max.ms"], "7");
}
