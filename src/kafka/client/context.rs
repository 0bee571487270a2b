//! Events of a client: errors, consumer lag, deliveries.

use crate::kafka::client::descriptors;
use crate::kafka::client::recognise::Refusal;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

/// Keeps the last error of a client, for error messages, and its consumer lag.
#[derive(Debug, Default)]
pub struct Context {
    last_error: Mutex<Option<String>>,
    refusal: Mutex<Option<Refusal>>,
    lag: AtomicI64,
    hidden: AtomicI64,
}

impl Context {
    /// The last error that librdkafka reported, as text.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().ok()?.clone()
    }

    /// The last refusal by a broker.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal.lock().ok()?.clone()
    }

    /// The consumer lag in frames, from the last statistics; 0 without statistics.
    pub fn lag(&self) -> i64 {
        self.lag.load(Ordering::Relaxed)
    }

    /// The number of offsets between the last stable offset and the end, from the last statistics.
    pub fn hidden(&self) -> i64 {
        self.hidden.load(Ordering::Relaxed)
    }

    fn remember(&self, reason: &str) {
        if let Ok(mut last) = self.last_error.lock() {
            *last = Some(reason.to_owned());
        }
    }

    fn refuse(&self, code: Option<RDKafkaErrorCode>, words: &str) {
        let Ok(mut refusal) = self.refusal.lock() else { return };
        if let Some(refused) = Refusal::of(code, words) {
            *refusal = Some(refused);
        } else if refusal.as_ref().is_some_and(|refusal| refusal.is_outdated(words)) {
            *refusal = refusal.take().map(Refusal::of_one_that_is_gone);
        }
    }
}

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        descriptors::notice(reason);
        // "All brokers down" only repeats the broker's own error.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.remember(reason);
        }
        self.refuse(error.rdkafka_error_code(), reason);
    }

    fn log(&self, level: RDKafkaLogLevel, _facility: &str, message: &str) {
        descriptors::notice(message);
        if level as i32 <= RDKafkaLogLevel::Error as i32 {
            self.remember(message);
        }
        // librdkafka only logs that a broker hangs up.
        self.refuse(None, message);
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = || statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let lag = partitions().map(|partition| partition.consumer_lag.max(0)).sum();
        self.lag.store(lag, Ordering::Relaxed);
        // Both offsets are unknown before the first answer.
        let read = partitions().filter(|partition| partition.ls_offset >= 0);
        let hidden = read.map(|partition| (partition.hi_offset - partition.ls_offset).max(0)).sum();
        self.hidden.store(hidden, Ordering::Relaxed);
    }
}

impl ConsumerContext for Context {}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::statistics::{Partition, Topic};

    #[test]
    fn what_an_open_transaction_hides() {
        let context = Context::default();
        let ends = [(0, 100, 100), (1, 130, 100), (2, -1001, -1001), (3, 7, -1001), (-1, -1001, -1001)];
        let partition = |(partition, hi_offset, ls_offset)| {
            (partition, Partition { partition, hi_offset, ls_offset, ..Partition::default() })
        };
        let topic = Topic { partitions: ends.map(partition).into(), ..Topic::default() };
        context.stats(Statistics { topics: [("messages".to_owned(), topic)].into(), ..Statistics::default() });
        assert_eq!(context.hidden(), 30);
    }
}
