//! Frames in a topic of their own with their expected results, and reproducible random numbers: the seed is printed,
//! and `KUU_TEST_SEED` repeats it.

use crate::support::broker::{committed, rows};
use crate::support::frames::lines;
use crate::support::kuu::Kuu;
use crate::support::topics::Topics;
use crate::support::wire::{Window, settle};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Enough time for every step.
pub const SOON: Duration = Duration::from_secs(60);

/// Reproducible random numbers.
pub struct Random(u64);

impl Random {
    pub fn new(test: &str) -> Random {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = std::env::var("KUU_TEST_SEED").map_or(now, |seed| seed.parse().expect("KUU_TEST_SEED is no number"));
        eprintln!("{test}: KUU_TEST_SEED={seed}");
        Random(seed | 1)
    }

    /// xorshift64
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    pub fn nap(&mut self, most: Duration) {
        thread::sleep(Duration::from_micros(self.below(most.as_micros() as u64)));
    }
}

/// Frames in a topic of their own, with their expected results.
pub struct Case {
    pub topics: Topics,
    pub kuu: Kuu,
    pub file: String,
    pub all: Vec<Vec<u8>>,
}

impl Case {
    pub fn new(test: &str, all: Vec<Vec<u8>>) -> Case {
        let topics = Topics::new(test);
        let kuu = Kuu::with(&topics.address);
        let file = kuu.file("all.jsonl", lines(&all));
        Case { topics, kuu, file, all }
    }

    pub fn produce(&self) {
        self.kuu.run(&format!("produce {} --topic {} --partitions 4", self.file, self.topics.messages)).exits(0);
    }

    pub fn produce_more(&mut self, more: Vec<Vec<u8>>) {
        let file = self.kuu.file("more.jsonl", lines(&more));
        self.kuu.run(&format!("produce {file} --append --topic {}", self.topics.messages)).exits(0);
        self.all.extend(more);
        self.file = self.kuu.file("all.jsonl", lines(&self.all));
    }

    pub fn count(&self, options: &str) -> String {
        format!("count {} {options}", self.topics.counting())
    }

    /// The windows that a reader of the results has so far.
    pub fn settled(&self) -> Vec<Window> {
        settle(&rows(&self.topics.address, &self.topics.output))
    }

    /// The number of committed frames.
    pub fn position(&self) -> i64 {
        let positions = committed(&self.topics.address, &self.topics.messages, &self.topics.messages);
        positions.into_iter().map(|position| position.max(0)).sum()
    }

    /// Counts the remaining frames, and asserts that every result is there exactly once.
    pub fn settles(&self, options: &str, expected: &[Window]) {
        self.kuu.run(&self.count(options)).exits(0);
        assert_eq!(self.settled(), expected);
        let frames = self.all.len() as u64;
        let ledger = self.kuu.record("count").ledger().clone();
        assert_eq!((ledger.read, ledger.counted, ledger.too_late), (frames, frames, 0));
        assert_eq!(self.position() as u64, frames);
        let (messages, output) = (&self.topics.messages, &self.topics.output);
        self.kuu.run(&format!("verify {} --topic {messages} --output {output}", self.file)).exits(0);
    }
}

/// Sends the frames in hundreds, and without a pause once `done` is set.
pub fn trickle(case: &Case, pause: Duration, done: &AtomicBool) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &case.topics.address)
        .set("enable.idempotence", "true")
        .create()
        .unwrap();
    for (i, frame) in case.all.iter().enumerate() {
        // The partition depends on the user, but not in kuu's way: the results do not depend on the partition.
        let uid = serde_json::from_slice::<crate::support::frames::Frame>(frame).unwrap().uid;
        let partition = uid.bytes().map(i32::from).sum::<i32>() % 4;
        let record = BaseRecord::<str, _>::to(&case.topics.messages).partition(partition).payload(frame);
        assert!(producer.send(record).is_ok());
        if i % 100 == 99 && !done.load(Ordering::Relaxed) {
            producer.poll(Duration::ZERO);
            thread::sleep(pause * 25);
        }
    }
    producer.flush(SOON).unwrap();
}
