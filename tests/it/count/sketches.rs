//! `--distinct hll`: what is counted by sketches is the same by every path, is marked, and is never taken for exact.

use crate::support::broker::{Mock, values};
use crate::support::frames::{MINUTE, frame, lines};
use crate::support::kuu::Kuu;
use serde_json::Value;
use std::collections::BTreeMap;

/// Users by window.
type Users = BTreeMap<(String, i64), u64>;

/// Two minutes of 40 frames a second, nearly each of another user; every 50th comes 20 s late.
fn stream(from: i64, count: i64) -> Vec<Vec<u8>> {
    let ts = |i: i64| MINUTE + i / 40 - if i % 50 == 49 { 20.min(i / 40) } else { 0 };
    (from..from + count).map(|i| frame(&format!("user-{}", i * 7919 % 4_001), ts(i))).collect()
}

/// The last users of each window, which are all marked.
fn users<T: AsRef<[u8]>>(rows: impl IntoIterator<Item = T>) -> Users {
    let row = |row: T| {
        let row: Value = serde_json::from_slice(row.as_ref()).unwrap();
        assert_eq!(row["distinct"], "hll", "{row}");
        ((row["unit"].as_str().unwrap().to_owned(), row["start"].as_i64().unwrap()), row["users"].as_u64().unwrap())
    };
    rows.into_iter().map(row).collect()
}

fn batch(kuu: &Kuu, line: &str) -> Users {
    users(kuu.run(&format!("batch {line}")).exits(0).out.lines())
}

#[test]
fn every_path_has_the_same_sketches_and_verify_says_how_near_they_are() {
    let mock = Mock::new(4);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&stream(0, 4_800)));
    let options = "--window minute,hour --distinct hll:6";
    let expected = batch(&kuu, &format!("{file} {options}"));
    assert_eq!(expected.keys().map(|(unit, _)| unit.as_str()).collect::<Vec<_>>(), ["hour", "minute", "minute"]);
    assert_eq!(users(kuu.run(&format!("count {file} {options}")).exits(0).out.lines()), expected);
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run(&format!("count {options} --early 1ms")).exits(0);
    assert_eq!(users(values(&mock.address, "output")), expected);

    let truth = kuu.run(&format!("batch {file} --window minute,hour")).exits(0);
    assert!(!truth.out.contains("distinct"), "{truth}");
    let errors: Vec<f64> = truth
        .windows()
        .iter()
        .map(|truth| {
            let found = expected[&(truth.unit.clone(), truth.start)];
            found.abs_diff(truth.users) as f64 / truth.users as f64
        })
        .collect();
    let largest = errors.iter().copied().fold(0.0, f64::max);
    assert!(largest > 0.001, "64 registers cannot be that near");
    kuu.run("verify").exits(2).complains(
        "topic output: the rows of 3 windows say \"distinct\":\"hll\": their users are estimates, and not exact (the standard \
         error of hll:6 is 12.99 %): say how far off they may be, as in `kuu verify --within 2%`",
    );
    let right = kuu.run("verify --within 90%").exits(0);
    let words = format!("within 90 %: 3 of 3 windows (100 %); largest error {:.2} % (", 100.0 * largest);
    assert!(right.out.lines().last().unwrap().starts_with(&words), "{right}");
    let verdict = kuu.record("verify").verdict.unwrap();
    let within = verdict.within.unwrap();
    assert_eq!((verdict.exact, within.inside, within.bound, within.largest_error), (false, 3, 0.9, largest));
    let wrong = kuu.run("verify --within 0.0001%").exits(1).says("more than 0.0001 %");
    let inside = errors.iter().filter(|error| **error == 0.0).count();
    let words = format!("WRONG: {inside} of 3 windows within 0.0001 %; largest error {:.2} % (", 100.0 * largest);
    assert!(wrong.out.lines().last().unwrap().starts_with(&words), "{wrong}");
    for line in
        ["verify --within 0%", "verify --within 100%", "batch a.jsonl --distinct hll:3", "batch a.jsonl --sketches"]
    {
        kuu.run(line).exits(2);
    }
}

#[test]
fn a_group_goes_on_with_its_sketches_only() {
    let mock = Mock::new(2);
    mock.group("other");
    mock.topic("more", 1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&stream(0, 2_000)));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count --distinct hll:10").exits(0);
    kuu.run("count --group other --output more").exits(0);
    for (options, why) in [
        ("", "it was made with --distinct hll:10, not without it"),
        ("--distinct hll:12", "it was made with --distinct hll:10, not hll:12"),
        ("--group other --output more --distinct hll", "it was made without --distinct, not with --distinct hll:14"),
    ] {
        let done = kuu.run(&format!("count {options}")).exits(2).complains(why);
        done.complains("use another --group, or --recreate to count anew");
    }
    let expected = batch(&kuu, &format!("{file} --distinct hll:10"));
    assert_eq!(users(values(&mock.address, "output")), expected, "a count that is refused writes nothing");
}

#[test]
fn ids_are_hashed_as_apache_datasketches_hashes_texts() {
    let kuu = Kuu::new();
    let frames = r#"{"uid":42,"ts":1}
{"uid":-7,"ts":2}
"#;
    let file = kuu.file("numbers.jsonl", frames);
    let document = |line: &str| -> Value { serde_json::from_str(&kuu.run(line).exits(0).out).unwrap() };
    // Written by PyPI's datasketches 5.2.0: hll_sketch(4, HLL_8) with update("42") and update("-7").
    let row = document(&format!("batch {file} --uid-type integer --distinct hll:4 --sketches"));
    assert_eq!((&row["users"], &row["sketch"]), (&2.into(), &"AgEHBAMIAgi5t5kFztjQBA==".into()));
    let texts = "{\"uid\":\"a\",\"ts\":1}\n{\"uid\":\"\\u00e9\",\"ts\":1}\n";
    let file = kuu.file("texts.jsonl", texts);
    let sketch = |uid_type: &str| {
        let line = format!("batch {file} --uid-type {uid_type} --distinct hll:4 --sketches --json");
        document(&line)["windows"][0]["sketch"].as_str().unwrap().to_owned()
    };
    assert_eq!(sketch("string"), "AgEHBAMIAggvgjsEjP3gBQ==");
    // A text among numbers has its quotes.
    assert_eq!(sketch("any"), "AgEHBAMIAgj0XFUJFYtrDw==");
}
