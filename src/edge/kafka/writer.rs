//! One producer for all that a count writes: results, dead letters, ordered frames, state.

use super::poll::{serve, serve_and_rest};
use super::refusal::lack;
use super::state::Written;
use super::{ARRIVED_HEADER, DUE_HEADER, Settings, unusable};
use crate::core::frames::Times;
use crate::core::record::Row;
use crate::core::stream::Emission;
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

/// What is wrong with a topic that lost what it held.
pub const ANOTHER_TOPIC: &str = "it was deleted and made anew, and what it held is lost: `kuu count --recreate` counts \
    from the start";

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
#[error("topic {topic} did not take what was written to it: {why}")]
pub struct Loss {
    /// Where it was to go.
    pub topic: String,
    /// Why it did not, and what to do.
    pub why: String,
    /// The same for a program.
    pub code: Option<RDKafkaErrorCode>,
}

impl Loss {
    fn new(settings: &Settings, topic: &str, error: &KafkaError) -> Loss {
        let code = error.rdkafka_error_code();
        let why = code
            .and_then(|code| lack(settings, code, "Write", topic))
            .unwrap_or_else(|| format!("{error}: see that it is there and writable, then count again"));
        Loss { topic: topic.to_owned(), why, code }
    }
}

/// Remembers what was lost.
pub struct Deliveries {
    log: Mutex<Log>,
    settings: Settings,
}

#[derive(Default)]
struct Log {
    lost: Option<Loss>,
    written: Vec<Written>,
}

impl Log {
    /// Offsets only rise, unless the topic is another one: many brokers make a topic that is missing.
    fn delivered(&mut self, topic: &str, partition: i32, offset: i64) {
        let known = self.written.iter_mut().find(|it| it.partition == partition && it.topic == topic);
        let Some(last) = known else {
            return self.written.push(Written { topic: topic.to_owned(), partition, offset });
        };
        if offset <= last.offset {
            self.lost.get_or_insert(Loss {
                topic: topic.to_owned(),
                why: ANOTHER_TOPIC.into(),
                code: Some(RDKafkaErrorCode::UnknownTopicOrPartition),
            });
        }
        last.offset = offset;
    }
}

impl ClientContext for Deliveries {
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        let Ok(mut log) = self.log.lock() else { return };
        match result {
            Ok(message) => log.delivered(message.topic(), message.partition(), message.offset()),
            Err((error, message)) => {
                let _ = log.lost.get_or_insert_with(|| Loss::new(&self.settings, message.topic(), error));
            }
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
            // Of small messages, the bytes say little: each takes some 700 more.
            ("queue.buffering.max.messages", "20000"),
            // The topic decides; the client's own limit is smaller than what may come.
            ("message.max.bytes", "1000000000"),
        ];
        let deliveries = Deliveries { log: Mutex::default(), settings: settings.clone() };
        let producer = settings.client(&[&base, ours].concat()).create_with_context(deliveries).map_err(unusable)?;
        let (timeout, stop) = (settings.timeout, stop.clone());
        Ok(Writer { producer, topics, timeout, stop, unacknowledged: false, row: Vec::new() })
    }

    /// The topics that it was made for.
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The last offsets that were written, as far as they are acknowledged.
    pub fn written(&self) -> Vec<Written> {
        self.producer.context().log.lock().map(|log| log.written.clone()).unwrap_or_default()
    }

    /// Says what was written before this writer.
    pub fn resume(&self, written: Vec<Written>) {
        if let Ok(mut log) = self.producer.context().log.lock() {
            log.written = written;
        }
    }

    /// The producer, for its transactions.
    pub fn producer(&self) -> &BaseProducer<Deliveries> {
        &self.producer
    }

    /// Writes a result that was emitted at `emitted_us`, in microseconds since the Unix epoch.
    ///
    /// # Errors
    /// If the producer does not take it.
    pub fn result(&mut self, result: &Emission, cause: Option<Times>, emitted_us: i64) -> Result<(), Loss> {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        serde_json::to_writer(&mut row, &Row::new(result, emitted_us))
            .expect("texts and numbers can be written as JSON");
        let key = result.window.key();
        let mut record = BaseRecord::to(&self.topics.output).key(key.as_bytes()).payload(&row[..]);
        if let Some(times) = cause {
            record = record.headers(cause_headers(times));
        }
        let sent = self.send(record);
        self.unacknowledged = true;
        self.row = row;
        sent
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
                    serve_and_rest(&self.producer);
                    if patience.is_over() {
                        return Err(self.loss(back.topic, &error));
                    }
                    record = back;
                }
                Err((error, back)) => return Err(self.loss(back.topic, &error)),
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
            serve_and_rest(&self.producer);
            if patience.is_over() {
                let error = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
                return Err(self.loss(&self.topics.output, &error));
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
            serve(&self.producer);
            self.check()?;
        }
        Ok(())
    }

    fn loss(&self, topic: &str, error: &KafkaError) -> Loss {
        Loss::new(&self.producer.context().settings, topic, error)
    }

    fn check(&self) -> Result<(), Loss> {
        match self.producer.context().log.lock().ok().and_then(|log| log.lost.clone()) {
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
