//! Exactly once: commits results, state changes and consumed offsets in one transaction (KIP-98, KIP-447).

use crate::engine::sink::{Commit, Output, Sink};
use crate::engine::stop::Stop;
use crate::kafka::admin::{Cluster, Range};
use crate::kafka::client::background_close::Aside;
use crate::kafka::client::context::Context;
use crate::kafka::client::descriptors::exhausted;
use crate::kafka::client::outage::is_outage;
use crate::kafka::client::refusal::denied;
use crate::kafka::client::settings::{Settings, unusable};
use crate::kafka::commit::insist::{insist, insist_while};
use crate::kafka::commit::interval;
use crate::kafka::commit::state_topic::{OWNER, Origin, State};
use crate::kafka::commit::transaction_offsets::TransactionOffsets;
use crate::kafka::commit::waiting::Waiting;
use crate::kafka::positions::{committed, position};
use crate::kafka::produce::result_outcome::Loss;
use crate::kafka::produce::result_writer::Writer;
use crate::kafka::produce::sending::serve;
use crate::kafka::topics::count_topics::CountTopics;
use crate::kafka::topics::identity::Identity;
use crate::kafka::topics::written::{ANOTHER_TOPIC, Written};
use crate::system::deadline::Deadline;
use crate::system::errand::Errand;
use anyhow::{Result, anyhow, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// How long the brokers may take to abort a transaction that this run gives up.
const ABORT: Duration = Duration::from_secs(5);
/// How long the first request may take before librdkafka's reports are checked for a refusal, and it is made again. A
/// client whose first connection is not there yet looks for the coordinator again after 500 ms (`rdkafka_txnmgr.c`), but
/// for a new request at once.
const LOOK: Duration = Duration::from_millis(50);
/// How long the end of a run waits until its results are visible; only another producer's transaction can delay them.
const VISIBLE: Duration = Duration::from_secs(2);

/// A transaction was aborted with all its content, and can be repeated.
#[derive(Debug, Error)]
#[error("a transaction was aborted: {0}")]
pub struct Aborted(pub String);

/// Another owner has the transactional id: a newer instance, or the coordinator, which fences off a producer whose
/// transaction is open for longer than `transaction.timeout.ms`. The owner in the state tells which.
#[derive(Debug, Error)]
#[error("another producer took the transactional id")]
pub struct Fenced;

/// Commits results, state and positions together or not at all.
pub struct ExactlyOnce {
    writer: Writer,
    consumer: Arc<Aside<BaseConsumer<Context>>>,
    guard: Errand<(), Result<()>>,
    offsets: TransactionOffsets,
    group: String,
    state: String,
    origin: Origin,
    open: bool,
    /// Whether the run has waited until all commits are visible.
    is_settled: bool,
    waiting: Waiting,
    /// The positions of the last commit.
    positions: Vec<i64>,
    settings: Settings,
}

impl ExactlyOnce {
    /// A sink for these topics with positions under `group`, which is also the transactional id: the previous owner is
    /// fenced off, and its open transaction is aborted. The state gets the name `owner`. Nothing is committed once a
    /// topic differs from the one in `identity`.
    ///
    /// # Errors
    /// If the brokers reject the configuration; [`Aborted`] if they do not answer in time.
    pub fn new(
        settings: &Settings,
        group: &str,
        topics: CountTopics,
        origin: Origin,
        identity: Identity,
        owner: &str,
        stop: &Stop,
    ) -> Result<ExactlyOnce> {
        let ours = [
            ("transactional.id", group),
            // The coordinator rejects requests while it completes a transaction. They are repeated after this time,
            // which doubles with every repetition; the default is 100.
            ("retry.backoff.ms", "1"),
            // A lost coordinator (see `TransactionOffsets`) is mostly found when a connection closes.
            ("connections.max.idle.ms", "5000"),
        ];
        let writer = Writer::new(settings, topics, &ours, stop)?;
        let consumer: BaseConsumer<Context> = settings
            .client(&[("group.id", group), ("enable.auto.commit", "false"), ("isolation.level", "read_committed")])
            .create_with_context(Context::default())
            .map_err(unusable)?;
        let (group, state) = (group.to_owned(), State::topic(group));
        let consumer = Arc::new(Aside::new(consumer));
        let asking = consumer.clone();
        let guard = Errand::new("guard", move |()| identity.check(asking.client()).map(|_| ()))?;
        let offsets = TransactionOffsets::new(writer.producer(), &consumer, settings.timeout)?;
        let mut sink = ExactlyOnce {
            writer,
            consumer,
            guard,
            offsets,
            group,
            state,
            origin,
            open: false,
            is_settled: true,
            waiting: Waiting::default(),
            positions: Vec::new(),
            settings: settings.clone(),
        };
        // Each request is short: librdkafka's log may report meanwhile that no request can succeed.
        let begun = insist_while(
            settings.timeout,
            || !stop.interrupted(),
            || {
                let begun = sink.writer.producer().init_transactions(settings.timeout.min(LOOK));
                serve(sink.writer.producer());
                begun
            },
        );
        if let (Err(_), Some(words)) = (&begun, exhausted()) {
            bail!(words);
        }
        begun.map_err(|error| sink.judge(error, "no transaction can be started"))?;
        sink.begin()?;
        sink.writer.state(&sink.state, OWNER, Some(owner.as_bytes())).map_err(|loss| sink.lost(loss))?;
        sink.end()?;
        Ok(sink)
    }

    /// Resumes from a state, if the topics still hold the records that were written to them.
    ///
    /// # Errors
    /// If a topic does not.
    pub fn resume(&mut self, origin: &Origin, cluster: &Cluster) -> Result<()> {
        let mut held: HashMap<&str, Vec<Range>> = HashMap::new();
        for Written { topic, .. } in &origin.written {
            if !held.contains_key(topic.as_str()) {
                // A read_committed reader would not see offsets behind an open transaction of another producer.
                let there = cluster.partitions(topic)?.map(|_| cluster.uncommitted_ranges(topic)).transpose()?;
                held.insert(topic, there.unwrap_or_default());
            }
        }
        for Written { topic, partition, offset } in &origin.written {
            if held[topic.as_str()].get(*partition as usize).is_none_or(|range| range.high <= *offset) {
                bail!("topic {topic} does not hold the results that were written to it: {ANOTHER_TOPIC}");
            }
        }
        self.writer.resume(origin.written.clone());
        self.positions.clone_from(&origin.positions);
        Ok(())
    }

    /// The committed positions of `partitions` partitions of the input, -1 if there is none.
    ///
    /// # Errors
    /// If the brokers do not answer.
    pub fn positions(&self, partitions: usize) -> Result<Vec<i64>> {
        let topic = &self.writer.topics().input;
        let found = committed(&self.consumer, &self.group, topic, partitions, self.settings.timeout)?;
        Ok((0..partitions).map(|partition| position(&found, topic, partition)).collect())
    }

    fn begin(&mut self) -> Result<()> {
        if !self.open {
            let begun = self.writer.producer().begin_transaction();
            begun.map_err(|error| self.judge(error, "no transaction can be started"))?;
            self.open = true;
        }
        Ok(())
    }

    fn write_waiting(&mut self) -> Result<()> {
        let written = self.waiting.write(self.waiting.len(), &mut self.writer);
        written.map_err(|loss| self.lost(loss))
    }

    /// Checks that the topics were the same after all records of this commit were read and written.
    fn is_confirmed(&mut self) -> Result<()> {
        match self.guard.answer(self.settings.timeout)? {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) if is_outage(&error) => Err(Aborted(format!("{error:#}")).into()),
            Some(Err(error)) => Err(error),
            None => Err(Aborted("the broker did not say in time whether the topics are still the same".into()).into()),
        }
    }

    fn end(&mut self) -> Result<()> {
        // With messages in flight, committing takes 100 ms.
        self.writer.flush().map_err(|loss| self.lost(loss))?;
        let timeout = self.settings.timeout;
        insist(timeout, || self.writer.producer().commit_transaction(timeout))
            .map_err(|error| self.judge(error, "it was not committed"))?;
        self.open = false;
        Ok(())
    }

    /// Waits until a reader sees the commit: the coordinator answers some milliseconds earlier, and a program that
    /// reads the results after this process would find none.
    fn await_visible(&self) {
        let mut deadline = Deadline::after(VISIBLE).every(Duration::from_millis(1));
        for Written { topic, partition, offset } in self.writer.written() {
            loop {
                match self.consumer.fetch_watermarks(&topic, partition, VISIBLE) {
                    // This consumer is read_committed, so this is the last stable offset.
                    Ok((_, stable)) if stable > offset => break,
                    Ok(_) if deadline.wait() => {}
                    // The results are committed in any case.
                    _ => return,
                }
            }
        }
    }

    fn add_offsets(&mut self, positions: &[i64]) -> Result<()> {
        let mut list = TopicPartitionList::new();
        for (partition, position) in positions.iter().enumerate().filter(|(_, position)| **position >= 0) {
            list.add_partition_offset(&self.writer.topics().input, partition as i32, Offset::Offset(*position))?;
        }
        match self.offsets.add(list)? {
            Some(added) => added.map_err(|error| self.judge(error, "the positions were not committed")),
            None => Err(Aborted("the coordinator of the group did not answer in time".into()).into()),
        }
    }

    fn lost(&self, loss: Loss) -> anyhow::Error {
        match self.consequence(loss.code) {
            Consequence::Again => Aborted(loss.to_string()).into(),
            Consequence::Fenced => Fenced.into(),
            Consequence::Final => loss.into(),
        }
    }

    fn judge(&self, error: KafkaError, what: &str) -> anyhow::Error {
        match self.consequence(error.rdkafka_error_code()) {
            Consequence::Again => Aborted(format!("{what}: {error}")).into(),
            Consequence::Fenced => Fenced.into(),
            Consequence::Final if error.rdkafka_error_code() == Some(RDKafkaErrorCode::InvalidTransactionTimeout) => {
                anyhow!(
                    "the broker takes no transaction.timeout.ms above its own transaction.max.timeout.ms (15 minutes by \
                 default), but -X or --config set {}: lower it",
                    self.settings.property(interval::TIMEOUT).unwrap_or("no other")
                )
            }
            Consequence::Final => {
                let operation = match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::GroupAuthorizationFailed) => "Read",
                    _ => "Write",
                };
                denied(&self.settings, error, operation, &self.group).context(format!("{what} (group {})", self.group))
            }
        }
    }

    fn consequence(&self, code: Option<RDKafkaErrorCode>) -> Consequence {
        use RDKafkaErrorCode as Code;
        let fatal = self.writer.producer().client().fatal_error();
        match fatal.as_ref().map(|(code, _)| *code).or(code) {
            Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch) => Consequence::Fenced,
            _ if fatal.is_some() => Consequence::Final,
            Some(
                Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::TransactionalIdAuthorizationFailed
                | Code::Authentication
                | Code::SaslAuthenticationFailed
                | Code::UnknownTopicOrPartition
                | Code::UnknownTopic
                | Code::UnknownPartition
                | Code::MessageSizeTooLarge
                | Code::InvalidRecord
                | Code::PolicyViolation
                | Code::InvalidTransactionTimeout
                | Code::UnsupportedVersion
                | Code::UnsupportedFeature
                | Code::UnknownMemberId,
            ) => Consequence::Final,
            _ => Consequence::Again,
        }
    }
}

