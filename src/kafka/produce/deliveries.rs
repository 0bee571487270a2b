//! Delivery reports: the one handler of all producers.

use crate::kafka::client::{descriptors, log_lines};
use crate::kafka::produce::held_blocks::HeldBlocks;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, DeliveryResult, Message as _};
use rdkafka::producer::ProducerContext;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a producer keeps of the reports.
pub trait Outcome: Send {
    /// The brokers acknowledged a message, which was sent with this tag.
    fn delivered(&mut self, message: &BorrowedMessage<'_>, tag: usize);

    /// A message was given up.
    fn lost(&mut self, error: &KafkaError, message: &BorrowedMessage<'_>, tag: usize);

    /// The brokers give the idempotent producer no id, as the user may not write to any topic (KIP-98, KIP-679). It
    /// takes no more messages, and gives up those that it has.
    fn denied(&mut self) {}
}

/// The context of a producer.
pub struct Deliveries<O>(Mutex<Kept<O>>);

struct Kept<O> {
    outcome: O,
    held: HeldBlocks,
}

impl<O> Deliveries<O> {
    /// With this outcome before the first report.
    pub fn new(outcome: O) -> Deliveries<O> {
        Deliveries(Mutex::new(Kept { outcome, held: HeldBlocks::default() }))
    }

    /// Looks at the outcome, or changes it; no report comes in meanwhile.
    pub fn with<T>(&self, look: impl FnOnce(&mut O) -> T) -> T {
        look(&mut self.kept().outcome)
    }

    /// Changes what is held for messages that are not settled.
    pub fn with_held<T>(&self, change: impl FnOnce(&mut HeldBlocks) -> T) -> T {
        change(&mut self.kept().held)
    }

    fn kept(&self) -> MutexGuard<'_, Kept<O>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O: Outcome> ClientContext for Deliveries<O> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        descriptors::notice(message);
        log_lines::pass_on(level, facility, message);
    }

    fn error(&self, _: KafkaError, reason: &str) {
        descriptors::notice(reason);
        // The code only says that the error is fatal; the text names the reason.
        if reason.contains("Cluster authorization failed") {
            self.with(Outcome::denied);
        }
    }
}

impl<O: Outcome> ProducerContext for Deliveries<O> {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, tag: usize) {
        let mut kept = self.kept();
        match result {
            Ok(message) => kept.outcome.delivered(message, tag),
            Err((error, message)) => kept.outcome.lost(error, message, tag),
        }
        let (Ok(message) | Err((_, message))) = result;
        kept.held.release(message.payload().unwrap_or_default());
    }
}
