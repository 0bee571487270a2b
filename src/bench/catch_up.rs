//! Catch-up: processes a preloaded topic at full speed. Every round measures each phase and its ceiling, one after the
//! other.

use crate::bench::embedded::guard;
use crate::bench::load::Load;
use crate::bench::stage::{Samples, Stage};
use crate::bench::timing::Timing;
use crate::count::recovery::Job;
use crate::engine::start::RunOptions;
use crate::engine::stop::Stop;
use crate::input::truth_of_files;
use crate::kafka::admin::Cluster;
use crate::kafka::client::lags::Lags;
use crate::kafka::commit::state_topic::State;
use crate::kafka::consume::whole_topic::read_shared;
use crate::kafka::produce::frame_sender::{SendReport, Sender};
use crate::kafka::produce::paced::PacedSender;
use crate::kafka::produce::replay::Replay;
use crate::kafka::topics::count_topics::{CountTopics, Limits};
use anyhow::{Context as _, Result, bail};
use flate2::bufread::MultiGzDecoder;
use kuu_core::configuration::Guarantee;
use kuu_core::counter::{Config, Counter};
use kuu_core::frame_batch::Frames;
use kuu_core::ledger::Ledger;
use kuu_core::truth::{Extent, Truth};
use kuu_frame::{Parser, ParserKind, ParserOptions};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::time::Instant;

/// The input and the settings of the measurement.
#[derive(Clone, Debug)]
pub struct CatchUpPlan {
    /// The input files.
    pub files: Vec<String>,
    /// The parser of the count.
    pub parser: ParserOptions,
    /// The settings of the counter.
    pub counting: Config,
    /// The guarantee of the count.
    pub guarantee: Guarantee,
    /// Number of consumers of a count.
    pub threads: usize,
    /// Number of partitions of the topics.
    pub partitions: usize,
    /// The compression, by librdkafka's name.
    pub compression: &'static str,
    /// Number of rounds.
    pub rounds: usize,
    /// The prefix of the names of topics.
    pub prefix: String,
}

/// The topics of the last round.
#[derive(Clone, Debug)]
pub struct BenchTopics {
    /// The frames.
    pub messages: String,
    /// The results.
    pub output: String,
}

/// Measures all rounds. Deletes its topics except those that it returns; `tell` gets the current phase.
///
/// # Errors
/// If a step fails, or the broker loses a frame.
pub fn measure(
    plan: &CatchUpPlan,
    load: &Load,
    cluster: &Cluster,
    stop: &Stop,
    tell: impl Fn(&str),
) -> Result<(Samples, BenchTopics)> {
    let mut samples = Samples::default();
    let mut last: Option<BenchTopics> = None;
    let mut counted = Ledger::default();
    let parsed = parsed(plan, load);
    for round in 1..=plan.rounds {
        let named = |what: &str| format!("{}-{what}-{round}", plan.prefix);
        let topics = BenchTopics { messages: named("messages"), output: named("output") };
        let raw = named("raw");
        let say = |phase: &str| tell(&format!("catch-up, round {round} of {}: {phase}", plan.rounds));

        cluster.create(&topics.messages, plan.partitions, 1, &[])?;
        cluster.create(&raw, plan.partitions, 1, &[])?;
        // Made here, so that connecting is none of the time of sending.
        let (from_files, from_memory) = (sender(plan, &topics.messages, cluster)?, sender(plan, &raw, cluster)?);
        say("inflate, batch, parse");
        samples.time(Stage::Inflate, || inflate(&plan.files))?;
        samples.time(Stage::Batch, || batch(plan))?;
        samples.time(Stage::ParseFast, || Ok(parse(ParserKind::Fast, plan, load)))?;
        samples.time(Stage::ParsePlain, || Ok(parse(ParserKind::Plain, plan, load)))?;
        samples.time(Stage::Observe, || Ok(observe(plan, &parsed)))?;
        say("produce");
        // The order alternates: the second one finds the broker's disk busy with the messages of the first.
        if round % 2 == 1 {
            samples.time(Stage::Produce, || produce(plan, from_files, load, stop))?;
            samples.time(Stage::RawSend, || raw_send(from_memory, load))?;
        } else {
            samples.time(Stage::RawSend, || raw_send(from_memory, load))?;
            samples.time(Stage::Produce, || produce(plan, from_files, load, stop))?;
        }
        guard(cluster, &topics.messages, load.frames)?;
        say("count");
        let mut passes = vec![Stage::RawRead, Stage::Count];
        if plan.guarantee == Guarantee::ExactlyOnce {
            passes.push(Stage::CountAtLeastOnce);
        }
        // The order rotates again, so that each pass comes before and after each other one.
        if round % 2 == 0 {
            passes[1..].reverse();
        }
        let first = (round - 1) % passes.len();
        passes.rotate_left(first);
        for pass in passes {
            samples.time(pass, || match pass {
                Stage::RawRead => raw_read(plan, &topics.messages, load.frames, cluster),
                Stage::CountAtLeastOnce => {
                    count(plan, &topics, Guarantee::AtLeastOnce, load.frames, cluster, stop).map(|(seconds, _)| seconds)
                }
                _ => {
                    let (seconds, ledger) = count(plan, &topics, plan.guarantee, load.frames, cluster, stop)?;
                    counted = ledger;
                    Ok(seconds)
                }
            })?;
        }
        guard(cluster, &topics.messages, load.frames)?;

        cluster.delete(&[&raw])?;
        if let Some(BenchTopics { messages, output }) = last.replace(topics) {
            cluster.delete(&[&messages, &output])?;
        }
        if stop.interrupted() {
            bail!("interrupted");
        }
    }
    samples.ledger = counted;
    last.map(|topics| (samples, topics)).context("no round was asked for")
}

