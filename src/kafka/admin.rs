//! Topics on Apache Kafka or the embedded broker: their names, their content, their creation.

use crate::kafka::client::background_close::Aside;
use crate::kafka::client::context::Context;
use crate::kafka::client::refusal;
use crate::kafka::client::settings::{Settings, unusable};
use crate::kafka::topics::topic_id::{Described, describe, substitute};
use crate::system::deadline::Deadline;
use anyhow::{Context as _, Result, anyhow, bail};
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, OwnedResourceSpecifier, ResourceSpecifier};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::time::Duration;

mod creation;

/// The longest timeout that librdkafka accepts for a request to the controller.
const LONGEST_REQUEST: Duration = Duration::from_secs(3600);

/// The offsets of a partition: `low..high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first offset.
    pub low: i64,
    /// The offset of the next message.
    pub high: i64,
}

impl Range {
    /// The number of offsets.
    pub fn len(&self) -> u64 {
        self.high.saturating_sub(self.low).max(0) as u64
    }

    /// Whether the range has no offsets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The configuration of a topic, as far as the broker reports it.
#[derive(Clone, Debug, Default)]
pub struct TopicConfig {
    /// The largest message that the topic accepts, in bytes.
    pub max_message_bytes: Option<usize>,
    /// How the broker removes old messages.
    pub cleanup_policy: Option<String>,
}

impl TopicConfig {
    /// Whether the broker removes messages with an older value of a key, so that every message needs a key.
    pub fn is_compacted(&self) -> Option<bool> {
        self.cleanup_policy.as_ref().map(|policy| policy.contains("compact"))
    }
}

/// A connection to look up and create topics.
pub struct Cluster {
    settings: Settings,
    consumer: Aside<BaseConsumer<Context>>,
    /// Created on first use.
    admin: OnceCell<Aside<AdminClient<Context>>>,
    embedded: Option<MockCluster<'static, DefaultProducerContext>>,
}

impl Cluster {
    /// Connects to the brokers of `settings`.
    ///
    /// # Errors
    /// If no broker answers within `settings.timeout`.
    pub fn connect(settings: &Settings) -> Result<Cluster> {
        let consumer = refusal::connect(settings, &[("group.id", "kuu-admin"), ("isolation.level", "read_committed")])?;
        let consumer = Aside::new(consumer);
        Ok(Cluster { settings: settings.clone(), consumer, admin: OnceCell::new(), embedded: None })
    }

    /// Starts an embedded broker, which lives as long as the returned value.
    ///
    /// # Errors
    /// If librdkafka cannot start it.
    pub fn embedded(settings: &Settings) -> Result<Cluster> {
        if let Some(protocol) =
            settings.property("security.protocol").filter(|it| !it.eq_ignore_ascii_case("plaintext"))
        {
            bail!("the embedded broker does not speak {protocol}: name a broker with --brokers HOST:PORT");
        }
        let mock = MockCluster::new(1).context("the embedded broker does not start")?;
        let settings = Settings { brokers: mock.bootstrap_servers(), ..settings.clone() };
        Ok(Cluster { embedded: Some(mock), ..Cluster::connect(&settings)? })
    }

    /// The settings of clients for these brokers.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether it is the embedded broker.
    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// The number of partitions of `topic`, none if there is no such topic.
    ///
    /// # Errors
    /// If the broker does not answer, or rejects the request.
    pub fn partitions(&self, topic: &str) -> Result<Option<usize>> {
        // A request for all topics omits those that the user may not see; a request for one topic names it.
        for ask in [None, Some(topic)] {
            let metadata = self.metadata(ask)?;
            let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { continue };
            return match found.error().map(RDKafkaErrorCode::from) {
                None => Ok(Some(found.partitions().len()).filter(|count| *count > 0)),
                Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(None),
                Some(code) => bail!("topic {topic}: {}", self.refused(code, "Describe", topic)),
            };
        }
        Ok(None)
    }

    fn metadata(&self, topic: Option<&str>) -> Result<Metadata> {
        let answer = self.consumer.fetch_metadata(topic, self.settings.timeout);
        answer.map_err(|error| self.why(error)).context("the broker gives no metadata")
    }

