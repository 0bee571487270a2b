//! `kuu produce --workload`: delivers a workload as its file says.

use crate::cli::ProduceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::produce::filling::{begin, config, foreign, of_either, prepare, replaced};
use crate::commands::produce::pacing;
use crate::commands::session::receipts;
use crate::commands::session::workloads;
use crate::commands::session::{self, Session, figure};
use crate::input;
use crate::kafka::admin::Cluster;
use crate::kafka::produce::delivery::{Delivered, Delivery, Sent};
use crate::kafka::produce::fitting::{workload_sender, workload_topic};
use crate::kafka::produce::frame_sender::SendReport;
use crate::terminal::{complain, count, plural, rate, size, time};
use anyhow::{Result, anyhow, bail};
use kuu_core::configuration::{Configuration, ProduceConfig};
use kuu_core::record::{Source, Topic};
use kuu_core::workload::{Generator, Workload};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

/// Runs the command.
///
/// # Errors
/// If the workload's file is wrong, the broker cannot be reached, or the topic must not be filled.
pub fn run(arguments: &ProduceArgs, session: &Session, name: &str) -> Result<ExitStatus> {
    let workload = workloads::read(&arguments.workloads, name)?;
    let generator = Generator::new(&workload.frames).map_err(|error| anyhow!("{name}: {error}"))?;
    input::check(workload.file.as_slice())?;
    workloads::check_targets(&workload, name, &session.stop)?;
    let delivery = &workload.delivery;
    let arguments =
        ProduceArgs { partitions: workload.frames.partitions, compression: delivery.compression, ..arguments.clone() };
    let cluster = Cluster::connect(&session.settings())?;
    let partitions = prepare_topic(&arguments, session, &cluster, name, &workload)?;
    let topic = Topic { name: arguments.topic.clone(), partitions, id: cluster.id(&arguments.topic)? };
    begin(&arguments, session, &topic)?;

    let started = Instant::now();
    let mut sender = workload_sender(&cluster, &topic.name, &workload)?.until(&session.stop);
    let bar = match workload.file {
        None => session.screen.bar(generator.spec().frames, "{spinner} {percent} %, {human_pos} messages, {eta} left"),
        Some(_) => session.screen.progress("{spinner} {human_pos} messages, {elapsed}"),
    };
    let rate = arguments.pacing.rate.or(delivery.rate);
    let started_delivery = Delivery::new(&workload, &mut sender, rate, session.common.timeout);
    let tell = |messages| bar.set_position(messages);
    let delivered = match &workload.file {
        None => started_delivery.made(&generator, &session.stop, tell).map(|delivered| (delivered, Vec::new())),
        Some(file) => {
            let delivered = started_delivery.of_file(file, &session.stop, tell);
            delivered.map(|(delivered, reading)| (delivered, reading.sources))
        }
    };
    bar.finish_and_clear();
    let (Delivered { sent, schedule }, sources) = match delivered {
        // The receipt stays as it was at the start: it is unknown what the topic has.
        Err(error) if session.stop.interrupted() => {
            complain(format!("interrupted: {error:#}"));
            return Ok(ExitStatus::Interrupted);
        }
        delivered => delivered?,
    };
    let outcome = sender.finish();

    let is_gone = replaced(session, &cluster, &topic);
    let complete = !session.stop.interrupted() && is_gone.is_none() && outcome.delivered == sent.messages();
    // Markers of transactions have offsets too.
    let unlisted_frames =
        if delivery.transactions.is_none() { foreign(session, &cluster, &topic.name, 0, &outcome) } else { 0 };
    let stored =
        ProduceConfig { workload: Some(Box::new(workload.clone())), unlisted_frames, ..config(&arguments, complete) };
    let mut record = session.record(Configuration::Produce, stored);
    record.broker = Some(session::broker(&cluster));
    record.topic = Some(of_either(&topic, is_gone.is_some()));
    record.input = if sources.is_empty() { vec![source(name, &workload, &sent)?] } else { sources };
    record.figures = figures(&sent, &outcome, started.elapsed());
    if let Some(schedule) = &schedule {
        pacing::fill(&mut record, schedule)?;
    }
    record.remarks.extend(is_gone.clone());
    let saved = session.print(&record).and_then(|()| receipts::store(session, &topic, &record));
    say(&arguments, session, name, &sent, &outcome, started.elapsed());
    is_gone.iter().for_each(complain);
    schedule.as_ref().and_then(pacing::words).iter().for_each(|words| session.screen.say(words));
    session.screen.say(format!("record: {}", saved?.display()));
    Ok(match complete {
        true if schedule.is_some_and(|schedule| schedule.is_behind()) => ExitStatus::Behind,
        true => ExitStatus::Fine,
        false if session.stop.interrupted() => ExitStatus::Interrupted,
        false => ExitStatus::Incomplete,
    })
}

