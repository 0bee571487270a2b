//! `kuu output --follow`: a line for each row as it comes.

use crate::support::broker::{Mock, write};
use crate::support::kuu::Kuu;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(15);

fn row(start: i64, users: u64, further: &str) -> String {
    format!(r#"{{"unit":"minute","start":{start},"users":{users},"frames":9{further}}}"#)
}

#[test]
fn the_table_and_then_each_row() {
    let mock = Mock::empty();
    let kuu = Kuu::with(&mock.address);
    let put = |start: i64, value: Option<&str>| write(&mock.address, "output", &format!("minute:{start}"), value);
    let mut running = kuu.spawn("output --follow");
    assert_eq!(running.complaint(), "waits for topic output: kuu count makes it");
    mock.topic("output", 1);
    assert_eq!(running.line(), "no results yet");
    put(1_468_244_340, Some(&row(1_468_244_340, 1_739, r#","timing":"early""#)));
    assert_eq!(running.line(), "2016-07-11 13:39     1,739 users         9 frames early");
    put(1_468_244_340, Some(&row(1_468_244_340, 1_740, r#","timing":"on_time","revision":0"#)));
    assert_eq!(running.line(), "2016-07-11 13:39     1,740 users         9 frames on time");
    put(1_468_244_340, Some("?"));
    put(1_468_244_340, Some(&row(1_468_244_340, 1_741, r#","timing":"late","revision":1"#)));
    assert_eq!(running.line(), "2016-07-11 13:39     1,741 users         9 frames late 1");
    put(1_468_244_340, None);
    assert_eq!(running.line(), "2016-07-11 13:39 withdrawn");
    running.signal("INT");
    let done = running.wait_for(SOON).exits(130);
    done.complains("output, partition 0, offset 2: not JSON");

    // What is there already is folded; what comes is not.
    put(1_468_244_400, Some(&row(1_468_244_400, 5, r#","timing":"on_time","revision":0"#)));
    let mut running = kuu.spawn("output --follow --json");
    let first = r#"{"end":1468244460,"first_users":5,"frames":9,"start":1468244400,"unit":"minute","users":5}"#;
    assert_eq!(running.line(), first);
    put(1_468_244_400, Some(&row(1_468_244_400, 6, r#","timing":"late","revision":1"#)));
    let second =
        r#"{"unit":"minute","start":1468244400,"end":1468244460,"users":6,"frames":9,"timing":"late","revision":1}"#;
    assert_eq!(running.line(), second);
    running.signal("TERM");
    running.wait_for(SOON).exits(130);
}

#[test]
fn a_reader_that_leaves_ends_it() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let put = |users| {
        let start = 1_468_244_340;
        write(&mock.address, "output", "minute:1468244340", Some(&row(start, users, "")));
    };
    put(1);
    let done = std::thread::scope(|scope| {
        let head = scope.spawn(|| kuu.run_into_head("output --follow", 2));
        let mut users = 1;
        while !head.is_finished() {
            users += 1;
            put(users);
        }
        head.join().unwrap()
    });
    done.exits(130);
}
