//! Comparisons of records made by hand, with the values of SciPy that the tests of the ratio have.

use super::*;
use crate::record::Record;
use crate::statistics::{RatioEstimate, RatioVerdict, median};
use serde_json::json;
use std::slice::from_ref as slice;

const A: [f64; 10] = [102.1, 98.4, 131.0, 99.9, 97.2, 104.8, 101.3, 95.5, 99.0, 103.7];
const B: [f64; 10] = [96.0, 97.1, 99.5, 93.2, 96.8, 97.7, 95.1, 94.9, 97.3, 98.2];

/// A record of `kuu bench` that began in this minute.
fn record(minute: usize, figures: &[(&str, &[f64])]) -> Record {
    let figure =
        |(name, samples): &(&str, &[f64])| (name.to_string(), json!({ "value": median(samples), "samples": samples }));
    let figures: serde_json::Map<String, serde_json::Value> = figures.iter().map(figure).collect();
    serde_json::from_value(json!({
        "format": 1,
        "command": "bench",
        "config": {},
        "written": format!("2026-11-30T10:{minute:02}:00Z"),
        "program": { "version": "", "git": "", "rustc": "", "librdkafka": "" },
        "command_line": [],
        "machine": { "cpu": "x", "cores": 2, "memory_bytes": 1, "kernel": "" },
        "input": [{ "name": "f", "bytes": 1, "sha256": "1234567890abcdef", "frames": 1, "frame_bytes": 1 }],
        "figures": figures,
    }))
    .unwrap()
}

#[track_caller]
fn close(value: f64, expected: f64) {
    assert!((value / expected - 1.0).abs() < 1e-9, "{value} instead of {expected}");
}

#[test]
fn the_rounds_of_two_runs() {
    let before = [record(0, &[("count_frames_per_s", &B[..7]), ("fold_ns_per_frame", &A)])];
    let after = [record(1, &[("count_frames_per_s", &A), ("fold_ns_per_frame", &B[..7])])];
    assert_eq!(sample_kind(&before, &after), SampleKind::Round);
    let figures = compare(&before, &after, 0.05);
    let [count, fold] = &figures[..] else { panic!("{figures:?}") };
    for figure in [count, fold] {
        // Faster both times: more frames a second, and less time.
        let ratio = figure.ratio.unwrap();
        close(ratio.ratio, 1.066616633313305);
        close(ratio.interval.low, 0.9993069523666911);
        close(ratio.interval.high, 1.1384600495035342);
        assert_eq!(figure.verdict, Some(RatioVerdict::Undecided));
        close(figure.detectable.unwrap(), ratio.detectable(7));
    }
    assert_eq!((count.better, fold.better), (Better::More, Better::Less));
    assert_eq!((count.medians, fold.medians), ([96.8, 100.6], [100.6, 96.8]));
}

/// Ten runs of each side, in turn or one side after the other; each has the sample as one of three.
fn ten_runs(take_turns: bool) -> [Vec<Record>; 2] {
    let side = |values: [f64; 10], is_after: usize| {
        let run = |(n, value): (usize, &f64)| {
            // Of three rounds, the run has the median.
            let minute = if take_turns { 2 * n + (n + is_after) % 2 } else { 10 * is_after + n };
            record(minute, &[("count_frames_per_s", &[1.0, *value, 1_000.0])])
        };
        values.iter().enumerate().map(run).rev().collect()
    };
    [side(B, 0), side(A, 1)]
}

#[test]
fn runs_in_turn_are_pairs() {
    let [before, after] = ten_runs(true);
    assert_eq!(sample_kind(&before, &after), SampleKind::Pair);
    let figures = compare(&before, &after, 0.0);
    let ratio = figures[0].ratio.unwrap();
    close(ratio.ratio, 1.0655507780718365);
    close(ratio.interval.low, 1.0069049307928708);
    close(ratio.interval.high, 1.1276123752372982);
    assert_eq!(figures[0].verdict, Some(RatioVerdict::Faster));
    assert_eq!(figures[0].before, B);
}

#[test]
fn runs_of_one_side_after_the_other_are_not() {
    let [before, after] = ten_runs(false);
    assert_eq!(sample_kind(&before, &after), SampleKind::Run);
    let ratio = compare(&before, &after, 0.0)[0].ratio.unwrap();
    assert_eq!(ratio, RatioEstimate::unpaired(&A, &B).unwrap());
    // One run beside ten has rounds only.
    assert_eq!(sample_kind(&before[..1], &after), SampleKind::Round);
}

