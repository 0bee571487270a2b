//! The baseline of a bench, its leftovers on the broker, and which of two failures it reports.

use crate::support::broker::Mock;
use crate::support::frames::{fixture_lines, lines};
use crate::support::kuu::{Done, Kuu, eventually};
use crate::support::topics::Topics;
use serde_json::{Value, json};

const QUICK: &str = "bench a.jsonl --rounds 1 --live-seconds 3s";

fn kuu() -> Kuu {
    let kuu = Kuu::bare();
    kuu.file("a.jsonl", lines(fixture_lines(3_000)));
    kuu
}

fn run(kuu: &Kuu, more: &str) -> Done {
    kuu.run(&format!("{QUICK} {more}"))
}

/// A baseline with one run in each of `hours` hours, all with this share of `count`.
fn baseline(conditions: &Value, hours: usize, count: f64) -> String {
    let run =
        |hour| json!({"at": format!("2026-11-25T{hour:02}:00:00Z"), "kuu": "deedf7d", "shares": {"count": count}});
    let runs: Vec<Value> = (0..hours).map(run).collect();
    json!({"format": 2, "measured": [{"conditions": conditions, "runs": runs}]}).to_string()
}

#[test]
fn a_share_below_its_baseline_is_a_regression_after_three_looks() {
    let kuu = kuu();
    let document: Value = serde_json::from_str(&run(&kuu, "--json").exits(0).out).unwrap();
    let here = &document["config"]["conditions"];
    kuu.file("high.json", baseline(here, 6, 1000.0));
    kuu.file("low.json", baseline(here, 6, 0.001));
    let done = run(&kuu, "--baseline high.json").exits(3).complains("slower than the baseline: count reached");
    assert_eq!(done.out.matches("below the baseline, measuring again: count").count(), 2, "{done}");
    done.says("compared with 6 runs in 6 hours on such a machine").says(": count fell");
    // No later failure hides the regression: the live load is not held, the record is not written.
    let line = "bench a.jsonl --rounds 1 --baseline high.json --rate 100000000";
    kuu.run(line).exits(3).says("the load generator fell behind its schedule");
    kuu.file("taken", "a file, no directory");
    run(&kuu, "--baseline high.json --results taken").exits(3).complains("cannot be written");
    // Of two baselines the last one counts, so that a script can add its own.
    let done = run(&kuu, "--baseline high.json --baseline low.json").exits(0);
    assert!(!done.out.contains("not compared"), "{done}");
    let sentence = "compared with 6 runs in 6 hours on such a machine, 2026-11-25T00:00:00Z to 2026-11-25T05:00:00Z: no share fell";
    let done = done.says("falls below").says(sentence);
    assert!(done.out.lines().any(|line| line.starts_with("count") && line.ends_with("0.00")), "{done}");
    assert!(kuu.record("bench").remarks.iter().any(|remark| remark == sentence));
}

