//! Sends frames and reports the outcome of every one.

use crate::engine::patience::Patience;
use crate::engine::stop::Stop;
use crate::input::LentBlock;
use crate::kafka::client::descriptors::exhausted;
use crate::kafka::client::refusal::lack;
use crate::kafka::client::settings::{Settings, unusable};
use crate::kafka::headers::{DUE_HEADER, SENT_HEADER, with_us};
use crate::kafka::produce::deliveries::{Deliveries, Outcome};
use crate::kafka::produce::lending::{LendingProducer, LentMessage};
use crate::kafka::produce::sending::{Untaken, connect, put_patiently, send, serve, serve_and_rest};
use anyhow::{Context as _, Result};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, PurgeConfig};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Largest number of undelivered frames that are named; the others are only counted.
const NAMED_FAILURES: usize = 10;

/// How long a sender waits for acknowledgements after an interrupt.
const GRACE: Duration = Duration::from_secs(3);

/// The outcome of all frames.
#[derive(Clone, Debug, Default)]
pub struct SendReport {
    /// Frames that the brokers acknowledged.
    pub delivered: u64,
    /// The bytes of these frames, without keys.
    pub delivered_bytes: u64,
    /// Frames that the brokers did not acknowledge.
    pub failed: u64,
    /// Frames among these without an answer in time: the topic may have them or not.
    pub unknown: u64,
    /// Frames that were not sent, because of an interrupt.
    pub unsent: u64,
    /// Frames that were given up after an interrupt, before the brokers answered: the topic may have them or not.
    pub unanswered: u64,
    /// The first few failed frames: the tag given to [`Sender::send`], and the reason.
    pub failures: Vec<(usize, String)>,
    /// Tags and acknowledgement times in microseconds since the Unix epoch, if there is a clock.
    pub acks: Vec<(usize, i64)>,
}

/// The outcome of the frames so far.
struct FrameOutcome {
    report: SendReport,
    reasons: Reasons,
    clock: Option<fn() -> i64>,
}

/// Words why a frame failed.
struct Reasons {
    /// The missing right because of which librdkafka gave up the rest of the queue.
    denied: Option<String>,
    settings: Settings,
    topic: String,
}

impl Outcome for FrameOutcome {
    fn delivered(&mut self, message: &BorrowedMessage<'_>, tag: usize) {
        self.report.delivered += 1;
        self.report.delivered_bytes += message.payload_len() as u64;
        if let Some(now) = self.clock {
            self.report.acks.push((tag, now()));
        }
    }

    fn lost(&mut self, error: &KafkaError, _message: &BorrowedMessage<'_>, tag: usize) {
        match error.rdkafka_error_code() {
            // Some frames of the queue may have been sent before the connection was lost. Without the right to write,
            // librdkafka itself gives up the queue.
            Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight) if self.reasons.denied.is_none() => {
                self.report.unanswered += 1;
            }
            code => {
                self.report.unknown += u64::from(code == Some(RDKafkaErrorCode::MessageTimedOut));
                self.fail(tag, error);
            }
        }
    }

    fn denied(&mut self) {
        self.reasons.denied = self.reasons.lack(RDKafkaErrorCode::TopicAuthorizationFailed);
    }
}

impl FrameOutcome {
    /// Records a frame that failed with this error.
    fn fail(&mut self, tag: usize, error: &KafkaError) {
        let FrameOutcome { report, reasons, .. } = self;
        report.fail(tag, || reasons.why(error));
    }
}

impl Reasons {
    fn lack(&self, code: RDKafkaErrorCode) -> Option<String> {
        lack(&self.settings, code, "Write", &self.topic)
    }

    fn why(&self, error: &KafkaError) -> String {
        if let Some(words) = self.denied.clone().or_else(exhausted) {
            return words;
        }
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => "larger than the topic takes (max.message.bytes)".into(),
            Some(RDKafkaErrorCode::InvalidRecord | RDKafkaErrorCode::InvalidDifferentRecord) => format!(
                "the broker refuses its whole batch (InvalidRecord): if topic {0} is compacted, it takes no frame without a key, \
                 which is its uid: find the cleanup.policy with kafka-configs.sh --bootstrap-server {1} --describe --all \
                 --entity-type topics --entity-name {0}",
                self.topic, self.settings.brokers
            ),
            Some(RDKafkaErrorCode::MessageTimedOut) => {
                "not acknowledged in time, so the topic may have it or not: is the broker up?".into()
            }
            Some(code) => self.lack(code).unwrap_or_else(|| code.to_string()),
            None => error.to_string(),
        }
    }
}

