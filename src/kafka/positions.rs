//! The positions of a group or a consumer in a topic.

use anyhow::{Context as _, Result};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;

/// The positions that `group`, the consumer's group, has committed for the first `partitions` partitions of a topic.
///
/// # Errors
/// If the brokers do not answer.
pub fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    group: &str,
    topic: &str,
    partitions: usize,
    timeout: Duration,
) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition(topic, partition as i32);
    }
    let found = consumer.committed_offsets(list, timeout);
    let found = found.with_context(|| format!("the positions of group {group} cannot be read"))?;
    // A partition with an error may still have a position.
    let mut told = found.elements_for_topic(topic).into_iter().map(|found| found.error());
    told.find(Result::is_err)
        .unwrap_or(Ok(()))
        .with_context(|| format!("the positions of group {group} cannot be read"))?;
    Ok(found)
}

/// The position of a partition, -1 if there is none.
pub fn position(positions: &TopicPartitionList, topic: &str, partition: usize) -> i64 {
    match positions.find_partition(topic, partition as i32).map(|found| found.offset()) {
        Some(Offset::Offset(offset)) => offset,
        _ => -1,
    }
}
