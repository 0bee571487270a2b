//! `kuu produce`: sends the frames of files to a topic, and reports the outcome of every one.

mod filling;
mod workload;

use crate::cli::ProduceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::receipts;
use crate::commands::session::unread;
use crate::commands::session::{self, Session, figure};
use crate::input::several::Reading;
use crate::input::{self, Progress};
use crate::kafka::admin::Cluster;
use crate::kafka::produce::frame_sender::SendReport;
use crate::kafka::produce::replay;
use crate::terminal::{complain, count, megabytes, plural, rate, size, time};
use anyhow::Result;
use filling::{begin, config, ends, foreign, prepare, replaced, sender_with};
use kuu_core::configuration::{Configuration, ProduceConfig};
use kuu_core::record::{Record, Topic};
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