    /// Why a request failed: the refusal of the client, if the broker reported one.
    fn why(&self, error: KafkaError) -> anyhow::Error {
        refusal::hear(&self.consumer);
        match self.consumer.context().refusal() {
            Some(refusal) if refusal.is_final() => anyhow!(refusal.explain(&self.settings)),
            // The broker answered before, and may only be restarting: a caller that waits for this must see the
            // original error.
            Some(refusal) => anyhow!(error).context(refusal.of_one_that_is_gone().explain(&self.settings)),
            None => anyhow!(error),
        }
    }

    /// The topics of these names, with their ids, and the broker for further requests; missing topics are left out.
    ///
    /// # Errors
    /// If the broker does not answer, or rejects the request.
    pub fn describe(&self, topics: &[String]) -> Result<(BTreeMap<String, Described>, Option<i32>)> {
        let (client, timeout) = (self.consumer.client(), self.settings.timeout);
        let ask = || {
            let broker = substitute(client, timeout)?;
            Ok((describe(client, broker, topics, timeout)?, broker))
        };
        ask().map_err(|error| self.why(error)).context("the ids of the topics cannot be read")
    }

    /// The id of a topic, none if there is no such topic, or the broker has no topic ids.
    ///
    /// # Errors
    /// As [`Cluster::describe`].
    pub fn id(&self, topic: &str) -> Result<Option<String>> {
        let (mut found, _) = self.describe(&[topic.to_owned()])?;
        Ok(found.remove(topic).and_then(|topic| topic.id))
    }

    /// The names of all topics.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub fn topics(&self) -> Result<Vec<String>> {
        Ok(self.metadata(None)?.topics().iter().map(|topic| topic.name().to_owned()).collect())
    }

