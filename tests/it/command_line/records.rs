//! `kuu results`, and the schema of records: that of the program is committed, and explained.

use crate::support::frames::{frames, lines};
use crate::support::kuu::Kuu;
use serde_json::Value;
use std::collections::BTreeSet;

const SCHEMA: &str = include_str!("../../../docs/record.schema.json");
const PAGE: &str = include_str!("../../../docs/records.md");

#[test]
fn the_committed_schema_is_that_of_the_program() {
    let done = Kuu::new().run("results --schema").exits(0);
    assert!(done.out == SCHEMA, "run: kuu results --schema > docs/record.schema.json; scripts/records.py");
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

/// The names of all members, at any depth.
fn members(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                names.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| members(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| members(value, names)),
        _ => {}
    }
}

#[test]
fn every_member_is_explained() {
    let mut names = BTreeSet::new();
    members(&serde_json::from_str(SCHEMA).unwrap(), &mut names);
    assert!(names.len() > 150, "{}", names.len());
    let missing: Vec<&String> = names.iter().filter(|name| !PAGE.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/records.md lacks {missing:?}: run scripts/records.py");
}

#[test]
fn records_are_listed_and_old_ones_deleted() {
    let kuu = Kuu::bare();
    kuu.run("results").exits(2).complains("results cannot be read: name a directory of records with --results");
    let file = kuu.file("f.jsonl", lines(&frames(200)));
    // Whatever the machine was up to: the record is there.
    kuu.run(&format!("bench {file} --rounds 1 --live-seconds 1s"));
    let record = kuu.path("results").read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let record = record.into_iter().find(|name| name.ends_with(".json")).unwrap();
    let text = std::fs::read_to_string(kuu.path("results").join(&record)).unwrap();
    for stem in ["bench-20200101T000000Z", "bench-20210101T000000Z", "race-20200101T000000Z"] {
        kuu.file(&format!("results/{stem}.json"), &text);
        kuu.file(&format!("results/{stem}.hlog"), "");
    }
    kuu.file("results/count-output.json", &text);
    std::fs::create_dir_all(kuu.path("results/race-20200101T000000Z/cell")).unwrap();
    let done = kuu.run("results").exits(0);
    assert_eq!(done.out.lines().count(), 7, "{done}");
    assert!(done.out.contains("exact"), "{done}");
    let listed: Value = serde_json::from_str(&kuu.run("results --json").exits(0).out).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 6);
    assert_eq!((&listed[0]["command"], &listed[0]["exact"]), (&"bench".into(), &true.into()));

    let done = kuu.run("results --prune 1").exits(0);
    assert_eq!(done.out, "2 records deleted\n");
    for (name, stays) in [
        ("bench-20200101T000000Z.json", false),
        ("bench-20210101T000000Z.hlog", false),
        ("race-20200101T000000Z.hlog", true),
        ("count-output.json", true),
        (&record, true),
    ] {
        assert_eq!(kuu.path("results").join(name).exists(), stays, "{name}");
    }
    kuu.run("results --prune 0").exits(0);
    assert!(!kuu.path("results/race-20200101T000000Z").exists());
    kuu.file("results/damaged.json", "{");
    let done = kuu.run("results").exits(2);
    assert!(
        done.err.contains("damaged.json is not a record of kuu") && done.out.contains("count-output.json"),
        "{done}"
    );
}
