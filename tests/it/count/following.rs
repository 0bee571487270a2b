//! What a count that follows prints, and when its last windows close.

use crate::support::broker::{Mock, rows};
use crate::support::frames::{MINUTE, frame, lines, windows};
use crate::support::kuu::{Kuu, eventually};
use crate::support::wire::{Record, Row};
use std::time::{Duration, Instant};

/// Enough time for an orderly end.
const SOON: Duration = Duration::from_secs(15);
const FOLLOW: &str = "count --follow --idle 100ms --guarantee at-least-once --commit-interval 50ms";

/// Two users in a minute, each `seconds` after its start.
fn minute(number: i64, seconds: &[i64]) -> Vec<Vec<u8>> {
    seconds.iter().map(|second| frame(&format!("u{second}"), MINUTE + 60 * number + second)).collect()
}

/// Ten frames of each of two minutes: enough to agree on the time.
fn two_minutes() -> Vec<Vec<u8>> {
    let seconds: Vec<i64> = (10..20).collect();
    [minute(0, &seconds), minute(1, &seconds)].concat()
}

#[test]
fn it_waits_for_its_topic_and_prints_each_result() {
    let mock = Mock::empty();
    let kuu = Kuu::with(&mock.address);
    mock.topic("output", 1);
    let mut running = kuu.spawn(FOLLOW);
    assert_eq!(running.complaint(), "waits for topic messages: kuu produce FILE makes it");
    let file = kuu.file("a.jsonl", lines(&two_minutes()));
    mock.topic("messages", 1);
    kuu.run(&format!("produce {file}")).exits(0);
    assert_eq!(running.line(), "2016-07-11 13:39        10 users        10 frames on time");
    // A frame of the first minute comes late, and corrects it.
    let late = kuu.file("b.jsonl", lines(&minute(0, &[30])));
    kuu.run(&format!("produce {late} --append")).exits(0);
    assert_eq!(running.line(), "2016-07-11 13:39        11 users        11 frames late 1");
    running.signal("INT");
    let done = running.wait_for(SOON).exits(130);
    done.says("interrupted: 1 open window had no result yet")
        .says("the last windows close when a later frame comes, or --close-idle TIME");
}

#[test]
fn rates_leave_idle_time_out() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&two_minutes()));
    let started = Instant::now();
    kuu.run(&format!("produce {file}")).exits(0);
    let mut running = kuu.spawn(FOLLOW);
    running.line();
    let silence = Duration::from_millis(2500); // more than the two seconds of an idle stream
    std::thread::sleep(silence);
    kuu.run(&format!("produce {file} --append")).exits(0);
    assert!(running.line().contains(" frames late 1"));
    running.signal("INT");
    running.wait_for(SOON).exits(130).says(" without a frame: ");
    let record = kuu.record("count");
    let (elapsed, idle) = (record.figure("elapsed_us"), record.figure("idle_us"));
    assert!(idle >= silence.as_secs_f64() * 1e6, "{idle}");
    assert!(elapsed + idle <= started.elapsed().as_secs_f64() * 1e6, "{elapsed} and {idle}");
    assert_eq!(record.figure("count_frames_per_s"), record.ledger().read as f64 / (elapsed / 1e6));
}

#[test]
fn json_lines_and_then_the_record() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&two_minutes()));
    kuu.run(&format!("produce {file}")).exits(0);
    let mut running = kuu.spawn(&format!("{FOLLOW} --json"));
    let row = Row::parse(running.line().as_bytes());
    assert_eq!(
        (row.window(), row.timing.as_str(), row.revision),
        (windows(&two_minutes())[0].clone(), "on_time", Some(0))
    );
    running.signal("INT");
    let done = running.wait_for(SOON).exits(130);
    // Two lines in all: the second one is the record.
    let record = Record::parse(done.out.lines().last().unwrap().as_bytes());
    assert_eq!((done.out.lines().count(), record.ledger().read), (2, 20), "{done}");
    // Quiet means no rows; the document stays.
    let running = kuu.spawn(&format!("{FOLLOW} --json --quiet --group other --close-idle 100ms"));
    eventually("rows of the other group", || (rows(&mock.address, "output").len() >= 3).then_some(()));
    running.signal("INT");
    assert_eq!(running.wait_for(SOON).exits(130).out.lines().count(), 1);
}

#[test]
fn a_reader_that_leaves_ends_it() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let seconds: Vec<_> = (0..120).map(|second| frame("a", MINUTE + second)).collect();
    let file = kuu.file("a.jsonl", lines(&seconds));
    kuu.run(&format!("produce {file}")).exits(0);
    // It prints again and again, as each late frame corrects a window.
    let early = format!("{FOLLOW} --window second --close-idle 100ms");
    let producing = || {
        kuu.run(&format!("produce {file} --append")).exits(0);
    };
    let done = std::thread::scope(|scope| {
        let head = scope.spawn(|| kuu.run_into_head(&early, 3));
        while !head.is_finished() {
            producing();
        }
        head.join().unwrap()
    });
    let done = done.exits(130);
    assert!(done.out.starts_with("2016-07-11 13:39:"), "{done}");
}

/// While nothing comes, the windows that are open close; what comes later corrects them.
#[test]
fn close_idle() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let first = minute(0, &[1, 2, 3]);
    let file = kuu.file("a.jsonl", lines(&first));
    kuu.run(&format!("produce {file}")).exits(0);
    let mut running = kuu.spawn(&format!("{FOLLOW} --close-idle 200ms"));
    assert_eq!(running.line(), "2016-07-11 13:39         3 users         3 frames on time");
    let second = [minute(0, &[2, 4]), minute(1, &[1])].concat();
    let file = kuu.file("b.jsonl", lines(&second));
    kuu.run(&format!("produce {file} --append")).exits(0);
    let mut both = [running.line(), running.line()];
    both.sort();
    assert_eq!(
        both,
        [
            "2016-07-11 13:39         4 users         5 frames late 1",
            "2016-07-11 13:40         1 users         1 frames on time"
        ]
    );
    running.signal("INT");
    let done = running.wait_for(SOON).exits(130).says("interrupted: 0 open windows had no result yet");
    assert!(!done.out.contains("the last windows close"), "{done}");
    let record = kuu.record("count");
    assert_eq!(record.config["close_idle_us"], 200_000);
    kuu.run("verify").exits(0).says("exact: 2 of 2 windows");
}

#[test]
fn close_idle_needs_a_count_that_follows() {
    let kuu = Kuu::new();
    kuu.run("count --close-idle 1s").exits(2).complains("--follow");
    let file = kuu.file("a.jsonl", lines(&minute(0, &[1])));
    kuu.run(&format!("count {file} --follow --close-idle 1s")).exits(2).complains("does nothing here");
    kuu.run("count --follow --close-idle 0s").exits(2).complains("write a time above 0");
}