impl SendReport {
    /// Records a frame that failed.
    fn fail(&mut self, tag: usize, why: impl FnOnce() -> String) {
        self.failed += 1;
        if self.failures.len() < NAMED_FAILURES {
            self.failures.push((tag, why()));
        }
    }

    /// Number of frames that are acknowledged or lost.
    fn settled(&self) -> u64 {
        self.delivered + self.failed
    }
}

/// One message, and the place of its frame.
pub struct Outgoing<'a> {
    /// The key, if it has one.
    pub key: Option<&'a str>,
    /// The value; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The block in which the value lies, if it may stay there until the message is settled; else it is copied.
    pub block: Option<&'a Arc<LentBlock>>,
    /// The partition; none leaves it to the key.
    pub partition: Option<i32>,
    /// The headers, if it has some.
    pub headers: Option<OwnedHeaders>,
    /// What [`SendReport`] calls it.
    pub tag: usize,
}

/// An idempotent producer for one topic.
pub struct Sender {
    producer: LendingProducer<FrameOutcome>,
    topic: String,
    partition: Option<i32>,
    sent: u64,
    stop: Stop,
    given_up: bool,
    /// Why the topic accepts no frame without a key, if that is so.
    keyless: Option<String>,
}

impl Sender {
    /// A producer with acks=all. `clock` gives the time of acknowledgements, if set.
    ///
    /// # Errors
    /// If librdkafka rejects the configuration or the topic.
    pub fn new(settings: &Settings, topic: &str, ours: &[(&str, &str)], clock: Option<fn() -> i64>) -> Result<Sender> {
        let base = [
            ("enable.idempotence", "true"),
            // The partitioner of the Java client, so that a user stays in one partition whatever client wrote the
            // frames.
            ("partitioner", "murmur2_random"),
            ("linger.ms", "20"),
            ("batch.size", "1000000"),
            ("queue.buffering.max.kbytes", "65536"),
            ("queue.buffering.max.messages", "100000"),
        ];
        let reasons = Reasons { denied: None, settings: settings.clone(), topic: topic.to_owned() };
        let outcome = FrameOutcome { report: SendReport::default(), reasons, clock };
        let deliveries = Deliveries::new(outcome);
        let producer = settings.client(&[&base, ours].concat()).create_with_context(deliveries).map_err(unusable)?;
        let producer = LendingProducer::new(producer, topic)?;
        connect(&producer, topic);
        let (topic, stop) = (topic.to_owned(), Stop::default());
        Ok(Sender { producer, topic, partition: None, sent: 0, stop, given_up: false, keyless: None })
    }

    /// Gives up frames that are not acknowledged soon after `stop` is interrupted.
    pub fn until(mut self, stop: &Stop) -> Sender {
        self.stop = stop.clone();
        self
    }

    /// Rejects frames without a key, for this reason: the broker would reject their whole batch.
    pub fn with_keys_only(mut self, why: String) -> Sender {
        self.keyless = Some(why);
        self
    }

    /// Sends all frames to one partition, to keep their order.
    pub fn to_partition(mut self, partition: i32) -> Sender {
        self.partition = Some(partition);
        self
    }

    /// Sends a frame, and waits while the queue is full. [`SendReport`] refers to the frame by `tag`.
    pub fn send(&mut self, key: Option<&str>, value: &[u8], tag: usize) {
        self.send_with(key, value, tag, None);
    }

    /// As [`Sender::send`], with the times at which the frame was due and is sent, in microseconds.
    pub fn send_timed(&mut self, key: Option<&str>, value: &[u8], tag: usize, due_us: i64, sent_us: i64) {
        let headers = with_us(OwnedHeaders::new_with_capacity(2), DUE_HEADER, due_us);
        let headers = with_us(headers, SENT_HEADER, sent_us);
        self.send_with(key, value, tag, Some(headers));
    }

    /// As [`Sender::send`], with headers.
    pub fn send_with(&mut self, key: Option<&str>, value: &[u8], tag: usize, headers: Option<OwnedHeaders>) {
        self.put(Outgoing { key, value: Some(value), block: None, partition: self.partition, headers, tag });
    }

