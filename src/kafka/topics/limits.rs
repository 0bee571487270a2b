//! How large a message each topic of a count takes, what it must take at least, and what a message comes to.

use crate::kafka::admin::Cluster;
use crate::kafka::client::settings::Settings;
use crate::kafka::topics::count_topics::{CountTopics, DEFAULT, Limits};
use anyhow::{Result, bail};
use kuu_core::counter::LARGEST_BLOCK;
use kuu_frame::MAX_UID;

/// The most that a batch of one record, a key and headers of kuu's add to a value.
const AROUND: usize = 4096 + MAX_UID;
/// What results, and dead letters without their value, come to.
pub const SMALL: usize = 1024;
/// What a record of state comes to.
const RECORD: usize = LARGEST_BLOCK + SMALL;

/// Asks for the limits of the topics, all of which are there, and of the state's if there is one; refuses those that do
/// not take what they will get.
///
/// # Errors
/// If one takes too little, or the state's forgets.
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
                "topic {topic} takes messages of {takes} bytes at most, {what} {needs}: {}",
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

/// The largest message that a topic takes, in bytes.
fn takes(cluster: &Cluster, topic: &str) -> usize {
    cluster.configs(&[topic]).first().and_then(|config| config.max_message_bytes).unwrap_or(DEFAULT)
}

/// What topics are made with that take whatever `input` does: a frame with more around it.
pub fn to_take(cluster: &Cluster, input: &str) -> usize {
    (takes(cluster, input).max(DEFAULT) + AROUND).min(i32::MAX as usize)
}

/// How a setting of a topic is changed.
pub fn alter(settings: &Settings, topic: &str, setting: &str) -> String {
    format!(
        "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {topic} --add-config {setting}",
        settings.brokers
    )
}

/// The memory that a producer's queue needs for one message of a topic that takes so much, in kilobytes: no line of a
/// file is longer than 128 MiB.
pub fn producer_kbytes(takes: usize) -> String {
    const LEAST: usize = 64 << 20;
    const MOST: usize = (128 << 20) + AROUND;
    (takes.clamp(LEAST, MOST) / 1024).to_string()
}

/// The most that a message comes to as a batch of its own that is not compressed: record batch (61 bytes), record (36),
/// and for each header two lengths.
pub fn wire_bytes(key: usize, value: usize, headers: impl IntoIterator<Item = usize>) -> usize {
    97 + key + value + headers.into_iter().map(|header| 10 + header).sum::<usize>()
}
