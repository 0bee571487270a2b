//! What is on a page, and what is not. Its structure is checked in `tests/it/report/`.

use super::*;
use crate::record::Record;
use serde_json::{Value, json};

fn named(name: &str, command: &str, members: Value) -> NamedRecord {
    let mut record = json!({
        "format": 1,
        "command": command,
        "config": {},
        "written": "2026-11-30T10:00:00Z",
        "program": { "version": "0.1.0", "git": "abc1234", "rustc": "", "librdkafka": "2.12.1" },
        "command_line": ["kuu", command],
        "machine": { "cpu": "x", "cores": 2, "memory_bytes": 1, "kernel": "6.1" },
    });
    for (member, value) in members.as_object().unwrap() {
        record[member] = value.clone();
    }
    NamedRecord { name: name.into(), record: serde_json::from_value::<Record>(record).unwrap() }
}

fn text(records: &[NamedRecord]) -> String {
    page(records).unwrap()
}

#[test]
fn what_a_record_has_not_is_not_there() {
    let page = text(&[named("g.json", "generate", json!({}))]);
    for title in
        ["Scorecard", "Speed", "Latency", "over time", "Users per window", "ceilings", "Figures", "Side by side"]
    {
        assert!(!page.contains(&format!("<h3>{title}")), "{title}");
    }
    assert!(!page.contains("<svg") && page.contains("<h3>Machine, configuration, command line</h3>"));
}

#[test]
fn a_count_that_is_not_over_says_so() {
    let page = text(&[named("c.json", "count", json!({ "config": { "complete": false } }))]);
    assert!(page.contains("this count has not come to its end: it goes on, or was killed"));
}

#[test]
fn latency_of_a_load_that_was_not_held_is_not_drawn() {
    let mut histogram = crate::latency::Histogram::default();
    (1..=100).for_each(|us| histogram.record(us));
    let latency = json!({ "result": crate::latency::HistogramRecord::try_from(&histogram).unwrap() });
    let of = |held: f64| {
        text(&[named(
            "b.json",
            "bench",
            json!({ "latency": latency, "figures": { "live_sustained": { "value": held } } }),
        )])
    };
    assert!(of(1.0).contains("Latency by leg") && !of(1.0).contains("no latency"));
    assert!(!of(0.0).contains("Latency by leg") && of(0.0).contains("the load was unsustainable"));
}

#[test]
fn a_ledger_that_does_not_balance_is_bad_news() {
    let ledger = |counted: u64| json!({ "read": 3, "counted": counted, "malformed": { "bad_ts": 1 }, "too_late": 0, "blank": 0 });
    let page = |counted| text(&[named("c.json", "count", json!({ "ledger": ledger(counted) }))]);
    let line = "<span>3 read = 2 counted + 1 malformed + 0 too late</span><ul class=\"details\"><li>1 bad_ts</li></ul>";
    assert!(page(2).contains(&format!("<strong class=\"word open\">ledger</strong> {line}")), "{}", page(2));
    assert!(page(1).contains("<strong class=\"word bad\">ledger</strong>"));
}

#[test]
fn many_windows_are_shown_in_part() {
    let window =
        |minute: i64| json!({ "unit": "minute", "start": minute * 60, "first_users": 7, "users": 7, "truth_users": 7 });
    let mut windows: Vec<Value> = (0..200).map(window).collect();
    windows[150]["users"] = 6.into();
    let page = text(&[named("v.json", "verify", json!({ "windows": windows }))]);
    assert!(page.contains("1970-01-01 02:30 WRONG") && page.contains("... and 140 windows more"));
    assert_eq!(page.matches("<circle").count(), 201);
}

#[test]
fn a_sweep_and_its_lag() {
    let step = |rate: f64, sustained: bool| {
        json!({ "started": "", "asked_frames_per_s": rate, "sent_frames_per_s": rate, "frames": 9, "results_rows": 5,
            "on_schedule": true, "sustained": sustained, "lag_frames": [5, 1_700, 3], "latency": {} })
    };
    let sweep = json!({ "steps": [step(1_000.0, true), step(2_000.0, false)], "end": "not_sustained" });
    let page = text(&[named("b.json", "bench", json!({ "sweep": sweep }))]);
    assert!(page.contains("up to 1,000 frames/s") && page.contains("Lag at rising rates"));
    assert!(page.contains("the count did not keep up with the last rate") && page.contains("NOT sustained"));
    assert!(page.contains("<td class=\"number\">1,700</td>"));
}
