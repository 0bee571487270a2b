//! The shape of the crate: what its parts may know of each other.

use std::fs;
use std::path::{Path, PathBuf};

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path)
}

/// Every Rust file below a directory, or the file itself, with its path.
fn files(path: &Path) -> Vec<(PathBuf, String)> {
    if path.is_file() {
        return vec![(path.to_owned(), fs::read_to_string(path).unwrap())];
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(files(&path));
        }
    }
    assert!(!found.is_empty(), "{} has no sources", path.display());
    found
}

/// The code without comments, without words in quotes, and without the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let unquoted = |line: &str| line.split('"').step_by(2).collect::<String>();
    code.lines().map(|line| unquoted(line).split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

/// Asserts that no code below `path` has any of these words.
#[track_caller]
fn lacks(path: &str, words: &[&str]) {
    for (file, text) in files(&source(path)) {
        for (number, line) in code(&text).lines().enumerate() {
            for word in words {
                // The version of the client library is a fact for records, not a use of it.
                assert!(
                    !line.replace("librdkafka", "").contains(word),
                    "{}:{}: has `{word}`: {line}",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}

/// The file or the directory of a module.
fn module(name: &str) -> Vec<String> {
    let found: Vec<String> =
        [format!("{name}.rs"), name.to_owned()].into_iter().filter(|it| source(it).exists()).collect();
    assert!(!found.is_empty(), "no module {name}");
    found
}

#[test]
fn main_is_short() {
    let lines = fs::read_to_string(source("main.rs")).unwrap().lines().count();
    assert!(lines < 60, "main.rs has {lines} lines");
}

#[test]
fn the_core_is_pure() {
    lacks("core", &["rdkafka", "kafka", "Kafka"]);
    lacks("core", &["Instant", "SystemTime", "Timestamp::now", "Zoned::now"]);
    lacks("core", &["std::thread", "thread::spawn", "std::sync::mpsc"]);
    lacks("core", &["println!", "print!", "eprintln!", "eprint!", "dbg!", "indicatif", "std::io::std"]);
    lacks("core", &["std::fs", "std::env", "std::process", "std::net"]);
}

#[test]
fn nothing_panics_over_a_full_disk_or_an_argument() {
    // They panic if what they write cannot be written, or an argument is no text.
    lacks("", &["println!", " print!", "eprint!", "env::args()"]);
}

#[test]
fn the_truth_and_the_stream_do_not_know_each_other() {
    for file in module("core/batch") {
        lacks(&file, &["stream"]);
    }
    for file in module("core/stream") {
        lacks(&file, &["batch"]);
    }
}

#[test]
fn the_command_line_knows_nothing_of_the_crate() {
    lacks("cli.rs", &["crate::", "super::"]);
}

#[test]
fn dependencies_point_one_way() {
    for inner in ["crate::edge", "crate::cmd", "crate::cli", "super::edge", "super::super::edge", "kuu::"] {
        lacks("core", &[inner]);
    }
    lacks("edge", &["crate::cmd", "crate::cli"]);
    lacks("lib.rs", &["pub use"]);
}

#[test]
fn latencies_are_taken_on_a_clock_that_nobody_sets() {
    for file in
        ["edge/bench/live.rs", "edge/bench/catch_up.rs", "edge/kafka/source.rs", "edge/pipeline.rs", "edge/pipeline"]
    {
        lacks(file, &["now_us", "SystemTime"]);
    }
}

#[test]
fn commands_are_one_file_each_and_short() {
    for (file, text) in files(&source("cmd")) {
        let lines = code(&text).lines().count();
        assert!(lines <= 400, "{} has {lines} lines", file.display());
    }
}
