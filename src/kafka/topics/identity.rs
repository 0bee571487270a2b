//! Checks that the topics of a count are those that it began with, and not new topics of the same names.

use crate::kafka::admin::Cluster;
use crate::kafka::topics::count_topics::CountTopics;
use crate::kafka::topics::topic_id::describe;
use crate::kafka::topics::written::ANOTHER_TOPIC;
use crate::system::deadline::Deadline;
use anyhow::{Context as _, Result, anyhow, bail};
use rdkafka::client::{Client, ClientContext};
use std::collections::BTreeMap;
use std::time::Duration;

/// Ids of topics by name; empty if the broker has no topic ids.
pub type Ids = BTreeMap<String, String>;

/// How long a topic may seem to be missing: a broker that has just started does not know all topics yet.
const MISSING: Duration = Duration::from_secs(10);

/// The topics that a count began with.
#[derive(Clone, Debug)]
pub struct Identity {
    input: String,
    output: String,
    output_partitions: Option<usize>,
    names: Vec<String>,
    ids: Ids,
    /// The broker to ask, if not the controller.
    broker: Option<i32>,
    timeout: Duration,
}

impl Identity {
    /// The topics as they are now, and the topic `state`, if there is one.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub fn of(cluster: &Cluster, topics: &CountTopics, state: Option<String>) -> Result<Identity> {
        let CountTopics { input, output, dead_letters, ordered, .. } = topics.clone();
        let mut names: Vec<String> =
            [Some(input.clone()), Some(output.clone()), dead_letters, ordered, state].into_iter().flatten().collect();
        names.sort();
        names.dedup();
        let (found, broker) = cluster.describe(&names)?;
        names.retain(|name| found.contains_key(name));
        let output_partitions = found.get(&output).map(|topic| topic.partitions);
        let ids = found.into_iter().filter_map(|(name, topic)| Some((name, topic.id?))).collect();
        Ok(Identity { input, output, output_partitions, names, ids, broker, timeout: cluster.settings().timeout })
    }

    /// The ids at the start.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// The number of partitions of the topic of results, at the start.
    pub fn output_partitions(&self) -> Option<usize> {
        self.output_partitions
    }

    /// The id of the input topic.
    pub fn input_id(&self) -> Option<&str> {
        self.ids.get(&self.input).map(String::as_str)
    }

    /// Checks the topics; returns the current number of partitions of the input.
    ///
    /// # Errors
    /// If a topic is missing or replaced, or results would go to other partitions; an outage if the broker does not
    /// answer.
    pub fn check<C: ClientContext>(&self, client: &Client<C>) -> Result<usize> {
        let mut deadline = Deadline::after(self.timeout.min(MISSING)).every(Duration::from_millis(100));
        loop {
            let found = describe(client, self.broker, &self.names, self.timeout)
                .context("cannot check whether the topics are still the same")?;
            for (name, then) in &self.ids {
                match found.get(name).and_then(|topic| topic.id.as_ref()) {
                    Some(now) if now != then => return Err(self.another(name, then, now)),
                    _ => {}
                }
            }
            let partitions = found.get(&self.output).map(|topic| topic.partitions);
            same_partitions(&self.output, self.output_partitions, partitions)?;
            match self.names.iter().find(|name| !found.contains_key(*name)) {
                None => return Ok(found.get(&self.input).map_or(0, |topic| topic.partitions)),
                Some(_) if deadline.wait() => {}
                Some(name) => bail!(self.gone(name)),
            }
        }
    }

    fn another(&self, name: &str, then: &str, now: &str) -> anyhow::Error {
        if name != self.input {
            return anyhow!(
                "topic {name} is not the one that was written to (its id was {then}, now {now}): {ANOTHER_TOPIC}"
            );
        }
        anyhow!(
            "topic {name} was deleted and made anew while it was being read (its id was {then}, now {now}): no frame of the new \
             one is counted. `kuu count --recreate` deletes the results of the old one and counts the new one; another --group \
             and --output keep them"
        )
    }

    fn gone(&self, name: &str) -> String {
        match name == self.input {
            true => format!("topic {name} was deleted while it was being read: produce it again"),
            false => format!(
                "topic {name} was deleted while it was written to, and what it held is lost: `kuu count --recreate` counts from \
                 the start"
            ),
        }
    }
}

/// Checks that all results of a window go to one partition, which depends on their key and the number of partitions.
///
/// # Errors
/// If `output` had another number of partitions before.
pub fn same_partitions(output: &str, then: Option<usize>, now: Option<usize>) -> Result<()> {
    match then.zip(now) {
        Some((then, now)) if then != now => bail!(
            "topic {output} had {then} partitions and has {now}: corrections of a window would go to another one than its first \
             result, and have no order: `kuu count --recreate` writes all results anew"
        ),
        _ => Ok(()),
    }
}
