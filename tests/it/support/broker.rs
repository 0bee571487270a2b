//! The embedded broker of the tests, and functions that read from a broker and write to it.

use crate::support::kuu::{PATIENCE, eventually};
use crate::support::start::without_starts;
use crate::support::wire::Row;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// librdkafka's mock cluster: it speaks the protocol on a port, but creates no topics on request, and keeps 5 MiB and
/// 100,000 messages in each partition.
pub struct Mock {
    cluster: MockCluster<'static, DefaultProducerContext>,
    pub address: String,
}

impl Mock {
    /// A broker with the topics `messages`, of this number of partitions, and `output`, of one, for the group `kuu`.
    pub fn new(partitions: i32) -> Mock {
        let mock = Mock::empty();
        mock.topic("messages", partitions);
        mock.topic("output", 1);
        mock.group("kuu");
        mock
    }

    /// A broker without topics.
    pub fn empty() -> Mock {
        let cluster = MockCluster::new(1).unwrap();
        let address = cluster.bootstrap_servers();
        Mock { cluster, address }
    }

    /// Creates a topic.
    pub fn topic(&self, name: &str, partitions: i32) {
        self.cluster.create_topic(name, partitions, 1).unwrap();
    }

    /// Creates the state topic of a group.
    pub fn group(&self, name: &str) {
        self.topic(&format!("{name}-state"), 1);
    }

    /// Closes every connection and accepts no new ones; the port stays its own.
    pub fn down(&self) {
        let _none = without_starts();
        self.cluster.broker_down(1).unwrap();
    }

    /// Accepts connections again, on the same port.
    pub fn up(&self) {
        self.cluster.broker_up(1).unwrap();
    }

    /// Answers the next requests of this kind with these errors.
    pub fn refuse(&self, kind: RDKafkaApiKey, errors: &[RDKafkaRespErr]) {
        self.cluster.request_errors(kind, errors);
    }

    /// Waits this long before every answer.
    pub fn delay(&self, time: Duration) {
        self.cluster.broker_round_trip_time(1, time).unwrap();
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
}

fn headers(message: &BorrowedMessage<'_>) -> Vec<(String, Vec<u8>)> {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    headers.map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec())).collect()
}

fn client(address: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address).set("client.id", "kuu-tests");
    config
}

/// Every committed message of a topic, by partition and offset.
pub fn read(address: &str, topic: &str) -> Vec<Message> {
    let consumer: BaseConsumer = client(address)
        .set("group.id", "kuu-tests")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "5")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions(address, topic) {
        list.add_partition_offset(topic, partition, Offset::Offset(0)).unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut ended = BTreeSet::new();
    let mut messages = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while ended.len() < list.count() {
        assert!(Instant::now() < deadline, "topic {topic} has no end");
        match consumer.poll(Duration::from_millis(20)) {
            Some(Ok(message)) => messages.push(Message {
                partition: message.partition(),
                offset: message.offset(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers: headers(&message),
            }),
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(ended.insert(partition)),
            Some(Err(error)) => eprintln!("{error}"),
            None => {}
        }
    }
    messages.sort_by_key(|message| (message.partition, message.offset));
    messages
}

/// The number of partitions of a topic, 0 if it is missing.
pub fn partitions(address: &str, topic: &str) -> i32 {
    let consumer: BaseConsumer = client(address).create().unwrap();
    // A request for one topic could create it.
    let metadata = consumer.fetch_metadata(None, PATIENCE).unwrap();
    metadata.topics().iter().find(|found| found.name() == topic).map_or(0, |found| found.partitions().len() as i32)
}

/// The end offset of each partition of a topic for a read_committed reader, empty if the topic is missing.
pub fn ends(address: &str, topic: &str) -> Vec<i64> {
    ends_for(address, topic, "read_committed")
}

/// Whether a transaction with records in the topic is open.
pub fn is_in_transaction(address: &str, topic: &str) -> bool {
    ends(address, topic) != ends_for(address, topic, "read_uncommitted")
}

fn ends_for(address: &str, topic: &str, isolation: &str) -> Vec<i64> {
    let consumer: BaseConsumer = client(address).set("isolation.level", isolation).create().unwrap();
    // A new topic may have no leader yet.
    let end = |partition| {
        let ask = || consumer.fetch_watermarks(topic, partition, PATIENCE).ok();
        eventually("the end of a partition", ask).1
    };
    (0..partitions(address, topic)).map(end).collect()
}

pub fn rows(address: &str, topic: &str) -> Vec<Row> {
    let row = |message: &Message| {
        let row = Row::parse(message.value.as_deref().unwrap());
        assert_eq!(message.key.as_deref(), Some(format!("{}:{}", row.unit, row.start).as_bytes()));
        row
    };
    read(address, topic).iter().map(row).collect()
}

/// The values of a topic with one partition, in the order of their offsets.
pub fn values(address: &str, topic: &str) -> Vec<Vec<u8>> {
    read(address, topic).into_iter().map(|message| message.value.unwrap()).collect()
}

/// Writes one message to partition 0.
pub fn write(address: &str, topic: &str, key: &str, value: Option<&str>) {
    write_to(address, topic, 0, key, value);
}

/// Writes one message to a partition.
pub fn write_to(address: &str, topic: &str, partition: i32, key: &str, value: Option<&str>) {
    let producer: BaseProducer = client(address).create().unwrap();
    let mut record = BaseRecord::<str, str>::to(topic).partition(partition).key(key);
    if let Some(value) = value {
        record = record.payload(value);
    }
    assert!(producer.send(record).is_ok());
    producer.flush(PATIENCE).unwrap();
}

/// Commits a position of partition 0 for a group, with a note.
pub fn commit(address: &str, group: &str, topic: &str, offset: i64, note: &str) {
    let consumer: BaseConsumer = client(address).set("group.id", group).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(offset)).unwrap();
    list.find_partition(topic, 0).unwrap().set_metadata(note);
    eventually("a commit", || consumer.commit(&list, CommitMode::Sync).ok());
}

/// The committed positions of a group, -1 if there is none.
pub fn committed(address: &str, group: &str, topic: &str) -> Vec<i64> {
    // Otherwise the request waits until the transaction of a killed process times out.
    let mut config = client(address);
    config.set("group.id", group).set("isolation.level", "read_uncommitted");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    let count = partitions(address, topic);
    for partition in 0..count {
        list.add_partition(topic, partition);
    }
    // The first group of a broker has no coordinator at first.
    let ask = || consumer.committed_offsets(list.clone(), PATIENCE).ok();
    let found = eventually("the positions of a group", ask);
    let position = |partition| match found.find_partition(topic, partition).unwrap().offset() {
        Offset::Offset(at) => at,
        _ => -1,
    };
    (0..count).map(position).collect()
}
