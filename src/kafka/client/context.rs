//! What a client tells on the side: its errors, its lag, its deliveries.

use crate::kafka::client::descriptors;
use crate::kafka::client::recognise::Refusal;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

/// Remembers the last error of a client, for messages that say why, and its consumer lag.
#[derive(Debug, Default)]
pub struct Context {
    last_error: Mutex<Option<String>>,
    refusal: Mutex<Option<Refusal>>,
    lag: AtomicI64,
}

impl Context {
    /// The last error that librdkafka reported, in its words.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().ok()?.clone()
    }

    /// The last refusal of a broker.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal.lock().ok()?.clone()
    }

    /// Frames that the consumer has not read yet, as of the last statistics; 0 without statistics.
    pub fn lag(&self) -> i64 {
        self.lag.load(Ordering::Relaxed)
    }

    fn remember(&self, reason: &str) {
        if let Ok(mut last) = self.last_error.lock() {
            *last = Some(reason.to_owned());
        }
    }

    fn refuse(&self, code: Option<RDKafkaErrorCode>, words: &str) {
        if let (Some(refused), Ok(mut refusal)) = (Refusal::of(code, words), self.refusal.lock()) {
            *refusal = Some(refused);
        }
    }
}

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        descriptors::notice(reason);
        // "All brokers down" only repeats what the broker's own error said.
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
        // A broker that hangs up is no error to librdkafka.
        self.refuse(None, message);
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let lag = partitions.map(|partition| partition.consumer_lag.max(0)).sum();
        self.lag.store(lag, Ordering::Relaxed);
    }
}

impl ConsumerContext for Context {}
