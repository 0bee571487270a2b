//! Compacted topics need a key for every frame, and a frame without a uid has none.

use crate::support::broker::{Mock, read};
use crate::support::frames::{frames, lines};
use crate::support::kuu::Kuu;
use crate::support::topics::Topics;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

/// 50 frames, and two without a uid as lines 21 and 41.
fn with_keyless() -> Vec<Vec<u8>> {
    let mut frames = frames(50);
    frames.insert(20, br#"{"ts":1468244341}"#.to_vec());
    frames.insert(40, b"[]".to_vec());
    frames
}

#[test]
#[ignore = "needs Kafka"]
fn a_frame_without_a_key_is_named_and_the_others_are_sent() {
    for policy in ["compact", "compact,delete"] {
        let topics = Topics::new("compacted");
        let (kuu, name) = (Kuu::with(&topics.address), &topics.messages);
        topics.make(name, 1, &[("cleanup.policy", policy)]);
        let all = with_keyless();
        let file = kuu.file("a.jsonl", lines(&all));
        let words = |line: usize| {
            format!(
                "a.jsonl, line {line} was not delivered: topic {name} is compacted, and takes no frame without a key, which is \
                 its uid: leave the line out, or let the topic keep every frame: kafka-configs.sh"
            )
        };
        kuu.run(&format!("produce {file} --topic {name}"))
            .exits(2)
            .complains(&words(21))
            .complains(&words(41))
            .complains("--add-config cleanup.policy=delete")
            .complains("52 frames read, 50 delivered");
        let sent: Vec<_> = read(&topics.address, name).into_iter().map(|message| message.value.unwrap()).collect();
        assert_eq!(sent, frames(50), "{policy}");
    }
}

/// A broker that does not report the topic's policy rejects the whole batch.
#[test]
fn a_batch_that_is_refused() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    mock.refuse(RDKafkaApiKey::Produce, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD]);
    let file = kuu.file("a.jsonl", lines(&with_keyless()));
    kuu.run(&format!("produce {file}"))
        .exits(2)
        .complains("a.jsonl, line 1 was not delivered: the broker refuses its whole batch (InvalidRecord): if topic messages is")
        .complains("compacted, it takes no frame without a key")
        .complains("52 frames read, 0 delivered");
}

#[test]
#[ignore = "needs Kafka"]
fn dead_letters_have_no_keys() {
    let topics = Topics::new("compacted-letters");
    let (kuu, name) = (Kuu::with(&topics.address), &topics.messages);
    let file = kuu.file("a.jsonl", lines(&with_keyless()));
    kuu.run(&format!("produce {file} --topic {name}")).exits(0);
    let letters = format!("{}-letters", topics.output);
    topics.make(&letters, 1, &[("cleanup.policy", "compact")]);
    let count = format!("count {} --dead-letter {letters}", topics.counting());
    kuu.run(&count)
        .exits(2)
        .complains(&format!("topic {letters} has cleanup.policy=compact, and takes no dead letter without a key"))
        .complains("--add-config cleanup.policy=delete");
    topics.set(&letters, &[("cleanup.policy", "delete")]);
    kuu.run(&count).exits(0);
    assert_eq!(read(&topics.address, &letters).len(), 2);
    topics.delete(&letters);
}
