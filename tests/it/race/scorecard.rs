//! `kuu race --scorecard` on engines that behave badly: each cell says what the engine did.

use crate::race::mutants::engines;
use crate::support::kuu::Kuu;
use serde_json::Value;
use std::fs;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs every mutant on one workload; returns the verdicts in words, and the record.
fn race(kuu: &Kuu, names: &[&str], workload: &str, more: &str, code: i32) -> (Vec<String>, Value) {
    let engines = engines(kuu, names);
    let line = format!(
        "race --scorecard {} --engines {engines} --workloads {ROOT}/workloads --workload {workload} --json {more}",
        names.join(" ")
    );
    let done = kuu.run(&line).exits(code);
    let record: Value = serde_json::from_str(&done.out).unwrap();
    let says = |cell: &Value| {
        assert_eq!(cell["workload"], workload);
        let name = cell["engine"].as_str().unwrap();
        let line = done.err.lines().find(|line| line.starts_with(&format!("{workload}: {name}: "))).unwrap();
        line.split_once(&format!("{name}: ")).unwrap().1.to_owned()
    };
    (record["cells"].as_array().unwrap().iter().map(says).collect(), record)
}

#[test]
fn engines_that_behave_badly_on_late_frames() {
    let kuu = Kuu::bare();
    let names = ["none", "garbage-after", "twice", "drop-late", "dies", "refuses", "forks", "silent", "debezium"];
    let (said, record) = race(&kuu, &names, "late", "", 1);
    assert_eq!(said[0], "exact");
    assert!(said[1].starts_with("wrong: +1 user in 1 window: partition 0, offset "), "{}", said[1]);
    assert!(said[1].contains("not JSON"), "{}", said[1]);
    let updates = "corrected: no window, but it emits updates: no row says that it is the last";
    assert_eq!(said[2], updates, "it claims at least once");
    assert!(said[3].starts_with("within policy: -"), "{}", said[3]);
    assert_eq!(said[4], "died: exit status 7: mutant: it is out of luck");
    assert!(said[5].starts_with("refused: ") && said[5].ends_with("this input is none that it takes"), "{}", said[5]);
    assert_eq!(said[6], "exact");
    assert!(said[7].starts_with("wrong: -"), "{}", said[7]);
    // Each row is withdrawn, and written again.
    assert!(said[8].starts_with("corrected: 55 windows, "), "{}", said[8]);
    let cells = record["cells"].as_array().unwrap();
    let rows = &cells[8]["rows"];
    let windows = &cells[0]["rows"]["judged"];
    assert_eq!((&rows["retractions"], &rows["repeats"], &rows["unreadable"]), (windows, windows, &0.into()));
    assert_eq!(cells[6]["remarks"][0], "it left processes behind when it ended, 1 in number: the race killed them");
    assert_eq!(cells[2]["rows"]["repeats"], cells[0]["rows"]["judged"]);
    assert_eq!(cells[1]["rows"]["unreadable"], 2);
    let again = cells[0]["again"].as_str().unwrap();
    assert!(again.starts_with("kuu race --scorecard none --workload late --engines "), "{again}");
}

#[test]
fn engines_that_do_not_end() {
    let kuu = Kuu::bare();
    let (said, _) = race(&kuu, &["endless", "hangs", "logs"], "plain", "--deadline 4s", 1);
    assert_eq!(said[0], "hung: its answer was right, but it did not end within 4 s");
    assert_eq!(said[1], "hung: no row after 4 s");
    assert!(said[2].starts_with("died: fills its quota of log, so killed: SIGKILL"), "{}", said[2]);
}

#[test]
fn an_engine_that_takes_too_much_memory() {
    let kuu = Kuu::bare();
    let (said, record) = race(&kuu, &["endless"], "plain", "--memory 1M --enforce-memory", 1);
    assert!(said[0].starts_with("died: takes more memory than it may, so killed: SIGKILL"), "{}", said[0]);
    assert_eq!(record["config"]["enforces_memory"], true);
    let again = record["cells"][0]["again"].as_str().unwrap();
    assert!(again.contains(" --memory 1000000 ") && again.ends_with(" --enforce-memory"), "{again}");
}

