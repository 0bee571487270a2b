//! The same expectations on real Kafka. Ignored by default (`cargo test -- --ignored` runs them); they fail if there is
//! no broker at `KUU_TEST_BROKERS` (default: `localhost:9092`).

use crate::support::broker::{committed, partitions, read, rows, write};
use crate::support::frames::{
    FIXTURE, FIXTURE_FRAMES, MINUTE, fixture_lines, fixture_windows, frame, frames, frames_from, lines, windows,
};
use crate::support::kuu::{Kuu, eventually};
use crate::support::topics::{Topics, send};
use crate::support::wire::{Row, settle};
use rdkafka::producer::Producer;
use std::time::Duration;

/// Enough time for any broker.
const SOON: Duration = Duration::from_secs(60);

fn keyed(frames: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    frames.iter().map(|frame| ("key".to_owned(), frame.clone())).collect()
}

fn journey(compression: &str) {
    for partitions in [1, 4] {
        let topics = Topics::new(&format!("journey-{compression}-{partitions}"));
        let kuu = Kuu::with(&topics.address);
        let messages = &topics.messages;
        kuu.run(&format!("produce {FIXTURE} --topic {messages} --partitions {partitions} --compression {compression}"))
            .exits(0)
            .says("produced 50,000 frames (104.0 MB)");
        assert_eq!(crate::support::broker::partitions(&topics.address, messages), partitions);
        assert_eq!(kuu.record("produce").figure("delivered_frames") as u64, FIXTURE_FRAMES);
        assert_eq!(kuu.record("produce").broker.unwrap().transaction_version, Some(2)); // of any Kafka since 4.0
        for threads in [1, 2] {
            kuu.run(&format!("count {} --recreate --threads {threads}", topics.counting())).exits(0);
            assert_eq!(settle(&rows(&topics.address, &topics.output)), fixture_windows());
            let ledger = kuu.record("count").ledger().clone();
            assert_eq!((ledger.read, ledger.counted), (FIXTURE_FRAMES, FIXTURE_FRAMES));
            kuu.run(&format!("verify --output {}", topics.output)).exits(0).says("10 of 10 windows");
            assert!(kuu.record("verify").verdict.unwrap().exact);
        }
        let positions = committed(&topics.address, messages, messages);
        assert_eq!(positions.iter().sum::<i64>() as u64, FIXTURE_FRAMES);
    }
}

#[test]
#[ignore = "needs Kafka"]
fn uncompressed() {
    journey("none");
}

#[test]
#[ignore = "needs Kafka"]
fn lz4() {
    journey("lz4");
}

#[test]
#[ignore = "needs Kafka"]
fn zstd() {
    journey("zstd");
}

#[test]
#[ignore = "needs Kafka"]
fn snappy() {
    journey("snappy");
}

#[test]
#[ignore = "needs Kafka"]
fn gzip() {
    journey("gzip");
}

#[test]
#[ignore = "needs Kafka"]
fn one_partition_gives_the_results_of_the_file() {
    let topics = Topics::new("as-file");
    let kuu = Kuu::with(&topics.address);
    let file = kuu.file("frames.jsonl", lines(&frames(6_000)));
    kuu.run(&format!("produce {file} --topic {} --partitions 1", topics.messages)).exits(0);
    kuu.run(&format!("count {} --window second,minute,hour --parser plain", topics.counting())).exits(0);
    let timeless = |rows: Vec<Row>| rows.iter().map(Row::timeless).collect::<Vec<Row>>();
    let streamed = kuu.run(&format!("count {file} --window second,minute,hour")).exits(0);
    assert_eq!(timeless(rows(&topics.address, &topics.output)), timeless(streamed.rows()));
    kuu.run(&format!("verify --output {}", topics.output)).exits(0);
}

