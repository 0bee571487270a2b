//! Creates and deletes topics.

use crate::kafka::admin::Cluster;
use crate::system::deadline::Deadline;
use anyhow::{Context as _, Result, bail};
use rdkafka::admin::{NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;
use std::time::Duration;

impl Cluster {
    /// Creates a topic. A replication factor of -1 is the broker's default. A topic that somebody else creates at the
    /// same time is accepted.
    ///
    /// # Errors
    /// If the broker rejects the request.
    pub fn create(&self, topic: &str, partitions: usize, replication: i32, config: &[(&str, &str)]) -> Result<()> {
        if let Some(mock) = &self.embedded {
            return mock
                .create_topic(topic, partitions as i32, 1)
                .with_context(|| format!("topic {topic} cannot be made"));
        }
        let new = new_topic(topic, partitions, replication, config);
        // The broker may still be deleting an old topic of this name.
        let mut deadline = Deadline::after(self.settings.timeout).every(Duration::from_millis(50));
        loop {
            let made = futures_executor::block_on(self.admin()?.create_topics([&new], &self.admin_options()))
                .with_context(|| format!("topic {topic} cannot be made"))?;
            match made.into_iter().next() {
                Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) if !deadline.is_over() => {
                    if self.partitions(topic)?.is_some() {
                        break;
                    }
                    deadline.wait();
                }
                Some(Err((_, code))) => bail!("topic {topic} cannot be made: {}", self.refused(code, "Create", topic)),
                _ => break,
            }
        }
        let mut deadline = deadline.every(Duration::from_millis(10));
        while self.partitions(topic)?.is_none() {
            if !deadline.wait() {
                bail!("topic {topic} was made, but the broker does not show it");
            }
        }
        Ok(())
    }

    /// Checks that such a topic can be created, before an old one of that name is deleted.
    ///
    /// # Errors
    /// If the broker would reject it. A missing right is no error: the check uses another topic name.
    pub fn check_creation(
        &self,
        topic: &str,
        partitions: usize,
        replication: i32,
        config: &[(&str, &str)],
    ) -> Result<()> {
        if self.is_embedded() {
            return Ok(());
        }
        let name = format!("kuu-check-{}", std::process::id());
        let new = new_topic(&name, partitions, replication, config);
        let options = self.admin_options().validate_only(true);
        let checked = futures_executor::block_on(self.admin()?.create_topics([&new], &options))
            .with_context(|| format!("topic {topic} cannot be made"))?;
        match checked.into_iter().next() {
            Some(Err((
                _,
                RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed,
            ))) => Ok(()),
            Some(Err((_, code))) => bail!(
                "topic {topic} is left as it is, as it cannot be made anew with {partitions} partitions and {}: {code}",
                match replication {
                    -1 => "the broker's replication factor".to_owned(),
                    _ => format!("replication factor {replication}"),
                }
            ),
            _ => Ok(()),
        }
    }

    /// Deletes topics with their content, and waits until the broker no longer lists them: until then readers may still
    /// get the old messages. Missing topics are no error. The embedded broker keeps its topics.
    ///
    /// # Errors
    /// If the broker rejects the request.
    pub fn delete(&self, topics: &[&str]) -> Result<()> {
        if self.is_embedded() || topics.is_empty() {
            return Ok(());
        }
        let deleted = futures_executor::block_on(self.admin()?.delete_topics(topics, &self.admin_options()))
            .with_context(|| format!("topics {} cannot be deleted", topics.join(", ")))?;
        for result in deleted {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((topic, code)) => {
                    bail!("topic {topic} cannot be deleted: {}", self.refused(code, "Delete", &topic))
                }
            }
        }
        let mut deadline = Deadline::after(self.settings.timeout);
        for topic in topics {
            while self.partitions(topic)?.is_some() {
                if !deadline.wait() {
                    bail!("topic {topic} was deleted, but the broker still shows it: see that no client makes it anew");
                }
            }
        }
        Ok(())
    }
}

fn new_topic<'a>(topic: &'a str, partitions: usize, replication: i32, config: &[(&'a str, &'a str)]) -> NewTopic<'a> {
    let new = NewTopic::new(topic, partitions as i32, TopicReplication::Fixed(replication));
    config.iter().fold(new, |new, (key, value)| new.set(key, value))
}
