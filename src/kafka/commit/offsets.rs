//! Commits positions of a consumer group on a thread of its own: librdkafka waits without limit for a missing
//! coordinator.

use crate::kafka::client::context::Context;
use crate::kafka::client::outage::is_outage;
use crate::kafka::client::refusal::{denied, lack};
use crate::kafka::client::settings::{Settings, unusable};
use crate::kafka::commit::claim::Claim;
use crate::kafka::topics::identity::Identity;
use crate::system::deadline::Deadline;
use crate::system::errand::Errand;
use anyhow::{Context as _, Result, bail};
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::sync::Arc;
use std::time::Duration;

/// Commits the positions of one topic, and checks that the group still belongs to this run.
pub struct Committer {
    topic: String,
    group: String,
    settings: Settings,
    consumer: Arc<BaseConsumer<Context>>,
    errand: Errand<Vec<(usize, i64)>, Result<()>>,
    /// The positions that are committed, or being committed.
    committed: Vec<i64>,
}

impl Committer {
    /// A committer of positions in `topic` under `group`, for the instance `owner`, which counts from the offsets of
    /// `from`.
    ///
    /// # Errors
    /// If librdkafka rejects the configuration.
    pub fn new(
        settings: &Settings,
        group: &str,
        topic: &str,
        owner: &str,
        identity: Identity,
        from: Vec<i64>,
    ) -> Result<Committer> {
        let consumer: BaseConsumer<Context> = settings
            .client(&[("group.id", group), ("enable.auto.commit", "false")])
            .create_with_context(Context::default())
            .map_err(unusable)?;
        let consumer = Arc::new(consumer);
        let committing = consumer.clone();
        let mut claim = Claim::new(topic, group, owner, identity, from, settings.timeout);
        let work = move |positions: Vec<(usize, i64)>| claim.commit(&committing, &positions);
        let errand = Errand::new("committer", work)?;
        let (topic, group, settings) = (topic.to_owned(), group.to_owned(), settings.clone());
        Ok(Committer { topic, group, settings, consumer, errand, committed: Vec::new() })
    }

    /// Starts a check that the group still belongs to this run and the topics are the same, unless another request is
    /// running. Returns whether it started.
    ///
    /// # Errors
    /// As [`Committer::settle`].
    pub fn look(&mut self) -> Result<bool> {
        self.settle(Duration::ZERO)?;
        if self.errand.is_under_way() {
            return Ok(false);
        }
        self.errand.ask(Vec::new())?;
        Ok(true)
    }

    /// Starts to commit `positions` (next offset of each partition, -1 for none), unless a request is running; returns
    /// whether there is a position to commit.
    ///
    /// # Errors
    /// If the last commit failed permanently.
    pub fn start(&mut self, positions: &[i64]) -> Result<bool> {
        self.settle(Duration::ZERO)?;
        let news = |(partition, position): (usize, &i64)| {
            (*position >= 0 && self.committed.get(partition) != Some(position)).then_some((partition, *position))
        };
        let list: Vec<_> = positions.iter().enumerate().filter_map(news).collect();
        let news = !list.is_empty();
        if news && !self.errand.is_under_way() {
            self.errand.ask(list)?;
            self.committed = positions.to_vec();
        }
        Ok(news)
    }

    /// Commits, with retries while the coordinator moves to another broker.
    ///
    /// # Errors
    /// If the commit does not succeed within the timeout, or cannot succeed.
    pub fn finish(&mut self, positions: &[i64]) -> Result<()> {
        let deadline = Deadline::after(self.settings.timeout);
        while self.start(positions)? || self.errand.is_under_way() {
            self.settle(Duration::from_millis(20))?;
            if deadline.is_over() {
                bail!(
                    "the position in topic {} was not committed within {} s; its results are written",
                    self.topic,
                    self.settings.timeout.as_secs_f64()
                );
            }
        }
        Ok(())
    }

    /// Waits for the running request; returns whether it succeeded, none if it still runs or there is none. A temporary
    /// failure is no error: the next request covers it.
    ///
    /// # Errors
    /// If the request failed permanently.
    pub fn settle(&mut self, wait: Duration) -> Result<Option<bool>> {
        if !self.errand.is_under_way() {
            return Ok(None);
        }
        let Some(result) = self.errand.answer(wait)? else {
            // A commit without authorization never ends: librdkafka finds no coordinator.
            return match self.consumer.poll(Duration::ZERO) {
                Some(Err(error)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed) => {
                    let error = denied(&self.settings, error, "Read", &self.group);
                    Err(error.context(format!("the position in topic {} cannot be committed", self.topic)))
                }
                _ => Ok(None),
            };
        };
        let Err(error) = result else { return Ok(Some(true)) };
        self.committed.clear();
        if is_outage(&error) {
            std::thread::sleep(Duration::from_millis(20));
            return Ok(Some(false));
        }
        match error.downcast_ref::<KafkaError>().and_then(KafkaError::rdkafka_error_code) {
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) => {
                bail!("topic {} was deleted while it was being read: produce it again", self.topic)
            }
            Some(code @ RDKafkaErrorCode::GroupAuthorizationFailed) => {
                let why = lack(&self.settings, code, "Read", &self.group).unwrap_or_else(|| error.to_string());
                bail!("the position in topic {} cannot be committed: {why}", self.topic)
            }
            Some(RDKafkaErrorCode::UnknownMemberId | RDKafkaErrorCode::IllegalGeneration) => bail!(
                "the position in topic {} cannot be committed: another program is a member of group {}, as a consumer that \
                 subscribes is: stop it, or count with another --group",
                self.topic,
                self.group
            ),
            Some(_) => Err(error).with_context(|| format!("the position in topic {} cannot be committed", self.topic)),
            None => Err(error),
        }
    }
}
