//! The text of each format for records made by hand. That other tools can read it is checked in `tests/it/report/`.

use super::*;
use crate::latency::{Histogram, HistogramRecord};
use crate::record::Record;
use serde_json::{Value, json};
use std::slice::from_ref;

fn histogram(values: impl IntoIterator<Item = i64>) -> Value {
    let mut histogram = Histogram::default();
    values.into_iter().for_each(|us| histogram.record(us));
    serde_json::to_value(HistogramRecord::try_from(&histogram).unwrap()).unwrap()
}

fn named(name: &str, command: &str, members: Value) -> NamedRecord {
    let mut record = json!({
        "format": 1,
        "command": command,
        "config": {},
        "written": "2026-11-30T10:00:00Z",
        "program": { "version": "0.1.0", "git": "abc1234", "rustc": "", "librdkafka": "2.12.1" },
        "command_line": [],
        "machine": { "cpu": "a \"b\" \\ c\nd", "cores": 2, "memory_bytes": 1, "kernel": "6.1" },
        "input": [{ "name": "f", "bytes": 1, "sha256": "1234567890abcdef", "frames": 3_000, "frame_bytes": 1 }],
    });
    for (member, value) in members.as_object().unwrap() {
        record[member] = value.clone();
    }
    NamedRecord { name: name.into(), record: serde_json::from_value::<Record>(record).unwrap() }
}

fn bench(name: &str, rates: &[f64], more: &[(&str, Value)]) -> NamedRecord {
    let mut members = json!({
        "figures": {
            "count_frames_per_s": {
                "value": 1_500.0,
                "samples": rates,
                "ceiling": { "name": "raw read", "value": 3_000.0, "samples": [3_000.0, 2_000.0], "share": 0.5 },
            },
            "count_bytes_per_s": { "value": 1e6, "samples": [1e6] },
            "parse_ns_per_frame": { "value": 500.0, "samples": [500.0] },
            "live_frames_per_s": { "value": 5_000.0 },
            "live_sustained": { "value": 1.0 },
        },
        "latency": { "result": histogram(1..=100) },
    });
    for (member, value) in more {
        members[member] = value.clone();
    }
    named(name, "bench", members)
}

/// Of an engine that was right twice, and of one that was right only once.
fn race() -> NamedRecord {
    let sample = |engine: &str, round: u32, verdict: &str, right_us: i64| {
        json!({
            "key": { "phase": "cold", "frames": 1_000, "round": round, "turn": 1, "engine": engine },
            "started": format!("2026-11-30T10:0{round}:00Z"),
            "verdict": { "verdict": verdict, "why": ["x"], "windows": 1, "more": 1, "fewer": 0 },
            "times": { "right_us": right_us },
            "used": { "cpu_us": 5_000, "peak_resident_bytes": 70, "peak_pss_bytes": 60 },
            "beside": { "observer_cpu_us": 1, "state_bytes": 0 },
            "answered": 1_000,
        })
    };
    let samples = json!([
        sample("kuu", 1, "exact", 2_000_000),
        sample("go", 1, "exact", 1_000_000),
        sample("kuu", 2, "exact", 1_000_000),
        sample("go", 2, "wrong", 500_000),
    ]);
    named(
        "race.json",
        "race",
        json!({ "speed": { "reference": "kuu", "engines": [], "samples": samples, "estimates": [] } }),
    )
}

/// Of one engine that keeps up, and one that does not.
fn live(brackets: Value) -> NamedRecord {
    let sample = |engine: &str, round: u32, keeps_up: Value| {
        json!({
            "engine": engine, "round": round, "turn": 1, "started": "2026-11-30T10:01:00Z",
            "rate": 2_500.0, "achieved": 2_500.0, "sending_us": 1, "warm_us": 0, "every_ms": 0, "from_closing": true,
            "verdict": { "verdict": "exact" }, "keeps_up": keeps_up, "slope": null, "windows": [], "late": 0,
            "legs": { "end_to_end": histogram([2_000]), "ack": histogram([1]) },
            "last_frame": histogram((0..20).map(|n| 1_000 * i64::from(round) + n)),
            "frontier": [], "used": { "cpu_us": 1, "peak_resident_bytes": 1, "peak_pss_bytes": 1 },
        })
    };
    let samples = json!([
        sample("kuu", 1, json!({ "says": "proven" })),
        sample("go", 1, json!({ "says": "refuted", "why": "its lag grew" })),
        sample("kuu", 2, json!({ "says": "proven" })),
    ]);
    named("live.json", "race", json!({ "live": { "engines": [], "samples": samples, "brackets": brackets } }))
}

