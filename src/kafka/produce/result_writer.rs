//! One producer for all records of a count: results, dead letters, ordered frames, state.

use crate::engine::patience::Patience;
use crate::engine::sink::Letter;
use crate::engine::stop::Stop;
use crate::kafka::client::settings::{Settings, unusable};
use crate::kafka::headers::{ARRIVED_HEADER, DUE_HEADER, with_us};
use crate::kafka::produce::deliveries::Deliveries;
use crate::kafka::produce::result_outcome::{Loss, Place, ResultOutcome};
use crate::kafka::produce::sending::{Untaken, send, serve, serve_and_rest};
use crate::kafka::topics::count_topics::CountTopics;
use crate::kafka::topics::limits::{producer_kbytes, wire_bytes};
use crate::kafka::topics::written::Written;
use anyhow::Result;
use kuu_core::counter::Emission;
use kuu_core::frame_batch::Times;
use kuu_core::result::Row;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::sync::Arc;
use std::time::Duration;

/// Writes records in order; a record that the producer accepts but cannot write is reported at the next flush, or
/// before.
pub struct Writer {
    producer: Arc<BaseProducer<Deliveries<ResultOutcome>>>,
    topics: CountTopics,
    timeout: Duration,
    stop: Stop,
    unacknowledged: bool,
    row: Vec<u8>,
}

impl Writer {
    /// A writer with these producer properties. Once `stop` is interrupted, it waits for the brokers no longer than the
    /// timeout.
    ///
    /// # Errors
    /// If librdkafka rejects the configuration.
    pub fn new(settings: &Settings, topics: CountTopics, ours: &[(&str, &str)], stop: &Stop) -> Result<Writer> {
        let kbytes = producer_kbytes(topics.limits.largest());
        let batch = topics.limits.smallest().min(1_000_000).to_string();
        let base = [
            ("acks", "all"),
            ("partitioner", "murmur2_random"),
            ("linger.ms", "0"),
            ("compression.type", "lz4"),
            ("queue.buffering.max.kbytes", &kbytes),
            // A limit in bytes is not enough for small messages: each takes about 700 bytes more.
            ("queue.buffering.max.messages", "20000"),
            // The topic limits the size; the default limit of the client is smaller than some messages.
            ("message.max.bytes", "1000000000"),
            // Several messages in one batch must not exceed the topic's limit.
            ("batch.size", &batch),
        ];
        let deliveries = Deliveries::new(ResultOutcome::new(settings, &topics));
        let config = settings.client(&[&base, ours].concat());
        let producer = Arc::new(config.create_with_context(deliveries).map_err(unusable)?);
        let (timeout, stop) = (settings.timeout, stop.clone());
        Ok(Writer { producer, topics, timeout, stop, unacknowledged: false, row: Vec::new() })
    }

    /// The topics of this count.
    pub fn topics(&self) -> &CountTopics {
        &self.topics
    }

    /// The last offsets that were written, if they are acknowledged.
    pub fn written(&self) -> Vec<Written> {
        self.producer.context().with(|outcome| outcome.written())
    }

    /// Sets the offsets that an earlier run wrote last.
    pub fn resume(&self, written: Vec<Written>) {
        self.producer.context().with(|outcome| outcome.resume(written));
    }

    /// The producer, for its transactions.
    pub fn producer(&self) -> &Arc<BaseProducer<Deliveries<ResultOutcome>>> {
        &self.producer
    }

    /// Writes a result that was emitted at `emitted_us`, in microseconds since the Unix epoch.
    ///
    /// # Errors
    /// If the producer rejects the record.
    pub fn result(&mut self, result: &Emission, cause: Option<Times>, emitted_us: i64) -> Result<(), Loss> {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        Row::from(result).write(emitted_us, &mut row);
        let key = result.window.key();
        let mut record =
            BaseRecord::with_opaque_to(&self.topics.output, Place::NONE).key(key.as_bytes()).payload(&row[..]);
        if let Some(times) = cause {
            record = record.headers(cause_headers(times));
        }
        let sent = self.send(record);
        self.unacknowledged = true;
        self.row = row;
        sent
    }

