//! Catch-up: a preloaded topic, as fast as it goes. Each phase is measured in turn with its ceiling, round by round.

use crate::bench::embedded::guard;
use crate::bench::load::Load;
use crate::count::recovery::Job;
use crate::engine::start::RunOptions;
use crate::engine::stop::Stop;
use crate::input::truth;
use crate::kafka::admin::Cluster;
use crate::kafka::commit::state_topic::State;
use crate::kafka::consume::whole_topic::read_shared;
use crate::kafka::produce::frame_sender::Sender;
use crate::kafka::produce::replay;
use crate::kafka::topics::count_topics::{CountTopics, Limits};
use anyhow::{Result, bail};
use flate2::bufread::MultiGzDecoder;
use kuu_core::configuration::Guarantee;
use kuu_core::counter::{Config, Counter};
use kuu_core::frame_batch::Frames;
use kuu_core::ledger::Ledger;
use kuu_core::window::Unit;
use kuu_frame::{Parser, ParserKind};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::time::Instant;

/// What is measured, and with what.
#[derive(Clone, Debug)]
pub struct CatchUpPlan {
    /// The input.
    pub files: Vec<String>,
    /// Which parser counts.
    pub parser: ParserKind,
    /// How windows are counted.
    pub counting: Config,
    /// What the count guarantees.
    pub guarantee: Guarantee,
    /// Consumers of a count.
    pub threads: usize,
    /// Partitions of the topics.
    pub partitions: usize,
    /// librdkafka's name of the compression.
    pub compression: &'static str,
    /// How often.
    pub rounds: usize,
    /// The topics' names start with this.
    pub prefix: String,
}

/// Seconds that each phase took, round by round, and what became of the frames.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Reading and inflating the files, nothing else.
    pub inflate: Vec<f64>,
    /// The truth, from the files.
    pub batch: Vec<f64>,
    /// Frames in memory through the fast parser, for all frames that are kept.
    pub parse_fast: Vec<f64>,
    /// The same through the plain one.
    pub parse_plain: Vec<f64>,
    /// These frames, parsed, through the counter: intern the user, find the window, add to its set.
    pub observe: Vec<f64>,
    /// From the files into a topic, acknowledged.
    pub produce: Vec<f64>,
    /// The same frames from memory.
    pub raw_send: Vec<f64>,
    /// A topic, from the first frame to the last, without parsing.
    pub raw_read: Vec<f64>,
    /// A topic, from the first frame to the last result acknowledged.
    pub count: Vec<f64>,
    /// The same at least once, if the other is exactly once.
    pub count_at_least_once: Vec<f64>,
    /// Of the last count.
    pub ledger: Ledger,
}

/// The topics of the last round.
#[derive(Clone, Debug)]
pub struct BenchTopics {
    /// The frames.
    pub messages: String,
    /// The results.
    pub output: String,
}

/// What reads the topic in a round.
#[derive(Clone, Copy)]
enum Pass {
    Raw,
    Count(Guarantee),
}

