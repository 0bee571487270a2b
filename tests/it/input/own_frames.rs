//! Frames of one's own: members anywhere, integer ids, times in other formats.

use crate::support::broker::{Mock, read, rows};
use crate::support::frames::{MINUTE, windows};
use crate::support::kuu::Kuu;
use crate::support::wire::settle;

/// The same 600 frames in the usual format and in another one, which has the options.
struct Case {
    options: &'static str,
    frame: fn(user: usize, ts: i64) -> String,
}

const CASES: [Case; 4] = [
    Case {
        options: "--uid /event/user/id --uid-type integer --ts /at --ts-format rfc3339",
        frame: |user, ts| {
            let at = jiff::Timestamp::from_second(ts).unwrap();
            let at = at.to_string().replace('Z', ".123Z");
            format!(r#"{{"id":0,"event":{{"id":1,"user":{{"id":{user}}}}},"at":"{at}"}}"#)
        },
    },
    Case {
        options: "--uid user_id --uid-type any --ts meta/ts --ts-format ms",
        frame: |user, ts| format!(r#"{{"user_id":"{user}","meta/ts":{ts}999,"ts":1}}"#),
    },
    Case {
        options: "--uid /a/b/c/d/e --ts /a/t~1s --ts-format us",
        frame: |user, ts| format!(r#"{{"a":{{"t\/s":"{ts}000000","b":{{"c":{{"d":{{"e":"{user}"}}}}}}}}}}"#),
    },
    Case {
        options: "--uid-type integer --ts-format ns",
        frame: |user, ts| format!(r#"{{"uid":{user},"ts":{ts}123456789}}"#),
    },
];

fn content(case: &Case) -> String {
    times().map(|(user, ts)| (case.frame)(user, ts) + "\n").collect()
}

fn times() -> impl Iterator<Item = (usize, i64)> {
    (0..600).map(|i| (i * 7 % 83, MINUTE + i as i64 / 4))
}

fn usual() -> Vec<Vec<u8>> {
    times().map(|(user, ts)| format!(r#"{{"uid":"{user}","ts":{ts}}}"#).into_bytes()).collect()
}

#[test]
fn of_files_and_of_standard_input() {
    let kuu = Kuu::new();
    let expected = windows(&usual());
    for case in &CASES {
        let content = content(case);
        let file = kuu.file("own.jsonl", &content);
        for parser in ["fast", "plain"] {
            let options = format!("{} --parser {parser}", case.options);
            assert_eq!(kuu.run(&format!("batch {file} {options}")).exits(0).windows(), expected, "{options}");
            let done = kuu.run(&format!("count {file} {options}")).exits(0);
            assert_eq!(settle(&done.rows()), expected, "{options}");
            let done = kuu.feed(&format!("count - {options}"), content.as_bytes()).exits(0);
            assert_eq!(settle(&done.rows()), expected, "{options}");
        }
    }
}

#[test]
fn over_a_topic() {
    for case in &CASES {
        let mock = Mock::new(3);
        let kuu = Kuu::with(&mock.address);
        let file = kuu.file("own.jsonl", content(case));
        let options = case.options;
        kuu.run(&format!("produce {file} {options}")).exits(0);
        let keys: Vec<_> = read(&mock.address, "messages").into_iter().map(|message| message.key).collect();
        assert!(keys.iter().all(Option::is_some), "{options}");
        // The keys are the users: one of them is in one partition.
        let of_any = options.contains("any");
        let key = if of_any { "\"7\"" } else { "7" };
        let frames = times().filter(|(user, _)| *user == 7).count();
        assert_eq!(keys.iter().filter(|found| found.as_deref() == Some(key.as_bytes())).count(), frames, "{options}");
        kuu.run(&format!("count {options}")).exits(0);
        assert_eq!(settle(&rows(&mock.address, "output")), windows(&usual()), "{options}");
        // The record has the options; what is named again wins.
        kuu.run("verify").exits(0).says("ledger: 600 read = 600 counted");
        kuu.run("verify own.jsonl --parser plain").exits(0);
        kuu.run("verify --uid /nobody").exits(2).complains("none of 600 frames has a user id at /nobody (--uid)");
        std::fs::remove_file(kuu.path("results/count-output.json")).unwrap();
        std::fs::remove_file(kuu.path("results/count.json")).unwrap();
        kuu.forget();
        // Then it is the receipt that has them.
        kuu.run("verify").exits(0).says("ledger: none");
    }
}

#[test]
fn both_types_of_ids_are_different_users() {
    let kuu = Kuu::new();
    let file =
        kuu.file("a.jsonl", "{\"uid\":7,\"ts\":1}\n{\"uid\":\"7\",\"ts\":1}\n{\"uid\":\"\\u0037\",\"ts\":\"1\"}\n");
    for (uid_type, users, malformed) in [("string", 1, 1), ("integer", 1, 2), ("any", 2, 0)] {
        let done = kuu.run(&format!("batch {file} --uid-type {uid_type} --json")).exits(0);
        let windows: serde_json::Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(windows["windows"][0]["users"], users, "{uid_type}");
        assert_eq!(windows["ledger"]["malformed"]["bad_uid"].as_u64().unwrap_or(0), malformed, "{uid_type}");
    }
}

#[test]
fn wrong_pointers_say_what_is_there() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("own.jsonl", content(&CASES[0]));
    let there = "/at (\"2016-07-11T13:39:00.123Z\"), /event/id (1), /event/user/id (0), /id (0)";
    let no_uid = "none of 600 frames has a user id at /uid (--uid) of type string (--uid-type): the first ones have";
    for command in ["batch", "count"] {
        for parser in ["fast", "plain"] {
            let done = kuu.run(&format!("{command} {file} --parser {parser}"));
            done.exits(2).complains(&format!("{no_uid} {there}"));
        }
        let done = kuu.run(&format!("{command} {file} --uid event.user.id"));
        done.exits(2).complains("a user id at /event.user.id (--uid)");
        let done = kuu.run(&format!("{command} {file} --uid /event/user/id"));
        done.exits(2).complains("of type string (--uid-type): the first ones have /at");
        let done = kuu.run(&format!("{command} {file} --uid /event/user/id --uid-type any"));
        done.exits(2).complains("a time at /ts (--ts) in format s (--ts-format): the first ones have /at");
        let done = kuu.run(&format!("{command} {file} --uid /event/user/id --uid-type any --ts at"));
        done.exits(2).complains("a time at /at (--ts) in format s (--ts-format): the first ones have /at");
    }
    kuu.run(&format!("bench {file} --rounds 1")).exits(2).complains(&format!("{no_uid} {there}"));
    kuu.run(&format!("produce {file}")).exits(0).complains(&format!(
        "none of 600 frames has a user id at /uid (--uid) and a time at /ts (--ts): the first ones have {there}"
    ));
    kuu.run("count").exits(2).complains(&format!("{no_uid} {there}"));
    for (pointer, words) in [("/a~", "write ~0 for a tilde"), ("", "the empty pointer means the whole frame")] {
        kuu.run(&format!("batch {file} --uid={pointer}")).exits(2).complains(words);
    }
    kuu.run(&format!("batch {file} --ts-format days")).exits(2).complains("rfc3339");
    // A single frame is enough for a count.
    let file = kuu.file("one.jsonl", content(&CASES[0]) + "{\"uid\":\"a\",\"ts\":1}\n");
    kuu.run(&format!("batch {file}")).exits(0);
}
