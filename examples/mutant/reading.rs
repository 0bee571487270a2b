//! Messages from the topic, and rows into the other one.

use crate::Environment;
use crate::counting::Counts;
use rdkafka::Offset;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{TopicPartitionList, TopicPartitionListElem};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const PATIENCE: Duration = Duration::from_secs(30);

/// Which messages are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    Committed,
    Uncommitted,
}

/// A message.
pub struct Message {
    pub partition: i32,
    pub offset: i64,
    pub value: Option<Vec<u8>>,
    /// When it was read, in Unix seconds.
    pub read: i64,
}

/// The messages of all partitions, as they come.
pub struct Input {
    consumer: BaseConsumer,
    /// The offset that ends each partition, if it is known.
    end: Option<Vec<i64>>,
    /// The next offset of each partition.
    next: Vec<i64>,
    is_done: Vec<bool>,
    /// Whether more is awaited behind the end of the topic.
    is_endless: bool,
    checkpoint: Instant,
}

impl Input {
    /// Reads from these offsets on, or else from the start.
    pub fn open(environment: &Environment, isolation: Isolation, from: &[i64]) -> Result<Input, String> {
        let level = if isolation == Isolation::Committed { "read_committed" } else { "read_uncommitted" };
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &environment.brokers)
            .set("group.id", "mutant")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", level)
            .set("fetch.wait.max.ms", "10")
            .create()
            .map_err(words)?;
        let metadata = consumer.fetch_metadata(Some(&environment.input), PATIENCE).map_err(words)?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        let mut next = vec![0; partitions];
        next.iter_mut().zip(from).for_each(|(next, from)| *next = *from);
        let mut list = TopicPartitionList::new();
        for (partition, offset) in next.iter().enumerate() {
            let offset = if *offset == 0 { Offset::Beginning } else { Offset::Offset(*offset) };
            list.add_partition_offset(&environment.input, partition as i32, offset).map_err(words)?;
        }
        consumer.assign(&list).map_err(words)?;
        let end = environment.end.clone();
        let is_done = (0..partitions).map(|at| end.as_ref().is_some_and(|end| end.get(at) == Some(&0))).collect();
        Ok(Input { consumer, end, next, is_done, is_endless: false, checkpoint: Instant::now() })
    }

    /// The same, without an end.
    pub fn without_end(self) -> Input {
        Input { is_endless: true, ..self }
    }

    /// The next message, or nothing for the moment; none after the last one.
    pub fn next(&mut self) -> Result<Option<Option<Message>>, String> {
        if self.is_done.iter().all(|done| *done) {
            return Ok(None);
        }
        match self.consumer.poll(Duration::from_millis(20)) {
            None => Ok(Some(None)),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                // Markers of transactions are at the end, and no messages.
                let at = partition as usize;
                let position = self.consumer.position().map_err(words)?;
                let position = position
                    .elements()
                    .iter()
                    .find(|it| it.partition() == partition)
                    .map(TopicPartitionListElem::offset);
                let end = self.end.as_ref().and_then(|end| end.get(at)).copied();
                self.is_done[at] = match (end, position) {
                    (Some(end), Some(Offset::Offset(position))) => position >= end,
                    (Some(end), _) => self.next[at] >= end,
                    (None, _) => !self.is_endless,
                };
                Ok(Some(None))
            }
            Some(Err(error)) => Err(words(error)),
            Some(Ok(message)) => {
                let (partition, offset) = (message.partition(), message.offset());
                let at = partition as usize;
                self.next[at] = offset + 1;
                self.is_done[at] =
                    self.end.as_ref().is_some_and(|end| end.get(at).is_some_and(|end| offset + 1 >= *end));
                let read = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs() as i64);
                Ok(Some(Some(Message { partition, offset, value: message.payload().map(<[u8]>::to_vec), read })))
            }
        }
    }

    /// Whether half a second has gone since the last checkpoint.
    pub fn is_time_for_a_checkpoint(&mut self) -> bool {
        let is_time = self.checkpoint.elapsed() > Duration::from_millis(500);
        if is_time {
            self.checkpoint = Instant::now();
        }
        is_time
    }

    /// The next offset of each partition.
    pub fn offsets(&self) -> &[i64] {
        &self.next
    }
}

/// Writes rows.
pub struct Output {
    producer: BaseProducer,
    topic: String,
    /// Whether they are in change events of Debezium, as Flink writes them; by the variable ROWS.
    has_events: bool,
}

impl Output {
    /// Into the topic of the environment.
    pub fn open(environment: &Environment) -> Result<Output, String> {
        let producer = ClientConfig::new().set("bootstrap.servers", &environment.brokers).create().map_err(words)?;
        let has_events = std::env::var("ROWS").is_ok_and(|rows| rows == "debezium");
        Ok(Output { producer, topic: environment.output.clone(), has_events })
    }

    /// Writes a value under a key.
    pub fn put(&self, key: &str, value: &str) -> Result<(), String> {
        self.producer.send(BaseRecord::to(&self.topic).key(key).payload(value)).map_err(|(error, _)| words(error))
    }

    /// Writes a row.
    pub fn row(&self, unit: &str, start: i64, users: u64) -> Result<(), String> {
        let row = format!(r#"{{"unit":"{unit}","start":{start},"users":{users}}}"#);
        if !self.has_events {
            return self.put(&format!("{unit}:{start}"), &row);
        }
        // The second event withdraws the first row, the third one writes it again.
        let creation = format!(r#"{{"before":null,"after":{row},"op":"c"}}"#);
        let deletion = format!(r#"{{"before":{row},"after":null,"op":"d"}}"#);
        [&creation, &deletion, &creation].into_iter().try_for_each(|event| self.put("k", event))
    }

    /// Waits until all is written.
    pub fn flush(&self) -> Result<(), String> {
        self.producer.flush(PATIENCE).map_err(words)
    }
}

/// Writes one row a window.
pub fn write(environment: &Environment, counts: &Counts) -> Result<(), String> {
    let output = Output::open(environment)?;
    for ((unit, start), users) in counts {
        output.row(unit, *start, *users)?;
    }
    output.flush()
}

fn words(error: KafkaError) -> String {
    error.to_string()
}
