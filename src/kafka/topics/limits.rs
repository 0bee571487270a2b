//! The largest message of each topic of a count, the smallest allowed limit, and the size of a message.

use crate::kafka::admin::Cluster;
use crate::kafka::client::settings::Settings;
use crate::kafka::topics::count_topics::{CountTopics, DEFAULT, Limits};
use crate::terminal::count;
use anyhow::{Result, bail};
use kuu_core::counter::LARGEST_BLOCK;
use kuu_frame::MAX_UID;

/// The largest size of a batch of one record, a key and headers of kuu, without the value.
const AROUND: usize = 4096 + MAX_UID;
/// The largest size of a result, or of a dead letter without its value.
pub const SMALL: usize = 1024;
/// The largest size of a record of state.
const RECORD: usize = LARGEST_BLOCK + SMALL;

/// Reads the limits of the topics, which must exist, and of the state topic if there is one; rejects topics with limits
/// that are too low.
///
/// # Errors
/// If a limit is too low, or a topic has the wrong `cleanup.policy`.
pub fn limits_of(cluster: &Cluster, topics: &CountTopics, state: Option<&str>) -> Result<Limits> {
    let CountTopics { input, output, dead_letters, ordered, .. } = topics;
    let (dead_letters, ordered) = (dead_letters.as_deref(), ordered.as_deref());
    let names = [Some(input.as_str()), Some(output), dead_letters, ordered, state];
    let asked: Vec<&str> = names.into_iter().flatten().collect();
    let told = cluster.configs(&asked);
    let of = |name: Option<&str>| asked.iter().zip(&told).find(|(asked, _)| Some(**asked) == name).map(|it| it.1);
    let limit = |name| of(name).and_then(|config| config.max_message_bytes).unwrap_or(DEFAULT);
    let limits = Limits {
        output: limit(Some(output)),
        dead_letters: limit(dead_letters),
        ordered: limit(ordered),
        state: limit(state),
    };
    let settings = cluster.settings();
    for (name, takes, needs, what) in [
        (Some(output.as_str()), limits.output, SMALL, "results need"),
        (dead_letters, limits.dead_letters, SMALL, "dead letters need"),
        (ordered, limits.ordered, limit(Some(input)), "the frames of the input, which takes as much, need"),
        (state, limits.state, RECORD, "the state needs"),
    ] {
        if let Some(topic) = name.filter(|_| takes < needs) {
            bail!(
                "topic {topic} takes messages of {} bytes at most, {what} {}: {}",
                count(takes as u64),
                count(needs as u64),
                alter(settings, topic, &format!("max.message.bytes={needs}"))
            );
        }
    }
    if let Some(topic) = dead_letters
        && let Some(config) = of(dead_letters).filter(|config| config.is_compacted() == Some(true))
    {
        bail!(
            "topic {topic} has cleanup.policy={}, and takes no dead letter without a key, which is the uid of a frame: {}",
            config.cleanup_policy.as_deref().unwrap_or_default(),
            alter(settings, topic, "cleanup.policy=delete")
        );
    }
    if let Some(topic) = state
        && let Some(policy) = of(state).and_then(|config| config.cleanup_policy.as_deref())
        && policy != "compact"
    {
        bail!(
            "topic {topic} has cleanup.policy={policy}, so the broker deletes state that is still needed: {}",
            alter(settings, topic, "cleanup.policy=compact")
        );
    }
    Ok(limits)
}

/// The largest message of a topic, in bytes.
fn takes(cluster: &Cluster, topic: &str) -> usize {
    cluster.configs(&[topic]).first().and_then(|config| config.max_message_bytes).unwrap_or(DEFAULT)
}

/// The limit of new topics that must accept every message of `input`: its limit, and room for more headers.
pub fn to_take(cluster: &Cluster, input: &str) -> usize {
    (takes(cluster, input).max(DEFAULT) + AROUND).min(i32::MAX as usize)
}

/// The command that changes a setting of a topic.
pub fn alter(settings: &Settings, topic: &str, setting: &str) -> String {
    format!(
        "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {topic} --add-config {setting}",
        settings.brokers
    )
}

/// The size of a producer's queue that holds at least one message of a topic with this limit, in kilobytes: no line of
/// a file is longer than 128 MiB.
pub fn producer_kbytes(takes: usize) -> String {
    const LEAST: usize = 64 << 20;
    const MOST: usize = (128 << 20) + AROUND;
    (takes.clamp(LEAST, MOST) / 1024).to_string()
}

/// The largest size of a message as an uncompressed batch of its own: record batch (61 bytes), record (36), and two
/// lengths for each header.
pub fn wire_bytes(key: usize, value: usize, headers: impl IntoIterator<Item = usize>) -> usize {
    97 + key + value + headers.into_iter().map(|header| 10 + header).sum::<usize>()
}
