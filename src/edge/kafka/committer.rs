//! Positions of a consumer group, committed on a thread of its own: librdkafka waits without end for a coordinator that is gone.

use super::outage::is_passing;
use super::refusal::denied;
use super::{Context, Settings, unusable};
use anyhow::{Context as _, Result, anyhow, bail};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Commits the positions of one topic.
pub struct Committer {
    topic: String,
    group: String,
    settings: Settings,
    consumer: Arc<BaseConsumer<Context>>,
    requests: Sender<TopicPartitionList>,
    results: Receiver<KafkaResult<()>>,
    /// What is committed, or on its way.
    committed: Vec<i64>,
    under_way: bool,
}

impl Committer {
    /// For positions in `topic` under `group`.
    ///
    /// # Errors
    /// If librdkafka refuses the configuration.
    pub fn new(settings: &Settings, group: &str, topic: &str) -> Result<Committer> {
        let consumer: BaseConsumer<Context> = settings
            .client(&[("group.id", group), ("enable.auto.commit", "false")])
            .create_with_context(Context::default())
            .map_err(unusable)?;
        let (requests, wanted) = channel::<TopicPartitionList>();
        let (done, results) = channel();
        let consumer = Arc::new(consumer);
        let committing = consumer.clone();
        // Ends when the requests do; not joined, as it may wait for a coordinator that never comes.
        let work = move || {
            for list in wanted {
                if done.send(committing.commit(&list, CommitMode::Sync)).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new().name("committer".into()).spawn(work).context("a thread cannot be started")?;
        let (topic, group, settings) = (topic.to_owned(), group.to_owned(), settings.clone());
        Ok(Committer { topic, group, settings, consumer, requests, results, committed: Vec::new(), under_way: false })
    }

    /// Starts to commit `positions` (next offset of each partition, -1 for none), unless a commit is under way; whether
    /// there was anything to commit.
    ///
    /// # Errors
    /// If the last commit failed for good.
    pub fn start(&mut self, positions: &[i64]) -> Result<bool> {
        self.settle(Duration::ZERO)?;
        let mut list = TopicPartitionList::new();
        for (partition, position) in positions.iter().enumerate().filter(|(_, position)| **position >= 0) {
            if self.committed.get(partition) != Some(position) {
                list.add_partition_offset(&self.topic, partition as i32, Offset::Offset(*position))?;
            }
        }
        let news = list.count() > 0;
        if news && !self.under_way {
            self.under_way = self.requests.send(list).is_ok();
            self.committed = positions.to_vec();
        }
        Ok(news)
    }

    /// Commits, again and again while the coordinator is on its way from one broker to another.
    ///
    /// # Errors
    /// If that does not succeed within the timeout, or cannot.
    pub fn finish(&mut self, positions: &[i64]) -> Result<()> {
        let patience = Instant::now() + self.settings.timeout;
        while self.start(positions)? || self.under_way {
            self.settle(Duration::from_millis(20))?;
            if Instant::now() > patience {
                bail!(
                    "the position in topic {} was not committed within {} s; its results are written",
                    self.topic,
                    self.settings.timeout.as_secs_f64()
                );
            }
        }
        Ok(())
    }

    /// Waits for the commit under way. One that failed for a passing reason counts for nothing: the next one covers it.
    fn settle(&mut self, wait: Duration) -> Result<()> {
        if !self.under_way {
            return Ok(());
        }
        let Ok(result) = self.results.recv_timeout(wait) else {
            // A commit that is forbidden never ends: its coordinator does not show itself.
            return match self.consumer.poll(Duration::ZERO) {
                Some(Err(error)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed) => {
                    let error = denied(&self.settings, error, "Read", &self.group);
                    Err(error.context(format!("the position in topic {} cannot be committed", self.topic)))
                }
                _ => Ok(()),
            };
        };
        self.under_way = false;
        let Err(error) = result else { return Ok(()) };
        self.committed.clear();
        match error.rdkafka_error_code() {
            Some(code) if is_passing(code) => {
                std::thread::sleep(Duration::from_millis(20));
                Ok(())
            }
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) => {
                bail!("topic {} was deleted while it was being read: produce it again", self.topic)
            }
            _ => Err(anyhow!(error).context(format!("the position in topic {} cannot be committed", self.topic))),
        }
    }
}