    /// As [`Sender::send`]; the value may stay in this block.
    pub fn lend(&mut self, key: Option<&str>, value: &[u8], block: Option<&Arc<LentBlock>>, tag: usize) {
        self.put(Outgoing { key, value: Some(value), block, partition: self.partition, headers: None, tag });
    }

    /// Sends a message, and waits while the queue is full.
    pub fn put(&mut self, message: Outgoing<'_>) {
        let Outgoing { key, tag, .. } = message;
        let deliveries = self.producer.context();
        if let (None, Some(why)) = (key, &self.keyless) {
            return deliveries.with(|outcome| outcome.report.fail(tag, || why.clone()));
        }
        if !self.given_up {
            match self.enqueue(message) {
                Ok(()) => {}
                Err(Untaken::TooLarge) => {
                    let why = "larger than what may wait to be sent (queue.buffering.max.kbytes)";
                    deliveries.with(|outcome| outcome.report.fail(tag, || why.into()));
                }
                Err(Untaken::GivenUp(_)) => self.given_up = true,
                Err(Untaken::Refused(error)) => deliveries.with(|outcome| outcome.fail(tag, &error)),
            }
        }
        if self.given_up {
            self.producer.context().with(|outcome| outcome.report.unsent += 1);
        }
        self.sent += 1;
        // Serving deliveries a few times per batch is enough, and every poll takes a lock.
        if self.sent.is_multiple_of(64) {
            serve(&self.producer);
        }
    }

    #[inline]
    fn enqueue(&self, message: Outgoing<'_>) -> Result<(), Untaken> {
        let Outgoing { key, value, block, partition, headers, tag } = message;
        let Sender { producer, topic, stop, .. } = self;
        let mut patience = Patience::new(stop, GRACE);
        let is_over = || patience.is_over(producer.context().with(|outcome| outcome.report.settled()));
        let Some(headers) = headers else {
            let message = LentMessage { key: key.map(str::as_bytes), value, block, partition, tag };
            return put_patiently(producer, || producer.lend(&message), is_over);
        };
        let mut record = BaseRecord::with_opaque_to(topic, tag).headers(headers);
        if let Some(value) = value {
            record = record.payload(value);
        }
        if let Some(key) = key {
            record = record.key(key);
        }
        if let Some(partition) = partition {
            record = record.partition(partition);
        }
        send(producer, record, is_over)
    }

    /// Gets the transactional id that the sender was made with; needed before the first transaction.
    ///
    /// # Errors
    /// If the brokers refuse it.
    pub fn init_transactions(&self, patience: Duration) -> Result<()> {
        self.producer.init_transactions(patience).context("no transaction can begin")
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// If there is one already.
    pub fn begin(&self) -> Result<()> {
        self.producer.begin_transaction().context("no transaction can begin")
    }

    /// Ends a transaction: its messages count, or else they are aborted.
    ///
    /// # Errors
    /// If the brokers refuse it.
    pub fn end(&self, counts: bool, patience: Duration) -> Result<()> {
        self.flush();
        let patience = if self.stop.interrupted() { GRACE } else { patience };
        if counts { self.producer.commit_transaction(patience) } else { self.producer.abort_transaction(patience) }
            .context("a transaction cannot end")
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Serves available deliveries.
    pub fn poll(&self) {
        serve(&self.producer);
    }

    /// Waits until every frame so far is acknowledged or given up.
    pub fn flush(&self) {
        let mut patience = Patience::new(&self.stop, GRACE);
        let mut purged = None;
        while self.producer.in_flight_count() > 0 {
            serve_and_rest(&self.producer);
            if self.given_up || patience.is_over(self.producer.context().with(|outcome| outcome.report.settled())) {
                self.producer.purge(PurgeConfig::default().queue().inflight());
                // librdkafka keeps some frames all the same, as those of a producer that another one replaced.
                if purged.get_or_insert_with(Instant::now).elapsed() > GRACE {
                    return;
                }
            }
        }
    }

    /// The first frame that was given up, if any: its tag, and the reason.
    pub fn failure(&self) -> Option<(usize, String)> {
        self.producer.context().with(|outcome| outcome.report.failures.first().cloned())
    }

    /// Waits until every frame is acknowledged or given up, and returns the report.
    pub fn finish(self) -> SendReport {
        self.flush();
        self.producer.context().with(|outcome| std::mem::take(&mut outcome.report))
    }
}
