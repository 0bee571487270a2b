//! The windows of `--json`, the marks of wrong ones, the order of the screen, and colour.

use crate::support::broker::{Mock, rows, write};
use crate::support::frames::{frames, lines, windows};
use crate::support::kuu::Kuu;
use crate::support::wire::Window;
use serde_json::{Value, json};

/// A broker with 1,400 counted frames, in four minutes.
fn counted() -> (Mock, Kuu, Vec<Window>) {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let all = frames(1_400);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count").exits(0);
    (mock, kuu, windows(&all))
}

/// Gives a window another number of users.
fn spoil(mock: &Mock, window: &Window, users: u64) {
    let last = rows(&mock.address, "output").into_iter().rfind(|row| row.window() == *window).unwrap();
    let row = json!({"unit": "minute", "start": last.start, "end": last.end, "users": users, "frames": last.frames,
        "timing": "late", "revision": 90, "emitted_us": last.emitted_us});
    write(&mock.address, "output", &format!("minute:{}", last.start), Some(&row.to_string()));
}

#[test]
fn documents_hold_the_windows() {
    let (mock, kuu, expected) = counted();
    let document = |line: &str, code| -> Value { serde_json::from_str(&kuu.run(line).exits(code).out).unwrap() };
    let of = |window: &Window, more: Value| {
        let mut json = json!({"unit": "minute", "start": window.start, "users": window.users, "frames": window.frames,
            "first_users": window.users});
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json
    };
    let count = json!(expected.iter().map(|window| of(window, json!({}))).collect::<Vec<_>>());
    mock.topic("again", 1);
    assert_eq!(document("count a.jsonl --json", 0)["windows"], count);
    assert_eq!(document("count --group other --json --guarantee at-least-once --output again", 0)["windows"], count);
    let truth = |window: &Window| json!({"truth_users": window.users, "truth_frames": window.frames});
    let verify = json!(expected.iter().map(|window| of(window, truth(window))).collect::<Vec<_>>());
    let right = document("verify --output output --json", 0);
    assert_eq!(right["windows"], verify);
    spoil(&mock, &expected[1], expected[1].users + 1);
    let wrong = document("verify --output output --json", 1);
    let users = expected[1].users;
    let fault = format!("minute 2016-07-11 13:40 has {} users instead of {users}", users + 1);
    assert_eq!(wrong["windows"][1]["wrong"], json!([fault]));
    assert_eq!(wrong["windows"][1]["users"], users + 1);
    assert_eq!((&wrong["windows"][0], &wrong["windows"][2]), (&verify[0], &verify[2]));
}

#[test]
fn the_verdict_is_the_last_line_and_wrong_rows_are_marked() {
    let (mock, mut kuu, expected) = counted();
    let right = kuu.run("verify").exits(0);
    let order: Vec<&str> = right.out.lines().map(|line| line.split_once(' ').unwrap().0).collect();
    assert_eq!(order[..2], ["topic", "window"]);
    assert_eq!(order[order.len() - 3..], ["ledger:", "record:", "exact:"], "{right}");

    spoil(&mock, &expected[1], expected[1].users + 1);
    let wrong = kuu.run("verify").exits(1);
    let marked: Vec<&str> = wrong.out.lines().filter(|line| line.ends_with("  WRONG")).collect();
    assert_eq!(marked.len(), 1, "{wrong}");
    assert!(marked[0].starts_with("2016-07-11 13:40 "), "{wrong}");
    let last: Vec<&str> = wrong.out.lines().rev().take(4).collect();
    let fault =
        format!("wrong: minute 2016-07-11 13:40 has {} users instead of {}", expected[1].users + 1, expected[1].users);
    assert_eq!(last[..2], ["WRONG: 3 of 4 windows exact", &fault]);
    assert!(last[2].starts_with("record: ") && last[3].starts_with("ledger: "), "{wrong}");

    // Piped, there is no colour, unless it is forced; NO_COLOR is stronger.
    assert!(!wrong.out.contains('\u{1b}'), "{wrong}");
    kuu.set("CLICOLOR_FORCE", "1");
    let coloured = kuu.run("verify").exits(1);
    assert!(coloured.out.ends_with("\u{1b}[31m\u{1b}[1mWRONG: 3 of 4 windows exact\u{1b}[0m\n"), "{coloured:?}");
    assert_eq!(coloured.out.matches("\u{1b}[0m").count(), 2, "{coloured}");
    let marked = coloured.out.lines().find(|line| line.contains("2016-07-11 13:40 ")).unwrap();
    assert!(
        marked.starts_with("\u{1b}[31m\u{1b}[1m2016-07-11 13:40 ") && marked.ends_with("  WRONG\u{1b}[0m"),
        "{marked:?}"
    );
    kuu.set("NO_COLOR", "1");
    assert!(!kuu.run("verify").exits(1).out.contains('\u{1b}'));
}
