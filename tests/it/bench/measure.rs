//! The measuring command on the embedded broker. No figure is checked here: `bench.sh` does that.

use crate::support::frames::{fixture_lines, lines, windows};
use crate::support::kuu::Kuu;

/// A short run over frames of the fixture.
const QUICK: &str = "bench a.jsonl --rounds 1 --live-seconds 3s";

fn kuu() -> Kuu {
    let kuu = Kuu::bare();
    kuu.file("a.jsonl", lines(fixture_lines(3_000)));
    kuu
}

/// `kuu bench` starts its own broker if none is named.
fn run(kuu: &Kuu, more: &str) -> crate::support::kuu::Done {
    kuu.run(&format!("{QUICK} {more}"))
}

#[test]
fn everything_in_one_process() {
    let kuu = kuu();
    let done = run(&kuu, "").exits(0);
    for says in [
        "embedded broker (librdkafka mock, not Apache Kafka)",
        "3,000 frames",
        "exact: 2 of 2 windows",
        "raw read",
        "intern, window, set",
    ] {
        assert!(done.out.contains(says), "{says}: {done}");
    }
    let record = kuu.record("bench");
    assert_eq!(record.broker.as_ref().map(|broker| broker.kind.as_str()), Some("embedded"));
    let expected = windows(fixture_lines(3_000));
    assert_eq!(expected.len(), 2);
    let ledger = record.ledger();
    assert_eq!((ledger.read, ledger.counted), (3_000, 3_000));
    for figure in [
        "batch_frames_per_s",
        "produce_frames_per_s",
        "count_frames_per_s",
        "live_frames_per_s",
        "parse_share",
        "intern_window_set_ns_per_frame",
        "raw_read_bytes_per_s",
    ] {
        assert!(record.figure(figure) > 0.0, "{figure}");
    }
    // Every sample is there with its slot and its start.
    let stages: Vec<&str> = record.turns.iter().map(|turn| turn.stage.as_str()).collect();
    let steps = ["inflate", "batch", "parse", "parse_plain", "intern_window_set", "produce", "raw_send"];
    assert_eq!(stages, [&steps[..], &["raw_read", "count", "at_least_once", "live"]].concat());
    assert!(record.turns[0].started_us == 0 && record.turns.is_sorted_by_key(|turn| turn.started_us));
    let rate = 3_000.0 / (record.turns[1].took_us / 1e6);
    assert!((record.figure("batch_frames_per_s") / rate - 1.0).abs() < 1e-9, "{rate}");
    // Of 3,000 samples, 30 lie above the 99th percentile, and 3 above the next.
    let schedule = record.latency["schedule"]["percentiles"].as_object().unwrap();
    assert!(schedule.contains_key("p99_us") && !schedule.contains_key("p99_9_us"), "{schedule:?}");
    let row = done.out.lines().find(|line| line.starts_with("schedule ")).unwrap();
    let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert!(cells[2].ends_with(" ms") && cells[3] == "-" && cells[4].ends_with(" ms"), "{row}");
    assert!(done.out.contains("\n-: fewer than ten samples lie above it\n"), "{done}");
    // Each leg has a histogram: in the record and in files, in both formats of HdrHistogram's tools.
    let names: Vec<String> = std::fs::read_dir(kuu.path("results"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for leg in ["schedule", "ack", "transit", "transaction", "result", "end_to_end"] {
        assert!(names.iter().any(|name| name.ends_with(&format!(".{leg}.hgrm"))), "{leg}: {names:?}");
    }
    assert!(names.iter().any(|name| name.ends_with(".hlog")), "{names:?}");
}

#[test]
fn an_input_with_one_user() {
    let kuu = Kuu::bare();
    // Most partitions get no frame.
    kuu.file("a.jsonl", lines(fixture_lines(1)));
    run(&kuu, "").exits(0).says("exact: 1 of 1 window");
}

#[test]
fn a_load_that_cannot_be_held_has_no_latency() {
    let kuu = kuu();
    let done = kuu.run("bench a.jsonl --rounds 1 --rate 100000000");
    assert_eq!(done.code, Some(5), "{done}");
    assert!(done.out.contains("the load generator fell behind its schedule: latency is invalid"), "{done}");
}

#[test]
fn frames_that_the_embedded_broker_drops_are_seen() {
    let kuu = Kuu::bare();
    // More than the 5 MiB that one partition keeps.
    kuu.file("a.jsonl", lines(fixture_lines(6_000)));
    run(&kuu, "--partitions 1 --compression none").exits(2).complains("the broker dropped the oldest frames of topic");
    // By default, it makes as many partitions as it needs.
    run(&kuu, "--compression none").exits(0);
}

#[test]
fn an_input_without_frames() {
    let kuu = Kuu::bare();
    kuu.file("a.jsonl", "\n \n");
    run(&kuu, "").exits(2).complains("holds no frame");
}

#[test]
fn a_run_must_reach_what_is_asserted() {
    let kuu = kuu();
    let done = run(&kuu, "--assert count.share>0 --assert count.share>=100").exits(3);
    assert!(done.err.contains("kuu: does not hold: count.share>=100: it is "), "{done}");
    assert!(!done.err.contains("count.share>0"), "{done}");
    assert!(done.out.contains("record: "), "{done}");
    let done = run(&kuu, "--assert nonsense<1").exits(2);
    assert!(done.err.contains("nonsense<1: this run has no such figure, but batch_frames_per_s, "), "{done}");
    run(&kuu, "--assert nonsense").exits(2).complains("`nonsense` asserts nothing: write as in 'result.p99 < 25ms'");
}