fn scorecard() -> NamedRecord {
    let cell = |engine: &str, verdict: Value| {
        let mut cell = json!({
            "engine": engine, "version": null, "workload": "late", "again": "", "started": "2026-11-30T10:01:00Z",
            "rows": { "judged": 1, "epilogue": 0, "repeats": 0, "retractions": 0, "unreadable": 0, "aborted": 0 },
            "times": { "right_us": 7 }, "used": { "cpu_us": 5, "peak_resident_bytes": 9, "peak_pss_bytes": 8 },
        });
        cell.as_object_mut().unwrap().extend(verdict.as_object().unwrap().clone());
        cell
    };
    let wrong = json!({ "verdict": "wrong", "why": ["drops late frames"], "windows": 2, "more": 0, "fewer": 3 });
    let cells = json!([
        cell("kuu", json!({ "verdict": "within-policy", "windows": 1, "more": 0, "fewer": 1 })),
        cell("go", wrong)
    ]);
    named("cells.json", "race", json!({ "cells": cells }))
}

fn text(format: ExportFormat, records: &[NamedRecord]) -> String {
    export(format, records).unwrap()
}

fn document(format: ExportFormat, records: &[NamedRecord]) -> Value {
    serde_json::from_str(&text(format, records)).unwrap()
}

#[track_caller]
fn refused(format: ExportFormat, records: &[NamedRecord], words: &str) {
    assert_eq!(export(format, records).unwrap_err().to_string(), words);
}

#[test]
fn bencher_has_a_benchmark_for_each_figure() {
    assert_eq!(
        document(ExportFormat::Bencher, &[bench("a.json", &[1_000.0, 1_500.0, 3_000.0], &[])]),
        json!({
            "count": { "frames-per-s": { "value": 1_500.0, "lower_value": 1_000.0, "upper_value": 3_000.0 } },
            "parse": { "ns-per-frame": { "value": 500.0 } },
            "latency_result_p50": { "us": { "value": 50.0 } },
            "latency_result_p90": { "us": { "value": 90.0 } },
        })
    );
    assert_eq!(
        document(ExportFormat::Bencher, &[race()]),
        json!({
            "kuu cold_1000": { "frames-per-s": { "value": 750.0, "lower_value": 500.0, "upper_value": 1_000.0 } },
            "kuu cold_1000_cpu": { "us-per-frame": { "value": 5.0, "lower_value": 5.0, "upper_value": 5.0 } },
            "kuu cold_1000_peak_pss": { "bytes": { "value": 60.0, "lower_value": 60.0, "upper_value": 60.0 } },
        })
    );
}

#[test]
fn several_records_are_pooled_if_they_can_be_compared() {
    let (first, second) = (bench("a.json", &[1_000.0], &[]), bench("b.json", &[3_000.0, 1_100.0], &[]));
    let pooled = document(ExportFormat::Bencher, &[first.clone(), second]);
    assert_eq!(
        pooled["count"]["frames-per-s"],
        json!({ "value": 1_100.0, "lower_value": 1_000.0, "upper_value": 3_000.0 })
    );
    let machine = json!({ "cpu": "other", "cores": 8, "memory_bytes": 1, "kernel": "" });
    refused(
        ExportFormat::CustomBigger,
        &[first.clone(), bench("b.json", &[1.0], &[("machine", machine)])],
        "count_frames_per_s is in a.json and in b.json, but the machine was a \"b\" \\ c\nd, 2 cores, and then other, 8 cores: \
         export them one by one",
    );
    // Records without a figure in common are of different things.
    assert_eq!(document(ExportFormat::Bencher, &[first.clone(), race()]).as_object().unwrap().len(), 7);
    refused(ExportFormat::Csv, &[first.clone(), first], "a.json is named twice: name it once");
}

#[test]
fn a_custom_file_has_one_direction() {
    let record = [bench("a.json", &[1_000.0, 1_500.0, 3_000.0], &[])];
    assert_eq!(
        document(ExportFormat::CustomBigger, &record),
        json!([{ "name": "count_frames_per_s", "unit": "frames/s", "value": 1_500.0, "range": "1000 to 3000", "extra": "3 samples" }])
    );
    let smaller = document(ExportFormat::CustomSmaller, &record);
    assert_eq!(smaller.as_array().unwrap().len(), 3);
    assert_eq!(
        smaller[2],
        json!({ "name": "parse_ns_per_frame", "unit": "ns/frame", "value": 500.0, "extra": "1 sample" })
    );
    let of_race = document(ExportFormat::CustomBigger, &[race()]);
    assert_eq!(of_race[0]["name"], "kuu cold_1000_frames_per_s");
    let words = "live.json has no figure of which more is better: name other records, or another format";
    refused(ExportFormat::CustomBigger, &[live(json!([]))], words);
}