/// The duration of the work; its result is freed after the measurement.
fn seconds<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    Ok(Timing::of(work)?.seconds)
}

/// The time that flate2 takes to inflate the files, without lines and hash. (Other files are only read.)
fn inflate(files: &[String]) -> Result<f64> {
    let mut buf = vec![0; 256 * 1024];
    seconds(|| {
        for name in files {
            let mut reader = BufReader::with_capacity(128 * 1024, File::open(name)?);
            let is_gzip = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
            let mut reader: Box<dyn Read> =
                if is_gzip { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) };
            while reader.read(&mut buf)? > 0 {}
        }
        Ok(())
    })
}

fn batch(plan: &CatchUpPlan) -> Result<f64> {
    seconds(|| {
        let names = plan.files.iter().map(|name| (name.as_str(), Extent::default()));
        match truth_of_files::count(names, &plan.parser, &Truth::default()) {
            (.., Some(error)) => Err(error.into()),
            (truth, ..) => Ok(truth),
        }
    })
}

fn parse(kind: ParserKind, plan: &CatchUpPlan, load: &Load) -> f64 {
    let mut parser = Parser::new(&ParserOptions { kind, ..plan.parser.clone() });
    let started = Instant::now();
    for (_, value) in load.iter() {
        std::hint::black_box(parser.parse(value).is_ok());
    }
    started.elapsed().as_secs_f64()
}

fn parsed(plan: &CatchUpPlan, load: &Load) -> Frames {
    let mut parser = Parser::new(&ParserOptions { kind: ParserKind::Fast, ..plan.parser.clone() });
    let mut frames = Frames::default();
    for (offset, (_, value)) in load.iter().enumerate() {
        frames.push(offset as i64, parser.parse(value));
    }
    frames
}

fn observe(plan: &CatchUpPlan, frames: &Frames) -> f64 {
    let mut counter = Counter::new(plan.counting.clone(), 1);
    let started = Instant::now();
    for value in frames.iter() {
        counter.observe(0, value.outcome);
    }
    started.elapsed().as_secs_f64()
}

fn sender(plan: &CatchUpPlan, topic: &str, cluster: &Cluster) -> Result<Sender> {
    Sender::new(cluster.settings(), topic, &[("compression.type", plan.compression)], None)
}

fn delivered(outcome: &SendReport, frames: u64) -> Result<()> {
    match outcome.failures.first() {
        Some((_, why)) => bail!("{} of {frames} frames were not delivered: {why}", outcome.failed),
        None if outcome.delivered != frames => bail!("{} of {frames} frames were delivered", outcome.delivered),
        None => Ok(()),
    }
}

fn produce(plan: &CatchUpPlan, sender: Sender, load: &Load, stop: &Stop) -> Result<f64> {
    seconds(|| {
        let mut sender = PacedSender::new(sender, None, stop);
        match Replay::once(&plan.files, &plan.parser).run(&mut sender, stop, |_| {}).error {
            Some(error) => Err(error),
            None => delivered(&sender.finish().outcome, load.frames),
        }
    })
}

fn raw_send(mut sender: Sender, load: &Load) -> Result<f64> {
    let kept = seconds(|| {
        for (key, value) in load.iter() {
            sender.lend(key, value, Some(load.block()), 0);
        }
        delivered(&sender.finish(), load.kept() as u64)
    })?;
    // Only a part of a very large input is in memory.
    Ok(kept * load.frames as f64 / load.kept() as f64)
}

fn raw_read(plan: &CatchUpPlan, topic: &str, frames: u64, cluster: &Cluster) -> Result<f64> {
    let ranges = cluster.ranges(topic)?;
    let (read, time) = read_shared(cluster.settings(), topic, &ranges, plan.threads)?;
    if read != frames {
        bail!("{read} of {frames} frames were read from topic {topic}");
    }
    Ok(time.as_secs_f64())
}

fn count(
    plan: &CatchUpPlan,
    topics: &BenchTopics,
    guarantee: Guarantee,
    frames: u64,
    cluster: &Cluster,
    stop: &Stop,
) -> Result<(f64, Ledger)> {
    // The count that is verified has an output and a state of its own.
    let (group, output) = match guarantee == plan.guarantee {
        true => (topics.output.clone(), topics.output.clone()),
        false => (format!("{}-other", topics.output), format!("{}-other", topics.output)),
    };
    let state = State::topic(&group);
    for topic in [&output, &state] {
        cluster.create(topic, 1, 1, &[])?;
    }
    let job = Job {
        topics: CountTopics {
            input: topics.messages.clone(),
            output: output.clone(),
            dead_letters: None,
            ordered: None,
            limits: Limits::default(),
        },
        group: group.clone(),
        guarantee,
        threads: plan.threads,
        parser: plan.parser.clone(),
        counting: plan.counting.clone(),
        follow: false,
        lags: Lags::default(),
        options: RunOptions::default(),
    };
    let counted = job.run(cluster, stop, &mut (), |_| {})?;
    let ledger = counted.counter.ledger();
    if ledger.read != frames && !counted.summary.interrupted {
        bail!("{} of {frames} frames were counted from topic {}", ledger.read, topics.messages);
    }
    cluster.delete(&[&state])?;
    cluster.delete_group(&group)?;
    if guarantee != plan.guarantee {
        cluster.delete(&[&output])?;
    }
    Ok((counted.summary.elapsed.as_secs_f64(), ledger.clone()))
}