#[test]
fn what_is_there_is_not_run_again() {
    let kuu = Kuu::bare();
    let into = kuu.path("race").display().to_string();
    let (said, record) = race(&kuu, &["none"], "plain", &format!("--into {into}"), 0);
    assert_eq!(said, ["exact"]);
    let (_, again) = race(&kuu, &["none", "dies"], "plain", &format!("--into {into}"), 1);
    assert_eq!(again["cells"][0], record["cells"][0]);
    assert_eq!(again["cells"][1]["verdict"], "died");
    let cell = kuu.path("race/plain/none");
    for file in ["cell.json", "rows.jsonl", "stdout.log", "stderr.log", "state"] {
        assert!(cell.join(file).exists(), "{file}");
    }
    let rows = fs::read_to_string(cell.join("rows.jsonl")).unwrap();
    assert_eq!(rows.lines().count() as u64, record["cells"][0]["rows"]["judged"].as_u64().unwrap());
}

#[test]
fn what_cannot_be_raced_is_said() {
    let kuu = Kuu::bare();
    let engines = engines(&kuu, &["none"]);
    let race =
        |rest: &str| kuu.run(&format!("race --scorecard --engines {engines} --workloads {ROOT}/workloads {rest}"));
    race("nobody").exits(2).complains("no engine nobody: there are none");
    race("none --workload nothing").exits(2).complains("no workload");
    race("none --workload aborted").exits(0).says("not run: needs Apache Kafka");
    race("none --engines /nowhere").exits(2).complains("/nowhere");
}

/// Workloads, and the mutants that they are there for, with what a race says of these.
const NAMED: [(&str, &str, &str); 5] = [
    ("aborted", "counts-aborted", "counts aborted frames"),
    ("unkeyed", "adds-partitions", "adds up the users of the partitions"),
    ("last-window", "misses-last-window", "misses the last window"),
    ("future-first", "future-stamp", "drops what comes after a stamp in the future"),
    ("plain", "wall-clock", "takes the time of the machine for event time"),
];

#[test]
#[ignore = "needs Kafka"]
fn mutants_are_named_and_kuu_never_is() {
    let kuu = Kuu::bare();
    let brokers = crate::support::topics::address();
    for (workload, mutant, why) in NAMED {
        let (said, _) = race(&kuu, &[mutant, "none"], workload, &format!("--brokers {brokers}"), 1);
        assert!(said[0].starts_with("wrong: ") && said[0].ends_with(&format!(": {why}")), "{workload}: {}", said[0]);
        assert_eq!(said[1], "exact", "{workload}");
        let line = format!(
            "race --scorecard kuu kuu-plain --engines {ROOT}/engines --workloads {ROOT}/workloads --workload {workload} \
             --brokers {brokers}"
        );
        let done = kuu.run(&line).exits(0);
        for name in ["kuu", "kuu-plain"] {
            assert!(done.out.contains(&format!("{workload}: {name}: exact\n")), "{done}");
        }
    }
}

#[test]
#[ignore = "needs Kafka"]
fn kuu_is_right_though_it_is_killed() {
    let kuu = Kuu::bare();
    let brokers = crate::support::topics::address();
    for (workload, incidents) in [("kill", 2), ("second-engine", 1)] {
        let line = format!(
            "race --scorecard kuu kuu-plain --engines {ROOT}/engines --workloads {ROOT}/workloads --workload {workload} \
             --brokers {brokers} --json"
        );
        let done = kuu.run(&line).exits(0);
        let record: Value = serde_json::from_str(&done.out).unwrap();
        for cell in record["cells"].as_array().unwrap() {
            assert!(["exact", "corrected"].contains(&cell["verdict"].as_str().unwrap()), "{cell}");
            assert!(cell["incidents"].as_array().unwrap().len() >= incidents, "{cell}");
        }
    }
}
