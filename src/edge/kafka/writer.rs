//! One producer for all that a count writes: results, dead letters, ordered frames, state.

use super::{ARRIVED_HEADER, DUE_HEADER, Settings, unusable};
use crate::core::frames::Times;
use crate::core::record::Row;
use crate::core::stream::Emission;
use crate::edge::clock::now_us;
use crate::edge::pipeline::Letter;
use crate::edge::stop::Stop;
use anyhow::Result;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use thiserror::Error;

/// The topics of a count.
#[derive(Clone, Debug)]
pub struct Topics {
    /// Where frames come from.
    pub input: String,
    /// Where results go.
    pub output: String,
    /// Where values go that no window counts.
    pub dead_letters: Option<String>,
    /// Where frames go in order: to one partition, as only that keeps an order.
    pub ordered: Option<String>,
}

/// Something that was not written, the first one if there are many.
#[derive(Clone, Debug, Error)]
#[error("topic {topic} did not take what was written to it ({error}): see that it is there and writable, then count again")]
pub struct Loss {
    /// Where it was to go.
    pub topic: String,
    /// Why it did not.
    #[source]
    pub error: KafkaError,
}

/// Remembers what was lost.
#[derive(Default)]
pub struct Deliveries {
    lost: Mutex<Option<Loss>>,
}

impl ClientContext for Deliveries {
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        if let (Err((error, message)), Ok(mut lost)) = (result, self.lost.lock()) {
            lost.get_or_insert_with(|| Loss { topic: message.topic().to_owned(), error: error.clone() });
        }
    }
}

/// Writes in order; what was taken but not written shows at the next flush, or before.
pub struct Writer {
    producer: BaseProducer<Deliveries>,
    topics: Topics,
    timeout: Duration,
    stop: Stop,
    unacknowledged: bool,
    row: Vec<u8>,
}

impl Writer {
    /// A writer with these properties of the producer. Once `stop` is interrupted, it waits for the brokers no longer
    /// than the timeout.
    ///
    /// # Errors
    /// If librdkafka refuses the configuration.
    pub fn new(settings: &Settings, topics: Topics, ours: &[(&str, &str)], stop: &Stop) -> Result<Writer> {
        let base = [
            ("acks", "all"),
            ("partitioner", "murmur2_random"),
            ("linger.ms", "0"),
            ("compression.type", "lz4"),
            ("queue.buffering.max.kbytes", "65536"),
        ];
        let producer = settings
            .client(&[&base, ours].concat())
            .create_with_context(Deliveries::default())
            .map_err(unusable)?;
        let (timeout, stop) = (settings.timeout, stop.clone());
        Ok(Writer { producer, topics, timeout, stop, unacknowledged: false, row: Vec::new() })
    }

    /// The topics that it was made for.
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The producer, for its transactions.
    pub fn producer(&self) -> &BaseProducer<Deliveries> {
        &self.producer
    }

    /// Writes a result.
    ///
    /// # Errors
    /// If the producer does not take it.
    pub fn result(&mut self, result: &Emission, cause: Option<Times>) -> Result<()> {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        serde_json::to_writer(&mut row, &Row::new(result, now_us()))?;
        let key = result.window.key();
        let mut record = BaseRecord::to(&self.topics.output).key(key.as_bytes()).payload(&row[..]);
        if let Some(times) = cause {
            record = record.headers(cause_headers(times));
        }
        let sent = self.send(record);
        self.unacknowledged = true;
        self.row = row;
        Ok(sent?)
    }

