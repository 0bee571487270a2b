//! How many partitions the embedded broker needs, and whether a topic still holds all frames.

use crate::kafka::admin::{Cluster, Range};
use anyhow::{Result, bail};

/// A partition of the embedded broker keeps at least this many bytes of messages: it drops the oldest ones beyond 5 MiB
/// or 100,000, without an error.
const EMBEDDED_PARTITION_BYTES: f64 = 5.0 * 1024.0 * 1024.0;
/// How much more the fullest partition holds than the mean, as users are not spread evenly.
const SKEW: f64 = 1.6;

/// The number of partitions for `bytes` bytes of frames that compress to `ratio` of their size.
pub fn embedded_partitions(bytes: u64, ratio: f64) -> usize {
    ((bytes as f64 * ratio * SKEW / EMBEDDED_PARTITION_BYTES).ceil() as usize).clamp(4, 1024)
}

/// The broker dropped messages that it had acknowledged, as the embedded one does when a partition is full.
#[derive(Debug, thiserror::Error)]
#[error(
    "the broker dropped the oldest frames of topic {topic}, partition {partition} (low watermark {low}): use more --partitions"
)]
pub struct Dropped {
    topic: String,
    partition: usize,
    low: i64,
}

/// Checks that the topic still holds all frames that were sent to it.
///
/// # Errors
/// If the broker dropped messages: then measurements of this topic mean nothing.
pub fn guard(cluster: &Cluster, topic: &str, frames: u64) -> Result<Vec<Range>> {
    let ranges = cluster.ranges(topic)?;
    if let Some(partition) = ranges.iter().position(|range| range.low != 0) {
        return Err(Dropped { topic: topic.into(), partition, low: ranges[partition].low }.into());
    }
    let held: u64 = ranges.iter().map(Range::len).sum();
    if held != frames {
        bail!("topic {topic} holds {held} frames instead of {frames}");
    }
    Ok(ranges)
}
