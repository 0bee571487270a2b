//! `kuu produce`: sends the frames of files to a topic, and reports the outcome of every one.

mod workload;

use crate::cli::ProduceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::receipts::{self, PRODUCE, Receipt};
use crate::commands::session::{self, Session, figure};
use crate::commands::session::{topics, unread};
use crate::input::several::Reading;
use crate::input::{self, Progress};
use crate::kafka::admin::{Cluster, Range};
use crate::kafka::produce::frame_sender::{SendReport, Sender};
use crate::kafka::produce::replay;
use crate::kafka::topics::count_topics::DEFAULT;
use crate::kafka::topics::limits::{alter, producer_kbytes};
use crate::terminal::{complain, count, megabytes, plural, rate, size, time};
use anyhow::{Result, bail};
use kuu_core::configuration::{Configuration, ProduceConfig};
use kuu_core::record::{Record, Source, Topic};
use std::time::{Duration, Instant};

/// Runs the command.
///
/// # Errors
/// If the broker cannot be reached, or the topic must not be filled.
pub fn run(arguments: &ProduceArgs, session: &Session) -> Result<ExitStatus> {
    if let Some(name) = &arguments.workload {
        return workload::run(arguments, session, name);
    }
    // A wrong file name must not cause the deletion of a topic.
    input::check(&arguments.files)?;
    let cluster = Cluster::connect(&session.settings())?;
    let earlier = prepare(arguments, session, &cluster, &[])?;
    let mut sender = sender_with(arguments, &cluster, &[])?.until(&session.stop);
    let partitions = cluster.partitions(&arguments.topic)?.unwrap_or(0);
    let topic = Topic { name: arguments.topic.clone(), partitions };
    let id = cluster.id(&topic.name)?;
    let before = ends(&cluster, &topic.name)?;
    begin(arguments, session, &topic)?;

    let started = Instant::now();
    let bar = session.screen.progress("{spinner} {bytes} read, {bytes_per_sec}  {elapsed}");
    let shown = bar.clone();
    let tell = move |progress: &Progress| shown.set_position(progress.bytes());
    let parser = arguments.frames.options();
    let reading = replay::replay(&arguments.files, arguments.limit, &parser, &mut sender, &session.stop, tell);
    let outcome = sender.finish();
    bar.finish_and_clear();
    let elapsed = started.elapsed();
    let replaced = replaced(session, &cluster, &topic.name, &id);

    // The hash of a file that is not read to its end is unknown, so a later check could not tell whether it is the
    // same.
    let complete = !session.stop.interrupted() && replaced.is_none() && outcome.unknown == 0;
    let foreign = foreign(session, &cluster, &topic.name, before, &outcome);
    let config = ProduceConfig { unlisted_frames: earlier.unlisted + foreign, ..config(arguments, complete) };
    let mut record = record(session, config, &cluster, &reading, &outcome, elapsed);
    record.topic = Some(topic);
    if let Some(words) = &replaced {
        complain(words);
        record.remarks.push(words.clone());
    }
    if outcome.unknown > 0 {
        let frames = plural(outcome.unknown, "frame");
        let name = &arguments.topic;
        record.remarks.push(format!(
            "topic {name} may have {frames} or not, which it did not acknowledge in time: fill it anew with `kuu produce \
             --recreate FILE`"
        ));
    }
    record.input.splice(0..0, earlier.input);
    let saved = session.print(&record).and_then(|()| receipts::store(session, &arguments.topic, &record));
    report(arguments, session, &reading, &outcome, elapsed);
    if let Some(words) = unread::keyless(reading.frames(), &parser) {
        complain(format!("{words}; they were sent without a key where the user id is missing"));
    }
    session.screen.say(format!("record: {}", saved?.display()));
    Ok(match &reading.error {
        Some(_) => ExitStatus::Incomplete,
        None if replaced.is_some() => ExitStatus::Incomplete,
        // The frames that were given up after an interrupt are printed already, and expected.
        None if outcome.failed == 0 && session.stop.interrupted() => ExitStatus::Interrupted,
        None if outcome.delivered != reading.frames() => ExitStatus::Incomplete,
        None => ExitStatus::Fine,
    })
}

/// Writes a receipt before any frame is sent. If it is the last receipt, the run did not end, and the content of the
/// topic is unknown.
fn begin(arguments: &ProduceArgs, session: &Session, topic: &Topic) -> Result<()> {
    let begun =
        Record { topic: Some(topic.clone()), ..session.record(Configuration::Produce, config(arguments, false)) };
    receipts::store(session, &arguments.topic, &begun).map(drop)
}

/// Deletes the topic. Marks its receipt as incomplete first, and restores it if the deletion fails.
fn delete(arguments: &ProduceArgs, session: &Session, cluster: &Cluster) -> Result<()> {
    let earlier = receipts::find(session, PRODUCE, &arguments.topic)?;
    begin(arguments, session, &Topic { name: arguments.topic.clone(), partitions: 0 })?;
    let deleted = cluster.delete(&[&arguments.topic]);
    if let (Err(_), Some(Receipt { record, .. })) = (&deleted, earlier) {
        receipts::store(session, &arguments.topic, &record)?;
    }
    deleted
}

