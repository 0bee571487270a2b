//! Topics and senders that fit what is sent.

use crate::kafka::admin::Cluster;
use crate::kafka::produce::frame_sender::Sender;
use crate::kafka::topics::count_topics::DEFAULT;
use crate::kafka::topics::limits::{alter, producer_kbytes};
use anyhow::{Result, bail};
use kuu_core::configuration::Compression;
use kuu_core::workload::Workload;

/// A sender of messages as large as the topic takes, with these other properties.
///
/// # Errors
/// If librdkafka rejects the configuration.
pub fn sender_for(cluster: &Cluster, topic: &str, compression: Compression, others: &[(&str, &str)]) -> Result<Sender> {
    let config = cluster.configs(&[topic]).pop().unwrap_or_default();
    let takes = config.max_message_bytes.unwrap_or(DEFAULT);
    // librdkafka has a minimum; the broker rejects messages between the topic's limit and that minimum.
    let (largest, batch) = (takes.clamp(1_000, 1_000_000_000).to_string(), takes.clamp(1, 1_000_000).to_string());
    let ours: [(&str, &str); 4] = [
        ("compression.type", compression.into()),
        ("message.max.bytes", &largest),
        ("batch.size", &batch),
        ("queue.buffering.max.kbytes", &producer_kbytes(takes)),
    ];
    let sender = Sender::new(cluster.settings(), topic, &[&ours, others].concat(), None)?;
    if config.is_compacted() != Some(true) {
        return Ok(sender);
    }
    Ok(sender.with_keys_only(format!(
        "topic {topic} is compacted, and takes no frame without a key, which is its uid: leave the line out, or let the topic \
         keep every frame: {}",
        alter(cluster.settings(), topic, "cleanup.policy=delete")
    )))
}

/// A sender of a workload's messages, as its file says.
///
/// # Errors
/// As [`sender_for`].
pub fn workload_sender(cluster: &Cluster, topic: &str, workload: &Workload) -> Result<Sender> {
    let delivery = &workload.delivery;
    let transactional = format!("kuu-workload-{topic}");
    let batch = delivery.batch_frames.map(|frames| frames.to_string());
    let mut ours = Vec::new();
    ours.extend(batch.as_deref().map(|frames| ("batch.num.messages", frames)));
    ours.extend(delivery.transactions.map(|_| ("transactional.id", transactional.as_str())));
    sender_for(cluster, topic, delivery.compression, &ours)
}

/// The configuration of a topic for a workload's messages.
///
/// # Errors
/// If the broker cannot have such a topic.
pub fn workload_topic(cluster: &Cluster, workload: &Workload) -> Result<Vec<(&'static str, String)>> {
    let delivery = &workload.delivery;
    if delivery.transactions.is_some() && cluster.is_embedded() {
        bail!("the embedded broker knows no transactions that are aborted: name a Kafka with --brokers");
    }
    Ok(delivery.max_message_bytes.map(|bytes| ("max.message.bytes", bytes.to_string())).into_iter().collect())
}
