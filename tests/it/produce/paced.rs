//! produce by a schedule: due times, falling behind, interrupts, and options that make no sense.

use crate::support::broker::{Message, Mock, read, rows};
use crate::support::frames::{MINUTE, frame, frames, lines, windows};
use crate::support::kuu::{Done, Kuu, eventually};
use crate::support::wire::settle;

/// Whether the machine kept the schedule is not what these tests are about.
#[track_caller]
fn sent(done: Done) -> Done {
    assert!(matches!(done.code, Some(0 | 5)), "{done}");
    done
}

/// The time in a header of the only partition's messages.
fn times(messages: &[Message], header: &str) -> Vec<i64> {
    let time = |message: &Message| {
        let (_, value) = message.headers.iter().find(|(name, _)| name == header).unwrap();
        i64::from_be_bytes(value.as_slice().try_into().unwrap())
    };
    messages.iter().map(time).collect()
}

/// The same times, from the first one on.
fn since_first(times: &[i64]) -> Vec<i64> {
    times.iter().map(|time| time - times[0]).collect()
}

#[test]
fn a_fixed_rate() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let all = frames(700);
    let file = kuu.file("a.jsonl", lines(&all));
    sent(kuu.run(&format!("produce {file} --rate 3000 --json")));
    let messages = read(&mock.address, "messages");
    let due = times(&messages, "kuu_due_us");
    let expected: Vec<i64> = (0..700).map(|i| i * 1_000_000 / 3_000).collect();
    assert_eq!(since_first(&due), expected);
    let sent = times(&messages, "kuu_sent_us");
    assert!(due.iter().zip(&sent).all(|(due, sent)| sent >= due), "none is sent before it is due");
    assert_eq!(messages.iter().map(|message| message.value.clone().unwrap()).collect::<Vec<_>>(), all);
    let record = kuu.record("produce");
    assert_eq!((record.figure("asked_frames_per_s"), record.figure("delivered_frames")), (3_000.0, 700.0));
    assert_eq!(record.latency["schedule"]["samples"], 700);
    assert_eq!(record.config["rate"], 3_000.0);
    kuu.run("count").exits(0);
    kuu.run("verify").exits(0);
}

#[test]
fn without_a_pace_there_are_no_due_times() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(10)));
    kuu.run(&format!("produce {file} --repeat 2")).exits(0);
    assert!(read(&mock.address, "messages").iter().all(|message| message.headers.is_empty()));
}

#[test]
fn event_time() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let at = |second: i64| frame("a", MINUTE + second);
    let all = [b"{\"uid\":\"no time\"}".to_vec(), at(0), at(1), b"rubbish".to_vec(), at(1), at(0), at(5), at(3), at(6)];
    let file = kuu.file("a.jsonl", lines(&all));
    sent(kuu.run(&format!("produce {file} --speed 20 --repeat 2")));
    let due = since_first(&times(&read(&mock.address, "messages"), "kuu_due_us"));
    let once = [0, 0, 50_000, 50_000, 50_000, 50_000, 250_000, 250_000, 300_000];
    // The next repeat begins a second of event time after the last frame.
    let again = once.map(|due| due + 350_000);
    assert_eq!(due, [once, again].concat());
    assert_eq!(kuu.record("produce").config["speed"], 20.0);
}

#[test]
fn a_rate_that_nothing_reaches() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(2_000);
    let file = kuu.file("a.jsonl", lines(&all));
    let done = kuu.run(&format!("produce {file} --rate 10000000")).exits(5);
    let done = done.complains("kuu: behind its schedule: ").complains(" of 10,000,000 frames/s; frames were late by ");
    done.says("produced 2,000 frames").says("record: results/produce-messages.json");
    let record = kuu.record("produce-messages");
    assert_eq!((record.figure("on_schedule"), record.figure("asked_frames_per_s")), (0.0, 1e7));
    assert!(record.figure("achieved_frames_per_s") < 1e7);
    assert!(record.remarks[0].starts_with("behind its schedule"), "{:?}", record.remarks);
    // All frames are there, and the receipt is complete.
    kuu.run("count").exits(0);
    kuu.run("verify").exits(0);
    assert_eq!(settle(&rows(&mock.address, "output")), windows(&all));
}

