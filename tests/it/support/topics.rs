//! Topics on a real broker, with names of one test only; the test creates and reads them, and they are deleted at its
//! end.

use crate::support::broker;
use crate::support::kuu::{PATIENCE, eventually};
use futures_executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The address of the real broker.
pub fn address() -> String {
    std::env::var("KUU_TEST_BROKERS").unwrap_or_else(|_| "localhost:9092".into())
}

/// The names of two topics of one test, and of everything that belongs to them.
pub struct Topics {
    pub address: String,
    /// The topic of the frames.
    pub messages: String,
    /// The topic of the results.
    pub output: String,
}

impl Topics {
    /// Names on the real broker. Fails if there is none: a test that did not run proves nothing.
    pub fn new(test: &str) -> Topics {
        Topics::at(&address(), test)
    }

    /// Names on another broker.
    pub fn at(address: &str, test: &str) -> Topics {
        let address = address.to_owned();
        let admin: BaseProducer = ClientConfig::new().set("bootstrap.servers", &address).create().unwrap();
        let answer = admin.client().fetch_metadata(None, Duration::from_secs(20));
        answer
            .unwrap_or_else(|e| panic!("no Kafka at {address} ({e}): scripts/kafka.sh start, or set KUU_TEST_BROKERS"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let name = |kind: &str| format!("kuu-test-{test}-{kind}-{now}");
        Topics { address, messages: name("messages"), output: name("output") }
    }

    /// The options that name topics and group, for `count`.
    pub fn counting(&self) -> String {
        format!("--topic {} --output {} --group {}", self.messages, self.output, self.messages)
    }

    /// The topic of the group's state.
    pub fn state(&self) -> String {
        format!("{}-state", self.messages)
    }

    /// Creates a topic with these properties.
    pub fn make(&self, name: &str, partitions: i32, properties: &[(&str, &str)]) {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (key, value) in properties {
            topic = topic.set(key, value);
        }
        for made in block_on(admin(&self.address).create_topics([&topic], &options())).unwrap() {
            made.unwrap();
        }
        eventually("the topic", || (broker::partitions(&self.address, name) == partitions).then_some(()));
    }

    /// Adds partitions to a topic, up to `partitions` in all.
    pub fn grow(&self, name: &str, partitions: i32) {
        let more = NewPartitions::new(name, partitions as usize);
        for grown in block_on(admin(&self.address).create_partitions(&[more], &options())).unwrap() {
            grown.unwrap();
        }
        eventually("the partitions", || (broker::partitions(&self.address, name) == partitions).then_some(()));
    }

    /// Sets properties of a topic; all others get their defaults.
    pub fn set(&self, name: &str, properties: &[(&str, &str)]) {
        let mut change = AlterConfig::new(ResourceSpecifier::Topic(name));
        for (key, value) in properties {
            change = change.set(key, value);
        }
        for changed in block_on(admin(&self.address).alter_configs([&change], &options())).unwrap() {
            changed.unwrap();
        }
    }

    /// Deletes the messages of a partition before `offset`.
    pub fn remove(&self, name: &str, partition: i32, offset: Offset) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(name, partition, offset).unwrap();
        block_on(admin(&self.address).delete_records(&list, &options())).unwrap();
    }

    /// Deletes a topic.
    pub fn delete(&self, name: &str) {
        for deleted in block_on(admin(&self.address).delete_topics(&[name], &options())).unwrap() {
            deleted.unwrap();
        }
    }

    /// The names of all topics of the broker.
    pub fn all(&self) -> Vec<String> {
        let metadata = self.client().fetch_metadata(None, PATIENCE).unwrap();
        metadata.topics().iter().map(|topic| topic.name().to_owned()).collect()
    }

    /// The names of all consumer groups of the broker.
    pub fn groups(&self) -> Vec<String> {
        let groups = self.client().fetch_group_list(None, PATIENCE).unwrap();
        groups.groups().iter().map(|group| group.name().to_owned()).collect()
    }

    /// Deletes a consumer group.
    pub fn delete_group(&self, name: &str) {
        for deleted in block_on(admin(&self.address).delete_groups(&[name], &options())).unwrap() {
            deleted.unwrap();
        }
    }

    fn client(&self) -> BaseConsumer {
        ClientConfig::new().set("bootstrap.servers", &self.address).create().unwrap()
    }

    /// A property of a topic, as the broker reports it.
    pub fn property(&self, topic: &str, name: &str) -> Option<String> {
        let ask = [ResourceSpecifier::Topic(topic)];
        let answer = block_on(admin(&self.address).describe_configs(&ask, &options())).unwrap();
        answer.into_iter().next()?.unwrap().get(name)?.value.clone()
    }

    pub fn transactional(&self) -> BaseProducer {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.address)
            .set("transactional.id", format!("{}-other", self.messages))
            .create()
            .unwrap();
        producer.init_transactions(PATIENCE).unwrap();
        producer
    }
}

/// Sends keys and values to one partition, in a transaction that has begun.
pub fn send(producer: &BaseProducer, topic: &str, partition: i32, messages: &[(String, Vec<u8>)]) {
    for (key, value) in messages {
        assert!(producer.send(BaseRecord::to(topic).partition(partition).key(key).payload(value)).is_ok());
    }
    producer.flush(PATIENCE).unwrap();
}

fn admin(address: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", address).create().unwrap()
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE))
}

impl Drop for Topics {
    fn drop(&mut self) {
        // Some tests delete their topics, others never create them.
        let names = [self.messages.as_str(), self.output.as_str(), &self.state()];
        drop(block_on(admin(&self.address).delete_topics(&names, &options())));
    }
}