    /// Writes a value as it came, with the reason and its place in headers, if there is a topic for it.
    ///
    /// # Errors
    /// If the producer does not take it.
    pub fn dead_letter(&mut self, letter: &Letter, reason: &str) -> Result<(), Loss> {
        let Some(topic) = &self.topics.dead_letters else { return Ok(()) };
        let (partition, offset) = (letter.partition.to_string(), letter.offset.to_string());
        let mut headers = OwnedHeaders::new_with_capacity(4);
        for (key, value) in
            [("reason", reason), ("topic", &self.topics.input), ("partition", &partition), ("offset", &offset)]
        {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let mut record = BaseRecord::to(topic).payload(&letter.value[..]).headers(headers);
        if let Some(key) = &letter.key {
            record = record.key(key.as_bytes());
        }
        self.send(record)?;
        self.unacknowledged = true;
        Ok(())
    }

    /// Writes the next frame of the ordered output, if there is a topic for it.
    ///
    /// # Errors
    /// If the producer does not take it.
    pub fn ordered(&mut self, letter: &Letter) -> Result<(), Loss> {
        let Some(topic) = &self.topics.ordered else { return Ok(()) };
        let mut record = BaseRecord::to(topic).partition(0).payload(&letter.value[..]);
        if let Some(key) = &letter.key {
            record = record.key(key.as_bytes());
        }
        self.send(record)?;
        self.unacknowledged = true;
        Ok(())
    }

    /// Writes a record of state, or its tombstone.
    ///
    /// # Errors
    /// If the producer does not take it.
    pub fn state(&mut self, topic: &str, key: &str, value: Option<&[u8]>) -> Result<(), Loss> {
        let mut record = BaseRecord::to(topic).partition(0).key(key.as_bytes());
        if let Some(value) = value {
            record = record.payload(value);
        }
        self.send(record)?;
        self.unacknowledged = true;
        Ok(())
    }

    fn send(&self, mut record: BaseRecord<'_, [u8], [u8]>) -> Result<(), Loss> {
        let mut patience = Patience::new(self);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((error @ KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    self.producer.poll(Duration::from_millis(10));
                    if patience.is_over() {
                        return Err(Loss { topic: back.topic.to_owned(), error });
                    }
                    record = back;
                }
                Err((error, back)) => return Err(Loss { topic: back.topic.to_owned(), error }),
            }
        }
    }

    /// Waits until everything so far is acknowledged.
    ///
    /// # Errors
    /// If something was lost.
    pub fn flush(&mut self) -> Result<(), Loss> {
        let mut patience = Patience::new(self);
        while self.unacknowledged && self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_millis(1));
            if patience.is_over() {
                let error = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
                return Err(Loss { topic: self.topics.output.clone(), error });
            }
        }
        self.unacknowledged = false;
        self.check()
    }

    /// Serves what the brokers answered.
    ///
    /// # Errors
    /// If something was lost.
    pub fn poll(&self) -> Result<(), Loss> {
        if self.unacknowledged {
            self.producer.poll(Duration::ZERO);
            self.check()?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Loss> {
        match self.producer.context().lost.lock().ok().and_then(|lost| lost.clone()) {
            None => Ok(()),
            Some(loss) => Err(loss),
        }
    }
}

/// Without end, until the user wants the run to end.
struct Patience<'a> {
    writer: &'a Writer,
    interrupted: Option<Instant>,
}

impl<'a> Patience<'a> {
    fn new(writer: &'a Writer) -> Patience<'a> {
        Patience { writer, interrupted: None }
    }

    fn is_over(&mut self) -> bool {
        let Writer { stop, timeout, .. } = self.writer;
        stop.interrupted() && self.interrupted.get_or_insert_with(Instant::now).elapsed() > *timeout
    }
}

fn cause_headers(times: Times) -> OwnedHeaders {
    let add =
        |headers: OwnedHeaders, key, value: i64| headers.insert(Header { key, value: Some(&value.to_be_bytes()) });
    let headers = add(OwnedHeaders::new(), ARRIVED_HEADER, times.arrived_us);
    match times.due_us {
        Some(due) => add(headers, DUE_HEADER, due),
        None => headers,
    }
}

/// The time in one of our headers, in microseconds since the Unix epoch.
pub fn decode_us(value: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(value.try_into().ok()?))
}
