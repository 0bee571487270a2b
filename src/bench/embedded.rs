//! How many partitions the embedded broker needs, and whether a topic still holds all frames.

use crate::kafka::admin::{Cluster, Range};
use anyhow::{Result, bail};

/// A partition of the embedded broker keeps so many bytes, and so many messages: it drops the oldest ones beyond that, without
/// an error.
const EMBEDDED_PARTITION_BYTES: f64 = 5.0 * 1024.0 * 1024.0;
const EMBEDDED_PARTITION_FRAMES: f64 = 100_000.0;
/// How much more the fullest partition holds than the mean, as users are not spread evenly.
const SKEW: f64 = 1.6;

/// The number of partitions for so many frames of `bytes` bytes in all that compress to `ratio` of their size.
pub fn embedded_partitions(frames: u64, bytes: u64, ratio: f64) -> usize {
    let by_bytes = bytes as f64 * ratio / EMBEDDED_PARTITION_BYTES;
    let by_frames = frames as f64 / EMBEDDED_PARTITION_FRAMES;
    ((by_bytes.max(by_frames) * SKEW).ceil() as usize).clamp(4, 1024)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_have_room_for_bytes_and_for_frames() {
        assert_eq!(embedded_partitions(50_000, 104_000_000, 0.8), 26);
        assert_eq!(embedded_partitions(1_000_000, 40_000_000, 0.8), 16);
        assert_eq!((embedded_partitions(1, 1, 1.0), embedded_partitions(u64::MAX, 1, 1.0)), (4, 1024));
    }
}
