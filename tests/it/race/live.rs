//! `kuu race --rate` and `--sustain`: what they refuse, and what they record.

use crate::race::mutants::engines;
use crate::support::kuu::Kuu;
use crate::support::topics::address;
use serde_json::Value;
use std::time::Duration;

/// A file of a minute, with 1,000 frames a second.
fn file(kuu: &Kuu) -> String {
    let path = kuu.path("frames.jsonl").display().to_string();
    kuu.run(&format!("generate --frames 60000 --rate 1000 --users 500 --frame-bytes 120 -o {path}")).exits(0);
    path
}

/// A mutant knows of a partition when it has read a frame of it: its very first answer may come too soon.
fn is_right(sample: &Value) -> bool {
    ["exact", "corrected"].contains(&sample["verdict"]["verdict"].as_str().unwrap())
}

#[test]
fn what_cannot_be_raced_is_said() {
    let kuu = Kuu::bare();
    let (engines, file) = (engines(&kuu, &["none"]), file(&kuu));
    let race = |rest: &str| kuu.run(&format!("race none {file} --engines {engines} {rest}")).exits(2);
    race("--rate 100").complains("a live race needs Apache Kafka");
    race("--sustain").complains("scripts/kafka.sh start");
    race("--rounds 1").complains("--rounds 1: one round says nothing about chance");
    race("--rate 100 --sustain").complains("cannot be used with");
}

#[test]
#[ignore = "needs Kafka"]
fn latencies_of_engines_at_a_rate() {
    let kuu = Kuu::bare();
    let (engines, file) = (engines(&kuu, &["none", "late-results", "silent"]), file(&kuu));
    let line = format!(
        "race none late-results silent {file} --engines {engines} --rate 4000 --for 10s --window second --rounds 2 \
         --deadline 30s --json --brokers {}",
        address()
    );
    let done = kuu.run(&line).exits(1);
    let record: Value = serde_json::from_str(&done.out).unwrap();
    let samples = record["live"]["samples"].as_array().unwrap();
    let of = |name: &str| samples.iter().filter(|sample| sample["engine"] == name).collect::<Vec<_>>();
    // The one that is silent is not run again.
    assert_eq!(["none", "late-results", "silent"].map(|name| of(name).len()), [2, 2, 1]);
    for sample in [of("none"), of("late-results")].concat() {
        assert!(is_right(sample), "{sample}");
        // Four windows close in a second, in eight seconds.
        let windows = sample["windows"].as_array().unwrap();
        assert_eq!(windows.len(), 32, "{sample}");
        assert!(windows.iter().all(|window| window["right_us"].is_i64()));
        for leg in ["result", "end_to_end"] {
            assert_eq!(sample["legs"][leg]["samples"], 32);
        }
        for leg in ["schedule", "ack"] {
            assert_eq!(sample["legs"][leg]["samples"], 40_000);
        }
        assert_eq!(sample["last_frame"]["samples"], 32);
    }
    let (_, below) = done.err.split_once("without figures:").unwrap();
    assert!(below.contains("silent: ") && !below.contains("none: "), "{done}");
}

#[test]
#[ignore = "needs Kafka"]
fn a_search_for_a_rate_records_every_probe() {
    let kuu = Kuu::bare();
    let (engines, file) = (engines(&kuu, &["slow"]), file(&kuu));
    let race = |rest: &str| {
        let brokers = address();
        let line = format!("race slow {file} --engines {engines} --sustain --quick --brokers {brokers} {rest}");
        kuu.spawn(&line).wait_for(Duration::from_secs(600))
    };
    race("").exits(2).complains("--window second");
    let done = race("--window second --json").exits(0);
    let record: Value = serde_json::from_str(&done.out).unwrap();
    let [bracket] = &record["live"]["brackets"].as_array().unwrap()[..] else { panic!("{done}") };
    assert_eq!(bracket["engine"], "slow");
    let samples = record["live"]["samples"].as_array().unwrap();
    assert!(samples.len() >= 3, "{done}");
    for (turn, sample) in (1..).zip(samples) {
        assert!(is_right(sample) && sample["turn"] == turn, "{sample}");
        assert!(!sample["windows"].as_array().unwrap().is_empty());
    }
    assert!(done.err.contains("slow: sustainable: "), "{done}");
}