#[test]
fn only_runs_of_this_machine_in_several_hours_are_compared_with() {
    let kuu = kuu();
    let document: Value = serde_json::from_str(&run(&kuu, "--json").exits(0).out).unwrap();
    let here = &document["config"]["conditions"];
    let mut other = here.clone();
    other["processor"] = "another".into();
    let not_compared = |file: &str, more: &str, why: &str| {
        let done = run(&kuu, &format!("--baseline {file} {more}")).exits(0);
        assert!(done.out.contains(&format!("not compared: {why}")), "{why}: {done}");
        done.says("scripts/baseline.py");
        assert!(kuu.record("bench").remarks.iter().any(|remark| remark.starts_with("not compared")));
    };
    kuu.file("hour.json", baseline(here, 5, 1000.0));
    not_compared(
        "hour.json",
        "",
        "the baseline's runs under these conditions are of 5 different hours, and it takes 6",
    );
    kuu.file("other.json", baseline(&other, 6, 1000.0));
    let why = "no run of the baseline had these conditions; the nearest had processor another, not ";
    not_compared("other.json", "", why);
    kuu.file("here.json", baseline(here, 6, 1000.0));
    for (more, what) in
        [("--compression none", "compression lz4, not none"), ("--guarantee at-least-once", "guarantee")]
    {
        not_compared(
            "here.json",
            more,
            &format!("no run of the baseline had these conditions; the nearest had {what}"),
        );
    }
    kuu.file("empty.json", r#"{"format": 2, "measured": []}"#);
    not_compared("empty.json", "", "the baseline holds no runs");
    // The parser belongs to what is measured and is no condition: a slow one is a regression.
    run(&kuu, "--baseline here.json --parser plain").exits(3);
    kuu.file("none.json", "{}");
    run(&kuu, "--baseline none.json").exits(2).complains("none.json is not a baseline");
    kuu.file("old.json", r#"{"format": 1}"#);
    run(&kuu, "--baseline old.json").exits(2).complains("old.json has another format than 2");
}

#[test]
fn the_environment_does_not_choose_the_broker_of_a_bench() {
    // There is no broker at this address.
    let kuu = Kuu::new();
    kuu.file("a.jsonl", lines(fixture_lines(3_000)));
    let done = run(&kuu, "").exits(0).says("embedded broker (librdkafka mock, not Apache Kafka)");
    done.complains("kuu: bench does not use KUU_BROKERS: --brokers 127.0.0.1:9 measures there");
    run(&kuu, "--brokers 127.0.0.1:9 --timeout 1s").exits(2).complains("no Kafka broker answers at 127.0.0.1:9");
}

#[test]
fn a_script_names_the_file_for_where_none_is_named() {
    let kuu = kuu();
    kuu.file("client.properties", "linger.ms=1\n");
    kuu.file("b.jsonl", lines(fixture_lines(1_000)));
    let line = "bench --default-file b.jsonl --rounds 1 --live-seconds 3s --config client.properties";
    kuu.run(line).exits(0).says("input   b.jsonl").says("1,000 frames");
    let done = kuu.run(&format!("{line} a.jsonl")).exits(0).says("input   a.jsonl");
    assert!(!done.out.contains("b.jsonl"), "{done}");
    kuu.run("bench --rounds 1").exits(2).complains("FILE");
}

#[test]
fn a_record_that_cannot_be_written_hides_no_finding() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(fixture_lines(300)));
    let wrong = kuu.file("wrong.jsonl", lines(&fixture_lines(300)[..299]));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count").exits(0);
    std::fs::create_dir(kuu.path("full")).unwrap();
    let done = kuu.run_without_space(&format!("verify {wrong} --results full")).exits(1);
    done.complains("full/verify.json cannot be written");
}

#[test]
#[ignore = "needs Kafka"]
fn a_bench_on_kafka_leaves_nothing_and_names_what_a_killed_one_left() {
    let topics = Topics::new("leftovers");
    let kuu = Kuu::bare();
    kuu.file("a.jsonl", lines(fixture_lines(3_000)));
    let brokers = format!("--brokers {}", topics.address);
    let own = |process: u32| -> Vec<String> {
        let mark = format!("-{process}-");
        topics.all().into_iter().filter(|name| name.starts_with("kuu-bench-") && name.contains(&mark)).collect()
    };
    let groups = |process: u32| -> Vec<String> {
        let mark = format!("-{process}");
        topics.groups().into_iter().filter(|name| name.starts_with("kuu-bench-") && name.contains(&mark)).collect()
    };

    // A bench that ends leaves no topics or groups.
    let running = kuu.spawn(&format!("{QUICK} {brokers}"));
    let process = running.id();
    running.close().wait().exits(0);
    assert_eq!((own(process), groups(process)), (Vec::new(), Vec::new()));

    // A running bench is not reported; after it is killed, its leftovers are.
    let running = kuu.spawn(&format!("bench a.jsonl --rounds 1 --live-seconds 300s {brokers}"));
    let killed = running.id();
    eventually("the live topics", || own(killed).iter().any(|name| name.ends_with("-live")).then_some(()));
    let name = own(killed)[0].clone();
    let prefix = &name[..name.find(&format!("-{killed}-")).unwrap() + format!("-{killed}").len()];
    let done = run(&kuu, &brokers).exits(0);
    assert!(!done.err.contains(prefix), "{done}");
    assert!(running.kill());
    let done = run(&kuu, &brokers).exits(0).complains("of a bench that was killed (");
    assert!(done.err.contains(prefix), "{done}");
    assert!(!own(killed).is_empty() && !groups(killed).is_empty());
    own(killed).iter().for_each(|name| topics.delete(name));
    groups(killed).iter().for_each(|name| topics.delete_group(name));
    let done = run(&kuu, &brokers).exits(0);
    assert!(!done.err.contains(prefix), "{done}");
}
