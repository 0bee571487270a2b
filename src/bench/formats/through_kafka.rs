//! Messages of every format through a broker.

use crate::bench::embedded::{embedded_partitions, guard};
use crate::bench::formats::cell::Cell;
use crate::bench::formats::plan::FormatsPlan;
use crate::bench::timing::Timing;
use crate::kafka::admin::Cluster;
use crate::kafka::consume::whole_topic;
use crate::kafka::produce::fitting::sender_for;
use crate::kafka::produce::frame_sender::{Outgoing, Sender};
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::Compression;
use kuu_formats::{FormatError, key, values};
use std::time::Instant;

/// The default number of partitions on Kafka.
const PARTITIONS: usize = 4;

/// The topics of one round, one for each cell, and their senders.
pub struct Route<'c> {
    cluster: Owned<'c>,
    topics: Vec<Option<CellTopic>>,
}

/// The embedded broker keeps its topics for as long as it lives, and so it lives for one round.
enum Owned<'c> {
    Given(&'c Cluster),
    OfRound(Box<Cluster>),
}

impl Owned<'_> {
    fn get(&self) -> &Cluster {
        match self {
            Owned::Given(cluster) => cluster,
            Owned::OfRound(cluster) => cluster,
        }
    }
}

struct CellTopic {
    topic: String,
    partitions: usize,
    sender: Sender,
}

/// The number of partitions of a topic with the messages of this cell.
pub fn partitions(plan: &FormatsPlan, cluster: &Cluster, cell: &Cell<'_>) -> usize {
    match plan.partitions {
        Some(partitions) => partitions,
        None if cluster.is_embedded() => embedded_partitions(cell.groups.len() as u64, cell.stored_bytes(), 1.0),
        None => PARTITIONS,
    }
}

impl<'c> Route<'c> {
    /// Creates the topics and the senders of a round. Formats that change an answer have none.
    ///
    /// # Errors
    /// If the broker refuses them.
    pub fn prepare(plan: &FormatsPlan, cluster: &'c Cluster, cells: &[Cell<'_>], round: usize) -> Result<Route<'c>> {
        let cluster = match cluster.is_embedded() {
            true => Owned::OfRound(Box::new(Cluster::embedded(cluster.settings())?)),
            false => Owned::Given(cluster),
        };
        let topic = |cell: &Cell<'_>| -> Result<Option<CellTopic>> {
            if cell.wrong_frames > 0 {
                return Ok(None);
            }
            let partitions = partitions(plan, cluster.get(), cell);
            let topic = format!("{}-{}-{}-{round}", plan.prefix, cell.encoding, cell.compression);
            cluster.get().create(&topic, partitions, 1, &[])?;
            let sender = sender_for(cluster.get(), &topic, cell.compression, &[])?;
            Ok(Some(CellTopic { topic, partitions, sender }))
        };
        let topics = cells.iter().map(topic).collect::<Result<_>>()?;
        Ok(Route { cluster, topics })
    }

    /// Sends the messages of a cell and reads them back; then deletes the topic.
    ///
    /// # Errors
    /// If the broker refuses or loses a message.
    pub fn measure(&mut self, cells: &mut [Cell<'_>], at: usize) -> Result<()> {
        let Some(CellTopic { topic, partitions, sender }) = self.topics[at].take() else { return Ok(()) };
        // Batches without compression hold the messages one after the other.
        let plain =
            cells.iter().find(|cell| cell.encoding == cells[at].encoding && cell.compression == Compression::None);
        let plain = plain.context("no messages")?;
        let sent = send(plain, sender, partitions).with_context(|| {
            format!("{}, {}: --no-kafka measures in memory only", cells[at].encoding, cells[at].compression)
        })?;
        cells[at].times.send.push(sent);
        let received = receive(self.cluster.get(), &topic, &mut cells[at])?;
        cells[at].times.receive.push(received);
        self.cluster.get().delete(&[&topic])
    }
}

/// The time until all messages are acknowledged.
fn send(cell: &Cell<'_>, mut sender: Sender, partitions: usize) -> Result<Timing> {
    let messages = cell.groups.len();
    let started = Instant::now();
    let mut tag = 0;
    for batch in &cell.batches {
        values(&batch.packed, |value| {
            let group = cell.groups.get(tag).cloned().ok_or(FormatError::TooLong(value.len()))?;
            let key = key(cell.encoding, &cell.frames[group]);
            // librdkafka would put many messages without a key into one partition.
            let partition = key.is_none().then_some((tag % partitions) as i32);
            sender.put(Outgoing { key, value: Some(value), block: None, partition, headers: None, tag });
            tag += 1;
            Ok(())
        })?;
    }
    let report = sender.finish();
    let timing = Timing::since(started);
    match report.failures.first() {
        Some((_, why)) => bail!("{} of {messages} messages were not delivered: {why}", report.failed),
        None if report.delivered != messages as u64 => {
            bail!("{} of {messages} messages were delivered", report.delivered)
        }
        None => Ok(timing),
    }
}

/// The time from the first message to the last, read by one consumer.
fn receive(cluster: &Cluster, topic: &str, cell: &mut Cell<'_>) -> Result<Timing> {
    let ranges = guard(cluster, topic, cell.groups.len() as u64)?;
    let mut first = None;
    let (mut frames, mut sum) = (0, 0_i64);
    whole_topic::read_all(cluster.settings(), topic, &ranges, |message| {
        first.get_or_insert_with(Instant::now);
        let (more, times) = cell.read_message(message.value.unwrap_or_default())?;
        frames += more;
        sum = sum.wrapping_add(times);
        Ok(())
    })?;
    let timing = Timing::since(first.unwrap_or_else(Instant::now));
    let expected = cell.frames.iter().fold(0_i64, |sum, frame| sum.wrapping_add(frame.ts));
    if (frames, sum) != (cell.frames.len() as u64, expected) {
        bail!("topic {topic}: {frames} frames came back of {}, or their times are others", cell.frames.len());
    }
    Ok(timing)
}
