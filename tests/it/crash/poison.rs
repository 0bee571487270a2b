//! Frames that a topic accepts, but that are hard to forward: no count may be stuck at one. On real Kafka.

use crate::support::broker::{Message, read, rows, values};
use crate::support::frames::{MINUTE, frame, frames, lines, windows};
use crate::support::kuu::{Kuu, PATIENCE, eventually};
use crate::support::topics::Topics;
use crate::support::wire::settle;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::time::Duration;

/// Kafka's default limit in bytes, for a value with everything around it.
const DEFAULT: usize = 1_048_588;
const LARGE: (&str, &str) = ("max.message.bytes", "5000000");
/// Shorter than the timeout of an undelivered message.
const SOON: Duration = Duration::from_secs(45);

/// Text that compresses badly.
fn noise(bytes: usize) -> String {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[(state >> 40) as usize % 64])
    };
    (0..bytes).map(|_| next()).collect()
}

/// Writes values to partition 0 as another client may do: without keys, each in a batch of its own.
fn write(topics: &Topics, values: &[Vec<u8>]) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &topics.address).set("message.max.bytes", "100000000");
    config.set("batch.size", "1").set("enable.idempotence", "true");
    let producer: BaseProducer = config.create().unwrap();
    for value in values {
        assert!(producer.send(BaseRecord::<(), _>::to(&topics.messages).partition(0).payload(value)).is_ok());
    }
    producer.flush(PATIENCE).unwrap();
    assert_eq!(producer.in_flight_count(), 0);
}

fn header(message: &Message, name: &str) -> Option<String> {
    let found = message.headers.iter().find(|(key, _)| key == name)?;
    Some(String::from_utf8(found.1.clone()).unwrap())
}

fn with_uid(bytes: usize, ts: i64) -> Vec<u8> {
    frame(&noise(bytes), ts)
}

