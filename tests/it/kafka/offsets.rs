//! On real Kafka: topics with more offsets than messages (transactions), or fewer messages than were written
//! (compaction). Ignored by default, see `kafka.rs`.

use crate::support::broker::{is_in_transaction, read, rows, write};
use crate::support::frames::{MINUTE, frames, frames_from, lines, windows};
use crate::support::kuu::{Kuu, eventually};
use crate::support::topics::{Topics, send};
use crate::support::wire::settle;
use rdkafka::Offset;
use rdkafka::producer::Producer;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long the end of a count waits until its results are visible.
const VISIBLE: Duration = Duration::from_secs(2);

const SOON: Duration = Duration::from_secs(60);

fn keyed(frames: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    frames.iter().map(|frame| ("key".to_owned(), frame.clone())).collect()
}

#[test]
#[ignore = "needs Kafka"]
fn a_producers_loss_is_not_the_counts() {
    let topics = Topics::new("loss");
    let kuu = Kuu::with(&topics.address);
    topics.make(&topics.messages, 1, &[]);
    let all = frames(800);
    // Ten frames are missing; eight markers have offsets too: 798 in all.
    let producer = topics.transactional();
    for part in all[..790].chunks(100) {
        producer.begin_transaction().unwrap();
        send(&producer, &topics.messages, 0, &keyed(part));
        producer.commit_transaction(SOON).unwrap();
    }
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    let file = kuu.file("a.jsonl", lines(&all));
    let verify = format!("verify --topic {} --output {}", topics.messages, topics.output);
    let done = kuu.run(&format!("{verify} {file}")).exits(1);
    let done = done.says(&format!("topic {} holds 790 frames, the files 800", topics.messages));
    assert!(!done.out.contains("the ledger has"), "{done}");

    let sent = kuu.file("sent.jsonl", lines(&all[..790]));
    kuu.run(&format!("{verify} {sent}")).exits(0);
    // The same number of offsets as frames, by chance.
    let as_many = kuu.file("as-many.jsonl", lines(&all[..798]));
    kuu.run(&format!("{verify} {as_many}")).exits(1).says("holds 790 frames, the files 798");
}