#[test]
#[ignore = "needs Kafka"]
fn partitions_that_stay_empty() {
    let topics = Topics::new("empty");
    let kuu = Kuu::with(&topics.address);
    let one: Vec<_> = (0..200).map(|i| frame("alone", MINUTE + i)).collect();
    let file = kuu.file("one.jsonl", lines(&one));
    kuu.run(&format!("produce {file} --topic {} --partitions 8", topics.messages)).exits(0);
    kuu.run(&format!("count {} --threads 3", topics.counting())).exits(0);
    assert_eq!(settle(&rows(&topics.address, &topics.output)), windows(&one));
    kuu.run(&format!("verify --output {}", topics.output)).exits(0);
}

#[test]
#[ignore = "needs Kafka"]
fn append_recreate_and_neither() {
    let topics = Topics::new("recreate");
    let kuu = Kuu::with(&topics.address);
    let messages = &topics.messages;
    let all = frames(900);
    let a = kuu.file("a.jsonl", lines(&all[..500]));
    let b = kuu.file("b.jsonl", lines(&all[500..]));
    kuu.run(&format!("produce {a} --topic {messages} --partitions 3")).exits(0);
    kuu.run(&format!("produce {b} --topic {messages}")).exits(2).complains("already holds 500 frames");
    kuu.run(&format!("produce {b} --topic {messages} --append")).exits(0);
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    assert_eq!(settle(&rows(&topics.address, &topics.output)), windows(&all));
    kuu.run(&format!("verify --output {}", topics.output)).exits(0);

    kuu.run(&format!("produce {b} --topic {messages} --recreate --partitions 2 --limit 300")).exits(0);
    assert_eq!((partitions(&topics.address, messages), read(&topics.address, messages).len()), (2, 300));
    kuu.run(&format!("verify --output {}", topics.output)).exits(1).says("is extra");
    kuu.run(&format!("count {} --recreate", topics.counting())).exits(0);
    assert_eq!(settle(&rows(&topics.address, &topics.output)), windows(&all[500..800]));
    kuu.run(&format!("verify --output {}", topics.output)).exits(0);
}

#[test]
#[ignore = "needs Kafka"]
fn a_missing_file_neither_makes_nor_deletes_a_topic() {
    let topics = Topics::new("missing");
    let kuu = Kuu::with(&topics.address);
    let a = kuu.file("a.jsonl", lines(&frames(10)));
    kuu.run(&format!("produce {a} missing.jsonl --topic {}", topics.messages)).exits(2).complains("missing.jsonl");
    assert_eq!(partitions(&topics.address, &topics.messages), 0);
    kuu.run(&format!("produce {a} --topic {}", topics.messages)).exits(0);
    kuu.run(&format!("produce {a} missing.jsonl --recreate --topic {}", topics.messages)).exits(2);
    assert_eq!(read(&topics.address, &topics.messages).len(), 10);
}

#[test]
#[ignore = "needs Kafka"]
fn first_answers_stay_readable() {
    let topics = Topics::new("forever");
    let kuu = Kuu::with(&topics.address);
    let a = kuu.file("a.jsonl", lines(&frames(700)));
    kuu.run(&format!("produce {a} --topic {}", topics.messages)).exits(0);
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    let property = |name| topics.property(&topics.output, name);
    assert_eq!(property("cleanup.policy").as_deref(), Some("delete"));
    assert_eq!(property("retention.ms").as_deref(), Some("-1"));
    assert_eq!(property("retention.bytes").as_deref(), Some("-1"));
}

#[test]
#[ignore = "needs Kafka"]
fn a_compacted_output_of_the_users_works_too() {
    let topics = Topics::new("compacted");
    let kuu = Kuu::with(&topics.address);
    topics.make(&topics.output, 3, &[("cleanup.policy", "compact")]);
    let all = frames(1_400);
    let a = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {a} --topic {}", topics.messages)).exits(0);
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    assert_eq!(settle(&rows(&topics.address, &topics.output)), windows(&all));
    kuu.run(&format!("verify --output {}", topics.output)).exits(0);
    assert_eq!(topics.property(&topics.output, "cleanup.policy").as_deref(), Some("compact"));
}

