//! Taking messages from a consumer's queue, and deliveries from a producer's.

use crate::kafka::client::context::Context;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaResult;
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use std::time::Duration;

/// A reader that blocks on an empty queue is woken for every single message, which costs the fetching thread more than
/// the message itself. So it naps a few times first, and messages gather.
const NAP: Duration = Duration::from_micros(100);
const NAPS: u32 = 20;
/// How long it then blocks.
const WAIT: Duration = Duration::from_millis(20);

/// How long a producer is left alone when there is nothing to do but to wait for it.
const REST: Duration = Duration::from_micros(200);

/// Serves the deliveries at hand. A single poll serves those of one batch only, so that others would wait for the next.
pub fn serve<C: ProducerContext>(producer: &BaseProducer<C>) {
    loop {
        let before = producer.in_flight_count();
        producer.poll(Duration::ZERO);
        if producer.in_flight_count() >= before {
            return;
        }
    }
}

/// The same, then rests a little. Polling with a timeout would spin: it goes on to the end of the time whatever comes, and
/// counts in whole milliseconds.
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
    /// The next message or event at hand, without waiting.
    #[inline]
    pub fn at_hand<'a>(&mut self, consumer: &'a BaseConsumer<Context>) -> Option<KafkaResult<BorrowedMessage<'a>>> {
        let found = consumer.poll(Duration::ZERO);
        if found.is_some() {
            self.naps = 0;
        }
        found
    }

    /// Waits a little for the next one, when none is at hand; longer after a while, if there is `nothing_else` to do.
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

    /// Whether nothing came for so long that it is worth asking why.
    pub fn is_dry(&self) -> bool {
        self.naps >= NAPS
    }
}
