//! `kuu verify`: correct rows pass, whatever program wrote them; one wrong row fails.

use crate::support::broker::{Mock, read, rows, write};
use crate::support::frames::{MINUTE, frames, lines, windows};
use crate::support::kuu::Kuu;
use crate::support::wire::Window;

/// A broker with 1,400 produced frames, in four minutes, and their correct results.
fn counted() -> (Mock, Kuu, Vec<Window>) {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(1_400);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count").exits(0);
    let windows = windows(&all);
    assert_eq!(windows.len(), 4);
    (mock, kuu, windows)
}

fn row(window: &Window, users: u64, frames: u64, revision: u32) -> String {
    format!(
        r#"{{"unit":"minute","start":{},"end":{},"users":{users},"frames":{frames},"timing":"late","revision":{revision},"emitted_us":1}}"#,
        window.start,
        window.start + 60
    )
}

fn key(window: &Window) -> String {
    format!("minute:{}", window.start)
}

#[test]
fn one_changed_row() {
    let (mock, kuu, windows) = counted();
    let window = &windows[1];
    let (users, frames) = (window.users, window.frames);
    write(&mock.address, "output", &key(window), Some(&row(window, users + 1, frames, 90)));
    kuu.run("verify")
        .exits(1)
        .says(&format!("minute 2016-07-11 13:40 has {} users instead of {users}", users + 1))
        .says("WRONG: 3 of 4 windows exact");
    let verdict = kuu.record("verify").verdict.unwrap();
    assert_eq!((verdict.exact, verdict.windows, verdict.wrong), (false, 4, 1));
    assert_eq!(verdict.faults.len(), 1);

    write(&mock.address, "output", &key(window), Some(&row(window, users, frames - 1, 91)));
    kuu.run("verify").exits(1).says(&format!("minute 2016-07-11 13:40 has {} frames instead of {frames}", frames - 1));

    // The last row counts.
    write(&mock.address, "output", &key(window), Some(&row(window, users, frames, 92)));
    kuu.run("verify").exits(0);
    // This also holds for a row that should not have come any more.
    write(&mock.address, "output", &key(window), Some(&row(window, 1, 1, 91)));
    kuu.run("verify").exits(1).says("has revision 91 after revision 92").says("has 1 users instead of");
}

#[test]
fn one_removed_row() {
    let (mock, kuu, windows) = counted();
    write(&mock.address, "output", &key(&windows[3]), None);
    let users = windows[3].users;
    kuu.run("verify").exits(1).says(&format!("minute 2016-07-11 13:42 is missing: {users} users in truth"));
    assert_eq!(kuu.record("verify").verdict.unwrap().wrong, 1);
}