#[test]
#[ignore = "needs Kafka"]
fn a_topic_that_takes_larger_frames() {
    let topics = Topics::new("large");
    let kuu = Kuu::with(&topics.address);
    topics.make(&topics.messages, 2, &[("max.message.bytes", "2000000")]);
    let large = |size: usize| format!(r#"{{"uid":"l","ts":{MINUTE},"pad":"{}"}}"#, "x".repeat(size)).into_bytes();
    let all = [&frames(20)[..], &[large(1_500_000), large(2_500_000)], &frames(10)].concat();
    let file = kuu.file("large.jsonl", lines(&all));
    kuu.run(&format!("produce {file} --topic {} --compression none", topics.messages))
        .exits(2)
        .complains("large.jsonl, line 22 was not delivered: larger than the topic takes")
        .complains("32 frames read, 31 delivered");
    let sent = read(&topics.address, &topics.messages);
    assert_eq!(sent.len(), 31);
    assert!(sent.iter().any(|message| message.value.as_ref() == Some(&all[20])));
}

#[test]
#[ignore = "needs Kafka"]
fn more_replicas_than_brokers() {
    let topics = Topics::new("replicas");
    let kuu = Kuu::with(&topics.address);
    let a = kuu.file("a.jsonl", lines(&frames(10)));
    let command = format!("produce {a} --topic {} --replication-factor 300", topics.messages);
    kuu.run(&command).exits(2).complains(&format!("topic {} cannot be made", topics.messages));
    assert_eq!(partitions(&topics.address, &topics.messages), 0);
}

#[test]
#[ignore = "needs Kafka"]
fn what_was_aborted_is_not_counted() {
    let topics = Topics::new("aborted");
    let kuu = Kuu::with(&topics.address);
    topics.make(&topics.messages, 2, &[]);
    let all = frames(800);
    let ghosts: Vec<_> = (0..50).map(|i| frame(&format!("ghost-{i}"), MINUTE + i)).collect();
    let producer = topics.transactional();
    for (partition, half) in [(0, &all[..400]), (1, &all[400..])] {
        producer.begin_transaction().unwrap();
        send(&producer, &topics.messages, partition, &keyed(half));
        producer.commit_transaction(SOON).unwrap();
        producer.begin_transaction().unwrap();
        send(&producer, &topics.messages, partition, &keyed(&ghosts));
        producer.abort_transaction(SOON).unwrap();
    }
    let file = kuu.file("a.jsonl", lines(&all));
    let count = format!("count {} --lateness 1h", topics.counting());
    for threads in [1, 2] {
        // Both partitions end in aborted frames and markers.
        kuu.spawn(&format!("{count} --recreate --threads {threads}")).wait_for(SOON).exits(0);
        assert_eq!(settle(&rows(&topics.address, &topics.output)), windows(&all));
        assert_eq!(kuu.record("count").ledger().read, 800);
        let verify = format!("verify {file} --topic {} --output {}", topics.messages, topics.output);
        kuu.spawn(&verify).wait_for(SOON).exits(0).says("ledger: 800 read = 800 counted");
    }

    // An open transaction is not the end of the topic.
    producer.begin_transaction().unwrap();
    send(&producer, &topics.messages, 0, &keyed(&ghosts));
    kuu.spawn(&format!("{count} --recreate")).wait_for(SOON).exits(0);
    assert_eq!(kuu.record("count").ledger().read, 800);
    producer.abort_transaction(SOON).unwrap();
}

#[test]
#[ignore = "needs Kafka"]
fn results_in_transactions() {
    let topics = Topics::new("transactions");
    let kuu = Kuu::with(&topics.address);
    let all = frames(1_400);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file} --topic {}", topics.messages)).exits(0);
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    let window = &windows(&all)[1];
    let row = |users: u64, revision: u32| {
        let value = format!(r#"{{"start":{},"users":{users},"revision":{revision}}}"#, window.start);
        [(format!("minute:{}", window.start), value.into_bytes())]
    };
    let verify = || kuu.spawn(&format!("verify --output {}", topics.output)).wait_for(SOON);
    let producer = topics.transactional();
    producer.begin_transaction().unwrap();
    send(&producer, &topics.output, 0, &row(1, 50));
    verify().exits(0);
    producer.abort_transaction(SOON).unwrap();
    verify().exits(0);
    producer.begin_transaction().unwrap();
    send(&producer, &topics.output, 0, &row(1, 50));
    producer.commit_transaction(SOON).unwrap();
    verify().exits(1).says(&format!("minute 2016-07-11 13:40 has 1 users instead of {}", window.users));
    producer.begin_transaction().unwrap();
    send(&producer, &topics.output, 0, &row(window.users, 51));
    producer.commit_transaction(SOON).unwrap();
    verify().exits(0);
}

#[test]
#[ignore = "needs Kafka"]
fn one_wrong_row() {
    let topics = Topics::new("wrong");
    let kuu = Kuu::with(&topics.address);
    kuu.run(&format!("produce {FIXTURE} --limit 5000 --topic {}", topics.messages)).exits(0);
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    let expected = windows(fixture_lines(5_000));
    let verify = |code| kuu.run(&format!("verify --output {}", topics.output)).exits(code);
    verify(0);
    let key = format!("minute:{}", expected[0].start);
    write(&topics.address, &topics.output, &key, None);
    verify(1).says("minute 2016-07-11 13:39 is missing");
    let right = format!(r#"{{"start":"2016-07-11T13:39:00Z","users":{}}}"#, expected[0].users);
    write(&topics.address, &topics.output, &key, Some(&right));
    verify(0);
    write(&topics.address, &topics.output, "minute:0", Some(r#"{"start":0,"users":1}"#));
    verify(1).says("minute 1970-01-01 00:00 is extra");
}

#[test]
#[ignore = "needs Kafka"]
fn frames_that_come_while_following() {
    let topics = Topics::new("follow");
    let kuu = Kuu::with(&topics.address);
    let (first, second) = (frames_from(MINUTE, 7 * 150), frames_from(MINUTE + 180, 7 * 150));
    let a = kuu.file("a.jsonl", lines(&first));
    let b = kuu.file("b.jsonl", lines(&second));
    kuu.run(&format!("produce {a} --topic {}", topics.messages)).exits(0);
    let running = kuu.spawn(&format!("count {} --follow --idle 300ms --threads 2", topics.counting()));
    eventually("the output topic", || (partitions(&topics.address, &topics.output) == 1).then_some(()));
    let seen = |all: &[Vec<u8>]| {
        let wanted = &windows(all)[..2];
        eventually("results", || {
            let found = settle(&rows(&topics.address, &topics.output));
            wanted.iter().all(|window| found.contains(window)).then_some(())
        });
    };
    seen(&first);
    kuu.run(&format!("produce --append {b} --topic {}", topics.messages)).exits(0);
    seen(&second);
    running.signal("INT");
    running.wait_for(SOON).exits(130).says("ledger: 2,100 read = 2,100 counted");
    assert_eq!(committed(&topics.address, &topics.messages, &topics.messages).iter().sum::<i64>(), 2_100);
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    kuu.run(&format!("verify --output {}", topics.output)).exits(0);
}

#[test]
#[ignore = "needs Kafka"]
fn a_topic_that_is_deleted_under_a_follower() {
    let topics = Topics::new("deleted");
    let kuu = Kuu::with(&topics.address);
    let all = frames(7 * 90);
    let a = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {a} --topic {}", topics.messages)).exits(0);
    let running = kuu.spawn(&format!("count {} --follow --idle 300ms", topics.counting()));
    eventually("the output topic", || (partitions(&topics.address, &topics.output) == 1).then_some(()));
    eventually("a result", || (!rows(&topics.address, &topics.output).is_empty()).then_some(()));
    topics.delete(&topics.messages);
    let words = format!("topic {} was deleted while it was being read", topics.messages);
    running.wait_for(SOON).exits(2).complains(&words);
}
