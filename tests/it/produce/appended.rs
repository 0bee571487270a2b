//! The receipt of a topic that holds fewer frames than were produced into it. On real Kafka.

use crate::support::frames::{MINUTE, frames_from, lines};
use crate::support::kuu::Kuu;
use crate::support::topics::Topics;
use rdkafka::Offset;

#[test]
#[ignore = "needs Kafka"]
fn what_retention_removed_was_produced_all_the_same() {
    // All frames are removed, or all except one.
    for left in [0, 1] {
        let topics = Topics::new("appended");
        let (kuu, name) = (Kuu::with(&topics.address), &topics.messages);
        topics.make(name, 1, &[]);
        let a = kuu.file("a.jsonl", lines(&frames_from(MINUTE, 100)));
        let b = kuu.file("b.jsonl", lines(&frames_from(MINUTE + 3_600, 200)));
        kuu.run(&format!("produce {a} --topic {name}")).exits(0);
        kuu.run(&format!("count {}", topics.counting())).exits(0);
        topics.remove(name, 0, Offset::Offset(100 - left));
        kuu.run(&format!("produce {b} --topic {name} --append")).exits(0);
        let done = kuu.run(&format!("count {}", topics.counting())).exits(0).says("ledger: 300 read");
        drop(done);
        kuu.run(&format!("verify --output {}", topics.output))
            .exits(0)
            .says("a.jsonl (100 frames)")
            .says("b.jsonl (200 frames)")
            .says(&format!("topic {name} holds {} of the 300 frames of the files", 200 + left));
    }
}

#[test]
#[ignore = "needs Kafka"]
fn a_topic_that_is_filled_anew_forgets_what_was_before() {
    let topics = Topics::new("anew");
    let (kuu, name) = (Kuu::with(&topics.address), &topics.messages);
    let a = kuu.file("a.jsonl", lines(&frames_from(MINUTE, 100)));
    let b = kuu.file("b.jsonl", lines(&frames_from(MINUTE + 3_600, 200)));
    kuu.run(&format!("produce {a} --topic {name} --partitions 1")).exits(0);
    // The topic is emptied, and filled again without --append: the earlier frames do not matter.
    topics.remove(name, 0, Offset::End);
    kuu.run(&format!("produce {b} --topic {name}")).exits(0);
    kuu.run(&format!("verify --topic {name} --output {}", topics.output)).exits(2).complains("there are no results");
    assert_eq!(kuu.record("produce").input.len(), 1);
    // A topic that somebody else creates again never held any frame.
    topics.delete(name);
    crate::support::kuu::eventually("its end", || {
        (crate::support::broker::partitions(&topics.address, name) == 0).then_some(())
    });
    topics.make(name, 1, &[]);
    kuu.run(&format!("produce {a} --topic {name} --append")).exits(0);
    assert_eq!(kuu.record("produce").input.len(), 1);
}

/// The receipt is marked before the topic is deleted, and not if the deletion is refused.
#[test]
#[ignore = "needs Kafka"]
fn a_recreate_that_is_refused_touches_no_receipt() {
    let topics = Topics::new("refused");
    let (kuu, name) = (Kuu::with(&topics.address), &topics.messages);
    let a = kuu.file("a.jsonl", lines(&frames_from(MINUTE, 100)));
    kuu.run(&format!("produce {a} --topic {name}")).exits(0);
    kuu.run(&format!("produce {a} --topic {name} --recreate --replication-factor 9")).exits(2);
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    kuu.run(&format!("verify --output {}", topics.output)).exits(0).says("a.jsonl (100 frames)");
    kuu.run(&format!("produce {a} --topic {name} --recreate")).exits(0);
}
