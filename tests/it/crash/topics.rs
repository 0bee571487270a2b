//! Topics that change during a count: replaced, grown, read by a thread that dies. On real Kafka; `scripts/faults.sh`
//! runs them with the tests of `crash`.

use crate::support::broker::{committed, partitions, read, rows};
use crate::support::frames::{MINUTE, frame, frames, frames_from, lines, windows};
use crate::support::kuu::{Kuu, Running, eventually};
use crate::support::topics::{Topics, send};
use crate::support::wire::{Row, Window, settle};
use rdkafka::producer::BaseProducer;
use rdkafka::{ClientConfig, Offset};
use std::collections::BTreeMap;

const GUARANTEES: [&str; 2] = ["exactly-once", "at-least-once"];

/// The windows of the last rows: a count at least once may write rows twice.
fn last(rows: &[Row]) -> Vec<Window> {
    let last: BTreeMap<i64, Window> = rows.iter().map(|row| (row.start, row.window())).collect();
    last.into_values().collect()
}

struct Case {
    topics: Topics,
    kuu: Kuu,
    guarantee: &'static str,
}

impl Case {
    /// A topic of two partitions with these frames.
    fn new(test: &str, guarantee: &'static str, all: &[Vec<u8>]) -> Case {
        let topics = Topics::new(&format!("{test}-{guarantee}"));
        let case = Case { kuu: Kuu::with(&topics.address), topics, guarantee };
        case.topics.make(&case.topics.messages, 2, &[]);
        case.produce(all, "");
        case
    }

    fn produce(&self, frames: &[Vec<u8>], options: &str) {
        let file = self.kuu.file("frames.jsonl", lines(frames));
        self.kuu.run(&format!("produce {file} --topic {} {options}", self.topics.messages)).exits(0);
    }

    fn count(&self, options: &str) -> String {
        format!("count {} --guarantee {} {options}", self.topics.counting(), self.guarantee)
    }

    fn follow(&self) -> Running {
        self.kuu.spawn(&self.count("--follow --idle 500ms --commit-interval 100ms"))
    }

    fn position(&self) -> i64 {
        let positions = committed(&self.topics.address, &self.topics.messages, &self.topics.messages);
        positions.into_iter().map(|position| position.max(0)).sum()
    }

    fn reaches(&self, frames: usize) {
        eventually("the position", || (self.position() == frames as i64).then_some(()));
    }

    fn rows(&self) -> Vec<Row> {
        rows(&self.topics.address, &self.topics.output)
    }

    /// Writes frames to one partition, without kuu.
    fn send(&self, partition: i32, frames: &[Vec<u8>]) {
        let producer: BaseProducer =
            ClientConfig::new().set("bootstrap.servers", &self.topics.address).create().unwrap();
        let messages: Vec<_> = frames.iter().map(|frame| ("key".to_owned(), frame.clone())).collect();
        send(&producer, &self.topics.messages, partition, &messages);
    }
}

/// A topic that is deleted and filled again, with more frames than before, while a count follows it: neither this count
/// nor the next one counts any frame of the new topic.
#[test]
#[ignore = "needs Kafka"]
fn a_topic_that_is_replaced_under_a_count() {
    // A suspended process never sees that the topic is missing: it continues at its old position.
    for (guarantee, stands_still) in GUARANTEES.into_iter().flat_map(|it| [(it, false), (it, true)]) {
        let old = frames(2_000);
        let case = Case::new("replaced", guarantee, &old);
        let running = case.follow();
        case.reaches(2_000);
        let new = frames_from(MINUTE, 5_000);
        if stands_still {
            running.signal("STOP");
        }
        case.produce(&new, "--recreate --partitions 2");
        running.signal("CONT");
        let name = &case.topics.messages;
        let done = running.wait().exits(2).complains(&format!("topic {name} was deleted"));
        eprintln!("{guarantee}: {}", done.err);
        let before = case.rows();
        let of_old = windows(&old);
        let is_old = |row: &&Row| of_old.iter().any(|old| old.start == row.start && row.users <= old.users);
        assert_eq!(before.iter().find(|row| !is_old(row)), None, "{guarantee}");
        if guarantee == "exactly-once" {
            case.kuu
                .run(&case.count(""))
                .exits(2)
                .complains("the topic was deleted since and made anew")
                .complains("--recreate");
            assert_eq!(case.rows(), before);
        }
        case.kuu.run(&case.count("--recreate")).exits(0);
        assert_eq!(settle(&case.rows()), windows(&new), "{guarantee}");
    }
}