#[test]
fn an_interrupt_while_the_next_frame_is_not_due() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(10)));
    let running = kuu.spawn(&format!("produce {file} --rate 0.001"));
    running.handles(2);
    eventually("the first frame", || (read(&mock.address, "messages").len() == 1).then_some(()));
    running.signal("INT");
    running.wait().exits(130).says("produced 1 frame ");
    let record = kuu.record("produce-messages");
    assert_eq!((record.input[0].frames, &record.config["complete"]), (1, &false.into()));
    kuu.run("verify --output output").exits(2).complains("it was interrupted after 1 frames");
}

#[test]
fn an_interrupt_between_repeats() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(2)));
    // A repeat begins a second of event time after the one before: 1,000 s.
    let running = kuu.spawn(&format!("produce {file} --speed 0.001 --for 1d"));
    running.handles(2);
    eventually("the first repeat", || (read(&mock.address, "messages").len() == 2).then_some(()));
    running.signal("INT");
    running.wait().exits(130).says("repeats: 1 whole, each 1 day later in event time");
    let words = "it was interrupted after 2 frames, 1 whole: fill topic messages anew";
    kuu.run("verify --output output").exits(2).complains(words);
}

#[test]
fn standard_input() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let all = frames(50);
    for options in ["--repeat 2", "--for 1s", "--repeat 2 --rate 10"] {
        let words = "standard input cannot be read again: to repeat it with --repeat or --for, save it to a file";
        kuu.feed(&format!("produce - {options}"), &lines(&all)).exits(2).complains(words);
    }
    assert_eq!(read(&mock.address, "messages"), []);
    sent(kuu.feed("produce - --rate 5000 --repeat 1", &lines(&all)));
    let due = times(&read(&mock.address, "messages"), "kuu_due_us");
    assert_eq!(since_first(&due), (0..50).map(|i| i * 200).collect::<Vec<i64>>());
}

#[test]
fn options_that_make_no_sense() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(3)));
    for (options, words) in [
        ("--rate 0", "write a number from 0.000001 to 1000000000"),
        ("--rate -5", "write a number from"),
        ("--rate NaN", "write a number from"),
        ("--rate 1e300", "write a number from"),
        ("--rate inf", "write a number from"),
        ("--rate fast", "write a number, as in 5000"),
        ("--speed 0", "write a number from"),
        ("--speed -1", "write a number from"),
        ("--repeat 0", "0 is not in 1.."),
        ("--for 0s", "write a time above 0"),
        ("--rate 1 --speed 1", "cannot be used with"),
        ("--repeat 2 --for 1s", "cannot be used with"),
    ] {
        kuu.run(&format!("produce {file} {options}")).exits(2).complains(words);
    }
    kuu.run(&format!("bench {file} --rate -5")).exits(2).complains("write a number from");
    let timeless = kuu.file("timeless.jsonl", "{\"uid\":\"a\",\"at\":1}\n{\"uid\":\"b\",\"at\":2}\n");
    kuu.run(&format!("produce {timeless} --speed 1"))
        .exits(2)
        .complains("--speed needs event time, and none of 2 frames has a time at /ts (--ts)")
        .complains("/at (1)");
    let rubbish = kuu.file("rubbish.jsonl", "rubbish\n");
    kuu.run(&format!("produce {rubbish} --speed 1")).exits(2).complains("none of 1 frame has one: use --rate");
    assert_eq!(read(&mock.address, "messages"), []);
    // Of a stream it is known at its end only.
    kuu.feed("produce - --speed 1", b"rubbish\n").exits(2).complains("--speed needs event time, and no frame has one");
}
