//! `kuu verify` reads the rows of other engines, and names the options for rows that it cannot read.

use crate::support::broker::{Mock, write};
use crate::support::frames::{frames, lines, windows, windows_by};
use crate::support::kuu::Kuu;
use crate::support::wire::Window;

/// A broker with 1,400 produced frames, in four minutes, and a topic `theirs` with a row for each window.
fn counted(windows: &[Window], row: impl Fn(&Window) -> String) -> (Mock, Kuu) {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(1_400)));
    kuu.run(&format!("produce {file}")).exits(0);
    mock.topic("theirs", 1);
    for window in windows {
        write(&mock.address, "theirs", "", Some(&row(window)));
    }
    (mock, kuu)
}

#[test]
fn starts_in_milliseconds() {
    let windows = windows(&frames(1_400));
    let (_mock, kuu) =
        counted(&windows, |Window { start, users, .. }| format!(r#"{{"start":{},"users":{users}}}"#, start * 1_000));
    let fault = "4 messages are not result rows, as at partition 0, offset 0, where `start` is 1468244340000, which would \
                 be minute 2016-07-11 13:39 in milliseconds: run `kuu verify` again with --start-format ms";
    let done = kuu.run("verify --output theirs").exits(1).says(fault).says("WRONG: 0 of 4 windows exact");
    assert!(!done.out.contains("is missing"), "{done}");
    let verdict = kuu.record("verify").verdict.unwrap();
    assert_eq!((verdict.exact, verdict.windows, verdict.wrong), (false, 4, 4));
    assert_eq!(verdict.faults, [format!("theirs, {fault}")]);

    kuu.run("verify --output theirs --start-format ms").exits(0).says("exact: 4 of 4 windows");
    let config = kuu.record("verify").config;
    assert_eq!(config["start_format"], "ms");
    assert_eq!((&config["start_field"], &config["users_field"]), (&"start".into(), &"users".into()));
    kuu.run("verify --output theirs --start-format us").exits(1).says("again with --start-format ms");
}

#[test]
fn members_of_other_names() {
    let windows = windows(&frames(1_400));
    let (mock, kuu) = counted(&windows, |Window { start, users, .. }| {
        format!(r#"{{"window_start":{},"window_end":{},"count":{users}}}"#, start * 1_000, (start + 60) * 1_000)
    });
    let options = "--start-field window_start --users-field count --start-format ms";
    kuu.run("verify --output theirs")
        .exits(1)
        .says("it has no `start` and no `users`, but `count`, `window_end`, `window_start`")
        .says(&format!("run `kuu verify` again with {options}"));
    kuu.run(&format!("verify --output theirs {options}")).exits(0).says("exact: 4 of 4 windows");
    let config = kuu.record("verify").config;
    assert_eq!((&config["start_field"], &config["users_field"]), (&"window_start".into(), &"count".into()));
    // The options change nothing of the verdict.
    write(&mock.address, "theirs", "", Some(r#"{"window_start":1468244340000,"count":1}"#));
    kuu.run(&format!("verify --output theirs {options}"))
        .exits(1)
        .says("minute 2016-07-11 13:39 has 1 users instead of");
    kuu.run("verify --users-field start").exits(2).complains("name the same member, `start`");
    kuu.run("verify --start-format min").exits(2).complains("rfc3339");
}

#[test]
fn rows_without_a_unit_are_of_the_one_that_is_checked() {
    let five = windows_by("5min", &frames(1_400), |ts| ts - ts % 300);
    let (_mock, kuu) = counted(&five, |Window { start, users, .. }| format!(r#"{{"start":{start},"users":{users}}}"#));
    let windows = five.len();
    kuu.run("verify --output theirs --window 5min").exits(0).says(&format!("exact: {windows} of {windows} windows"));
    kuu.run("verify --output theirs --window 300s,hour").exits(1).says("5min 2016-07-11 13:35 is missing");
}
