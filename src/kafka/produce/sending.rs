//! Handing messages to a producer, whose queue is bounded.

use crate::kafka::consume::poll::serve_and_rest;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::ToBytes;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

/// Why a producer did not take a message.
pub enum Untaken {
    /// It does not fit into the empty queue.
    TooLarge,
    /// The queue was full until it was given up.
    GivenUp(KafkaError),
    /// It is refused.
    Refused(KafkaError),
}

/// Hands a message over; while the queue is full, waits until it has room, or `is_over` says so.
///
/// # Errors
/// Why it was not taken.
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