/// Measures. Topics that it made and does not give back are deleted; `tell` hears what is going on.
///
/// # Errors
/// If anything fails, or the broker loses a frame.
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
    let parsed = parsed(load);
    for round in 1..=plan.rounds {
        let named = |what: &str| format!("{}-{what}-{round}", plan.prefix);
        let topics = BenchTopics { messages: named("messages"), output: named("output") };
        let raw = named("raw");
        let say = |phase: &str| tell(&format!("catch-up, round {round} of {}: {phase}", plan.rounds));
        let mut timed = |into: fn(&mut Samples) -> &mut Vec<f64>, seconds: f64| into(&mut samples).push(seconds);

        cluster.create(&topics.messages, plan.partitions, 1, &[])?;
        cluster.create(&raw, plan.partitions, 1, &[])?;
        // librdkafka takes 500 ms to get a producer id: what follows gives it the time.
        let (from_files, from_memory) = (sender(plan, &topics.messages, cluster)?, sender(plan, &raw, cluster)?);
        say("inflate, batch, parse");
        timed(|samples| &mut samples.inflate, inflate(&plan.files)?);
        timed(|samples| &mut samples.batch, batch(plan)?);
        timed(|samples| &mut samples.parse_fast, parse(ParserKind::Fast, load));
        timed(|samples| &mut samples.parse_plain, parse(ParserKind::Plain, load));
        timed(|samples| &mut samples.observe, observe(plan, &parsed));
        say("produce");
        // Each is first in its turn: whoever is second finds the broker's disk busy with what was sent before.
        let (files, memory) = if round % 2 == 1 {
            let files = produce(plan, from_files, load, stop)?;
            (files, raw_send(from_memory, load)?)
        } else {
            let memory = raw_send(from_memory, load)?;
            (produce(plan, from_files, load, stop)?, memory)
        };
        timed(|samples| &mut samples.produce, files);
        timed(|samples| &mut samples.raw_send, memory);
        guard(cluster, &topics.messages, load.frames)?;
        say("count");
        let mut passes = vec![Pass::Raw, Pass::Count(plan.guarantee)];
        if plan.guarantee == Guarantee::ExactlyOnce {
            passes.push(Pass::Count(Guarantee::AtLeastOnce));
        }
        // In turn again, and each before and after each other one.
        if round % 2 == 0 {
            passes[1..].reverse();
        }
        let first = (round - 1) % passes.len();
        passes.rotate_left(first);
        for pass in passes {
            match pass {
                Pass::Raw => {
                    let seconds = raw_read(plan, &topics.messages, load.frames, cluster)?;
                    timed(|samples| &mut samples.raw_read, seconds);
                }
                Pass::Count(guarantee) => {
                    let (seconds, ledger) = count(plan, &topics, guarantee, load.frames, cluster, stop)?;
                    if guarantee == plan.guarantee {
                        timed(|samples| &mut samples.count, seconds);
                        counted = ledger;
                    } else {
                        timed(|samples| &mut samples.count_at_least_once, seconds);
                    }
                }
            }
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
    match last {
        Some(topics) => Ok((Samples { ledger: counted, ..samples }, topics)),
        None => bail!("no round was asked for"),
    }
}

/// How long the work took; what it gives is freed after that.
fn seconds<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    let started = Instant::now();
    let result = work()?;
    let elapsed = started.elapsed();
    drop(result);
    Ok(elapsed.as_secs_f64())
}

/// What flate2 takes for the files, and nothing else: no lines, no hash. (Files that are not gzipped are only read.)
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
        let names = plan.files.iter().map(|name| (name.as_str(), None));
        match truth::count(names, plan.parser, &[Unit::Minute]) {
            (.., Some(error)) => Err(error.into()),
            (truth, ..) => Ok(truth),
        }
    })
}

fn parse(kind: ParserKind, load: &Load) -> f64 {
    let mut parser = Parser::new(kind);
    let started = Instant::now();
    for (_, value) in load.iter() {
        std::hint::black_box(parser.parse(value).is_ok());
    }
    started.elapsed().as_secs_f64()
}

fn parsed(load: &Load) -> Frames {
    let (mut parser, mut frames) = (Parser::new(ParserKind::Fast), Frames::default());
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

fn finish(sender: Sender, frames: u64) -> Result<()> {
    let outcome = sender.finish();
    match outcome.failures.first() {
        Some((_, why)) => bail!("{} of {frames} frames were not delivered: {why}", outcome.failed),
        None if outcome.delivered != frames => bail!("{} of {frames} frames were delivered", outcome.delivered),
        None => Ok(()),
    }
}

fn produce(plan: &CatchUpPlan, mut sender: Sender, load: &Load, stop: &Stop) -> Result<f64> {
    seconds(|| {
        let reading = replay::replay(&plan.files, None, plan.parser, &mut sender, stop, |_| {});
        if let Some(error) = reading.error {
            return Err(error.into());
        }
        finish(sender, load.frames)
    })
}

fn raw_send(mut sender: Sender, load: &Load) -> Result<f64> {
    let kept = seconds(|| {
        for (key, value) in load.iter() {
            sender.send(key, value, 0);
        }
        finish(sender, load.kept() as u64)
    })?;
    // Of a very large input only a part is in memory.
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
    // The one that is verified has its output, and its state, for itself.
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
        parser: plan.parser,
        counting: plan.counting.clone(),
        follow: false,
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
