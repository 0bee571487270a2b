//! Streams without an end: results come while frames arrive, and signals and closed pipes end a run in order.

use crate::support::broker::{Mock, committed, read, rows};
use crate::support::frames::{MINUTE, frame, frames, frames_from, lines, windows};
use crate::support::kuu::{Kuu, each, eventually};
use crate::support::wire::{Window, settle};
use std::time::Duration;

const SIGINT: u32 = 2;
const SIGTERM: u32 = 15;

/// Enough time for an orderly end.
const SOON: Duration = Duration::from_secs(15);

#[test]
fn frames_that_come_while_following() {
    each(&[("INT", SIGINT, 1), ("TERM", SIGTERM, 2)], |&(name, signal, threads)| {
        let mock = Mock::new(3);
        let kuu = Kuu::with(&mock.address);
        let (first, second) = (frames_from(MINUTE, 7 * 150), frames_from(MINUTE + 180, 7 * 150));
        let a = kuu.file("a.jsonl", lines(&first));
        let b = kuu.file("b.jsonl", lines(&second));
        kuu.run(&format!("produce {a}")).exits(0);
        // The embedded broker loses offsets that a transaction commits: see the test on Kafka.
        let options = format!("--guarantee at-least-once --commit-interval 100ms --threads {threads}");
        let running = kuu.spawn(&format!("count --follow --idle 300ms {options}"));
        let seen = |wanted: &Window| {
            eventually("a result", || settle(&rows(&mock.address, "output")).contains(wanted).then_some(()));
        };
        windows(&first)[..2].iter().for_each(&seen);

        // A second process adds frames; the first one continues.
        kuu.run(&format!("produce --append {b}")).exits(0);
        windows(&second)[..2].iter().for_each(&seen);
        eventually("the position", || {
            (committed(&mock.address, "kuu", "messages").iter().sum::<i64>() == 2_100).then_some(())
        });

        running.handles(signal);
        running.signal(name);
        let done = running.wait_for(SOON).exits(130).says("interrupted: ");
        done.says("ledger: 2,100 read = 2,100 counted");
        let record = kuu.record("count");
        assert_eq!(record.ledger().read, 2_100);
        assert_eq!(record.config["follow"], true);

        // A later bounded run closes the open windows.
        kuu.run("count --guarantee at-least-once").exits(0);
        kuu.run("verify").exits(0);
    });
}

#[test]
fn a_silent_partition_does_not_hold_the_others_back() {
    let mock = Mock::new(4);
    let kuu = Kuu::with(&mock.address);
    // One user: three of the four partitions stay empty.
    let one: Vec<_> = (0..100).map(|i| frame("alone", MINUTE + i)).collect();
    let file = kuu.file("one.jsonl", lines(&one));
    kuu.run(&format!("produce {file}")).exits(0);
    let running = kuu.spawn("count --follow --idle 200ms");
    eventually("a result", || (settle(&rows(&mock.address, "output")) == windows(&one)[..1]).then_some(()));
    running.signal("INT");
    running.wait_for(SOON).exits(130).says("1 open window had no result yet");
}

#[test]
fn a_topic_that_fills_only_later() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let running = kuu.spawn("count --follow --idle 200ms");
    running.handles(SIGINT);
    let all = frames(700);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    let first = &windows(&all)[0];
    eventually("a result", || settle(&rows(&mock.address, "output")).contains(first).then_some(()));
    running.signal("TERM");
    running.wait_for(SOON).exits(130);
}

#[test]
fn silent_standard_input() {
    each(&[("INT", SIGINT), ("TERM", SIGTERM)], |&(name, signal)| {
        // No input ever arrives.
        let running = Kuu::new().spawn("count -");
        running.handles(signal);
        running.signal(name);
        running.wait_for(SOON).exits(130).complains("ledger: 0 read");

        // Some input arrives and causes a result at once, and then no more arrives.
        let kuu = Kuu::new();
        let all = frames(7 * 90);
        let mut running = kuu.spawn("count -");
        running.write(&lines(&all));
        assert_eq!(crate::support::wire::Row::parse(running.line().as_bytes()).window(), windows(&all)[0]);
        running.signal(name);
        let done = running.wait_for(SOON).exits(130);
        assert_eq!(done.rows().len(), 1);
        done.complains("ledger: 630 read = 630 counted").complains("interrupted: 1 open window had no result yet");
    });
}

#[test]
fn an_interrupted_produce_says_what_it_sent() {
    each(&[("INT", SIGINT), ("TERM", SIGTERM)], |&(name, signal)| {
        let mock = Mock::new(2);
        let kuu = Kuu::with(&mock.address);
        let mut running = kuu.spawn("produce -");
        running.write(&lines(&frames(100)));
        eventually("the frames", || (read(&mock.address, "messages").len() == 100).then_some(()));
        running.handles(signal);
        running.signal(name);
        running.wait_for(SOON).exits(130).says("produced 100 frames");
        assert_eq!(kuu.record("produce").figure("delivered_frames"), 100.0);
    });
}

#[test]
fn a_pipe_delivers_line_by_line() {
    let kuu = Kuu::new();
    let mut running = kuu.spawn("count - --window second --lateness 0s");
    for second in 0..20 {
        // The frames of one second close the second before it, once the clock has started.
        running.write(&lines(&[frame("a", MINUTE + second), frame("b", MINUTE + second)]));
    }
    for second in 0..19 {
        let row = crate::support::wire::Row::parse(running.line().as_bytes());
        assert_eq!((row.start, row.users, row.timing.as_str()), (MINUTE + second, 2, "on_time"));
    }
    let done = running.close().wait().exits(0);
    assert_eq!(done.rows().len(), 20);
}

#[test]
fn a_reader_that_goes_away() {
    let kuu = Kuu::new();
    let many: Vec<_> = (0..30_000).map(|i| frame("a", MINUTE + i)).collect();
    let file = kuu.file("many.jsonl", lines(&many));
    for command in ["count", "batch"] {
        let done = kuu.run_into_head(&format!("{command} {file} --window second"), 1);
        let first: serde_json::Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(first["start"], MINUTE, "{done}");
        assert!(matches!(done.code, Some(0 | 130)), "{done}");
        let loud = ["panicked", "Broken pipe", "kuu: "].iter().any(|word| done.err.contains(word));
        assert!(!loud, "{done}");
    }
}

#[test]
fn nobody_reads_at_all() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(100)));
    for json in ["", " --json"] {
        mock.topic(&format!("to{}", json.trim()), 1);
        let to = format!("to{}", json.trim());
        for command in [
            format!("batch {file}"),
            format!("count {file}"),
            format!("produce {file} --topic {to}"),
            format!("count --topic {to} --guarantee at-least-once"),
            format!("verify {file} --topic {to}"),
        ] {
            let done = kuu.run_into_head(&format!("{command}{json}"), 0);
            assert!(matches!(done.code, Some(0 | 130)) && !done.err.contains("panicked"), "{done}");
        }
    }
}
