//! Sends messages through a producer with a bounded queue, and takes its deliveries.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::ToBytes;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::time::Duration;

/// How long an idempotent producer waits for each of two answers, at most, before its first message.
const CONNECTING: Duration = Duration::from_millis(250);

/// The pause between two polls of a producer, if there is nothing else to do.
const REST: Duration = Duration::from_micros(200);

/// Waits until an idempotent producer has a connection that stays. librdkafka's first answer names the brokers, and it
/// leaves the address that it was given. An answer to the new connection makes it get its producer id at once; else it
/// does so after 500 ms (`rdkafka_idempotence.c`).
pub fn connect<C: ProducerContext>(producer: &BaseProducer<C>, topic: &str) {
    for _ in 0..2 {
        let _ = producer.client().fetch_metadata(Some(topic), CONNECTING);
    }
}

/// Serves all available deliveries. A single poll serves only one batch, and the others would wait for the next poll.
pub fn serve<C: ProducerContext>(producer: &BaseProducer<C>) {
    loop {
        let before = producer.in_flight_count();
        producer.poll(Duration::ZERO);
        if producer.in_flight_count() >= before {
            return;
        }
    }
}

/// Serves all available deliveries, then sleeps briefly. Polling with a timeout is no alternative: it spins until the
/// timeout, whatever arrives, and has a resolution of whole milliseconds.
pub fn serve_and_rest<C: ProducerContext>(producer: &BaseProducer<C>) {
    serve(producer);
    std::thread::sleep(REST);
}

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
pub fn send<K: ToBytes + ?Sized, C: ProducerContext<DeliveryOpaque = usize>>(
    producer: &BaseProducer<C>,
    record: BaseRecord<'_, K, [u8], usize>,
    is_over: impl FnMut() -> bool,
) -> Result<(), Untaken> {
    let mut left = Some(record);
    let put = || {
        let Some(record) = left.take() else { return Ok(()) };
        producer.send(record).map_err(|(error, back)| {
            left = Some(back);
            error
        })
    };
    put_patiently(producer, put, is_over)
}

/// As [`send`], by `put`.
///
/// # Errors
/// As [`send`].
#[inline]
pub fn put_patiently<C: ProducerContext<DeliveryOpaque = usize>>(
    producer: &BaseProducer<C>,
    mut put: impl FnMut() -> Result<(), KafkaError>,
    mut is_over: impl FnMut() -> bool,
) -> Result<(), Untaken> {
    loop {
        match put() {
            Ok(()) => return Ok(()),
            Err(error @ KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => {
                if producer.in_flight_count() == 0 {
                    return Err(Untaken::TooLarge);
                }
                serve_and_rest(producer);
                if is_over() {
                    return Err(Untaken::GivenUp(error));
                }
            }
            Err(error) => {
                // A producer that takes nothing more says so before its context has heard why.
                if let Some((code, reason)) = producer.client().fatal_error() {
                    producer.context().error(KafkaError::Global(code), &reason);
                }
                return Err(Untaken::Refused(error));
            }
        }
    }
}