fn of_bytes(bytes: usize, ts: i64) -> Vec<u8> {
    let mut value = format!(r#"{{"uid":"large","ts":{ts},"note":""}}"#);
    value.insert_str(value.len() - 2, &noise(bytes - value.len()));
    value.into_bytes()
}

fn got_past(guarantee: &str) {
    let topics = Topics::new(&format!("poison-{guarantee}"));
    let (dead, ordered) = (format!("{}-dead", topics.output), format!("{}-ordered", topics.output));
    topics.make(&topics.messages, 2, &[LARGE]);
    let kuu = Kuu::with(&topics.address);
    let at = |i: i64| MINUTE + 5 + i;
    let sound: Vec<Vec<u8>> = (0..40).map(|i| frame(&format!("u{}", i % 7), MINUTE + i / 10)).collect();
    let escaped = frame(&"\\u0000".repeat(65_536), at(3));
    let poison = [with_uid(65_000, at(0)), with_uid(65_536, at(1)), with_uid(65_000, at(2)), escaped];
    let large = [of_bytes(DEFAULT, at(4)), of_bytes(4_500_000, at(5))];
    let dirt: Vec<Vec<u8>> = vec![
        with_uid(1_000_000, at(6)),
        noise(DEFAULT - 93).into_bytes(),
        noise(4_900_000).into_bytes(),
        Vec::new(),
        vec![0xFF; 70_000],
    ];
    write(&topics, &[&sound[..], &poison, &dirt, &large].concat());
    let count =
        format!("count {} --dead-letter {dead} --ordered-output {ordered} --guarantee {guarantee}", topics.counting());
    let good = [&sound[..], &poison, &large].concat();
    // A count gets past them, also after a kill.
    let following = kuu.spawn(&format!("{count} --follow --commit-interval 100ms"));
    eventually("the dead letters", || {
        (crate::support::broker::ends(&topics.address, &dead).first() >= Some(&5)).then_some(())
    });
    following.kill();
    let again = if guarantee == "exactly-once" { count } else { format!("{count} --recreate") };
    kuu.spawn(&again).wait_for(PATIENCE).exits(0);
    assert_eq!(settle(&rows(&topics.address, &topics.output)), windows(&good));
    let ledger = kuu.record("count").ledger().clone();
    let malformed: Vec<(&str, u64)> = ledger.malformed.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(malformed, [("bad_uid", 1), ("not_json", 3), ("not_utf8", 1)]);
    let letters = read(&topics.address, &dead);
    let found: Vec<Vec<u8>> = letters.iter().map(|letter| letter.value.clone().unwrap_or_default()).collect();
    assert!(found == dirt, "{:?}", found.iter().map(Vec::len).collect::<Vec<_>>());
    assert!(letters.iter().all(|letter| header(letter, "left_out").is_none()));
    assert!(values(&topics.address, &ordered) == good);
    if guarantee == "exactly-once" {
        // The next count restores the state with all these frames.
        let more = [&poison[..], &[frame("new", at(9))]].concat();
        write(&topics, &more);
        kuu.run(&again).exits(0);
        assert_eq!(settle(&rows(&topics.address, &topics.output)), windows(&[good, more].concat()));
    }
    topics.delete(&dead);
    topics.delete(&ordered);
}

#[test]
#[ignore = "needs Kafka"]
fn poison_frames_are_got_past_exactly_once() {
    got_past("exactly-once");
}

#[test]
#[ignore = "needs Kafka"]
fn poison_frames_are_got_past_at_least_once() {
    got_past("at-least-once");
}

#[test]
#[ignore = "needs Kafka"]
fn a_dead_letter_that_does_not_fit_goes_without_itself() {
    let topics = Topics::new("poison-letter");
    let dead = format!("{}-dead", topics.output);
    topics.make(&topics.messages, 1, &[]);
    topics.make(&dead, 1, &[]);
    let kuu = Kuu::with(&topics.address);
    let sound = frames(30);
    let bad = [noise(1_048_495).into_bytes(), noise(1_048_000).into_bytes()];
    write(&topics, &[&sound[..], &bad].concat());
    kuu.spawn(&format!("count {} --dead-letter {dead}", topics.counting())).wait_for(SOON).exits(0);
    assert_eq!(settle(&rows(&topics.address, &topics.output)), windows(&sound));
    let letters = read(&topics.address, &dead);
    assert_eq!(letters.iter().map(|letter| letter.value.as_ref()).collect::<Vec<_>>(), [None, Some(&bad[1])]);
    let headers = |letter: &Message| {
        ["reason", "partition", "offset", "size", "left_out"].map(|name| header(letter, name).unwrap_or_default())
    };
    assert_eq!(headers(&letters[0]), ["not_json", "0", "30", "1048495", "larger than max.message.bytes=1048588"]);
    assert_eq!(headers(&letters[1]), ["not_json", "0", "31", "", ""]);
    topics.delete(&dead);
}

#[test]
#[ignore = "needs Kafka"]
fn topics_that_take_too_little_are_refused() {
    let topics = Topics::new("poison-topics");
    let ordered = format!("{}-ordered", topics.output);
    topics.make(&topics.messages, 1, &[LARGE]);
    let kuu = Kuu::with(&topics.address);
    write(&topics, &frames(30));
    let count = format!("count {}", topics.counting());
    topics.make(&ordered, 1, &[]);
    kuu.run(&format!("{count} --ordered-output {ordered}"))
        .exits(2)
        .complains(&format!("topic {ordered} takes messages of 1,048,588 bytes at most"))
        .complains(&format!("--entity-name {ordered} --add-config max.message.bytes=5000000"));
    topics.delete(&topics.output);
    topics.delete(&topics.state());
    topics.make(&topics.output, 1, &[("max.message.bytes", "500")]);
    kuu.run(&count).exits(2).complains(&format!("topic {} takes messages of 500 bytes", topics.output));
    topics.delete(&topics.output);
    topics.delete(&topics.state());
    for (properties, words) in [
        (
            &[("max.message.bytes", "100000"), ("cleanup.policy", "compact")][..],
            "takes messages of 100,000 bytes at most",
        ),
        (&[("cleanup.policy", "delete")], "has cleanup.policy=delete"),
        (&[("cleanup.policy", "compact,delete")], "has cleanup.policy=compact,delete"),
    ] {
        topics.make(&topics.state(), 1, properties);
        let done = kuu.run(&count).exits(2).complains(&format!("topic {} {words}", topics.state()));
        done.complains("kafka-configs.sh --bootstrap-server");
        topics.delete(&topics.state());
    }
    kuu.run(&count).exits(0);
    assert_eq!(topics.property(&topics.state(), "max.message.bytes").as_deref(), Some("1048588"));
    // Without transactions there is no state.
    topics.delete(&ordered);
}

#[test]
#[ignore = "needs Kafka"]
fn a_frame_that_the_ordered_output_does_not_take_is_named() {
    for guarantee in ["exactly-once", "at-least-once"] {
        let topics = Topics::new(&format!("poison-place-{guarantee}"));
        let ordered = format!("{}-ordered", topics.output);
        topics.make(&topics.messages, 1, &[LARGE]);
        write(&topics, &[&frames(30)[..], &[of_bytes(2_000_000, MINUTE + 5)], &frames(30)].concat());
        // The topic held larger messages before.
        topics.set(&topics.messages, &[("max.message.bytes", "1048588")]);
        let kuu = Kuu::with(&topics.address);
        let line = format!("count {} --ordered-output {ordered} --guarantee {guarantee}", topics.counting());
        let done = kuu.spawn(&line).wait_for(SOON).exits(2);
        done.complains(&format!("topic {ordered} did not take what was written to it"))
            .complains(&format!("the frame at partition 0, offset 30 of topic {}", topics.messages))
            .complains("--add-config max.message.bytes=");
        topics.delete(&ordered);
    }
}

#[test]
#[ignore = "needs Kafka"]
fn a_topic_of_tiny_messages() {
    let topics = Topics::new("poison-tiny");
    topics.make(&topics.messages, 1, &[("max.message.bytes", "500")]);
    let kuu = Kuu::with(&topics.address);
    let small = frames(200);
    let file = kuu.file("a.jsonl", lines(&[&small[..70], &[frame(&"x".repeat(600), MINUTE)], &small[70..]].concat()));
    kuu.run(&format!("produce {file} --topic {}", topics.messages))
        .exits(2)
        .complains("a.jsonl, line 71 was not delivered: larger than the topic takes (max.message.bytes)")
        .complains("201 frames read, 200 delivered");
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    assert_eq!(settle(&rows(&topics.address, &topics.output)), windows(&small));
}
