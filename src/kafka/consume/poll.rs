//! Takes messages from a consumer's queue, and deliveries from a producer's.

use crate::kafka::client::context::Context;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaResult;
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use std::time::Duration;

/// A reader that blocks on an empty queue is woken for every single message, which costs the fetching thread more than
/// the message itself. So it first sleeps a few times for this long, while messages gather.
const NAP: Duration = Duration::from_micros(100);
const NAPS: u32 = 20;
/// The timeout of a blocking poll after that.
const WAIT: Duration = Duration::from_millis(20);

/// The pause between two polls of a producer, if there is nothing else to do.
const REST: Duration = Duration::from_micros(200);

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

/// Polls one consumer.
#[derive(Default)]
pub struct Poll {
    naps: u32,
}

impl Poll {
    /// The next available message or event, without waiting.
    #[inline]
    pub fn at_hand<'a>(&mut self, consumer: &'a BaseConsumer<Context>) -> Option<KafkaResult<BorrowedMessage<'a>>> {
        let found = consumer.poll(Duration::ZERO);
        if found.is_some() {
            self.naps = 0;
        }
        found
    }

    /// Waits briefly for the next message or event; longer after some time without one, if there is `nothing_else` to
    /// do.
    pub fn wait<'a>(
        &mut self,
        consumer: &'a BaseConsumer<Context>,
        nothing_else: bool,
    ) -> Option<KafkaResult<BorrowedMessage<'a>>> {
        if self.naps < NAPS || !nothing_else {
            self.naps = (self.naps + 1).min(NAPS);
            std::thread::sleep(NAP);
            return self.at_hand(consumer);
        }
        let found = consumer.poll(WAIT);
        if found.is_some() {
            self.naps = 0;
        }
        found
    }

    /// Whether the queue has been empty for so long that the caller should find out why.
    pub fn is_dry(&self) -> bool {
        self.naps >= NAPS
    }
}
