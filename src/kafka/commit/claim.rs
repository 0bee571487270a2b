//! Which instance counts for a group at least once: each one writes its name to the metadata of the group's positions
//! before its first result, and checks before every other result that its name is still there. Otherwise an instance
//! that was suspended while another one counted would replace newer results with its older ones.

use crate::kafka::positions::{committed, position};
use crate::kafka::topics::identity::Identity;
use anyhow::{Context as _, Result, anyhow, bail};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::{Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tracing::info;

/// The metadata of a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The instance that counts for the group.
    owner: String,
    /// Id of the topic, if it has one.
    topic: Option<String>,
    /// The first offset that the results include.
    from: i64,
}

/// The claim of one instance to a group.
pub struct Claim {
    topic: String,
    group: String,
    owner: String,
    identity: Identity,
    /// For each partition the first offset that this instance counts.
    from: Vec<i64>,
    made: bool,
    timeout: Duration,
}

/// The error of a run whose group was taken over; the log gets it too.
pub fn taken_over(group: &str, other: &str) -> anyhow::Error {
    info!(target: "kuu", event = "taken_over", group, by = other, "group {group} was taken over by {other}");
    anyhow!(
        "another instance of group {group} took over ({other}): nothing is lost. Leave that one running, or stop it and count \
         again; a second count beside it needs another --group"
    )
}

/// Logs that this run takes a group over.
pub fn log_takes_over(group: &str, from: &str) {
    info!(target: "kuu", event = "takes_over", group, from, "takes group {group} over from {from}");
}

/// A partition of a group: its position, -1 for none, and the note at that position.
struct Stand {
    partition: usize,
    position: i64,
    note: Option<Note>,
}

impl Claim {
    /// A claim of the instance `owner`, which counts `topic` from these offsets.
    pub fn new(topic: &str, group: &str, owner: &str, identity: Identity, from: Vec<i64>, timeout: Duration) -> Claim {
        let (topic, group, owner) = (topic.to_owned(), group.to_owned(), owner.to_owned());
        Claim { topic, group, owner, identity, from, made: false, timeout }
    }

    /// Commits these positions if the group still belongs to this instance and the topics are the same; without
    /// positions, it only checks that.
    ///
    /// # Errors
    /// If a check fails, or the brokers do not answer.
    pub fn commit<C: ConsumerContext>(&mut self, consumer: &BaseConsumer<C>, positions: &[(usize, i64)]) -> Result<()> {
        self.identity.check(consumer.client())?;
        let stands = self.stands(consumer)?;
        if self.made {
            self.is_mine(&stands)?;
        } else {
            self.is_allowed(&stands)?;
            let mut notes = stands.iter().filter_map(|stand| stand.note.as_ref());
            if let Some(note) = notes.find(|note| note.owner != self.owner) {
                log_takes_over(&self.group, &note.owner);
            }
            let stands: Vec<_> =
                stands.iter().map(|stand| (stand.partition, stand.position.max(self.low(stand.partition)))).collect();
            self.write(consumer, &stands)?;
            self.made = true;
        }
        if positions.is_empty() { Ok(()) } else { self.write(consumer, positions) }
    }

    /// An added partition is counted from its start.
    fn low(&self, partition: usize) -> i64 {
        self.from.get(partition).copied().unwrap_or(0)
    }

    fn stands<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) -> Result<Vec<Stand>> {
        let found = committed(consumer, &self.group, &self.topic, self.from.len(), self.timeout)?;
        let stand = |partition: usize| {
            let position = position(&found, &self.topic, partition);
            let found = found.find_partition(&self.topic, partition as i32);
            let note = found.and_then(|found| serde_json::from_str(found.metadata()).ok());
            Stand { partition, position, note }
        };
        Ok((0..self.from.len()).map(stand).collect())
    }

    fn is_mine(&self, stands: &[Stand]) -> Result<()> {
        let owners = stands.iter().filter_map(|stand| stand.note.as_ref()).map(|note| &note.owner);
        match owners.into_iter().find(|owner| **owner != self.owner) {
            None => Ok(()),
            Some(other) => Err(taken_over(&self.group, other)),
        }
    }

    /// Checks that all frames behind the group's results are still in the topic, as the results are written again.
    fn is_allowed(&self, stands: &[Stand]) -> Result<()> {
        let Claim { topic, group, .. } = self;
        let remedy = "`kuu count --recreate` deletes the results and counts what is there; another --group and --output keep them";
        for Stand { partition, position, note } in stands.iter().filter(|stand| stand.position >= 0) {
            let then = note.as_ref().and_then(|note| note.topic.as_deref());
            if let (Some(then), Some(now)) = (then, self.identity.input_id())
                && then != now
            {
                bail!(
                    "topic {topic} is not the one that group {group} counted: it was deleted since and made anew (its id was {then}, \
                     now {now}): {remedy}"
                );
            }
            let (from, low) = (note.as_ref().map_or(0, |note| note.from), self.low(*partition));
            if low > from && *position > from {
                bail!(
                    "topic {topic}, partition {partition}: frames {from} to {} were deleted since group {group} counted them. At \
                     least once counts from the start, and would replace its results with smaller ones: {remedy}",
                    low - 1
                );
            }
        }
        Ok(())
    }

    fn write<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>, positions: &[(usize, i64)]) -> Result<()> {
        let mut list = TopicPartitionList::new();
        for (partition, position) in positions {
            let (owner, topic) = (self.owner.clone(), self.identity.input_id().map(str::to_owned));
            let note = Note { owner, topic, from: self.low(*partition) };
            let note = serde_json::to_string(&note).expect("texts and numbers can be written as JSON");
            let mut added = list.add_partition(&self.topic, *partition as i32);
            added.set_offset(Offset::Offset(*position))?;
            added.set_metadata(note);
        }
        consumer.commit(&list, CommitMode::Sync).context("the positions were not committed")
    }
}