/// The content of a topic to which frames are added.
#[derive(Default)]
struct Earlier {
    /// The sources in its receipt.
    input: Vec<Source>,
    /// Number of frames without a receipt.
    unlisted: u64,
}

/// Prepares the topic; returns its earlier content, if frames are added to it.
fn prepare(arguments: &ProduceArgs, session: &Session, cluster: &Cluster, config: &[(&str, &str)]) -> Result<Earlier> {
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
        bail!(
            "topic {topic} already holds {}: --append adds to them, --recreate deletes the topic with all it holds first",
            plural(held, "frame")
        );
    }
    // Frames that retention removed were produced, and perhaps counted, all the same.
    if !arguments.append || ranges.iter().all(|range| range.high == 0) {
        return Ok(Earlier::default());
    }
    let Some(Receipt { record, .. }) = receipts::find(session, PRODUCE, topic)? else {
        return Ok(Earlier { input: Vec::new(), unlisted: held });
    };
    receipts::complete(&record)?;
    Ok(Earlier { unlisted: receipts::unlisted(&record), input: record.input })
}

/// The error if the topic no longer has the id that it had before the first frame: many brokers create a missing topic,
/// and then acknowledge later frames.
fn replaced(session: &Session, cluster: &Cluster, topic: &str, then: &Option<String>) -> Option<String> {
    if session.stop.interrupted() {
        return None;
    }
    // All frames are acknowledged: a broker that is away now is no reason to doubt them.
    let now = cluster.id(topic).ok()?;
    (now != *then).then(|| {
        format!(
            "topic {topic} was deleted while it was filled, and what was sent before is gone with it: fill it anew with `kuu \
             produce --recreate FILE`"
        )
    })
}

/// The sum of the end offsets of a topic.
fn ends(cluster: &Cluster, topic: &str) -> Result<u64> {
    Ok(cluster.ranges(topic)?.iter().map(|range| range.high.max(0) as u64).sum())
}

/// How many offsets other producers took while the topic was filled, such as another `kuu produce`. If the number of
/// this run's frames is unknown, the receipt says so already, and this returns 0.
fn foreign(session: &Session, cluster: &Cluster, topic: &str, before: u64, outcome: &SendReport) -> u64 {
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

fn sender_with(arguments: &ProduceArgs, cluster: &Cluster, others: &[(&str, &str)]) -> Result<Sender> {
    let topic = &arguments.topic;
    let config = cluster.configs(&[topic]).pop().unwrap_or_default();
    let takes = config.max_message_bytes.unwrap_or(DEFAULT);
    // librdkafka has a minimum; the broker rejects messages between the topic's limit and that minimum.
    let (largest, batch) = (takes.clamp(1_000, 1_000_000_000).to_string(), takes.clamp(1, 1_000_000).to_string());
    let ours: [(&str, &str); 4] = [
        ("compression.type", arguments.compression.into()),
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

fn config(arguments: &ProduceArgs, complete: bool) -> ProduceConfig {
    ProduceConfig {
        topic: arguments.topic.clone(),
        compression: arguments.compression,
        limit: arguments.limit,
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

fn record(
    session: &Session,
    config: ProduceConfig,
    cluster: &Cluster,
    reading: &Reading,
    outcome: &SendReport,
    elapsed: Duration,
) -> Record {
    let mut record = session.record(Configuration::Produce, config);
    record.broker = Some(session::broker(cluster));
    record.input = reading.sources.clone();
    let seconds = elapsed.as_secs_f64().max(1e-9);
    record.figures = [
        ("read_frames", reading.frames() as f64),
        ("delivered_frames", outcome.delivered as f64),
        ("delivered_bytes", outcome.delivered_bytes as f64),
        ("elapsed_us", seconds * 1e6),
        ("produce_frames_per_s", outcome.delivered as f64 / seconds),
        ("produce_bytes_per_s", outcome.delivered_bytes as f64 / seconds),
    ]
    .map(|(name, value)| (name.to_owned(), figure(value)))
    .into();
    record
}

fn report(arguments: &ProduceArgs, session: &Session, reading: &Reading, outcome: &SendReport, elapsed: Duration) {
    let seconds = elapsed.as_secs_f64().max(1e-9);
    session.screen.say(format!(
        "produced {} ({}) to {} in {}: {} frames/s, {} MB/s",
        plural(outcome.delivered, "frame"),
        size(outcome.delivered_bytes),
        arguments.topic,
        time(elapsed),
        rate(outcome.delivered as f64 / seconds),
        megabytes(outcome.delivered_bytes as f64 / seconds),
    ));
    if let Some(error) = &reading.error {
        complain(error);
    }
    for (tag, why) in &outcome.failures {
        let (file, line) = replay::place(*tag);
        let file = arguments.files.get(file).map_or("?", String::as_str);
        complain(format!("{file}, line {line} was not delivered: {why}"));
    }
    if outcome.unsent + outcome.unanswered > 0 {
        complain(format!(
            "interrupted, and no broker answers any more: {} acknowledged; {} not sent; topic {} may have the other {} or \
             not",
            plural(outcome.delivered, "frame"),
            count(outcome.unsent),
            arguments.topic,
            count(outcome.unanswered),
        ));
    }
    if outcome.delivered != reading.frames() || reading.error.is_some() {
        complain(format!("{} frames read, {} delivered", count(reading.frames()), count(outcome.delivered)));
    }
}
