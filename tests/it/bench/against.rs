//! `kuu bench --against` with another build that fails. What a gate says of runs is tested beside its code.

use crate::support::frames::{frames, lines};
use crate::support::kuu::Kuu;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// A program that prints this, and ends with this status.
fn program(kuu: &Kuu, prints: &str, status: i32) -> String {
    let name = kuu
        .file("other", format!("#!/bin/sh\ncat <<'END'\n{prints}\nEND\necho it is out of luck >&2\nexit {status}\n"));
    fs::set_permissions(kuu.path(&name), fs::Permissions::from_mode(0o755)).unwrap();
    format!("./{name}")
}

fn against(kuu: &Kuu, other: &str) -> crate::support::kuu::Done {
    kuu.file("f.jsonl", lines(&frames(100)));
    kuu.run(&format!("bench f.jsonl --against {other} --rounds 1 --live-seconds 1s"))
}

#[test]
fn another_build_that_is_not_there() {
    let kuu = Kuu::bare();
    against(&kuu, "nothing").exits(2).complains("--against nothing: there is no such program");
    against(&kuu, "./other --threshold x").exits(2).complains("`x` is no share");
    kuu.run("bench f.jsonl --max-time 1s").exits(2).complains("--against <PROGRAM>");
}

#[test]
fn another_build_that_fails() {
    let kuu = Kuu::bare();
    let other = program(&kuu, "no record", 2);
    let done = against(&kuu, &other).exits(2);
    let expected = "run 1, of the build before: ./other ended without a record (exit status: 2): it is out of luck";
    assert!(done.err.contains(expected), "{done}");
}

#[test]
fn another_build_that_counts_wrong() {
    let kuu = Kuu::bare();
    let record = r#"{ "format": 1, "command": "bench", "config": {}, "written": "2026-11-30T10:00:00Z",
        "program": { "version": "", "git": "", "rustc": "", "librdkafka": "" }, "command_line": [],
        "machine": { "cpu": "x", "cores": 2, "memory_bytes": 1, "kernel": "" },
        "verdict": { "exact": false, "windows": 1, "wrong": 1, "exact_at_first": 0, "largest_first_error_users": 1,
        "total_first_error_users": 1, "faults": [] } }"#;
    let other = program(&kuu, record, 1);
    let done = against(&kuu, &other).exits(1);
    assert!(done.err.contains("the build before, ./other, counts wrong: it has no speed"), "{done}");
    assert!(kuu.path("results").read_dir().unwrap().next().unwrap().unwrap().path().join("01-before").is_dir());
}
