//! The topic that `kuu produce` fills: its receipt, its content before, its producer.

use crate::cli::ProduceArgs;
use crate::commands::session::receipts::{self, PRODUCE, Receipt};
use crate::commands::session::{Session, topics};
use crate::kafka::admin::{Cluster, Range};
use crate::kafka::produce::frame_sender::SendReport;
use crate::terminal::{complain, plural};
use anyhow::{Result, bail};
use kuu_core::configuration::{Configuration, ProduceConfig};
use kuu_core::record::{Record, Source, Topic};

/// Writes a receipt before any frame is sent. If it is the last receipt, the run did not end, and the content of the
/// topic is unknown.
pub(super) fn begin(arguments: &ProduceArgs, session: &Session, topic: &Topic) -> Result<()> {
    let begun =
        Record { topic: Some(topic.clone()), ..session.record(Configuration::Produce, config(arguments, false)) };
    receipts::store(session, topic, &begun).map(drop)
}

/// Deletes the topic. Marks its receipt as incomplete first, and restores it if the deletion fails.
fn delete(arguments: &ProduceArgs, session: &Session, cluster: &Cluster) -> Result<()> {
    let topic = receipts::topic(cluster, &arguments.topic);
    let earlier = receipts::find(session, PRODUCE, &topic)?;
    begin(arguments, session, &topic)?;
    let deleted = cluster.delete(&[&arguments.topic]);
    if let (Err(_), Some(Receipt { record, .. })) = (&deleted, earlier) {
        receipts::store(session, &topic, &record)?;
    }
    deleted
}

/// The content of a topic to which frames are added.
#[derive(Default)]
pub(super) struct Earlier {
    /// The sources in its receipt.
    pub(super) input: Vec<Source>,
    /// Number of frames without a receipt.
    pub(super) unlisted: u64,
}

/// Prepares the topic; returns its earlier content, if frames are added to it.
pub(super) fn prepare(
    arguments: &ProduceArgs,
    session: &Session,
    cluster: &Cluster,
    config: &[(&str, &str)],
) -> Result<Earlier> {
    let topic = &arguments.topic;
    topics::no_state(topic, cluster)?;
    let (partitions, replication) = (arguments.partitions.into(), arguments.replication_factor.into());
    if arguments.recreate {
        cluster.check_creation(topic, partitions, replication, config)?;
        delete(arguments, session, cluster)?;
    }
    if arguments.recreate || cluster.partitions(topic)?.is_none() {
        cluster.create(topic, partitions, replication, config)?;
        return Ok(Earlier::default());
    }
    let ranges = cluster.ranges(topic)?;
    let held: u64 = ranges.iter().map(Range::len).sum();
    if held > 0 && !arguments.append {
        // A workload needs a topic of its own.
        let append = if arguments.workload.is_none() { "--append adds to them, " } else { "" };
        bail!(
            "topic {topic} already holds {}: {append}--recreate deletes the topic with all it holds first",
            plural(held, "frame")
        );
    }
    // Frames that retention removed were produced, and perhaps counted, all the same.
    if !arguments.append || ranges.iter().all(|range| range.high == 0) {
        return Ok(Earlier::default());
    }
    let Some(Receipt { record, .. }) = receipts::find(session, PRODUCE, &receipts::topic(cluster, topic))? else {
        return Ok(Earlier { input: Vec::new(), unlisted: held });
    };
    receipts::complete(&record)?;
    // No file has the frames of a workload.
    if record.configuration.produce().is_some_and(|config| config.workload.is_some()) {
        return Ok(Earlier { input: Vec::new(), unlisted: held });
    }
    Ok(Earlier { unlisted: receipts::unlisted(&record), input: record.input })
}

/// The topic of a receipt: one that was replaced meanwhile has no id, as what the new one holds is unknown, too.
pub(super) fn of_either(topic: &Topic, is_replaced: bool) -> Topic {
    Topic { id: topic.id.clone().filter(|_| !is_replaced), ..topic.clone() }
}

/// The error if the topic no longer has the id that it had before the first frame: many brokers create a missing topic,
/// and then acknowledge later frames.
pub(super) fn replaced(session: &Session, cluster: &Cluster, topic: &Topic) -> Option<String> {
    let Topic { name, id: then, .. } = topic;
    if session.stop.interrupted() {
        return None;
    }
    // All frames are acknowledged: a broker that is away now is no reason to doubt them.
    let now = cluster.id(name).ok()?;
    (now != *then).then(|| {
        format!(
            "topic {name} was deleted while it was filled, and what was sent before is gone with it: fill it anew with `kuu \
             produce --recreate FILE`"
        )
    })
}

/// The sum of the end offsets of a topic.
pub(super) fn ends(cluster: &Cluster, topic: &str) -> Result<u64> {
    Ok(cluster.ranges(topic)?.iter().map(|range| range.high.max(0) as u64).sum())
}

/// How many offsets other producers took while the topic was filled, such as another `kuu produce`. If the number of
/// this run's frames is unknown, the receipt says so already, and this returns 0.
pub(super) fn foreign(session: &Session, cluster: &Cluster, topic: &str, before: u64, outcome: &SendReport) -> u64 {
    let ours = before + outcome.delivered;
    if session.stop.interrupted() || outcome.unknown > 0 {
        return 0;
    }
    // A broker that is away now is no reason to doubt the frames that it acknowledged.
    let foreign = ends(cluster, topic).map_or(0, |now| now.saturating_sub(ours));
    if foreign > 0 {
        complain(format!(
            "topic {topic} also got {} from another producer meanwhile: `kuu verify` needs the names of all files",
            plural(foreign, "message")
        ));
    }
    foreign
}

pub(super) fn config(arguments: &ProduceArgs, complete: bool) -> ProduceConfig {
    ProduceConfig {
        topic: arguments.topic.clone(),
        compression: arguments.compression,
        limit: arguments.limit,
        rate: arguments.pacing.rate,
        speed: arguments.pacing.speed,
        repeat: arguments.pacing.repeat,
        for_us: arguments.pacing.time.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
        workload: None,
        append: arguments.append,
        recreate: arguments.recreate,
        acks: "all".into(),
        idempotence: true,
        frames: arguments.frames.options().format,
        complete: Some(complete),
        unlisted_frames: 0,
    }
}
