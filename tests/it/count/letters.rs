//! Forwarded frames: dead letters with the original bytes, the stream in the order of its timestamps; and early
//! results.

use crate::support::broker::{Message, Mock, read, rows, values};
use crate::support::frames::{
    DAMAGED, MINUTE, fixture_lines, frame, frames, frames_from, joined, lines, parse, windows,
};
use crate::support::kuu::{Kuu, each, eventually};
use crate::support::wire::settle;
use std::collections::BTreeMap;
use std::time::Duration;

fn header<'a>(message: &'a Message, name: &str) -> &'a str {
    let found: Vec<_> = message.headers.iter().filter(|(key, _)| key == name).collect();
    assert_eq!(found.len(), 1, "{name} in {message:?}");
    std::str::from_utf8(&found[0].1).unwrap()
}

/// The messages of a topic by the position that their headers name.
fn origins(address: &str, topic: &str) -> BTreeMap<(i32, i64), Message> {
    let place = |message: &Message| {
        assert_eq!(header(message, "topic"), "messages");
        (header(message, "partition").parse().unwrap(), header(message, "offset").parse().unwrap())
    };
    let messages = read(address, topic);
    let count = messages.len();
    let found: BTreeMap<_, _> = messages.into_iter().map(|message| (place(&message), message)).collect();
    assert_eq!(found.len(), count, "two letters about one frame");
    found
}

#[test]
fn what_is_not_counted_goes_to_the_dead_letters() {
    each(&[(1, 1), (4, 2)], |&(partitions, threads)| {
        let mock = Mock::new(partitions);
        mock.topic("dead", 1);
        let kuu = Kuu::with(&mock.address);
        let mut all = frames(7 * 240);
        let sound = all.clone();
        for (i, (_, value)) in DAMAGED.iter().enumerate() {
            all.insert(i * 50, value.to_vec());
        }
        // A frame hours after its window. With several partitions it might be read before the others have a clock.
        let stragglers = u64::from(partitions == 1);
        all.extend((0..stragglers).map(|_| frame("straggler", MINUTE - 7_200)));
        let file = kuu.file("a.jsonl", lines(&all));
        kuu.run(&format!("produce {file}")).exits(0);
        kuu.run(&format!("count --retention 1m --dead-letter dead --threads {threads}")).exits(0);
        let ledger = kuu.record("count").ledger().clone();
        assert_eq!((ledger.read, ledger.counted, ledger.too_late), (1_702 + stragglers, 1_680, stragglers));
        assert_eq!(settle(&rows(&mock.address, "output")), windows(&sound));

        let letters = origins(&mock.address, "dead");
        assert_eq!(letters.len() as u64, 22 + stragglers);
        let sent = read(&mock.address, "messages");
        for ((partition, offset), letter) in &letters {
            let source = sent.iter().find(|sent| (sent.partition, sent.offset) == (*partition, *offset)).unwrap();
            assert_eq!(letter.value, source.value);
            let value = letter.value.as_deref().unwrap();
            let damage = DAMAGED.iter().find(|(_, damaged)| *damaged == value);
            assert_eq!(header(letter, "reason"), damage.map_or("too_late", |(reason, _)| *reason));
        }
    });
}

/// The frames that come in order, and the frames that come after their turn, of one partition.
fn reorder(all: &[Vec<u8>]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut clock, mut passed) = (i64::MIN, i64::MIN);
    let (mut ordered, mut after) = (Vec::new(), Vec::new());
    for (i, (line, frame)) in all.iter().zip(parse(all)).enumerate() {
        if frame.ts < passed {
            after.push(line.clone());
        } else {
            ordered.push((frame.ts, line.clone()));
        }
        clock = clock.max(frame.ts);
        // The clock starts with the eighth frame that agrees; lateness is 5 s.
        passed = if i >= 7 { clock - 5 } else { passed };
    }
    // The sort is stable: frames of the same second keep their order of arrival.
    ordered.sort_by_key(|(ts, _)| *ts);
    (ordered.into_iter().map(|(_, line)| line).collect(), after)
}

#[test]
fn the_stream_in_the_order_of_its_timestamps() {
    each(&[frames(3_000), fixture_lines(2_000).to_vec()], |all| {
        let mock = Mock::new(1);
        mock.topic("ordered", 1);
        mock.topic("dead", 1);
        let kuu = Kuu::with(&mock.address);
        let file = kuu.file("a.jsonl", joined(all, b"\r\n"));
        kuu.run(&format!("produce {file}")).exits(0);
        kuu.run("count --ordered-output ordered --dead-letter dead").exits(0);
        let (ordered, after) = reorder(all);
        assert!(!after.is_empty() && ordered != *all, "the input is not in order");
        assert_eq!(values(&mock.address, "ordered"), ordered);
        let letters = read(&mock.address, "dead");
        assert!(letters.iter().all(|letter| header(letter, "reason") == "out_of_order"));
        assert_eq!(letters.into_iter().map(|letter| letter.value.unwrap()).collect::<Vec<_>>(), after);
        // These frames are still counted.
        let ledger = kuu.record("count").ledger().clone();
        assert_eq!((ledger.counted, ledger.out_of_order), (all.len() as u64, after.len() as u64));
        assert_eq!(settle(&rows(&mock.address, "output")), windows(all));
        kuu.run("verify").exits(0);
        // A second run must not write its frames after these.
        kuu.run("count --ordered-output ordered --guarantee at-least-once")
            .exits(2)
            .complains("topic ordered already holds frames");
    });
}

#[test]
fn several_partitions_in_one_order() {
    let mock = Mock::new(4);
    mock.topic("ordered", 3);
    mock.topic("dead", 1);
    let kuu = Kuu::with(&mock.address);
    let all = frames(4_000);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count --ordered-output ordered --dead-letter dead --threads 2").exits(0);
    let ordered = values(&mock.address, "ordered");
    assert!(parse(&ordered).is_sorted_by_key(|frame| frame.ts));
    let mut seen = [ordered, values(&mock.address, "dead")].concat();
    let mut wanted = all;
    seen.sort();
    wanted.sort();
    assert!(seen == wanted, "{} frames came out of {}", seen.len(), wanted.len());
}

#[test]
fn a_topic_is_not_its_own_output() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(10)));
    kuu.run(&format!("produce {file}")).exits(0);
    for option in ["--output messages", "--dead-letter messages", "--ordered-output messages"] {
        kuu.run(&format!("count {option}")).exits(2).complains("messages");
    }
    assert_eq!(values(&mock.address, "messages").len(), 10);
}

#[test]
fn early_results_of_open_windows() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames_from(MINUTE, 7 * 40);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    let running = kuu.spawn("count --follow --idle 100ms --early 100ms");
    // The window stays open: no later frame arrives.
    eventually("an early result", || (settle(&rows(&mock.address, "output")) == windows(&all)).then_some(()));
    assert!(rows(&mock.address, "output").iter().all(|row| row.timing == "early" && row.revision.is_none()));
    running.signal("INT");
    running.wait_for(Duration::from_secs(15)).exits(130);
    kuu.run("count --early 1s --guarantee at-least-once").exits(0);
    assert_eq!(settle(&rows(&mock.address, "output")), windows(&all));
    kuu.run("verify").exits(0);
}