#[test]
fn one_added_row() {
    let (mock, kuu, _) = counted();
    let extra = Window { unit: "minute".into(), start: MINUTE + 600, users: 3, frames: 3 };
    write(&mock.address, "output", &key(&extra), Some(&row(&extra, 3, 3, 0)));
    kuu.run("verify").exits(1).says("minute 2016-07-11 13:49 is extra: 3 users");
    write(&mock.address, "output", &key(&extra), None);
    kuu.run("verify").exits(0);
    // A window of a unit that was not asked for is extra too.
    write(&mock.address, "output", "hour:1468242000", Some(r#"{"unit":"hour","start":1468242000,"users":3}"#));
    kuu.run("verify").exits(1).says("hour 2016-07-11 13:00").says("is extra");
}

#[test]
fn a_row_that_is_none() {
    let (mock, kuu, _) = counted();
    for (value, words) in [("{", "not JSON"), (r#"{"start":1468244341,"users":1}"#, "no minute starts at 1468244341")] {
        write(&mock.address, "output", "x", Some(value));
        let offset = read(&mock.address, "output").last().unwrap().offset;
        kuu.run("verify").exits(1).says(&format!("output, partition 0, offset {offset}: ")).says(words);
    }
    write(&mock.address, "output", "who knows", None);
    kuu.run("verify").exits(1).says("withdraws the row of a key that has none: `who knows`");
}

#[test]
fn rows_of_another_engine() {
    let (mock, kuu, windows) = counted();
    mock.topic("theirs", 3);
    let minute = |window: &Window| format!("2016-07-11T13:{}:00", 39 + (window.start - MINUTE) / 60);
    for (i, window) in windows.iter().enumerate() {
        let value = match i {
            0 => format!(r#"{{"start":"{}Z","users":{}}}"#, minute(window), window.users),
            1 => format!(r#"{{"users":{},"start":"{}.000+00:00","engine":"other"}}"#, window.users, minute(window)),
            2 => format!(r#"{{"start":{},"users":{},"frames":null}}"#, window.start, window.users),
            _ => format!(r#"{{"start":{},"users":{},"frames":{}}}"#, window.start, window.users, window.frames),
        };
        if i == 0 {
            write(&mock.address, "theirs", "any key", Some(r#"{"start":1468244340,"users":1}"#));
        }
        write(&mock.address, "theirs", "any key", Some(&value));
    }
    kuu.run("verify --output theirs").exits(0).says("4 of 4 windows").says("ledger: none");
    let verdict = kuu.record("verify").verdict.unwrap();
    // The engine's first answer for the first window was wrong.
    assert_eq!((verdict.exact_at_first, verdict.largest_first_error_users), (3, windows[0].users - 1));

    write(&mock.address, "theirs", "any key", Some(r#"{"start":"2016-07-11T13:41:00Z","users":1}"#));
    kuu.run("verify --output theirs").exits(1).says("minute 2016-07-11 13:41 has 1 users instead of");
}

#[test]
fn the_first_answers_are_judged() {
    let (mock, kuu, windows) = counted();
    let rows = rows(&mock.address, "output");
    let first = |window: &Window| rows.iter().find(|row| row.start == window.start).unwrap().users;
    let errors: Vec<u64> = windows.iter().map(|window| window.users - first(window)).collect();
    kuu.run("verify").exits(0);
    let verdict = kuu.record("verify").verdict.unwrap();
    assert_eq!(verdict.exact_at_first, errors.iter().filter(|error| **error == 0).count() as u64);
    assert_eq!(verdict.largest_first_error_users, errors.iter().copied().max().unwrap());
    assert_eq!(verdict.total_first_error_users, errors.iter().sum::<u64>());
}

#[test]
fn a_file_that_changed() {
    let (_mock, kuu, _) = counted();
    let mut all = frames(1_400);
    all.push(b"{}".to_vec());
    kuu.file("a.jsonl", lines(&all));
    kuu.run("verify").exits(2).complains("a.jsonl is not the file that was produced");
    std::fs::remove_file(kuu.path("a.jsonl")).unwrap();
    kuu.run("verify").exits(2).complains("a.jsonl: there is no such file");
}

#[test]
fn other_files_than_those_counted() {
    let (_mock, kuu, _) = counted();
    let fewer = kuu.file("fewer.jsonl", lines(&frames(1_399)));
    kuu.run(&format!("verify {fewer}")).exits(1).says("topic messages holds 1,400 frames, the files 1,399");
    let same = kuu.file("same.jsonl", lines(&frames(1_400)));
    kuu.run(&format!("verify {same}")).exits(0);
}

#[test]
fn a_ledger_that_does_not_add_up() {
    let (_mock, kuu, _) = counted();
    kuu.tamper("count-output", |record| record["ledger"]["counted"] = 1_399.into());
    kuu.run("verify").exits(1).says("the ledger does not balance: ledger: 1,400 read = 1,399 counted");
    kuu.tamper("count-output", |record| {
        record["ledger"]["counted"] = 1_401.into();
        record["ledger"]["read"] = 1_401.into();
    });
    kuu.run("verify").exits(1).says("the ledger has 1,401 frames read, topic messages holds 1,400");
}

#[test]
fn a_ledger_that_adds_up_but_is_not_true() {
    let (_mock, kuu, _) = counted();
    kuu.tamper("count-output", |record| {
        record["ledger"]["counted"] = 1_390.into();
        record["ledger"]["malformed"] = serde_json::json!({ "not_json": 10 });
    });
    // The truth counts all of them.
    kuu.run("verify").exits(1).says("ledger");
}

#[test]
fn frames_added_after_the_count() {
    let (mock, kuu, _) = counted();
    write(&mock.address, "messages", "late", Some(r#"{"uid":"late","ts":1468244341}"#));
    kuu.run("verify").exits(1).says("topic messages holds 1,401 frames, the files 1,400");
}

#[test]
fn an_empty_output() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(100)));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("verify").exits(1).says("minute 2016-07-11 13:39 is missing");
}
