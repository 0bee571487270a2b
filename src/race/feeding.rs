//! Gives an engine its frames: all at once before it starts, or at a rate while it runs; then the epilogue.

use crate::engine::schedule::Hold;
use crate::engine::stop::Stop;
use crate::kafka::admin::Cluster;
use crate::kafka::produce::delivery::Delivery;
use crate::kafka::produce::fitting::{workload_sender, workload_topic};
use crate::kafka::produce::frame_sender::Sender;
use crate::race::setup::CellNames;
use crate::terminal::count;
use anyhow::{Result, anyhow, bail};
use kuu_core::workload::{Generator, Workload};
use std::time::Duration;

/// How long a delivery waits for the end of a transaction.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the topics of a cell: the input as the workload wants it, and the output.
///
/// # Errors
/// If the broker refuses.
pub fn make_topics(cluster: &Cluster, names: &CellNames, workload: &Workload) -> Result<()> {
    let config = workload_topic(cluster, workload)?;
    let config: Vec<_> = config.iter().map(|(key, value)| (*key, value.as_str())).collect();
    cluster.create(&names.input, workload.frames.partitions.into(), 1, &config)?;
    make_output(cluster, &names.output)
}

/// Makes a topic for results, with one partition, whose messages have the time at which the broker appended them.
///
/// # Errors
/// If the broker refuses.
pub fn make_output(cluster: &Cluster, topic: &str) -> Result<()> {
    cluster.create(topic, 1, 1, &[("message.timestamp.type", "LogAppendTime")])
}

/// How fast frames are sent.
#[derive(Clone, Debug, Default)]
pub struct FeedPace {
    /// Frames per second; none if as fast as it goes.
    pub rate: Option<f64>,
    /// Puts what is not sent yet off.
    pub hold: Hold,
}

/// Sends all frames of a workload to the topic.
///
/// # Errors
/// If a frame is not acknowledged, or the delivery is interrupted.
pub fn deliver(cluster: &Cluster, topic: &str, workload: &Workload, pace: FeedPace, stop: &Stop) -> Result<()> {
    deliver_by(workload_sender(cluster, topic, workload)?, cluster, topic, workload, pace, stop)
}

/// The same by a sender of the workload that is there already.
///
/// # Errors
/// As [`deliver`].
pub fn deliver_by(
    sender: Sender,
    cluster: &Cluster,
    topic: &str,
    workload: &Workload,
    pace: FeedPace,
    stop: &Stop,
) -> Result<()> {
    let mut sender = sender.until(stop);
    let delivery = Delivery::new(workload, &mut sender, pace.rate, PATIENCE).held_by(pace.hold);
    let sent = match &workload.file {
        None => {
            let generator = Generator::new(&workload.frames).map_err(|error| anyhow!(error))?;
            delivery.made(&generator, stop, |_| {})?.sent
        }
        Some(file) => delivery.of_file(file, stop, |_| {})?.0.sent,
    };
    all_of(sender, topic, sent.messages())?;
    if workload.delivery.transactions.is_some() {
        // What an engine is told is the end must hold all of it.
        cluster.committed_ranges(topic, PATIENCE)?;
    }
    Ok(())
}

/// Waits until all messages are acknowledged.
///
/// # Errors
/// If one is not.
pub fn all_of(sender: Sender, topic: &str, sent: u64) -> Result<()> {
    let outcome = sender.finish();
    if outcome.delivered != sent {
        let why = outcome.failures.first().map_or_else(String::new, |(_, why)| format!(": {why}"));
        bail!("topic {topic}: {} messages sent, {} acknowledged{why}", count(sent), count(outcome.delivered));
    }
    Ok(())
}
