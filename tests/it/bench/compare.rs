//! `kuu compare` on records made by hand.

use crate::support::frames::gzip;
use crate::support::kuu::Kuu;
use serde_json::{Value, json};

/// Writes a record of `kuu bench` that began in this minute, with the rounds of one rate and of one time.
fn record(kuu: &Kuu, name: &str, minute: u32, rates: &[f64], more: &Value) {
    let median = |samples: &[f64]| samples[samples.len() / 2];
    let times: Vec<f64> = rates.iter().map(|rate| 1e6 / rate).collect();
    let mut record = json!({
        "format": 1,
        "command": "bench",
        "config": { "rounds": rates.len() },
        "written": format!("2026-11-30T10:{minute:02}:00Z"),
        "program": { "version": "0.1.0", "git": "abc1234", "rustc": "", "librdkafka": "" },
        "command_line": [],
        "machine": { "cpu": "x", "cores": 2, "memory_bytes": 1, "kernel": "" },
        "input": [{ "name": "f", "bytes": 1, "sha256": "1234567890abcdef", "frames": 1, "frame_bytes": 1 }],
        "figures": {
            "count_frames_per_s": { "value": median(rates), "samples": rates },
            "fold_ns_per_frame": { "value": median(&times), "samples": times },
            "live_frames_per_s": { "value": 1.0 },
            "peak_resident_bytes": { "value": 50_000_000.0 },
        },
    });
    for (member, value) in more.as_object().unwrap() {
        record[member] = value.clone();
    }
    let text = record.to_string();
    kuu.file(name, if name.ends_with("gz") { gzip(text.as_bytes()) } else { text.into_bytes() });
}

const NOTHING: fn() -> Value = || json!({});

#[test]
fn one_run_of_each_side() {
    let kuu = Kuu::new();
    record(&kuu, "a.json", 0, &[1_000.0, 1_010.0, 990.0], &NOTHING());
    record(&kuu, "b.json.gz", 1, &[1_500.0, 1_515.0, 1_485.0], &NOTHING());
    let done = kuu.run("compare a.json b.json.gz").exits(0);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines[0], "before a.json: 1 run, kuu 0.1.0 (abc1234)");
    assert_eq!(lines[1], "after  b.json.gz: 1 run, kuu 0.1.0 (abc1234)");
    let row = |name: &str| {
        let line = lines.iter().find(|line| line.starts_with(name)).unwrap();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
    };
    // scipy.stats.ttest_ind(log([1500, 1515, 1485]), log([1000, 1010, 990]), equal_var=False)
    assert_eq!(
        row("count_frames"),
        ["count_frames_per_s", "1,000", "1,500", "1.500", "1.466 to 1.534", "better", "3.1 %"]
    );
    assert_eq!(row("fold_ns"), ["fold_ns_per_frame", "1,000", "666.7", "1.500", "1.466 to 1.534", "better", "3.1 %"]);
    assert_eq!(row("peak")[3..], ["-", "-", "too few samples", "-"]);
    assert!(!done.out.contains("live_frames_per_s"), "{done}");
    assert!(done.out.contains("Samples are the rounds of single runs"), "{done}");
    // The other way round it is a regression.
    let done = kuu.run("compare b.json.gz a.json --export-markdown t.md --json").exits(3);
    let document: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(document[0]["sample"], "round");
    assert_eq!(document[0]["figures"][0]["verdict"], "slower");
    assert_eq!(document[0]["figures"][0]["before"], json!([1_500.0, 1_515.0, 1_485.0]));
    let markdown = std::fs::read_to_string(kuu.path("t.md")).unwrap();
    assert!(
        markdown.contains("\n| count_frames_per_s | 1,500 | 1,000 | 0.667 | 0.652 to 0.682 | worse | 3.1 % |\n"),
        "{markdown}"
    );
    // Within 60 % it is the same.
    kuu.run("compare b.json.gz a.json --threshold 60%").exits(0);
}

#[test]
fn several_runs_in_turn() {
    let kuu = Kuu::new();
    for n in 0..3 {
        // The machine slows down: only pairs see through that.
        let speed = 1_000.0 / f64::from(n + 1);
        record(&kuu, &format!("a{n}.json"), 2 * n, &[speed], &NOTHING());
        record(&kuu, &format!("b{n}.json"), 2 * n + 1, &[speed * 1.2], &NOTHING());
    }
    let done = kuu.run("compare a0.json,a1.json,a2.json b?.json").exits(0);
    assert!(done.out.contains("Samples are 3 pairs of runs, which took turns."), "{done}");
    assert!(done.out.contains("A first look: a result needs 10 runs a side."), "{done}");
    let rate = done.out.lines().find(|line| line.starts_with("count_frames_per_s")).unwrap();
    assert!(rate.contains("1.200") && rate.contains("better"), "{done}");
    let done = kuu.run("compare a0.json,a1.json b0.json,b1.json,b2.json").exits(0);
    assert!(done.out.contains("Samples are 2 runs a side, which did not take turns"), "{done}");
    assert!(done.out.contains("undecided"), "{done}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let kuu = Kuu::new();
    record(&kuu, "a.json", 0, &[1_000.0, 1_010.0], &NOTHING());
    let source = json!({ "name": "g", "bytes": 1, "sha256": "fedcba0987654321", "frames": 1, "frame_bytes": 1 });
    record(&kuu, "other.json", 1, &[1_000.0, 1_010.0], &json!({ "input": [source] }));
    let verdict = json!({ "exact": false, "windows": 1, "wrong": 1, "exact_at_first": 0, "largest_first_error_users": 1,
        "total_first_error_users": 1, "faults": ["x"] });
    record(&kuu, "wrong.json", 1, &[1_000.0, 1_010.0], &json!({ "verdict": verdict }));
    record(&kuu, "bare.json", 1, &[1_000.0], &json!({ "figures": {} }));
    record(&kuu, "old.json", 1, &[1_000.0], &json!({ "format": 7 }));
    kuu.run("compare a.json other.json").exits(2).complains(
        "a.json and other.json cannot be compared: the input was 1234567890ab, and then fedcba098765. --across compares them",
    );
    let done = kuu.run("compare a.json other.json --across").exits(0);
    assert!(done.out.contains("input: 1234567890ab, then fedcba098765"), "{done}");
    kuu.run("compare a.json wrong.json")
        .exits(2)
        .complains("wrong.json: its answer was wrong, and a wrong answer has no speed");
    kuu.run("compare a.json bare.json").exits(2).complains("a.json and bare.json have no figure in common");
    kuu.run("compare a.json old.json").exits(2).complains("old.json has format 7, this kuu reads 1");
    kuu.run("compare a.json none.json")
        .exits(2)
        .complains("none.json: there is no such file: name records that kuu wrote");
    kuu.file("noise", b"{");
    kuu.run("compare a.json noise").exits(2).complains("noise is not a record of kuu: name records that kuu wrote");
    kuu.run("compare a.json").exits(2).complains("<AFTER>...");
    kuu.run("compare a.json a.json --threshold 100").exits(2).complains("`100` is no share: write 5% or 0.5%");
}
