//! `kuu output`: the windows that a topic of results has.

use crate::support::broker::{Mock, write, write_to};
use crate::support::frames::{frames, lines, windows};
use crate::support::kuu::Kuu;

#[test]
fn the_windows_of_a_count() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    kuu.run("output").exits(0).says("no results yet");
    kuu.run("output -t other")
        .exits(2)
        .complains("there is no topic other: run `kuu count`, or name another with --output");
    let all = frames(1_400);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    let counted = kuu.run("count").exits(0);
    let output = kuu.run("output").exits(0);
    assert_eq!(output.err, "");
    let table: Vec<&str> = output.out.lines().collect();
    assert_eq!(table.len(), 1 + windows(&all).len());
    assert_eq!(table[0], "window            users  first answer  change  frames");
    // The same table as that of the count.
    assert!(counted.out.starts_with(&output.out), "{counted}{output}");
    let rows = kuu.run("output --json").exits(0);
    let expected: String = windows(&all)
        .iter()
        .map(|window| {
            let (start, users) = (window.start, window.users);
            format!(
                r#"{{"end":{},"first_users":{users},"frames":{},"start":{start},"unit":"minute","users":{users}}}"#,
                start + 60,
                window.frames
            ) + "\n"
        })
        .collect();
    assert_eq!(rows.out, expected);
    assert_eq!(kuu.run("output --quiet --json").exits(0).out, "");
    assert_eq!(kuu.run_into_head("output --json", 1).code, Some(0));
}

#[test]
fn rows_of_any_engine() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    mock.topic("theirs", 2);
    let put = |key: &str, value: Option<&str>| write(&mock.address, "theirs", key, value);
    put("a", Some(r#"{"at":1468244340000,"n":1234567}"#));
    put("a", Some(r#"{"at":1468244340000,"n":1234569}"#));
    write_to(&mock.address, "theirs", 1, "b", Some(r#"{"at":1468244400000,"n":7,"frames":8}"#));
    put("c", Some(r#"{"at":1468244460000,"n":7}"#));
    put("c", None);
    put("d", Some("what is this"));
    let theirs = "output --output-topic theirs --start-field at --users-field n --start-format ms";
    let done = kuu.run(theirs).exits(0);
    assert_eq!(
        done.out,
        "window                users  first answer  change  frames\n\
         2016-07-11 13:39  1,234,569     1,234,567      +2       -\n\
         2016-07-11 13:40          7             7       0       8\n"
    );
    done.complains("theirs, partition 0, offset 4: not JSON");
    kuu.run(&format!("{theirs} --window hour")).exits(0).says("no results yet");
    kuu.run("output --start-field users").exits(2).complains("name the same member, `users`: name two");
}
