//! Events of a client: errors, consumer lag, deliveries.

use crate::kafka::client::lags::Lags;
use crate::kafka::client::recognise::Refusal;
use crate::kafka::client::{descriptors, log_lines};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::{Partition, Statistics};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

/// Keeps the last error of a client, for error messages, and its consumer lag.
#[derive(Debug, Default)]
pub struct Context {
    last_error: Mutex<Option<String>>,
    refusal: Mutex<Option<Refusal>>,
    lag: AtomicI64,
    lags: Lags,
    hidden: AtomicI64,
}

impl Context {
    /// The context of a reader, which reports the lag of each of its partitions.
    pub fn reporting(lags: &Lags) -> Context {
        Context { lags: lags.clone(), ..Context::default() }
    }

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

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        descriptors::notice(message);
        log_lines::pass_on(level, facility, message);
        if level as i32 <= RDKafkaLogLevel::Error as i32 {
            self.remember(message);
        }
        // librdkafka only logs that a broker hangs up.
        self.refuse(None, message);
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = || statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let lags = || partitions().filter_map(|partition| Some((partition.partition, lag(partition)?)));
        self.lag.store(lags().map(|(_, lag)| lag as i64).sum(), Ordering::Relaxed);
        self.lags.note(lags());
        // Both offsets are unknown before the first answer.
        let read = partitions().filter(|partition| partition.ls_offset >= 0);
        let hidden = read.map(|partition| (partition.hi_offset - partition.ls_offset).max(0)).sum();
        self.hidden.store(hidden, Ordering::Relaxed);
    }
}

/// The offsets that a read_committed reader has not taken yet. (librdkafka's own `consumer_lag` counts from a committed
/// position, and its `consumer_lag_stored` from a stored one: readers have neither.) None for a partition that is not
/// assigned here, or not known yet.
fn lag(partition: &Partition) -> Option<u64> {
    // Offsets of markers and aborted messages are only passed once nothing waits.
    let at = if partition.fetchq_cnt == 0 { partition.next_offset } else { partition.app_offset };
    let end = if partition.ls_offset >= 0 { partition.ls_offset } else { partition.hi_offset };
    let is_known = partition.desired && at >= 0 && end >= 0;
    is_known.then(|| end.saturating_sub(at).max(0) as u64)
}

impl ConsumerContext for Context {}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::statistics::Topic;

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

    #[test]
    fn what_is_not_read_yet() {
        let lags = Lags::default();
        let context = Context::reporting(&lags);
        let nowhere = -1001;
        // The end, the last stable offset, the next offset to fetch, the one after the last message taken, what waits.
        let partitions = [
            (100, 90, 70, 60, 10),
            (100, 100, 100, 98, 0),
            (5, nowhere, 3, nowhere, 0),
            (5, 5, nowhere, nowhere, 0),
            (5, 5, 4, nowhere, 4),
        ];
        let partition = |(partition, (hi_offset, ls_offset, next_offset, app_offset, fetchq_cnt))| {
            let known = Partition { hi_offset, ls_offset, next_offset, app_offset, fetchq_cnt, ..Partition::default() };
            (partition, Partition { partition, desired: true, ..known })
        };
        let mut partitions: std::collections::HashMap<_, _> = (0..).zip(partitions).map(partition).collect();
        partitions.insert(7, Partition { partition: 7, hi_offset: 9, ls_offset: 9, ..Partition::default() });
        let topic = Topic { partitions, ..Topic::default() };
        context.stats(Statistics { topics: [("messages".to_owned(), topic)].into(), ..Statistics::default() });
        assert_eq!(lags.by_partition(), [(0, 30), (1, 0), (2, 2)].into());
        assert_eq!(context.lag(), 32);
    }
}
