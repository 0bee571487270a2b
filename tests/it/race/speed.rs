//! `kuu race [ENGINE]... FILE`: who runs how often, what is stored, and who has no figures.

use crate::race::mutants::engines;
use crate::support::kuu::Kuu;
use crate::support::own_broker::OwnBroker;
use serde_json::Value;
use std::fs;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Frames of two users a second, over 20 minutes, in order.
fn frames(kuu: &Kuu) -> String {
    let frame = |n: u64| format!("{{\"uid\":\"user {}\",\"ts\":{}}}\n", n % 77, 1_468_244_400 + n / 2);
    kuu.file("frames.jsonl", (0..2_400).map(frame).collect::<String>())
}

#[test]
fn what_cannot_be_raced_on_is_refused() {
    let kuu = Kuu::bare();
    let file = frames(&kuu);
    let refused = |line: &str, words: &str| {
        let done = kuu.run(line).exits(2);
        assert!(done.err.contains(words), "{done}");
    };
    let own = format!("--engines {ROOT}/engines");
    refused(&format!("race {own}"), "name the file with the frames");
    refused(&format!("race kuu {own}"), "kuu is no file: the last argument is the file");
    refused(&format!("race kuu {file} {own}"), "needs Apache Kafka");
    refused(&format!("race kuu {file} {own} --rate 5"), "needs Apache Kafka");
    refused(&format!("race kuu {file} {own} --rounds 1"), "one round says nothing about chance");
    refused(&format!("race kuu {file} --scorecard --rate 5 {own}"), "cannot be used with");
    refused(&format!("race kuu {file} --rate 5 --steady-rounds 1 {own}"), "cannot be used with");
}

/// The samples of a record, each as its phase, frames, round and engine.
fn samples(record: &Value) -> Vec<String> {
    let key = |sample: &Value| {
        let key = &sample["key"];
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        format!("{} {} {} {}", text("phase"), key["frames"], key["round"], text("engine"))
    };
    record["speed"]["samples"].as_array().unwrap().iter().map(key).collect()
}

#[test]
#[ignore = "needs Kafka"]
fn a_race_is_taken_up_again_and_wrong_engines_have_no_figures() {
    // A broker that others use is never quiet, so that each run would wait for long.
    let broker = OwnBroker::start();
    let kuu = Kuu::bare();
    let (file, brokers) = (frames(&kuu), broker.address());
    let mutants = engines(&kuu, &["misses-last-window"]);
    fs::create_dir_all(kuu.path("engines/unbuilt")).unwrap();
    kuu.file(
        "engines/unbuilt/engine.toml",
        "name = \"unbuilt\"\ntitle = \"U\"\nrun = [\"true\"]\nbuild = [[\"true\"]]\n",
    );
    let line = |rounds: u32| {
        format!(
            "race kuu misses-last-window unbuilt kuu {file} --engines {ROOT}/engines --engines {mutants} --brokers {brokers} \
             --rounds {rounds} --for 1s --into race --json"
        )
    };
    let first = kuu.run(&line(2)).exits(1);
    let record: Value = serde_json::from_str(&first.out).unwrap();
    let before = samples(&record);
    // The wrong engine ran once; kuu, twice in each of two rounds, on three sizes, and on the steady input.
    let of = |phase: &str, engine: &str| {
        before.iter().filter(|key| key.starts_with(phase) && key.ends_with(engine)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of("cold", " misses-last-window").len(), 1);
    assert_eq!(of("steady", " misses-last-window").len(), 0);
    for engine in [" kuu", " kuu (2)"] {
        let mut cold = of("cold", engine);
        cold.sort();
        let expected = [("150", 1), ("150", 2), ("2400", 1), ("2400", 2), ("600", 1), ("600", 2)];
        assert_eq!(cold, expected.map(|(frames, round)| format!("cold {frames} {round}{engine}")));
        assert_eq!(of("steady", engine).len(), 2);
    }
    let speed = &record["speed"];
    assert_eq!(speed["reference"], "kuu");
    let estimated = speed["estimates"].as_array().unwrap();
    assert!(estimated.iter().all(|estimate| estimate["engine"] != "misses-last-window"));
    assert_eq!(estimated.iter().filter(|estimate| estimate["phase"] == "cold").count(), 6);
    assert!(first.err.contains("without figures:\nmisses-last-window: wrong: -"), "{first}");
    // What does not run is said before the first run, and again at the end.
    let absent = "\nunbuilt: not run: not built: kuu engines build unbuilt\n";
    assert!(first.err.contains(&format!("broker included{absent}cold, 150 frames, round 1: ")), "{first}");
    assert_eq!(first.err.matches(absent).count(), 2, "{first}");
    assert!(first.err.contains("control: kuu against itself: "), "{first}");

    // One round more: only that is run, first without its steady runs.
    for (steady_rounds, cold, steady) in [(2, 6, 0), (3, 6, 2)] {
        let more = kuu.run(&format!("{} --steady-rounds {steady_rounds}", line(3))).exits(1);
        let record: Value = serde_json::from_str(&more.out).unwrap();
        assert_eq!(record["config"]["speed"]["steady_rounds"], steady_rounds);
        let after = samples(&record);
        assert_eq!(after[..before.len()], before);
        let of = |phase: &str| after[before.len()..].iter().filter(|key| key.starts_with(phase)).count();
        assert_eq!((of("cold"), of("steady")), (cold, steady), "{after:?}");
        assert!(after[before.len()..].iter().all(|key| key.contains(" 3 kuu")), "{after:?}");
    }

    // Another race does not go into its directory.
    let other = kuu.run(&line(3).replace("--for 1s", "--partitions 2")).exits(2);
    assert!(other.err.contains("race.json is of another race"), "{other}");
}
