//! Sends messages through a producer with a bounded queue.

use crate::kafka::consume::poll::serve_and_rest;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::ToBytes;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

/// Why a producer did not accept a message.
pub enum Untaken {
    /// The message does not fit into the empty queue.
    TooLarge,
    /// The queue was full until the wait was given up.
    GivenUp(KafkaError),
    /// The producer rejected the message.
    Refused(KafkaError),
}

/// Sends a message; while the queue is full, waits until it has room, or `is_over` returns true.
///
/// # Errors
/// Why the producer did not accept the message.
#[inline]
pub fn send<K: ToBytes + ?Sized, C: ProducerContext<DeliveryOpaque = usize>>(
    producer: &BaseProducer<C>,
    mut record: BaseRecord<'_, K, [u8], usize>,
    mut is_over: impl FnMut() -> bool,
) -> Result<(), Untaken> {
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((error @ KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                if producer.in_flight_count() == 0 {
                    return Err(Untaken::TooLarge);
                }
                serve_and_rest(producer);
                if is_over() {
                    return Err(Untaken::GivenUp(error));
                }
                record = back;
            }
            Err((error, _)) => return Err(Untaken::Refused(error)),
        }
    }
}
