//! Latency against load, and every combination of options.

use crate::support::frames::{fixture_lines, frames, lines};
use crate::support::kuu::Kuu;
use crate::support::wire::{Record, SweepStep};

#[test]
fn rates_rise_until_one_is_not_sustained() {
    let kuu = Kuu::bare();
    // Each step sends them several times: 143 windows a second of event time.
    kuu.file("a.jsonl", lines(&frames(1_000)));
    // Steps of 3 s: in one of 1 s, what the other tests take of the processors looked like lag that grows.
    let done = kuu.run("bench a.jsonl --rounds 1 --sweep --live-seconds 3s").exits(0);
    let record = kuu.record("bench");
    let sweep = record.sweep.as_ref().unwrap();
    let is_valid = |step: &&SweepStep| step.on_schedule && step.sustained;
    let sustained = sweep.steps.iter().rfind(is_valid).unwrap().asked_frames_per_s;
    assert_eq!(record.figure("live_sustained_frames_per_s"), sustained);
    // Only the last step may have failed, and then no other follows.
    let failed: Vec<&SweepStep> = sweep.steps.iter().filter(|step| !is_valid(step)).collect();
    let end = match failed[..] {
        [] => "catch_up_rate",
        [step] if step.on_schedule => "not_sustained",
        [_] => "behind",
        _ => panic!("{sweep:?}"),
    };
    assert_eq!(sweep.end, end);
    assert!(is_valid(&&sweep.steps[0]) && sweep.steps.iter().rev().skip(1).all(|step| is_valid(&step)), "{sweep:?}");
    for pair in sweep.steps.windows(2) {
        let factor = pair[1].asked_frames_per_s / pair[0].asked_frames_per_s;
        assert!((1.41..1.42).contains(&factor), "{factor}");
    }
    for step in &sweep.steps {
        assert_eq!(step.frames, 3 * step.asked_frames_per_s as u64);
        // A generator is late at times, and never early.
        assert!(step.sent_frames_per_s < step.asked_frames_per_s * 1.01, "{step:?}");
        // A result for each second of event time, of which a thousand frames have 143, and some corrections.
        let windows = step.frames / 1_000 * 143 + (step.frames % 1_000).div_ceil(7);
        assert!(step.results_rows >= windows, "{step:?}");
        assert_eq!(step.latency["schedule"]["samples"], step.frames);
        assert!(step.started >= record.written && !step.lag_frames.is_empty(), "{step:?}");
    }
    let lines: Vec<&str> = done.out.lines().filter(|line| line.contains("highest sustained: ")).collect();
    assert_eq!(lines.len(), 1, "{done}");
    assert!(!record.latency.contains_key("result") && !record.figures.contains_key("live_frames_per_s"));
}

#[test]
fn each_combination_is_run() {
    let kuu = Kuu::bare();
    kuu.file("a.jsonl", lines(fixture_lines(1_000)));
    let done = kuu
        .run("bench a.jsonl --rounds 1 --live-seconds 1s --partitions 1,2 --threads 1 --compression lz4,none --json")
        .exits(0);
    let records: Vec<serde_json::Value> = serde_json::from_str(&done.out).unwrap();
    let of = |record: &serde_json::Value| {
        let record = Record::parse(record.to_string().as_bytes());
        assert!(record.verdict.as_ref().is_some_and(|verdict| verdict.exact));
        let option = |name: &str| record.config[name].to_string();
        ["catch_up_partitions", "live_partitions", "threads", "compression"].map(option).join(" ")
    };
    let expected = ["1 1 1 \"lz4\"", "1 1 1 \"none\"", "2 2 1 \"lz4\"", "2 2 1 \"none\""];
    assert_eq!(records.iter().map(of).collect::<Vec<_>>(), expected);
    // The table is on standard error, as the documents are on standard output.
    let table: Vec<Vec<&str>> = done.err.lines().map(|line| line.split_whitespace().collect()).collect();
    let titles = table.iter().position(|row| row.first() == Some(&"partitions")).unwrap();
    let rows: Vec<&[&str]> = table[titles + 1..].iter().map(|row| &row[..3]).collect();
    assert_eq!(rows, [["1", "1", "lz4"], ["1", "1", "none"], ["2", "1", "lz4"], ["2", "1", "none"]]);
    // Each has a record of its own, which can be compared.
    let runs = format!(
        "results/{}",
        std::fs::read_dir(kuu.path("results")).unwrap().next().unwrap().unwrap().file_name().display()
    );
    let [one, two] = ["01-partitions-1-threads-1-compression-lz4", "04-partitions-2-threads-1-compression-none"];
    let done = kuu.run(&format!("compare {runs}/{one}/bench.json {runs}/{two}/bench.json"));
    assert!(done.out.contains("option compression: \"lz4\", then \"none\""), "{done}");
}

#[test]
fn a_combination_that_fails_hides_no_other() {
    let kuu = Kuu::bare();
    // More than the 5 MiB that one partition keeps.
    kuu.file("a.jsonl", lines(fixture_lines(4_000)));
    let done = kuu.run("bench a.jsonl --rounds 1 --live-seconds 1s --partitions 1,4 --compression none").exits(2);
    assert!(
        done.err.contains("01-partitions-1-compression-none: ") && done.err.contains("use more --partitions"),
        "{done}"
    );
    assert!(done.out.lines().any(|line| line.starts_with("4  ")), "{done}");
    kuu.run("bench a.jsonl --against kuu --threads 1,2").exits(2).complains("name one value of each");
    kuu.run("bench a.jsonl --threads 1,0").exits(2).complains("--threads");
    kuu.run("bench a.jsonl --compression lz4,best").exits(2).complains("best");
    kuu.run("bench a.jsonl --sweep --rate 5").exits(2).complains("--rate");
}
