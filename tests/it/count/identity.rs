//! A count keeps to the topics and the results that it began with. Cases that need Kafka are in `crash_topics`.

use crate::support::broker::{Mock, committed, read, rows, write};
use crate::support::frames::{MINUTE, frame, frames, frames_from, lines, windows};
use crate::support::kuu::{Kuu, eventually};
use crate::support::wire::{Row, Window};
use std::collections::BTreeMap;

/// The windows of the last rows: a count at least once may write rows twice.
fn last(rows: &[Row]) -> Vec<Window> {
    let last: BTreeMap<i64, Window> = rows.iter().map(|row| (row.start, row.window())).collect();
    last.into_values().collect()
}

/// The record of the state that names the count.
fn source(mock: &Mock) -> serde_json::Value {
    let messages = read(&mock.address, "kuu-state");
    let source = messages.iter().rfind(|message| message.key.as_deref() == Some(b"source")).unwrap();
    serde_json::from_slice(source.value.as_deref().unwrap()).unwrap()
}

#[test]
fn the_state_knows_its_topics_by_their_ids() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(900)));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count").exits(0);
    let mut state = source(&mock);
    let ids = state["topics"].clone();
    assert_eq!(ids.as_object().unwrap().keys().collect::<Vec<_>>(), ["messages", "output"]);
    // As if the topic had been deleted and filled again.
    state["topics"]["messages"] = "AAAAAAAAAAAAAAAAAAAAAg".into();
    write(&mock.address, "kuu-state", "source", Some(&state.to_string()));
    let before = read(&mock.address, "output");
    let words = format!("its id was AAAAAAAAAAAAAAAAAAAAAg, now {}", ids["messages"].as_str().unwrap());
    kuu.run("count").exits(2).complains("the topic was deleted since and made anew").complains(&words);
    assert_eq!(read(&mock.address, "output"), before);
    // The same for the topic of results.
    state["topics"] = ids;
    state["topics"]["output"] = "AAAAAAAAAAAAAAAAAAAAAg".into();
    write(&mock.address, "kuu-state", "source", Some(&state.to_string()));
    kuu.run("count").exits(2).complains("topic output does not hold the results that were written to it");
}

#[test]
fn a_group_at_least_once_knows_its_topic_by_its_id() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(900)));
    kuu.run(&format!("produce {file}")).exits(0);
    let note = r#"{"owner":"an instance before","topic":"AAAAAAAAAAAAAAAAAAAAAg","from":0}"#;
    crate::support::broker::commit(&mock.address, "kuu", "messages", 700, note);
    kuu.run("count --guarantee at-least-once")
        .exits(2)
        .complains("topic messages is not the one that group kuu counted: it was deleted since and made anew")
        .complains("--recreate");
    assert_eq!(rows(&mock.address, "output"), []);
    assert_eq!(committed(&mock.address, "kuu", "messages"), [700]);
}

/// Of two instances at least once, one is suspended while the other one finishes: it must not write any more results.
#[test]
fn a_count_that_stood_still_does_not_replace_newer_results() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let (first, second) = (frames(7 * 150), frames_from(MINUTE + 30, 7 * 200));
    let all = [&first[..], &second].concat();
    let (a, b) = (kuu.file("a.jsonl", lines(&first)), kuu.file("b.jsonl", lines(&second)));
    kuu.run(&format!("produce {a}")).exits(0);
    let running = kuu.spawn("count --follow --idle 200ms --guarantee at-least-once --commit-interval 50ms");
    eventually("the position", || {
        (committed(&mock.address, "kuu", "messages").iter().sum::<i64>() == 1_050).then_some(())
    });
    assert_ne!(rows(&mock.address, "output"), []);
    running.signal("STOP");
    kuu.run(&format!("produce --append {b}")).exits(0);
    let done = kuu.spawn("count --guarantee at-least-once");
    let other = done.id();
    done.wait().exits(0);
    let before = rows(&mock.address, "output");
    assert_eq!(last(&before), windows(&all));
    running.signal("CONT");
    running
        .wait()
        .exits(2)
        .complains("another instance of group kuu took over")
        .complains(&format!("process {other}, since "));
    assert_eq!(rows(&mock.address, "output"), before);
}

/// Deleted frames cannot be counted again: their results stay as they are.
#[test]
fn frames_that_are_gone_are_not_counted_again_at_least_once() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    // The embedded broker keeps only 5 MiB.
    let note = "x".repeat(2_000);
    let padded = |start: i64, count: i64| -> Vec<Vec<u8>> {
        let more = |frame: Vec<u8>| [&frame[..frame.len() - 1], format!(r#","more":"{note}"}}"#).as_bytes()].concat();
        (0..count).map(|i| more(frame(&format!("user-{i}"), start + i / 20))).collect()
    };
    let a = kuu.file("a.jsonl", lines(&padded(MINUTE, 2_000)));
    let b = kuu.file("b.jsonl", lines(&padded(MINUTE + 100, 1_500)));
    kuu.run(&format!("produce {a} --compression none")).exits(0);
    kuu.run("count --guarantee at-least-once").exits(0);
    // As long as no frame is deleted, the count may be repeated.
    kuu.run("count --guarantee at-least-once").exits(0);
    let before = rows(&mock.address, "output");
    assert_eq!(last(&before), windows(&padded(MINUTE, 2_000)));
    kuu.run(&format!("produce --append {b} --compression none")).exits(0);
    kuu.run("count --guarantee at-least-once")
        .exits(2)
        .complains("topic messages, partition 0: frames 0 to ")
        .complains("were deleted since group kuu counted them")
        .complains("--recreate");
    assert_eq!(rows(&mock.address, "output"), before);
    // Another group begins with the remaining frames, and does so again in the next run.
    for _ in 0..2 {
        kuu.run("count --guarantee at-least-once --group other").exits(0);
    }
}