#[test]
#[ignore = "needs Kafka"]
fn an_open_transaction_hides_results() {
    let topics = Topics::new("hidden");
    let kuu = Kuu::with(&topics.address);
    let all = frames(1_400);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file} --topic {}", topics.messages)).exits(0);
    topics.make(&topics.output, 1, &[]);
    let producer = topics.transactional();
    producer.begin_transaction().unwrap();
    send(&producer, &topics.output, 0, &[("minute:0".to_owned(), br#"{"start":0,"users":1}"#.to_vec())]);
    let counted = kuu.run(&format!("count {}", topics.counting())).exits(0);
    // The wait for visibility, which times out here, does not belong to the time of counting.
    let elapsed = Duration::from_micros(kuu.record("count").figure("elapsed_us") as u64);
    assert!(counted.elapsed >= elapsed + VISIBLE, "{elapsed:?} of {counted}");

    assert!(is_in_transaction(&topics.address, &topics.output));
    let verify = format!("verify --output {}", topics.output);
    let done = kuu.run(&verify).exits(1).says("minute 2016-07-11 13:39 is missing").says(&format!(
        "{}, partition 0: a transaction is open since offset 0, and hides it and all that follows",
        topics.output
    ));
    let done = done.says(&format!("abort --topic {} --partition 0 --start-offset 0", topics.output));
    assert_eq!(kuu.record("verify").remarks.len(), 1, "{done}");
    producer.abort_transaction(SOON).unwrap();
    eventually("the end of the transaction", || (!is_in_transaction(&topics.address, &topics.output)).then_some(()));
    let done = kuu.run(&verify).exits(0);
    assert!(!done.out.contains("transaction"), "{done}");
}

#[test]
#[ignore = "needs Kafka"]
fn an_open_transaction_hides_frames() {
    let topics = Topics::new("hidden-frames");
    let kuu = Kuu::with(&topics.address);
    topics.make(&topics.messages, 1, &[]);
    let all = frames(800);
    let producer = topics.transactional();
    producer.begin_transaction().unwrap();
    send(&producer, &topics.messages, 0, &keyed(&all[..700]));
    producer.commit_transaction(SOON).unwrap();
    producer.begin_transaction().unwrap();
    send(&producer, &topics.messages, 0, &keyed(&all[700..]));
    let hint = format!(
        "{}, partition 0: a transaction is open since offset 701, and hides it and all that follows, 100 offsets, from every \
         read_committed reader, count too",
        topics.messages
    );
    kuu.run(&format!("count {}", topics.counting())).exits(0).says(&hint).says("then count again");
    assert!(kuu.record("count").remarks[0].starts_with(&hint));
    let file = kuu.file("a.jsonl", lines(&all));
    let verify = format!("verify {file} --topic {} --output {}", topics.messages, topics.output);
    kuu.run(&verify)
        .exits(1)
        .says(&format!("topic {} holds 700 frames, the files 800", topics.messages))
        .says(&format!("{}, partition 0: a transaction is open since offset 701", topics.messages))
        .says("100 offsets");
    producer.commit_transaction(SOON).unwrap();
    eventually("the end of the transaction", || (!is_in_transaction(&topics.address, &topics.messages)).then_some(()));
    let done = kuu.run(&format!("count {}", topics.counting())).exits(0);
    assert!(!done.out.contains("transaction"), "{done}");
    kuu.run(&verify).exits(0);
}

#[test]
#[ignore = "needs Kafka"]
fn first_answers_that_were_compacted_are_unknown() {
    let topics = Topics::new("removed");
    let kuu = Kuu::with(&topics.address);
    topics.make(&topics.output, 1, &[]);
    let all = frames(6_000);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file} --topic {} --partitions 3", topics.messages)).exits(0);
    // Many corrections; some are the last rows of their windows.
    kuu.run(&format!("count {} --window second,minute --lateness 0s", topics.counting())).exits(0);
    let before = rows(&topics.address, &topics.output);
    let verify = format!("verify --output {}", topics.output);
    kuu.run(&verify).exits(0);
    let verdict = kuu.record("verify").verdict.unwrap();
    assert_eq!(verdict.first_unknown, 0);
    assert_eq!(verdict.exact_at_first + verdict.corrected, verdict.windows);
    let mut last = BTreeMap::new();
    for row in &before {
        last.insert((row.unit.clone(), row.start), row.revision);
    }
    assert!(before.len() > last.len(), "nothing to compact");

    // Only now: before the first verify nothing may be compacted.
    topics.set(
        &topics.output,
        &[
            ("cleanup.policy", "compact"),
            ("segment.ms", "50"),
            ("min.cleanable.dirty.ratio", "0.001"),
            ("max.compaction.lag.ms", "1"),
            ("delete.retention.ms", "0"),
        ],
    );
    // The newest records are not compacted: this adds a row without an effect after the results.
    eventually("compaction", || {
        write(&topics.address, &topics.output, "minute:0", None);
        let left = read(&topics.address, &topics.output).into_iter().filter(|message| message.value.is_some()).count();
        (left == last.len()).then_some(())
    });
    kuu.run(&verify).exits(0);
    let verdict = kuu.record("verify").verdict.unwrap();
    let corrected = last.values().filter(|revision| **revision != Some(0)).count() as u64;
    assert!(corrected > 0);
    assert_eq!(verdict.first_unknown, corrected);
    assert_eq!((verdict.corrected, verdict.exact_at_first), (0, verdict.windows - corrected));
}

#[test]
#[ignore = "needs Kafka"]
fn idle_times_are_no_times_of_counting() {
    let topics = Topics::new("idle");
    let kuu = Kuu::with(&topics.address);
    let all = frames_from(MINUTE, 7 * 150);
    let a = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {a} --topic {} --partitions 1", topics.messages)).exits(0);
    let running = kuu.spawn(&format!("count {} --follow --idle 100ms", topics.counting()));
    eventually("a result", || {
        let known = crate::support::broker::partitions(&topics.address, &topics.output) == 1;
        (known && !rows(&topics.address, &topics.output).is_empty()).then_some(Instant::now())
    });
    let seen = Instant::now();
    eventually("idle time", || (seen.elapsed() > Duration::from_secs(3)).then_some(()));
    running.signal("INT");
    let done = running.wait_for(SOON).exits(130).says("counted 1,050 frames in");
    let elapsed = Duration::from_micros(kuu.record("count").figure("elapsed_us") as u64);
    assert!(done.elapsed >= elapsed + Duration::from_secs(3), "{elapsed:?} of {done}");

    // The open window gets its result, without a new frame.
    let count = format!("count {}", topics.counting());
    kuu.run(&count).exits(0).says("no new frames: windows that were open have their results");
    let record = kuu.record("count");
    assert!(!record.figures.contains_key("count_frames_per_s") && !record.figures.contains_key("elapsed_us"));
    kuu.run(&count).exits(0).says("nothing new");
    assert_eq!(settle(&rows(&topics.address, &topics.output)), windows(&all));
    kuu.run(&format!("verify --output {}", topics.output)).exits(0);
}

#[test]
#[ignore = "needs Kafka"]
fn what_is_removed_when_all_was_counted_is_no_loss() {
    let topics = Topics::new("removed-after");
    let kuu = Kuu::with(&topics.address);
    topics.make(&topics.messages, 1, &[]);
    let all = frames(300);
    let producer = topics.transactional();
    let transaction = |frames: &[Vec<u8>]| {
        producer.begin_transaction().unwrap();
        send(&producer, &topics.messages, 0, &keyed(frames));
    };
    transaction(&all[..100]);
    producer.commit_transaction(SOON).unwrap();
    // After the last frame there are a marker, aborted frames, and another marker.
    transaction(&all[100..200]);
    producer.abort_transaction(SOON).unwrap();
    let count = format!("count {}", topics.counting());
    kuu.run(&count).exits(0);
    topics.remove(&topics.messages, 0, Offset::End);
    kuu.run(&count).exits(0).says("100 read = 100 counted");
    // The same when an aborted transaction is the only new input.
    transaction(&all[200..]);
    producer.abort_transaction(SOON).unwrap();
    kuu.run(&count).exits(0);
    topics.remove(&topics.messages, 0, Offset::End);
    transaction(&all[200..]);
    producer.commit_transaction(SOON).unwrap();
    kuu.run(&count).exits(0).says("200 read = 200 counted");
}

#[test]
#[ignore = "needs Kafka"]
fn what_is_removed_before_it_was_counted_is_a_loss_in_a_partition_that_was_empty_too() {
    let topics = Topics::new("removed-before");
    let kuu = Kuu::with(&topics.address);
    topics.make(&topics.messages, 2, &[]);
    let all = frames(200);
    let producer = topics.transactional();
    let count = format!("count {}", topics.counting());
    for (partition, frames) in [(0, &all[..100]), (1, &all[100..])] {
        producer.begin_transaction().unwrap();
        send(&producer, &topics.messages, partition, &keyed(frames));
        producer.commit_transaction(SOON).unwrap();
        if partition == 0 {
            kuu.run(&count).exits(0).says("100 read = 100 counted");
        }
    }
    topics.remove(&topics.messages, 1, Offset::Offset(70));
    kuu.run(&count)
        .exits(2)
        .complains("partition 1: frames 0 to 69 were deleted before they were counted")
        .complains("--recreate");
    kuu.run(&format!("{count} --recreate")).exits(0).says("130 read = 130 counted");
}