#[test]
fn hyperfine_has_the_times_of_phases_and_of_cold_runs() {
    // 3,000 frames at 1,000, 1,500 and 3,000 a second.
    assert_eq!(
        document(ExportFormat::Hyperfine, &[bench("a.json", &[1_000.0, 1_500.0, 3_000.0], &[])]),
        json!({ "results": [{
            "command": "kuu bench: count", "mean": 2.0, "stddev": 1.0, "median": 2.0, "user": null, "system": null,
            "min": 1.0, "max": 3.0, "times": [3.0, 2.0, 1.0], "exit_codes": [null, null, null],
        }] })
    );
    let both = document(ExportFormat::Hyperfine, &[race(), bench("a.json", &[1_000.0], &[])]);
    let results = both["results"].as_array().unwrap();
    assert_eq!(results[0]["command"], "kuu race: kuu, cold, 1000 frames (race.json)");
    assert_eq!(results[0]["times"], json!([2.0, 1.0]));
    assert_eq!(results[0]["memory_usage_byte"], json!([70, 70]));
    assert_eq!(results[0]["parameters"], json!({ "frames": "1000" }));
    assert_eq!((&results[1]["command"], &results[1]["stddev"]), (&json!("kuu bench: count (a.json)"), &Value::Null));
    assert_eq!(results.len(), 2);
    for record in [scorecard(), live(json!([])), bench("a.json", &[0.0], &[])] {
        let words = format!(
            "{} has no time of a phase (batch, produce, count) and of no cold run of an engine: name other records, or another format",
            record.name
        );
        refused(ExportFormat::Hyperfine, &[record], &words);
    }
}

#[test]
fn a_table_has_all_samples() {
    let lines = text(ExportFormat::Csv, &[bench("a,b.json", &[1_000.0, 3_000.0], &[]), race()]);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(
        lines[..7],
        [
            "record,begun,engine,figure,unit,round,turn,value",
            "\"a,b.json\",2026-11-30T10:00:00Z,,count,frames_per_s,1,,1000.0",
            "\"a,b.json\",2026-11-30T10:00:00Z,,count,frames_per_s,2,,3000.0",
            "\"a,b.json\",2026-11-30T10:00:00Z,,count,bytes_per_s,,,1000000.0",
            "\"a,b.json\",2026-11-30T10:00:00Z,,count_ceiling,frames_per_s,1,,3000.0",
            "\"a,b.json\",2026-11-30T10:00:00Z,,count_ceiling,frames_per_s,2,,2000.0",
            "\"a,b.json\",2026-11-30T10:00:00Z,,latency_result_p50,us,,,50.0",
        ]
    );
    assert_eq!(lines[11], "race.json,2026-11-30T10:01:00Z,kuu,cold_1000,frames_per_s,1,1,500.0");
    assert_eq!(lines.len(), 17);
    let cells = text(ExportFormat::Csv, &[scorecard()]);
    assert_eq!(
        cells.lines().skip(1).collect::<Vec<_>>(),
        [
            "cells.json,2026-11-30T10:01:00Z,kuu,late_cpu,us,,,5.0",
            "cells.json,2026-11-30T10:01:00Z,kuu,late_peak_pss,bytes,,,8.0",
            "cells.json,2026-11-30T10:01:00Z,kuu,late_right,us,,,7.0",
        ]
    );
    let words = "v.json has no figure: name other records, or another format";
    refused(ExportFormat::Csv, &[named("v.json", "verify", json!({}))], words);
}

