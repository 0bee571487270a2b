//! `kuu batch --check`: every difference from a truth file is found.

use crate::support::kuu::Kuu;
use serde_json::Value;

fn generated() -> Kuu {
    let kuu = Kuu::new();
    kuu.run("generate --frames 9000 --users 700 --trouble cut --trouble blank -o a.jsonl").exits(0);
    kuu
}

const CHECK: &str = "batch a.jsonl --check a.jsonl.truth.jsonl";

#[test]
fn it_is_right() {
    let kuu = generated();
    kuu.run(CHECK).exits(0).says("as in the truth file: 3 windows, ");
    let document: Value = serde_json::from_str(&kuu.run(&format!("{CHECK} --json")).exits(0).out).unwrap();
    assert_eq!((&document["differences"], document["windows"].as_array().unwrap().len()), (&Value::Array(vec![]), 3));
    assert_eq!(kuu.run(&format!("{CHECK} --quiet")).exits(0).out, "");
}

#[test]
fn a_number_that_was_changed_is_found() {
    let kuu = generated();
    let text = std::fs::read_to_string(kuu.path("a.jsonl.truth.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = &rows[3];
    let changed = |name: &str| {
        let number = last[name].as_u64().unwrap();
        let row = serde_json::to_string(last).unwrap();
        assert!(row.contains(&format!("\"{name}\":{number}")));
        let (head, tail) = text.rsplit_once("{\"unit\"").unwrap();
        let tail = tail.replacen(&format!("\"{name}\":{number}"), &format!("\"{name}\":{}", number + 1), 1);
        kuu.file("a.jsonl.truth.jsonl", format!("{head}{{\"unit\"{tail}"));
        number
    };
    let users = changed("users");
    let done = kuu.run(CHECK).exits(1).complains("wrong: 1 difference from the truth file of 3 windows");
    let row = done.out.lines().last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(row, format!("minute 2016-07-11 13:41 users {} {users}", users + 1));
    kuu.run(&format!("{CHECK} --quiet")).exits(1);
    let document: Value = serde_json::from_str(&kuu.run(&format!("{CHECK} --json")).exits(1).out).unwrap();
    let expected = serde_json::json!([
        {"what": format!("minute:{}", last["start"]), "number": "users", "expected": users + 1, "found": users}
    ]);
    assert_eq!(document["differences"], expected);
    changed("frames");
    kuu.run(CHECK).exits(1).says("frames");
}

#[test]
fn frames_that_are_missing_are_found() {
    let kuu = generated();
    let text = std::fs::read(kuu.path("a.jsonl")).unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    for missing in [0, 4_711, lines.len() - 1] {
        let kept: Vec<u8> =
            lines.iter().enumerate().filter(|(i, _)| *i != missing).flat_map(|(_, line)| line.to_vec()).collect();
        kuu.file("a.jsonl", kept);
        kuu.run(CHECK).exits(1).says("ledger");
    }
    kuu.file("a.jsonl", [&text[..], lines[0]].concat());
    kuu.run(CHECK).exits(1).says("frames");
}

#[test]
fn a_truth_file_that_cannot_be_used() {
    let kuu = generated();
    kuu.run("batch a.jsonl --check nothing.jsonl").exits(2).complains("nothing.jsonl cannot be read");
    kuu.run("batch a.jsonl --check a.jsonl").exits(2).complains("a.jsonl, line 1: no header of a truth file");
    kuu.run(&format!("{CHECK} --window hour")).exits(2).complains("--check");
    let text = std::fs::read_to_string(kuu.path("a.jsonl.truth.jsonl")).unwrap();
    kuu.file("a.jsonl.truth.jsonl", &text[..text.len() - 9]);
    kuu.run(CHECK).exits(2).complains("a.jsonl.truth.jsonl, line 4: no window of a truth file");
    // The units are those of the truth file.
    kuu.run("generate --frames 9000 --window second,day -o b.jsonl").exits(0);
    kuu.run("batch b.jsonl --check b.jsonl.truth.jsonl").exits(0).says("91 windows");
}
