//! Records to export: those of the repository, and two that are made by hand.

use crate::support::kuu::Kuu;
use crate::support::wire::check_schema;
use flate2::read::GzDecoder;
use kuu_core::latency::{Histogram, HistogramRecord};
use serde_json::{Value, json};
use std::fs::File;

/// A race for speed, and a bench with five samples of each phase, as kuu wrote them.
pub const RACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/example/race-20261130T092848Z.json.gz");
pub const BENCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/example/bench-20261130T212417Z.json.gz");

/// A record of `kuu race`, without results.
fn race() -> Value {
    json!({
        "format": 1,
        "command": "race",
        "config": { "engines": ["kuu", "go"], "workloads": [], "deadline_us": 1, "memory_bytes": 1, "restart_broker": null, "seed": 1 },
        "written": "2026-11-30T10:00:00Z",
        "program": { "version": "0.1.0", "git": "abc1234", "rustc": "rustc 1.95.0", "librdkafka": "2.12.1" },
        "broker": { "kind": "kafka", "version": null, "address": "localhost:9092" },
        "command_line": ["kuu", "race"],
        "machine": { "cpu": "x", "cores": 2, "memory_bytes": 1, "kernel": "6.1" },
    })
}

/// A scorecard of one workload, on which one engine is wrong.
pub fn scorecard() -> Value {
    let cell = |engine: &str, verdict: Value| {
        let mut cell = json!({
            "engine": engine, "version": null, "workload": "late", "again": "", "started": "2026-11-30T10:01:00Z",
            "rows": { "judged": 1, "epilogue": 0, "repeats": 0, "retractions": 0, "unreadable": 0, "aborted": 0 },
            "times": { "first_row_us": 6, "right_us": 7, "ended_us": null },
            "used": { "cpu_us": 5, "peak_resident_bytes": 9, "peak_pss_bytes": 8 },
        });
        cell.as_object_mut().unwrap().extend(verdict.as_object().unwrap().clone());
        cell
    };
    let wrong = json!({ "verdict": "wrong", "why": ["drops late frames"], "windows": 2, "more": 0, "fewer": 3 });
    let mut record = race();
    record["cells"] = json!([cell("kuu", json!({ "verdict": "exact" })), cell("go", wrong)]);
    check_schema(&record);
    record
}

/// A search for a rate; one engine was wrong.
pub fn sustained() -> Value {
    let sample = |engine: &str, verdict: Value| {
        json!({
            "engine": engine, "round": 1, "turn": 1, "started": "2026-11-30T10:01:00Z",
            "rate": 4_000.0, "achieved": 4_000.0, "sending_us": 1, "warm_us": 0, "every_ms": 0, "from_closing": true,
            "verdict": verdict, "keeps_up": { "says": "proven" }, "slope": null, "windows": [], "late": 0,
            "legs": {}, "last_frame": null, "frontier": [],
            "used": { "cpu_us": 1, "peak_resident_bytes": 1, "peak_pss_bytes": 1 },
        })
    };
    let bracket = json!({ "engine": "kuu", "round": 1, "proven": 4_000.0, "limit": 4_100.0, "limit_is": "refuted" });
    let wrong = json!({ "verdict": "wrong", "why": ["x"], "windows": 1, "more": 1, "fewer": 0 });
    let samples = [sample("kuu", json!({ "verdict": "exact" })), sample("go", wrong)];
    let mut record = race();
    record["live"] = json!({ "engines": [], "samples": samples, "brackets": [bracket] });
    check_schema(&record);
    record
}

/// A live race at a rate: one engine kept up, and the other one did not.
pub fn live() -> Value {
    let mut histogram = Histogram::default();
    (0..100).for_each(|_| histogram.record(20_000));
    let of_20_ms = serde_json::to_value(HistogramRecord::try_from(&histogram).unwrap()).unwrap();
    let sample = |engine: &str, achieved: f64, keeps_up: Value, late: u64| {
        json!({
            "engine": engine, "round": 1, "turn": 1, "started": "2026-11-30T10:01:00Z",
            "rate": 1_000.0, "achieved": achieved, "sending_us": 2_000_000, "warm_us": 0, "every_ms": 0, "from_closing": true,
            "verdict": { "verdict": "exact" }, "keeps_up": keeps_up, "slope": null, "windows": [], "late": late,
            "legs": {}, "last_frame": of_20_ms.clone(),
            "frontier": [{ "seconds": 1.0, "frames": 100 }, { "seconds": 2.0, "frames": 1_800 }, { "seconds": 3.0, "frames": 2_000 }],
            "used": { "cpu_us": 1, "peak_resident_bytes": 1, "peak_pss_bytes": 1 },
        })
    };
    let refuted = json!({ "says": "refuted", "why": "its lag grew" });
    let samples = [sample("kuu", 1_000.0, json!({ "says": "proven" }), 0), sample("go", 999.0, refuted, 1)];
    let mut record = race();
    record["live"] = json!({ "engines": [], "samples": samples });
    check_schema(&record);
    record
}

/// The bench of the repository.
pub fn bench() -> Value {
    serde_json::from_reader(GzDecoder::new(File::open(BENCH).unwrap())).unwrap()
}

/// A directory with the scorecard and the search, each as a file.
pub fn of_races() -> Kuu {
    let kuu = Kuu::new();
    kuu.file("scorecard.json", scorecard().to_string());
    kuu.file("sustained.json", sustained().to_string());
    kuu
}