#[test]
fn a_live_race_has_the_latency_of_those_who_keep_up_and_a_search_has_rates() {
    let bracket = |engine: &str, round: u32, proven: Value| json!({ "engine": engine, "round": round, "proven": proven, "limit": 4_100.0, "limit_is": "refuted" });
    let lines = text(ExportFormat::Csv, &[live(json!([]))]);
    assert_eq!(
        lines.lines().skip(1).collect::<Vec<_>>(),
        [
            "live.json,2026-11-30T10:01:00Z,kuu,live_2500_last_frame_p50,us,1,1,1009.0",
            "live.json,2026-11-30T10:01:00Z,kuu,live_2500_last_frame_p50,us,2,1,2009.0",
        ]
    );
    assert_eq!(left_out(&live(json!([])).record), ["no latency of runs that did not keep up with the rate: go"]);
    let search = live(json!([bracket("kuu", 1, json!(4_000.0)), bracket("go", 1, Value::Null)]));
    assert_eq!(
        document(ExportFormat::Bencher, from_ref(&search)),
        json!({ "kuu sustained": { "frames-per-s": { "value": 4_000.0 } } })
    );
    assert_eq!(left_out(&search.record), [""; 0]);
}

#[test]
fn what_is_wrong_or_invalid_is_left_out() {
    assert_eq!(left_out(&race().record), ["no figures of engines that were wrong: go"]);
    for (figure, why) in [
        ("live_sustained", "no latency: the load was unsustainable"),
        ("live_on_schedule", "no latency: the load generator fell behind its schedule"),
    ] {
        let record =
            bench("a.json", &[1.0], &[("figures", json!({ figure: { "value": 0.0 }, "x_us": { "value": 1.0 } }))]);
        assert_eq!(document(ExportFormat::Bencher, from_ref(&record)), json!({ "x": { "us": { "value": 1.0 } } }));
        assert!(!text(ExportFormat::OpenMetrics, from_ref(&record)).contains("kuu_latency"));
        assert_eq!(left_out(&record.record), [why]);
    }
}

#[test]
fn open_metrics_have_base_units_and_one_piece_for_each_family() {
    let ledger = json!({ "read": 3, "counted": 2, "malformed": { "bad_ts": 1 }, "too_late": 0, "blank": 0 });
    let records = [bench("a.json", &[1_000.0, 3_000.0], &[("ledger", ledger)]), scorecard()];
    assert_eq!(text(ExportFormat::OpenMetrics, &records), include_str!("expected.om"));
    let mut damaged = scorecard();
    damaged.record.written = "yesterday".into();
    refused(
        ExportFormat::OpenMetrics,
        &[damaged],
        "cells.json: `yesterday` is no RFC 3339 time; the record is damaged",
    );
}

#[test]
fn a_plot_has_a_view_for_each_kind_of_data() {
    let plot = document(ExportFormat::VegaLite, &[bench("a.json", &[1_000.0, 3_000.0], &[])]);
    assert_eq!(plot["title"], "kuu: a.json");
    let views = plot["vconcat"].as_array().unwrap();
    assert_eq!(views.len(), 2);
    let values = |view: &Value| view["data"]["values"].as_array().unwrap().clone();
    let (samples, curve) = (values(&views[0]), values(&views[1]));
    assert_eq!(
        samples[1],
        json!({ "figure": "count_frames_per_s", "of": "bench", "what": "sample", "round": 2, "begun": "2026-11-30T10:00:00Z", "value": 3_000.0 })
    );
    let median = json!({ "figure": "count_frames_per_s", "of": "bench", "what": "median", "round": null, "begun": null, "value": 2_000.0 });
    assert_eq!((&samples[2], samples.len()), (&median, 5));
    assert_eq!(curve[5], json!({ "leg": "result", "of": "bench", "percent": 50.0, "one_of": 2.0, "ms": 0.05 }));
    // Both rounds of the engine that kept up, together.
    let plot = document(ExportFormat::VegaLite, &[live(json!([])), bench("a.json", &[1.0], &[])]);
    let curve = values(&plot["vconcat"][1]);
    let of_kuu =
        curve.iter().filter(|point| point["of"] == "kuu, 2500 frames/s, live.json" && point["leg"] == "last_frame");
    let half = of_kuu.clone().find(|point| point["percent"] == 50.0).unwrap();
    assert_eq!(half["ms"], 1.019);
    assert!(of_kuu.count() > 5 && curve.iter().all(|point| point["leg"] != "ack"));
    let plot = document(ExportFormat::VegaLite, &[scorecard()]);
    let views = plot["vconcat"].as_array().unwrap();
    let words = "wrong: -3 users in 2 windows: drops late frames";
    let cell = json!({ "engine": "go", "workload": "late", "verdict": "wrong", "of": "cells.json", "words": words });
    assert_eq!((views.len(), &values(&views[0])[1]), (1, &cell));
    let nothing = named("v.json", "verify", json!({}));
    refused(ExportFormat::VegaLite, &[nothing], "v.json has no figure to plot: name other records, or another format");
}