/// Makes the topic, if it is missing, and returns its number of partitions: that of the workload.
fn prepare_topic(
    arguments: &ProduceArgs,
    session: &Session,
    cluster: &Cluster,
    name: &str,
    workload: &Workload,
) -> Result<usize> {
    let topic_config = workload_topic(cluster, workload)?;
    let topic_config: Vec<_> = topic_config.iter().map(|(key, value)| (*key, value.as_str())).collect();
    prepare(arguments, session, cluster, &topic_config)?;
    let partitions = cluster.partitions(&arguments.topic)?.unwrap_or(0);
    if partitions != usize::from(workload.frames.partitions) {
        bail!(
            "topic {} has {partitions} partitions, workload {name} needs {}: --recreate makes it anew",
            arguments.topic,
            workload.frames.partitions
        );
    }
    Ok(partitions)
}

/// What stands for the files of a `kuu produce FILE`: its hash is that of the workload.
fn source(name: &str, workload: &Workload, sent: &Sent) -> Result<Source> {
    let digest = Sha256::digest(serde_json::to_vec(workload)?);
    Ok(Source {
        name: format!("workload {name}"),
        bytes: sent.frame_bytes,
        sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        frames: sent.frames,
        frame_bytes: sent.frame_bytes,
        repeats: None,
    })
}

fn figures(
    sent: &Sent,
    outcome: &SendReport,
    elapsed: Duration,
) -> std::collections::BTreeMap<String, kuu_core::record::Figure> {
    [
        ("read_frames", sent.frames as f64),
        ("tombstones", sent.tombstones as f64),
        ("aborted_frames", sent.aborted as f64),
        ("epilogue_frames", sent.epilogue as f64),
        ("delivered_frames", outcome.delivered as f64),
        ("delivered_bytes", outcome.delivered_bytes as f64),
        ("elapsed_us", elapsed.as_secs_f64() * 1e6),
    ]
    .map(|(name, value)| (name.to_owned(), figure(value)))
    .into()
}

fn say(arguments: &ProduceArgs, session: &Session, name: &str, sent: &Sent, outcome: &SendReport, elapsed: Duration) {
    let beside =
        [(sent.tombstones, "tombstone"), (sent.aborted, "aborted frame"), (sent.epilogue, "frame of the epilogue")];
    let beside: String = beside
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| match *what {
            "frame of the epilogue" => format!(", {} of the epilogue", plural(*number, "frame")),
            what => format!(", {}", plural(*number, what)),
        })
        .collect();
    session.screen.say(format!(
        "produced workload {name}: {} ({}){beside} to {} in {}: {} messages/s",
        plural(sent.frames, "frame"),
        size(sent.frame_bytes),
        arguments.topic,
        time(elapsed),
        rate(outcome.delivered as f64 / elapsed.as_secs_f64().max(1e-9)),
    ));
    for (message, why) in &outcome.failures {
        complain(format!("message {message} of workload {name} was not delivered: {why}"));
    }
    if outcome.delivered != sent.messages() {
        complain(format!("{} messages sent, {} delivered", count(sent.messages()), count(outcome.delivered)));
    }
}
