//! `kuu race --scorecard` with kills at random moments: what is recorded, and who is named.

use crate::race::mutants::engines;
use crate::support::kuu::{Done, Kuu};
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Three kills within some ten seconds, as `workloads/kill-random.toml` has them within twenty.
const KILLS: &str = r#"
    why = "Three kills."
    tier = "fault"
    targets = ["counts-twice"]
    meanwhile = ["3 times at random: kill -9 engine"]
    [frames]
    frames = 6000
    frame-bytes = 200
    users = 1000
    rate = 5
    partitions = 4
    seed = 40
    [delivery]
    rate = 1000.0
    [expect]
    read = 6000
    counted = 6000
    windows = 21
"#;

/// The cells of a race on the workload above.
fn race(kuu: &Kuu, names: &str, engines: &str, more: &str, code: i32) -> (Done, Vec<Value>) {
    let file = kuu.file("three-kills.toml", KILLS);
    let done =
        kuu.run(&format!("race --scorecard {names} --engines {engines} --workload {file} --json {more}")).exits(code);
    let record: Value = serde_json::from_str(&done.out).unwrap();
    let cells = record["cells"].as_array().unwrap().clone();
    (done, cells)
}

/// Checks that the engine of a cell was killed three times, at moments of the seed, and lost nothing.
fn check_kills(cell: &Value, seed: u64) {
    let recovery = &cell["recovery"];
    assert_eq!(recovery["seed"], seed, "{cell}");
    // Over ten checkpoints of a second.
    assert_eq!(recovery["frames_per_s"], 600.0, "{cell}");
    let interruptions = recovery["interruptions"].as_array().unwrap();
    assert_eq!(interruptions.len(), 3, "{cell}");
    let mut before = recovery["sending_from_us"].as_i64().unwrap() + 2_500_000;
    for one in interruptions {
        assert_eq!(one["kind"], "crash", "{cell}");
        let us = |member: &str| one[member].as_i64().unwrap();
        // Each time it had gone on before it was killed again.
        assert!(before <= us("begun_us") && us("begun_us") <= us("back_us") && us("back_us") < us("news_us"), "{cell}");
        before = us("news_us");
    }
    assert_eq!(recovery["lost_windows"], 0, "{cell}");
    assert_eq!(cell["incidents"].as_array().unwrap().len(), 3, "{cell}");
}

/// When things began, in tenths of the time that the frames took.
fn moments(cell: &Value) -> Vec<i64> {
    let recovery = &cell["recovery"];
    let from_us = recovery["sending_from_us"].as_i64().unwrap();
    let interruptions = recovery["interruptions"].as_array().unwrap();
    interruptions.iter().map(|one| (one["begun_us"].as_i64().unwrap() - from_us) / 1_000_000).collect()
}

#[test]
fn one_that_counts_twice_is_named_and_one_that_repeats_itself_is_right() {
    let kuu = Kuu::bare();
    let engines = engines(&kuu, &["none", "counts-twice"]);
    let (_, cells) = race(&kuu, "counts-twice", &engines, "--seed 1", 1);
    let [twice] = &cells[..] else { panic!("{cells:?}") };
    let (done, cells) = race(&kuu, "none", &engines, "--seed 1", 0);
    let [none] = &cells[..] else { panic!("{done}") };
    assert!(done.err.contains("three-kills: none: exact\n    crashes: 3, going on after "), "{done}");
    check_kills(none, 1);
    // It begins anew three times.
    assert!(none["recovery"]["repeated_windows"].as_u64().unwrap() > 3, "{none}");
    assert!(none["recovery"]["repeated_firsts"].as_u64().unwrap() > 6, "{none}");
    check_kills(twice, 1);
    assert_eq!(twice["why"], serde_json::json!(["counts twice after a crash"]), "{twice}");
    assert_eq!((&twice["verdict"], &twice["fewer"]), (&"wrong".into(), &0.into()), "{twice}");
    let again = none["again"].as_str().unwrap();
    assert!(again.starts_with("kuu race --scorecard none --workload three-kills.toml --engines "), "{again}");
    for name in ["none", "counts-twice"] {
        assert!(kuu.path("results").read_dir().unwrap().any(|entry| {
            let cell = entry.unwrap().path().join("three-kills").join(name);
            cell.join("cell.json").exists()
        }));
    }
}

#[test]
fn one_that_is_slow_to_come_back_is_not_killed_before() {
    let kuu = Kuu::bare();
    let engines = engines(&kuu, &["none"]);
    let file = kuu.path("engines").join("none/engine.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let run = text.lines().find_map(|line| line.strip_prefix("run = ")).unwrap();
    let words: Vec<String> = serde_json::from_str(run).unwrap();
    // Twice what is between the kills at least.
    let slow = format!("restart = [\"sh\", \"-c\", \"sleep 3; exec {}\"]\n", words.join(" "));
    std::fs::write(&file, text + "\n" + &slow).unwrap();
    let (done, cells) = race(&kuu, "none", &engines, "--seed 1", 0);
    assert!(done.err.contains("three-kills: none: exact\n    crashes: 3, going on after 3."), "{done}");
    check_kills(&cells[0], 1);
}

#[test]
fn kuu_on_the_embedded_broker() {
    let kuu = Kuu::bare();
    let (_, cells) = race(&kuu, "kuu-plain", &format!("{ROOT}/engines"), "--seed 2", 0);
    check_kills(&cells[0], 2);
    assert!(["exact", "corrected"].contains(&cells[0]["verdict"].as_str().unwrap()), "{}", cells[0]);
}

#[test]
fn two_workloads_of_one_name() {
    let kuu = Kuu::bare();
    let engines = engines(&kuu, &["none"]);
    std::fs::create_dir(kuu.path("other")).unwrap();
    let (one, two) = (kuu.file("three-kills.toml", KILLS), kuu.file("other/three-kills.toml", KILLS));
    let race = |names: &str| {
        let words = format!("race --scorecard none --engines {engines} --workloads {ROOT}/workloads {names}");
        kuu.run(&words).exits(2)
    };
    race(&format!("--workload {one} --workload {two}"))
        .complains("workloads three-kills.toml and other/three-kills.toml are both called three-kills");
    race("--workload late --workload late").complains("workloads late and late are both called late");
}

#[test]
#[ignore = "needs Kafka"]
fn kuu_is_right_for_each_seed() {
    let brokers = crate::support::topics::address();
    let seeds = [1, 2].map(|seed| {
        let kuu = Kuu::bare();
        let more = format!("--brokers {brokers} --seed {seed}");
        let (_, cells) = race(&kuu, "kuu kuu-plain", &format!("{ROOT}/engines"), &more, 0);
        for cell in &cells {
            check_kills(cell, seed);
            assert!(["exact", "corrected"].contains(&cell["verdict"].as_str().unwrap()), "{cell}");
        }
        assert_eq!(cells[0]["engine"], "kuu");
        assert_eq!(cells[0]["rows"]["repeats"], 0, "{}", cells[0]);
        assert_eq!(cells[0]["recovery"]["repeated_windows"], 0, "{}", cells[0]);
        assert_eq!(cells[0]["recovery"]["repeated_firsts"], 0, "{}", cells[0]);
        moments(&cells[0])
    });
    assert_ne!(seeds[0], seeds[1]);
}
