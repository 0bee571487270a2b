//! What `kuu report` refuses, and where it writes.

use crate::report::records::{RACE, bench, scorecard};
use crate::support::frames::gzip;
use crate::support::kuu::Kuu;
use serde_json::{Value, json};
use std::fs;

#[test]
fn what_is_no_export() {
    let kuu = Kuu::new();
    let mut record = scorecard();
    kuu.file("cells.json", record.to_string());
    record["verdict"] = json!({ "exact": false, "windows": 1, "wrong": 1, "exact_at_first": 0, "largest_first_error_users": 1,
        "total_first_error_users": 1, "faults": ["x"] });
    kuu.file("wrong.json", record.to_string());
    record["verdict"] = Value::Null;
    record["format"] = 7.into();
    kuu.file("old.json.gz", gzip(record.to_string().as_bytes()));
    kuu.file("noise.json", "{");
    let mut damaged = bench();
    damaged["latency"]["ack"]["histogram"] = "!".into();
    damaged["written"] = "soon".into();
    kuu.file("damaged.json", damaged.to_string());
    for (line, words) in [
        ("report --export csv", "<RECORD>..."),
        (
            "report --export html cells.json",
            "bencher, custom-bigger, custom-smaller, hyperfine, openmetrics, csv, vega-lite",
        ),
        ("report --export csv wrong.json", "wrong.json: its answer was wrong, and a wrong answer has no speed"),
        ("report --export csv cells.json wrong.json", "wrong.json: its answer was wrong"),
        ("report --export csv old.json.gz", "old.json.gz has format 7, this kuu reads 1"),
        ("report --export csv noise.json", "noise.json is not a record of kuu: name records that kuu wrote"),
        ("report --export vega-lite damaged.json", "damaged.json: the histogram of the record is not base64"),
        ("report --export openmetrics damaged.json", "damaged.json: `soon` is no RFC 3339 time; the record is damaged"),
        ("report --export csv none.json", "none.json: there is no such file: name records that kuu wrote"),
        ("report --export csv .", ". cannot be read"),
        ("report --export csv cells.json cells.json", "cells.json is named twice: name it once"),
        (
            "report --export hyperfine cells.json",
            "cells.json has no time of a phase (batch, produce, count) and of no cold run",
        ),
        ("report --export bencher cells.json", "cells.json has no figure of which more or less is better"),
        ("report --export csv cells.json --json", "--json: standard output would have no JSON document: leave it out"),
        ("report --export csv cells.json -o none/x", "none/x cannot be written"),
        ("report --export csv cells.json -o .", ". cannot be written"),
        ("report --export csv cells.json -o /dev/full", "/dev/full cannot be written"),
    ] {
        let done = kuu.run(line).exits(2).complains(words);
        assert_eq!(done.out, "", "{done}");
    }
}

#[test]
fn where_it_is_written() {
    let kuu = Kuu::new();
    kuu.file("cells.json", scorecard().to_string());
    let printed = kuu.run("report --export vega-lite cells.json").exits(0).out;
    assert!(printed.ends_with("}\n"));
    assert_eq!(kuu.run("report --export vega-lite cells.json -o - --json --quiet").exits(0).out, printed);
    kuu.file("plot.json", "old");
    let done = kuu.run("report --export vega-lite ce*.json --output plot.json").exits(0);
    assert_eq!(done.out, "plot.json: vega-lite, 1 record\n");
    assert_eq!(fs::read_to_string(kuu.path("plot.json")).unwrap(), printed);
    // A reader that stops early is no error.
    kuu.run_into_head(&format!("report --export csv {RACE}"), 1).exits(0);
    // A file that cannot be written is left as it was.
    kuu.run_without_space("report --export csv cells.json -o plot.json")
        .exits(2)
        .complains("plot.json cannot be written");
    assert_eq!(fs::read_to_string(kuu.path("plot.json")).unwrap(), printed);
}