/// What an error means for the run.
enum Consequence {
    /// The transaction is aborted, another one may succeed.
    Again,
    /// Another owner has the transactional id.
    Fenced,
    /// A retry would fail too.
    Final,
}

impl Sink for ExactlyOnce {
    /// Delays a record until a transaction begins, or too many records wait.
    fn take(&mut self, output: Output) -> Result<()> {
        self.waiting.push(output);
        if !self.open && !self.waiting.is_full() {
            return Ok(());
        }
        self.begin()?;
        self.write_waiting()
    }

    fn commit(&mut self, commit: Commit<'_>) -> Result<()> {
        // Markers and aborted messages move positions too. A group that never had a frame commits no position.
        let moved = !self.positions.is_empty() && self.positions != commit.positions;
        if !self.open && self.waiting.is_empty() && commit.changes.is_empty() && !moved {
            return Ok(());
        }
        self.begin()?;
        // The check runs while the records are written. All frames that it covers are read already.
        self.guard.ask(())?;
        // This request comes before the records: if the coordinator is still completing the previous transaction,
        // librdkafka repeats this request after 1 ms, but the request of the first record only after 20
        // (rdkafka_txnmgr.c).
        self.add_offsets(commit.positions)?;
        self.write_waiting()?;
        // These are the acknowledged offsets only: waiting for the others costs a round trip, and their records are in
        // this transaction anyway. The last commit of a run waits, as no later one can record them.
        if commit.last {
            self.writer.flush().map_err(|loss| self.lost(loss))?;
        }
        let mut written = self.writer.written();
        written.retain(|written| written.topic != self.state);
        let origin = self.origin.at(commit.positions, commit.held.clone(), written);
        let changes = commit.changes.iter().map(|change| (change.key.as_str(), change.value.as_deref()));
        for (key, value) in changes.chain([(Origin::KEY, Some(&origin[..]))]) {
            self.writer.state(&self.state, key, value).map_err(|loss| self.lost(loss))?;
        }
        self.is_confirmed()?;
        self.end()?;
        self.positions = commit.positions.to_vec();
        self.is_settled = false;
        Ok(())
    }

    fn settle(&mut self) {
        if !self.is_settled {
            self.await_visible();
            self.is_settled = true;
        }
    }

    fn poll(&mut self) -> Result<()> {
        self.writer.poll().map_err(|loss| self.lost(loss))
    }
}

impl Drop for ExactlyOnce {
    /// An open transaction blocks every read_committed reader until it times out.
    fn drop(&mut self) {
        if self.open {
            let _ = self.writer.producer().abort_transaction(self.settings.timeout.min(ABORT));
        }
    }
}

#[cfg(test)]
mod tests;
