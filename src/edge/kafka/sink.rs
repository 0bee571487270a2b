//! Results to a topic, positions to a consumer group.

use super::{ARRIVED_HEADER, Committer, DUE_HEADER, Sender, Settings, unusable};
use crate::core::frames::Times;
use crate::core::record::Row;
use crate::core::stream::Emission;
use crate::edge::clock::now_us;
use crate::edge::pipeline::{Letter, Sink};
use crate::edge::stop::Stop;
use anyhow::{Result, anyhow, bail};
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Delivers at least once: a position is committed only after the results that it led to are acknowledged.
pub struct KafkaSink {
    producer: BaseProducer<Deliveries>,
    committer: Committer,
    timeout: Duration,
    stop: Stop,
    topic: String,
    output: String,
    unacknowledged: bool,
    row: Vec<u8>,
    dead_letters: Option<Sender>,
    ordered: Option<Sender>,
}

#[derive(Default)]
struct Deliveries {
    lost: Mutex<Option<KafkaError>>,
}

impl ClientContext for Deliveries {
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        if let (Err((error, _)), Ok(mut lost)) = (result, self.lost.lock()) {
            lost.get_or_insert_with(|| error.clone());
        }
    }
}

impl KafkaSink {
    /// A sink for the results of `topic` in `output`, with positions under `group`. Once `stop` is interrupted, it waits
    /// for the brokers no longer than the timeout.
    ///
    /// # Errors
    /// If librdkafka refuses the configuration.
    pub fn new(settings: &Settings, group: &str, topic: &str, output: &str, stop: &Stop) -> Result<KafkaSink> {
        // Not idempotent: librdkafka takes 500 ms to get a producer id. One request at a time keeps the order of the
        // rows when it is retried, and a row that is written twice is an upsert.
        let producer = settings
            .client(&[
                ("acks", "all"),
                ("max.in.flight.requests.per.connection", "1"),
                ("partitioner", "murmur2_random"),
                ("linger.ms", "0"),
            ])
            .create_with_context(Deliveries::default())
            .map_err(unusable)?;
        let committer = Committer::new(settings, group, topic)?;
        Ok(KafkaSink {
            producer,
            committer,
            timeout: settings.timeout,
            stop: stop.clone(),
            topic: topic.to_owned(),
            output: output.to_owned(),
            unacknowledged: false,
            row: Vec::new(),
            dead_letters: None,
            ordered: None,
        })
    }

    /// Also takes dead letters, for the topic `dead_letters`.
    ///
    /// # Errors
    /// If librdkafka refuses the configuration.
    pub fn with_dead_letters(mut self, settings: &Settings, dead_letters: &str) -> Result<KafkaSink> {
        self.dead_letters = Some(Sender::new(settings, dead_letters, &[], None)?);
        Ok(self)
    }

    /// Also takes frames in order, for the topic `ordered`: one partition of it, as only that keeps an order.
    ///
    /// # Errors
    /// If librdkafka refuses the configuration.
    pub fn with_ordered(mut self, settings: &Settings, ordered: &str) -> Result<KafkaSink> {
        self.ordered = Some(Sender::new(settings, ordered, &[("compression.type", "lz4")], None)?.to_partition(0));
        Ok(self)
    }

    fn flush(&mut self) -> Result<()> {
        let mut interrupted = None;
        while self.unacknowledged && self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_millis(1));
            if self.stop.interrupted() && interrupted.get_or_insert_with(Instant::now).elapsed() > self.timeout {
                bail!("results were not acknowledged by topic {} before the end: count again", self.output);
            }
        }
        self.unacknowledged = false;
        for sender in [&self.dead_letters, &self.ordered].into_iter().flatten() {
            sender.flush();
            if let Some((_, why)) = sender.failure() {
                bail!("a frame was not written to topic {}: {why}", sender.topic());
            }
        }
        self.check()
    }

    fn check(&self) -> Result<()> {
        let lost = self.producer.context().lost.lock().ok().and_then(|mut lost| lost.take());
        match lost {
            None => Ok(()),
            Some(error) => Err(anyhow!(error).context(format!(
                "a result was not written to topic {}: see that it is there and writable, then count again",
                self.output
            ))),
        }
    }
}

impl Sink for KafkaSink {
    fn result(&mut self, result: &Emission, cause: Option<Times>) -> Result<()> {
        self.row.clear();
        serde_json::to_writer(&mut self.row, &Row::new(result, now_us()))?;
        let key = result.window.key();
        let mut record = BaseRecord::to(&self.output).key(&key).payload(&self.row);
        if let Some(times) = cause {
            record = record.headers(cause_headers(times));
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    self.producer.poll(Duration::from_millis(10));
                    record = back;
                }
                Err((error, _)) => {
                    return Err(anyhow!(error).context(format!("topic {} takes no results", self.output)));
                }
            }
        }
        self.unacknowledged = true;
        Ok(())
    }

    fn dead_letter(&mut self, letter: Letter, reason: &str) -> Result<()> {
        let Some(sender) = &mut self.dead_letters else { return Ok(()) };
        let (partition, offset) = (letter.partition.to_string(), letter.offset.to_string());
        let mut headers = OwnedHeaders::new_with_capacity(4);
        for (key, value) in [("reason", reason), ("topic", &self.topic), ("partition", &partition), ("offset", &offset)]
        {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        sender.send_with(letter.key.as_deref(), &letter.value, 0, Some(headers));
        Ok(())
    }

    fn ordered(&mut self, letter: Letter) -> Result<()> {
        if let Some(sender) = &mut self.ordered {
            sender.send(letter.key.as_deref(), &letter.value, 0);
        }
        Ok(())
    }

    fn commit(&mut self, positions: &[i64], last: bool) -> Result<()> {
        self.flush()?;
        if last {
            return self.committer.finish(positions);
        }
        // Not waited for: a broker that is away for a while must not end the run.
        self.committer.start(positions).map(|_| ())
    }

    fn poll(&mut self) -> Result<()> {
        if self.unacknowledged {
            self.producer.poll(Duration::ZERO);
            self.check()?;
        }
        Ok(())
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