/// Results that are deleted during a count that has nothing to write.
#[test]
#[ignore = "needs Kafka"]
fn results_that_are_replaced_under_a_count() {
    for guarantee in GUARANTEES {
        let all = frames(2_000);
        let case = Case::new("results-replaced", guarantee, &all);
        let running = case.follow();
        case.reaches(2_000);
        let output = &case.topics.output;
        case.topics.delete(output);
        eventually("its end", || (partitions(&case.topics.address, output) == 0).then_some(()));
        case.topics.make(output, 1, &[]);
        running
            .wait()
            .exits(2)
            .complains(&format!("topic {output} is not the one that was written to"))
            .complains("it was deleted and made anew, and what it held is lost: `kuu count --recreate`");
        assert_eq!(read(&case.topics.address, output), []);
        case.kuu.run(&case.count("--recreate")).exits(0);
        assert_eq!(settle(&case.rows()), windows(&all), "{guarantee}");
    }
}

/// Partitions that are added to the results, during a count and between two counts: corrections would go to other
/// partitions.
#[test]
#[ignore = "needs Kafka"]
fn partitions_that_are_added_to_the_results() {
    for guarantee in GUARANTEES {
        let all = frames(2_000);
        let case = Case::new("results-grown", guarantee, &all);
        let running = case.follow();
        case.reaches(2_000);
        let output = &case.topics.output;
        case.topics.grow(output, 5);
        let words =
            format!("topic {output} had 1 partitions and has 5: corrections of a window would go to another one");
        running.wait().exits(2).complains(&words);
        if guarantee == "exactly-once" {
            case.kuu.run(&case.count("")).exits(2).complains(&words).complains("--recreate");
        }
        case.kuu.run(&case.count("--recreate")).exits(0);
        assert_eq!(settle(&case.rows()), windows(&all), "{guarantee}");
    }
}

/// Partitions that are added are read, and first answers wait for their frames.
#[test]
#[ignore = "needs Kafka"]
fn partitions_that_are_added_under_a_count() {
    for guarantee in GUARANTEES {
        let old = frames(700);
        let case = Case::new("grown", guarantee, &old);
        let running = case.kuu.spawn(&case.count("--follow --idle 60s --commit-interval 100ms"));
        case.reaches(700);
        case.topics.grow(&case.topics.messages, 4);
        // One of them has frames of the open window; all of them have frames after its end.
        let late: Vec<_> = (0..90).map(|i| frame(&format!("late-{i}"), MINUTE + 70 + i / 2)).collect();
        case.send(3, &late);
        case.reaches(790);
        let after: Vec<_> = (0..60).map(|i| frame(&format!("after-{i}"), MINUTE + 150 + i / 20)).collect();
        for partition in 0..4 {
            case.send(partition, &after[partition as usize * 15..][..15]);
        }
        let all = [old, late, after].concat();
        let expected = &windows(&all)[1];
        let first = eventually("the first answer", || {
            case.rows().into_iter().find(|row| row.start == expected.start && row.revision == Some(0))
        });
        assert_eq!(&first.window(), expected, "{guarantee}");
        case.reaches(850);
        running.signal("INT");
        running.wait().exits(130).says("ledger: 850 read = 850 counted");
        case.kuu.run(&case.count("")).exits(0);
        assert_eq!(last(&case.rows()), windows(&all), "{guarantee}");
        if guarantee == "exactly-once" {
            assert_eq!(settle(&case.rows()), windows(&all));
            assert_eq!(case.kuu.record("count").remarks, Vec::<String>::new());
        }
    }
}

/// A partition that was added, and lost its first frames, before any count read it.
#[test]
#[ignore = "needs Kafka"]
fn a_partition_that_lost_its_start_before_it_was_counted() {
    let old = frames(700);
    let case = Case::new("grown-and-cut", "exactly-once", &old);
    case.kuu.run(&case.count("")).exits(0);
    case.topics.grow(&case.topics.messages, 4);
    case.send(3, &old[..10]);
    case.topics.remove(&case.topics.messages, 3, Offset::Offset(5));
    case.kuu
        .run(&case.count(""))
        .exits(2)
        .complains("partition 3: frames 0 to 4 were deleted before they were counted; --recreate");
    assert_eq!(settle(&case.rows()), windows(&old));
}

/// No result of a run with a dying thread is final; the next count continues.
#[test]
#[ignore = "needs Kafka"]
fn a_thread_that_dies_under_a_count() {
    for guarantee in GUARANTEES {
        let all = frames(3_000);
        let mut case = Case::new("dying", guarantee, &all);
        let other = if guarantee == "exactly-once" { "guard" } else { "committer" };
        for (thread, options) in [("reader-0", ""), ("reader-0", "--follow"), (other, "")] {
            case.kuu.plant_panic(thread);
            let done = case.kuu.run(&case.count(options)).complains(&format!("thread {thread} died"));
            assert_eq!(done.code, Some(2), "{done}");
            assert_eq!(case.rows(), []);
        }
        case.kuu.plant_panic("");
        case.kuu.run(&case.count("")).exits(0);
        assert_eq!(settle(&case.rows()), windows(&all));
        case.reaches(3_000);
    }
}