    /// Writes the original value with headers for the reason and its position, if there is a topic for dead letters. If
    /// that is too large for the topic, the record has no value, but its size in a header, and if necessary no key.
    ///
    /// # Errors
    /// If the producer rejects the record.
    pub fn dead_letter(&mut self, letter: &Letter, reason: &str) -> Result<(), Loss> {
        let CountTopics { input, dead_letters, limits, .. } = &self.topics;
        let Some(topic) = dead_letters else { return Ok(()) };
        let (partition, offset) = (letter.partition.to_string(), letter.offset.to_string());
        let (size, left_out) =
            (letter.value.len().to_string(), format!("larger than max.message.bytes={}", limits.dead_letters));
        let headers: [(&str, &str); 6] = [
            ("reason", reason),
            ("topic", input),
            ("partition", &partition),
            ("offset", &offset),
            ("size", &size),
            ("left_out", &left_out),
        ];
        let key = letter.key.as_deref().unwrap_or_default().len();
        let fits = |key: usize, value: usize| {
            let lengths = headers.iter().map(|(key, value)| key.len() + value.len());
            wire_bytes(key, value, lengths) <= limits.dead_letters
        };
        let whole = fits(key, letter.value.len());
        let headers = if whole { &headers[..4] } else { &headers[..] };
        let mut record = BaseRecord::with_opaque_to(topic, Place::of_letter(letter)).headers(
            headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), |all, (key, value)| {
                all.insert(Header { key, value: Some(*value) })
            }),
        );
        if whole {
            record = record.payload(&letter.value[..]);
        }
        if let Some(key) = letter.key.as_ref().filter(|_| whole || fits(key, 0)) {
            record = record.key(key.as_bytes());
        }
        self.send(record)?;
        self.unacknowledged = true;
        Ok(())
    }

    /// Writes the next frame of the ordered output, if there is a topic for it. Only readers use the key: it is left
    /// out if it makes the record too large.
    ///
    /// # Errors
    /// If the producer rejects the record.
    pub fn ordered(&mut self, letter: &Letter) -> Result<(), Loss> {
        let CountTopics { ordered, limits, .. } = &self.topics;
        let Some(topic) = ordered else { return Ok(()) };
        let mut record =
            BaseRecord::with_opaque_to(topic, Place::of_letter(letter)).partition(0).payload(&letter.value[..]);
        let fits = |key: &String| wire_bytes(key.len(), letter.value.len(), []) <= limits.ordered;
        if let Some(key) = letter.key.as_ref().filter(|key| fits(key)) {
            record = record.key(key.as_bytes());
        }
        self.send(record)?;
        self.unacknowledged = true;
        Ok(())
    }

    /// Writes a record of state, or its tombstone.
    ///
    /// # Errors
    /// If the producer rejects the record.
    pub fn state(&mut self, topic: &str, key: &str, value: Option<&[u8]>) -> Result<(), Loss> {
        let mut record = BaseRecord::with_opaque_to(topic, Place::NONE).partition(0).key(key.as_bytes());
        if let Some(value) = value {
            record = record.payload(value);
        }
        self.send(record)?;
        self.unacknowledged = true;
        Ok(())
    }

    fn send(&self, record: BaseRecord<'_, [u8], [u8], usize>) -> Result<(), Loss> {
        let (topic, place, bytes) = (record.topic, record.delivery_opaque, record.payload.map_or(0, <[u8]>::len));
        let mut patience = Patience::new(&self.stop, self.timeout);
        send(&self.producer, record, || patience.is_over(0)).map_err(|untaken| match untaken {
            Untaken::TooLarge => {
                let mut loss = self.producer.context().with(|outcome| outcome.too_large(topic, place, bytes));
                loss.why = format!("{}; or set -X queue.buffering.max.kbytes={}", loss.why, bytes / 1024 + 1);
                loss
            }
            Untaken::GivenUp(error) | Untaken::Refused(error) => self.loss(topic, &error),
        })
    }

    /// Waits until all records so far are acknowledged.
    ///
    /// # Errors
    /// If a record was lost.
    pub fn flush(&mut self) -> Result<(), Loss> {
        let mut patience = Patience::new(&self.stop, self.timeout);
        while self.unacknowledged && self.producer.in_flight_count() > 0 {
            serve_and_rest(&self.producer);
            // After a loss, librdkafka holds back the other records of the transaction until they time out.
            self.check()?;
            if patience.is_over(0) {
                let error = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
                return Err(self.loss(&self.topics.output, &error));
            }
        }
        self.unacknowledged = false;
        self.check()
    }

    /// Serves the answers of the brokers.
    ///
    /// # Errors
    /// If a record was lost.
    pub fn poll(&self) -> Result<(), Loss> {
        if self.unacknowledged {
            serve(&self.producer);
            self.check()?;
        }
        Ok(())
    }

    fn loss(&self, topic: &str, error: &KafkaError) -> Loss {
        self.producer.context().with(|outcome| outcome.loss(topic, error))
    }

    fn check(&self) -> Result<(), Loss> {
        self.producer.context().with(|outcome| outcome.lost.clone()).map_or(Ok(()), Err)
    }
}

fn cause_headers(times: Times) -> OwnedHeaders {
    let headers = with_us(OwnedHeaders::new(), ARRIVED_HEADER, times.arrived_us);
    match times.due_us {
        Some(due) => with_us(headers, DUE_HEADER, due),
        None => headers,
    }
}