#[test]
fn more_figures_are_more_chances_of_a_false_alarm() {
    // The p-value of A beside B is 0.032.
    let runs = |noise: bool| {
        let side = |values: [f64; 10], is_after: usize| {
            let run = |(n, value): (usize, &f64)| {
                let figures: [(&str, &[f64]); 2] = [("count_share", &[*value]), ("live_share", &[B[n]])];
                record(2 * n + is_after, &figures[..1 + usize::from(noise)])
            };
            values.iter().enumerate().map(run).collect::<Vec<_>>()
        };
        compare(&side(B, 0), &side(A, 1), 0.0)
    };
    assert_eq!(runs(false)[0].verdict, Some(RatioVerdict::Faster));
    assert_eq!(runs(true)[0].verdict, Some(RatioVerdict::Undecided));
}

#[test]
fn what_cannot_be_compared_has_no_ratio_or_is_left_out() {
    let one: &[f64] = &[5.0];
    let zero: &[f64] = &[0.0, 0.0];
    let before = [record(0, &[("peak_resident_bytes", one), ("lag_max_s", zero), ("gone_share", one)])];
    let after = [record(1, &[("peak_resident_bytes", one), ("lag_max_s", zero), ("new_share", one)])];
    let figures = compare(&before, &after, 0.05);
    let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(names, ["lag_max_s", "peak_resident_bytes"]);
    assert!(figures.iter().all(|figure| (figure.ratio, figure.verdict) == (None, None)));
}

#[test]
fn what_else_was_different() {
    let (one, mut other) = (record(0, &[]), record(1, &[]));
    assert_eq!(differences(slice(&one), slice(&other)), []);
    other.input[0].sha256 = "0".repeat(64);
    other.machine.cores = 4;
    let difference = |what: &str, before: &str, after: &str| Difference {
        what: what.into(),
        before: before.into(),
        after: after.into(),
        forbids: true,
    };
    let input = difference("input", "1234567890ab", "000000000000");
    let machine = difference("machine", "x, 2 cores", "x, 4 cores");
    assert_eq!(differences(slice(&one), slice(&other)), [input, machine]);
    // Also within a side.
    let both = [one.clone(), other];
    let found = differences(&both, &both);
    assert_eq!(found[1], difference("machine", "x, 2 cores or x, 4 cores", "x, 2 cores or x, 4 cores"));
    let config = json!({ "command": "bench", "config": { "partitions": 16 } });
    let mut text = serde_json::to_value(&one).unwrap();
    text["config"] = config["config"].clone();
    let option = &differences(&[one], &[serde_json::from_value(text).unwrap()])[0];
    assert_eq!((option.what.as_str(), option.after.as_str(), option.forbids), ("option partitions", "16", false));
}

/// What a gate of 5 % says of blocks of runs, each with one rate.
fn verdict(blocks: &[[f64; 4]]) -> GateVerdict {
    let run = |(minute, rate): (usize, &f64)| record(minute, &[("count_frames_per_s", &[*rate])]);
    let runs: Vec<Record> = blocks.iter().flatten().enumerate().map(run).collect();
    let figures = gate(&runs, 0.05);
    assert_eq!(figures.len(), 1);
    assert_eq!(figures[0].of.before.len(), 2 * blocks.len());
    figures[0].verdict
}

#[test]
fn a_gate_finds_what_is_slower() {
    // Before, after, after, before.
    assert_eq!(
        verdict(&[[100.0, 80.0, 81.0, 101.0], [99.0, 79.0, 80.0, 100.0], [100.0, 80.0, 81.0, 101.0]]),
        GateVerdict::Slower
    );
    assert_eq!(
        verdict(&[[100.0, 99.0, 100.0, 99.0], [99.0, 100.0, 99.0, 100.0], [100.0, 100.0, 99.0, 99.0]]),
        GateVerdict::NotSlower
    );
    assert_eq!(verdict(&[[100.0, 130.0, 128.0, 101.0], [99.0, 129.0, 131.0, 100.0]]), GateVerdict::NotSlower);
    // It may be slower by more than 5 %, or not.
    assert_eq!(verdict(&[[100.0, 92.0, 100.0, 99.0], [90.0, 99.0, 84.0, 100.0]]), GateVerdict::Undecided);
}

