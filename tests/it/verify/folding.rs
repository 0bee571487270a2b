//! The rules of `docs/verify.md`, checked with the binary: the answer is the state that a consumer of the topic has.

use crate::support::broker::{Mock, read, write, write_to};
use crate::support::frames::{frames, lines, windows};
use crate::support::kuu::Kuu;
use crate::support::wire::{Verdict, Window};

/// A broker with 1,400 produced frames, in four minutes, and a topic `theirs` for results of any engine.
fn produced(partitions: i32) -> (Mock, Kuu, Vec<Window>) {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(1_400);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    mock.topic("theirs", partitions);
    (mock, kuu, windows(&all))
}

/// Writes the correct rows, each with further members.
fn right(mock: &Mock, windows: &[Window], further: &str) {
    for window in windows {
        write(&mock.address, "theirs", &key(window), Some(&row(window, window.users, further)));
    }
}

fn row(window: &Window, users: u64, further: &str) -> String {
    format!(r#"{{"start":{},"users":{users}{further}}}"#, window.start)
}

fn key(window: &Window) -> String {
    format!("{}:{}", window.unit, window.start)
}

fn firsts(verdict: &Verdict) -> [u64; 3] {
    [verdict.exact_at_first, verdict.corrected, verdict.first_unknown]
}

#[test]
fn the_last_row_is_what_a_consumer_has() {
    let numbered = |revision: u32| format!(r#","revision":{revision}"#);
    let cases = [
        // The last row is wrong, and has no revision, after a row with one.
        (numbered(0), 0, String::new(), 1, "has a row without revision after revision 0"),
        // The same with a correct last row: no reader can tell which of the two is newer.
        (numbered(0), 1, String::new(), 0, "has a row without revision after revision 0"),
        (numbered(2), 0, numbered(1), 1, "has revision 1 after revision 2: revisions must rise"),
        (numbered(2), 1, numbered(1), 0, "has revision 1 after revision 2: revisions must rise"),
        (numbered(0), 0, numbered(0), 0, "has a second revision 0, after revision 0: exactly once there is one"),
        (numbered(0), 1, numbered(0), 0, "has a second revision 0, after revision 0: exactly once there is one"),
    ];
    for (before, off_before, after, off_after, words) in cases {
        let (mock, kuu, windows) = produced(1);
        right(&mock, &windows[1..], "");
        let window = &windows[0];
        for (further, off) in [(&before, off_before), (&after, off_after)] {
            write(&mock.address, "theirs", &key(window), Some(&row(window, window.users + off, further)));
        }
        let done = kuu.run("verify --output theirs").exits(1).says(words);
        let wrong = done.out.contains(&format!("has {} users instead of {}", window.users + 1, window.users));
        assert_eq!(wrong, off_after > 0, "{done}");
        assert_eq!(kuu.record("verify").verdict.unwrap().wrong, off_after, "{done}");
    }
}

#[test]
fn rows_of_a_window_in_two_partitions() {
    let (mock, kuu, windows) = produced(2);
    right(&mock, &windows, "");
    // In any order of reading.
    write_to(&mock.address, "theirs", 1, &key(&windows[2]), Some(&row(&windows[2], 1, "")));
    kuu.run("verify --output theirs")
        .exits(1)
        .says("theirs, minute 2016-07-11 13:41 has rows in partitions 0 and 1, which have no order")
        .says("WRONG: 4 of 4 windows exact, and 1 fault besides");
}

#[test]
fn what_is_no_row() {
    let (mock, kuu, windows) = produced(1);
    right(&mock, &windows, "");
    let Window { start, users, frames, .. } = &windows[1];
    for (value, words) in [
        (format!(r#"["minute",{start},{users},{frames},null,null]"#), "not a result row: it is not an object"),
        (
            format!(r#"{{"start":"2016-07-11T13:40:00[Europe/Berlin]Z","users":{users}}}"#),
            "start `2016-07-11T13:40:00[Europe/Berlin]Z` is not RFC 3339",
        ),
        (format!(r#"{{"start":"2016-07-11T13:40:00","users":{users}}}"#), "is not RFC 3339"),
    ] {
        write(&mock.address, "theirs", "x", Some(&value));
        let offset = read(&mock.address, "theirs").last().unwrap().offset;
        kuu.run("verify --output theirs")
            .exits(1)
            .says(&format!("theirs, partition 0, offset {offset}: "))
            .says(words)
            .says("WRONG: 4 of 4 windows exact");
    }
}

#[test]
fn units_that_nobody_asked_for() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(1_400);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count --window minute,hour,day").exits(0);
    let rows = read(&mock.address, "output");
    let others = rows.iter().filter(|row| !row.key.as_ref().unwrap().starts_with(b"minute")).count();
    assert!(others >= 2);
    kuu.run("verify").exits(0).says("exact: 6 of 6 windows");
    kuu.run("verify --window minute")
        .exits(0)
        .says("exact: 4 of 4 windows")
        .says(&format!("{others} rows of other units left out"));
    assert_eq!(kuu.record("verify").remarks.len(), 1);
    kuu.run("verify --window minute,week").exits(1).says("week 2016-W28 is missing");
}

#[test]
fn a_second_count_into_the_same_output() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    mock.group("other");
    let file = kuu.file("a.jsonl", lines(&frames(1_400)));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count").exits(0);
    kuu.run("count --group other").exits(0).complains("windows of both have two first answers");
    let done = kuu.run("verify").exits(1).says("WRONG: 4 of 4 windows exact, and ");
    assert_eq!(done.out.matches("has a second revision 0").count(), 4, "{done}");
    // At least once, a crash causes such rows.
    kuu.run("count --group other --guarantee at-least-once").exits(0);
    let done = kuu.run("verify").exits(0).says("exact: 4 of 4 windows");
    assert!(!done.out.contains("each in its first answer"), "{done}");
}

#[test]
fn unknown_is_unknown() {
    let (mock, kuu, windows) = produced(1);
    // A compacted window with only the correction left; a withdrawn and rewritten one; one with an early row only; a
    // normal one.
    let rows = [
        (&windows[0], r#","revision":3"#),
        (&windows[2], r#","timing":"early""#),
        (&windows[3], r#","timing":"on_time","revision":0"#),
    ];
    write(&mock.address, "theirs", &key(&windows[1]), None);
    right(&mock, &windows[1..2], r#","revision":0"#);
    for (window, further) in rows {
        right(&mock, std::slice::from_ref(window), further);
    }
    kuu.run("verify --output theirs")
        .exits(0)
        .says("exact: 4 of 4 windows; 1 in its first answer, first answer unknown for 3 windows");
    assert_eq!(firsts(&kuu.record("verify").verdict.unwrap()), [1, 0, 3]);
}

#[test]
fn a_row_that_is_repeated_corrects_nothing() {
    let (mock, kuu, windows) = produced(1);
    right(&mock, &windows, "");
    kuu.run("verify --output theirs").exits(0).says("exact: 4 of 4 windows, each in its first answer");
    right(&mock, &windows, "");
    kuu.run("verify --output theirs")
        .exits(0)
        .says("exact: 4 of 4 windows; 4 in its first answer; 4 rows repeated a known answer");
    assert_eq!(firsts(&kuu.record("verify").verdict.unwrap()), [4, 0, 0]);
}

#[test]
fn first_answers_add_up_to_the_windows() {
    let mock = Mock::new(4);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(6_000)));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count --window second,minute,hour --lateness 0s").exits(0);
    kuu.run("verify").exits(0);
    let verdict = kuu.record("verify").verdict.unwrap();
    assert_eq!(firsts(&verdict).iter().sum::<u64>(), verdict.windows);
    assert!(verdict.corrected > 0, "{verdict:?}");
}

#[test]
fn only_a_missing_topic_is_no_result() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(100)));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("verify --output nowhere").exits(2).complains("there are no results: run `kuu count`");
    use rdkafka::types::{RDKafkaApiKey::ListOffsets, RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED};
    mock.refuse(ListOffsets, &[RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 8]);
    let done = kuu.run("verify --timeout 5s").exits(2).complains("topic output, partition 0");
    assert!(!done.err.contains("run `kuu count`"), "{done}");
}