    /// The names of all consumer groups.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub fn groups(&self) -> Result<Vec<String>> {
        let groups = self.consumer.fetch_group_list(None, self.settings.timeout);
        let groups = groups.map_err(|error| self.why(error)).context("the broker does not name its groups")?;
        Ok(groups.groups().iter().map(|group| group.name().to_owned()).collect())
    }

    /// The offsets of each partition of `topic`, as a read_committed reader sees them.
    ///
    /// # Errors
    /// If the topic is missing, or the broker does not answer.
    pub fn ranges(&self, topic: &str) -> Result<Vec<Range>> {
        let count = self.partitions(topic)?.ok_or_else(|| anyhow!("there is no topic {topic}"))?;
        (0..count)
            .map(|partition| {
                let (low, high) = self
                    .watermarks(topic, partition as i32)
                    .map_err(|error| self.why(error))
                    .with_context(|| format!("topic {topic}, partition {partition}: its offsets cannot be read"))?;
                Ok(Range { low, high })
            })
            .collect()
    }

    /// The offsets of each partition of `topic`, open transactions included.
    ///
    /// # Errors
    /// As [`Cluster::ranges`].
    pub fn uncommitted_ranges(&self, topic: &str) -> Result<Vec<Range>> {
        let mut settings = self.settings.clone();
        settings.properties.push(("isolation.level".into(), "read_uncommitted".into()));
        Cluster::connect(&settings)?.ranges(topic)
    }

    /// The same as [`Cluster::ranges`], after a wait for transactions that are about to end, at most for `patience`: the
    /// brokers acknowledge a commit before its markers are in the partitions (KIP-98).
    ///
    /// # Errors
    /// As [`Cluster::ranges`].
    pub fn committed_ranges(&self, topic: &str, patience: Duration) -> Result<Vec<Range>> {
        let all = self.uncommitted_ranges(topic)?;
        let mut deadline = Deadline::after(patience);
        loop {
            let ranges = self.ranges(topic)?;
            let is_visible = ranges.iter().zip(&all).all(|(range, all)| range.high >= all.high);
            if is_visible || !deadline.wait() {
                return Ok(ranges);
            }
        }
    }

    /// Asks the leader of a partition, which may not know a new topic yet.
    fn watermarks(&self, topic: &str, partition: i32) -> KafkaResult<(i64, i64)> {
        use RDKafkaErrorCode::{LeaderNotAvailable, NotLeaderForPartition, UnknownTopicOrPartition};
        let mut deadline = Deadline::after(self.settings.timeout);
        loop {
            let answer = self.consumer.fetch_watermarks(topic, partition, self.settings.timeout);
            let code = answer.as_ref().err().and_then(KafkaError::rdkafka_error_code);
            let early = matches!(code, Some(LeaderNotAvailable | NotLeaderForPartition | UnknownTopicOrPartition));
            if !early || !deadline.wait() {
                return answer;
            }
        }
    }

    /// Whether `topic` holds any offset.
    ///
    /// # Errors
    /// As [`Cluster::ranges`].
    pub fn holds(&self, topic: &str) -> Result<bool> {
        Ok(self.ranges(topic)?.iter().any(|range| !range.is_empty()))
    }

    /// Deletes the positions of a group; a missing group is no error. The embedded broker keeps the positions.
    ///
    /// # Errors
    /// If the broker rejects the request.
    pub fn delete_group(&self, group: &str) -> Result<()> {
        if self.is_embedded() {
            return Ok(());
        }
        let deleted = futures_executor::block_on(self.admin()?.delete_groups(&[group], &self.admin_options()))
            .with_context(|| format!("the positions of group {group} cannot be deleted"))?;
        for result in deleted {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound)) => {}
                Err((_, error)) => {
                    let why =
                        refusal::lack(&self.settings, error, "Delete", group).unwrap_or_else(|| error.to_string());
                    bail!("the positions of group {group} cannot be deleted: {why}")
                }
            }
        }
        Ok(())
    }

    /// The configurations of topics.
    pub fn configs(&self, topics: &[&str]) -> Vec<TopicConfig> {
        let unknown = vec![TopicConfig::default(); topics.len()];
        // librdkafka's mock never answers this request: it would only time out.
        let id = self.consumer.client().fetch_cluster_id(self.settings.timeout);
        if self.is_embedded() || id.is_none_or(|id| id.starts_with("mockCluster")) {
            return unknown;
        }
        let soon = Some(self.settings.timeout.min(Duration::from_secs(5)));
        let options = AdminOptions::new().operation_timeout(soon).request_timeout(soon);
        let ask: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
        let Ok(admin) = self.admin() else { return unknown };
        let Ok(told) = futures_executor::block_on(admin.describe_configs(&ask, &options)) else { return unknown };
        let config = |topic: &&str| {
            let of = |told: &ConfigResource| told.specifier == OwnedResourceSpecifier::Topic((*topic).to_owned());
            let told = told.iter().flatten().find(|told| of(told))?;
            let value = |name| told.get(name).and_then(|entry| entry.value.clone());
            Some(TopicConfig {
                max_message_bytes: value("max.message.bytes").and_then(|bytes| bytes.parse().ok()),
                cleanup_policy: value("cleanup.policy"),
            })
        };
        topics.iter().map(|topic| config(topic).unwrap_or_default()).collect()
    }

    /// Whether a topic is compacted; none if the broker does not report it.
    pub fn is_compacted(&self, topic: &str) -> Option<bool> {
        self.configs(&[topic]).pop()?.is_compacted()
    }

    fn refused(&self, code: RDKafkaErrorCode, operation: &str, topic: &str) -> String {
        refusal::lack(&self.settings, code, operation, topic).unwrap_or_else(|| code.to_string())
    }

    fn admin(&self) -> Result<&AdminClient<Context>> {
        if let Some(admin) = self.admin.get() {
            return Ok(admin);
        }
        let admin = self.settings.client(&[]).create_with_context(Context::default()).map_err(unusable)?;
        Ok(self.admin.get_or_init(|| Aside::new(admin)))
    }

    fn admin_options(&self) -> AdminOptions {
        let timeout = Some(self.settings.timeout.min(LONGEST_REQUEST));
        AdminOptions::new().operation_timeout(timeout).request_timeout(timeout)
    }
}