#[test]
fn a_gate_on_a_machine_that_changes() {
    // It slows down, by the same each time: that is in both sides alike.
    let slowing: Vec<[f64; 4]> = (0..4).map(|n| [0, 1, 2, 3].map(|slot| 200.0 - f64::from(4 * n + slot))).collect();
    assert_eq!(verdict(&slowing), GateVerdict::NotSlower);
    // Runs of one build differ by where they stand.
    let [even, odd] = [[100.0, 100.0, 110.0, 110.0], [110.0, 110.0, 100.0, 100.0]];
    assert_eq!(verdict(&[even, odd, even]), GateVerdict::Uneven);
}

#[test]
fn a_gate_needs_whole_blocks() {
    let runs: Vec<Record> = (0..7).map(|minute| record(minute, &[("count_frames_per_s", &[1.0])])).collect();
    let figures = gate(&runs, 0.05);
    assert_eq!((figures[0].of.before.len(), figures[0].control.map(|control| control.rounds)), (2, Some(2)));
}

#[test]
fn assertions_hold_or_not() {
    let run = record(0, &[("count_share", &[0.4, 0.5, 0.6]), ("fold_ns_per_frame", &[101.0])]);
    for (text, holds, value) in [
        ("count.share > 0.5", false, 0.5),
        ("count.share>=50%", true, 0.5),
        ("count_share < 0.51", true, 0.5),
        ("fold.ns_per_frame <= 0.101k", true, 101.0),
        ("fold_ns_per_frame < 101", false, 101.0),
    ] {
        let assertion: Assertion = text.parse().unwrap();
        assert_eq!(assertion.check(&run), Ok(AssertionOutcome { holds, value }), "{text}");
        assert_eq!(assertion.to_string(), text);
    }
    let unknown: Assertion = "live.frames_per_s > 1".parse().unwrap();
    let expected = "live.frames_per_s > 1: this run has no such figure, but count_share, fold_ns_per_frame";
    assert_eq!(unknown.check(&run).unwrap_err(), expected);
    for text in ["count.share", "> 5", "a < ", "a < x", "a < 5 parsecs", "a b < 5", "a = 5", "a < inf"] {
        assert!(text.parse::<Assertion>().unwrap_err().starts_with(&format!("`{text}` asserts nothing")), "{text}");
    }
}

/// Results of 1 ms to 1 s.
fn with_latency(mut run: Record) -> Record {
    let mut histogram = crate::latency::Histogram::default();
    (1..=1_000).for_each(|ms| histogram.record(ms * 1_000));
    let legs = crate::latency::HistogramRecord::try_from(&histogram).unwrap();
    run.latency = crate::latency::LegRecords([(crate::latency::Leg::Result, legs)].into());
    run
}

#[test]
fn the_latency_of_a_load_that_was_too_high_is_not_compared() {
    let run = |minute, sustained: f64| {
        with_latency(record(minute, &[("count_frames_per_s", &A), ("live_sustained", &[sustained])]))
    };
    let names = |before: Record, after: Record| {
        compare(&[before], &[after], 0.05).into_iter().map(|figure| figure.name).collect::<Vec<_>>()
    };
    let all = ["count_frames_per_s", "latency_result_p50_us", "latency_result_p90_us", "latency_result_p99_us"];
    assert_eq!(names(run(0, 1.0), run(1, 1.0)), all);
    assert_eq!(names(run(0, 1.0), run(1, 0.0)), all[..1]);
    assert_eq!(names(run(0, 0.0), run(1, 1.0)), all[..1]);
    let asserts = |text: &str| text.parse::<Assertion>().unwrap().check(&run(0, 0.0)).map(|outcome| outcome.holds);
    let why = "result.p99 < 2s: no latency: the load was unsustainable";
    assert_eq!(asserts("result.p99 < 2s"), Err(why.into()));
    assert_eq!(asserts("count.frames_per_s > 50"), Ok(true));
}

#[test]
fn assertions_of_latency() {
    let run = with_latency(record(0, &[]));
    let holds = |text: &str| text.parse::<Assertion>().unwrap().check(&run).map(|outcome| outcome.holds);
    assert_eq!(holds("result.p99 < 1s"), Ok(true));
    assert_eq!(holds("result.p50 > 499ms"), Ok(true));
    assert_eq!(holds("result.p50 > 501ms"), Ok(false));
    // A thousand samples have no 99.9th percentile.
    assert!(holds("result.p99.9 < 5s").unwrap_err().contains("no such figure"));
}
