//! Windows of any length: every way of counting gives the same ones.

use crate::support::broker::{Mock, read, rows};
use crate::support::frames::{MINUTE, frames, frames_from, lines, windows_by};
use crate::support::kuu::Kuu;
use crate::support::topics::Topics;
use crate::support::wire::{Window, settle};

/// The names of windows, and their seconds.
type Lengths<'a> = [(&'a str, i64)];

/// The exact answer, in the order of `settle`.
fn expected(lengths: &Lengths, all: &[Vec<u8>]) -> Vec<Window> {
    let of = |(name, seconds): &(&str, i64)| windows_by(name, all, |ts| ts - ts % seconds);
    let mut windows: Vec<Window> = lengths.iter().flat_map(of).collect();
    windows.sort();
    windows
}

fn sorted(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort();
    windows
}

#[test]
fn lengths_that_divide_each_other_and_some_that_do_not() {
    let mut all = frames(4_000);
    for day in 1..30 {
        all.extend(frames_from(MINUTE + day * 86_400, 50));
    }
    let lengths = [
        ("10s", 10),
        ("minute", 60),
        ("90s", 90),
        ("5min", 300),
        ("7min", 420),
        ("hour", 3_600),
        ("90min", 5_400),
        ("6h", 21_600),
        ("2d", 172_800),
        ("7d", 604_800),
        ("10000d", 864_000_000),
    ];
    let kuu = Kuu::new();
    let file = kuu.file("a.jsonl", lines(&all));
    for (name, seconds) in lengths {
        let alone = kuu.run(&format!("batch {file} --window {name}")).exits(0).windows();
        assert_eq!(alone, expected(&[(name, seconds)], &all));
    }
    // Some of them twice, in another spelling.
    let list = "10000d,7d,48h,6h,90min,60min,7min,5min,300s,90s,1min,60s,minute,10s,2d";
    let batch = kuu.run(&format!("batch {file} --window {list}")).exits(0).windows();
    assert_eq!(batch.iter().map(|window| &window.unit).take(3).collect::<Vec<_>>(), ["10000d", "7d", "2d"]);
    assert_eq!(sorted(batch), expected(&lengths, &all));
    let rows = kuu.run(&format!("count {file} --window {list}")).exits(0).rows();
    for row in &rows {
        let (_, seconds) = lengths.iter().find(|(name, _)| *name == row.unit).unwrap();
        assert_eq!(row.end - row.start, *seconds, "{row:?}");
    }
    assert_eq!(sorted(settle(&rows)), expected(&lengths, &all));
    let record = kuu.run(&format!("count {file} --window 300s,90s,5min --json")).exits(0).document();
    assert_eq!(record.config["window"], serde_json::json!(["90s", "5min"]));
}

const LENGTHS: [(&str, i64); 3] = [("90s", 90), ("5min", 300), ("7min", 420)];

#[test]
fn state_and_results_of_a_topic() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(2_000);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count --window 5min,90s,420s").exits(0).says("2016-07-11 13:35 (5min)").says("2016-07-11 13:39:00 (90s)");
    assert_eq!(sorted(settle(&rows(&mock.address, "output"))), expected(&LENGTHS, &all));
    let state = read(&mock.address, "kuu-state");
    let has = |key: &str| state.iter().any(|message| message.key.as_deref() == Some(key.as_bytes()));
    assert!(has("5min:1468244100") && has("90s:1468244340") && has("7min:1468243980"));
    let windows = expected(&LENGTHS, &all).len();
    kuu.run("verify").exits(0).says(&format!("exact: {windows} of {windows} windows"));
    let some = expected(&LENGTHS[1..2], &all).len();
    kuu.run("verify --window 300s").exits(0).says(&format!("exact: {some} of {some} windows"));
    kuu.run("verify --window 5min,hour").exits(1).says("hour 2016-07-11 13:00 is missing");
}

#[test]
#[ignore = "needs Kafka"]
fn a_count_goes_on_with_the_same_windows_only() {
    let topics = Topics::new("lengths");
    let (kuu, counting) = (Kuu::with(&topics.address), topics.counting());
    let (first, second) = (frames(2_000), frames_from(MINUTE + 280, 2_000));
    let (a, b) = (kuu.file("a.jsonl", lines(&first)), kuu.file("b.jsonl", lines(&second)));
    kuu.run(&format!("produce {a} --topic {}", topics.messages)).exits(0);
    kuu.run(&format!("count {counting} --window 5min,90s,420s")).exits(0);
    kuu.run(&format!("produce --append {b} --topic {}", topics.messages)).exits(0);
    kuu.run(&format!("count {counting} --window 5min,90s"))
        .exits(2)
        .complains("it was made with --window 90s,5min,7min, not 90s,5min");
    kuu.run(&format!("count {counting} --window 7min,300s,90s")).exits(0).says("2,000 frames counted before");
    let all = [first, second].concat();
    assert_eq!(sorted(settle(&rows(&topics.address, &topics.output))), expected(&LENGTHS, &all));
    let windows = expected(&LENGTHS, &all).len();
    kuu.run(&format!("verify {a} {b} --output {}", topics.output))
        .exits(0)
        .says(&format!("exact: {windows} of {windows} windows"));
}
