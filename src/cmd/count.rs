//! `kuu count`: the streaming engine, over a topic, files or standard input.

use super::Status;
use super::session::{self, Session, broker, figure, print_json};
use crate::cli::Count;
use crate::core::record::{Record, Topic};
use crate::core::stream::Counter;
use crate::edge::kafka::{Cluster, Context, KafkaSink, Range, SourceOptions, spawn_source};
use crate::edge::lines_sink::LinesSink;
use crate::edge::pipeline::{self, Feed, Sink, Status as Progress, Summary};
use crate::edge::screen::{self, Screen, megabytes, plural, rate, time};
use crate::edge::window_table::WindowTable;
use crate::edge::{file_source, host};
use anyhow::{Result, bail};
use serde_json::json;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// The record that `kuu verify` looks for.
pub const RECORD: &str = "count.json";

/// Runs the command.
///
/// # Errors
/// If the input or the broker fails.
pub fn run(arguments: &Count, session: &Session) -> Result<Status> {
    if arguments.files.is_empty() { topic(arguments, session) } else { files(arguments, session) }
}

/// Counts a topic into another.
fn topic(arguments: &Count, session: &Session) -> Result<Status> {
    let cluster = Cluster::connect(&session.settings())?;
    if cluster.partitions(&arguments.topic)?.is_none() {
        bail!("there is no topic {}: fill it with `kuu produce FILE`, or name another with --topic", arguments.topic);
    }
    prepare_outputs(arguments, &cluster)?;
    let ranges = cluster.ranges(&arguments.topic)?;

    let (feed, intake) = Feed::new();
    let options = SourceOptions {
        topic: arguments.topic.clone(),
        threads: arguments.threads.into(),
        parser: session::parser(arguments.windows.parser),
        keep_values: arguments.dead_letter.is_some() || arguments.ordered_output.is_some(),
        follow: arguments.follow,
    };
    let contexts = spawn_source(cluster.settings(), &options, &ranges, &feed, &session.stop)?;
    drop(feed);
    let mut counter = Counter::new(session::counting(&arguments.windows, &arguments.event_time), ranges.len());
    let mut sink = sink(arguments, session, &cluster)?;
    let mut table = WindowTable::new(&mut sink);
    let mut status = StatusLine::new(session.screen, left(&ranges), arguments.follow.then_some(contexts));
    let options = pipeline_options(arguments);
    let summary =
        pipeline::run(&intake, &mut counter, ranges.len(), &mut table, options, &session.stop, |now| status.show(now))?;
    status.clear();

    let mut record = record(arguments, session, &counter, &summary);
    record.broker = Some(broker(&cluster));
    record.topic = Some(Topic { name: arguments.topic.clone(), partitions: ranges.len() });
    report(session.screen, &table, &counter, &summary);
    let saved = session.save(RECORD, &record)?;
    session.screen.say(format!("record: {}", saved.display()));
    Ok(if summary.interrupted { Status::Interrupted } else { Status::Fine })
}

/// Makes the topics to write to, where they are missing: nothing in them may be deleted or compacted, so that first
/// answers stay readable.
fn prepare_outputs(arguments: &Count, cluster: &Cluster) -> Result<()> {
    let others = [&arguments.dead_letter, &arguments.ordered_output];
    for topic in others.into_iter().flatten().chain([&arguments.output]) {
        if *topic == arguments.topic {
            bail!("topic {topic} is read: results and frames must go to another one");
        }
        if arguments.recreate {
            cluster.delete(&[topic])?;
        }
        if arguments.recreate || cluster.partitions(topic)?.is_none() {
            let forever = [("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "-1")];
            cluster.create(topic, 1, -1, &forever)?;
        }
    }
    // A second run behind the first would put the same frames out of order.
    if let Some(topic) = &arguments.ordered_output
        && left(&cluster.ranges(topic)?) > 0
    {
        bail!("topic {topic} already holds frames: --recreate deletes the output topics with all they hold first");
    }
    Ok(())
}

fn sink(arguments: &Count, session: &Session, cluster: &Cluster) -> Result<KafkaSink> {
    let settings = cluster.settings();
    let mut sink = KafkaSink::new(settings, &arguments.group, &arguments.topic, &arguments.output, &session.stop)?;
    if let Some(topic) = &arguments.dead_letter {
        sink = sink.with_dead_letters(settings, topic)?;
    }
    if let Some(topic) = &arguments.ordered_output {
        sink = sink.with_ordered(settings, topic)?;
    }
    Ok(sink)
}

fn left(ranges: &[Range]) -> u64 {
    ranges.iter().map(Range::len).sum()
}

/// Counts files or standard input; the results go to standard output.
fn files(arguments: &Count, session: &Session) -> Result<Status> {
    let screen = Screen { to_stderr: true, ..session.screen };
    let (feed, intake) = Feed::new();
    let parser = session::parser(arguments.windows.parser);
    let mut counter = Counter::new(session::counting(&arguments.windows, &arguments.event_time), 1);
    let mut sink: Box<dyn Sink> = if session.common.json {
        Box::new(LinesSink::new(std::io::stderr(), session.stop.clone()))
    } else {
        Box::new(LinesSink::new(std::io::stdout(), session.stop.clone()))
    };
    let mut table = WindowTable::new(sink.as_mut());
    let mut status = StatusLine::new(screen, 0, None);
    let (names, stop) = (arguments.files.clone(), session.stop.clone());
    let (done, reading) = channel();
    // Not joined: after an interrupt it may wait for a silent pipe forever.
    std::thread::spawn(move || done.send(file_source::feed(&names, parser, false, &feed, &stop, |_| {})));
    let options = pipeline_options(arguments);
    let summary = pipeline::run(&intake, &mut counter, 1, &mut table, options, &session.stop, |now| status.show(now))?;
    let reading = match summary.interrupted {
        true => reading.recv_timeout(Duration::from_millis(200)).unwrap_or_default(),
        false => reading.recv().unwrap_or_default(),
    };
    status.clear();

    let mut record = record(arguments, session, &counter, &summary);
    record.input = reading.sources.clone();
    report(screen, &table, &counter, &summary);
    if session.common.json {
        print_json(&record)?;
    }
    Ok(match &reading.error {
        Some(error) => {
            eprintln!("kuu: {error}");
            Status::Incomplete
        }
        None if summary.interrupted => Status::Interrupted,
        None => Status::Fine,
    })
}

fn pipeline_options(arguments: &Count) -> pipeline::Options {
    pipeline::Options {
        commit_interval: arguments.commit_interval,
        idle: arguments.follow.then_some(arguments.idle),
        early: arguments.early,
        dead_letters: arguments.dead_letter.is_some(),
        ordered: arguments.ordered_output.is_some(),
    }
}

fn record(arguments: &Count, session: &Session, counter: &Counter, summary: &Summary) -> Record {
    let units: Vec<&str> = session::units(&arguments.windows.window).iter().map(|unit| unit.name()).collect();
    let config = json!({
        "topic": arguments.topic,
        "output": arguments.output,
        "group": arguments.group,
        "guarantee": "at-least-once",
        "window": units,
        "lateness_s": arguments.event_time.lateness.as_secs(),
        "retention_s": arguments.event_time.retention.as_secs(),
        "max_jump_s": arguments.event_time.max_jump.as_secs(),
        "idle_us": arguments.idle.as_micros() as u64,
        "commit_interval_us": arguments.commit_interval.as_micros() as u64,
        "early_us": arguments.early.map(|early| early.as_micros() as u64),
        "dead_letter": arguments.dead_letter,
        "ordered_output": arguments.ordered_output,
        "threads": arguments.threads,
        "follow": arguments.follow,
        "parser": format!("{:?}", arguments.windows.parser).to_lowercase(),
    });
    let mut record = session.record("count", config);
    record.ledger = Some(counter.ledger().into());
    let seconds = summary.elapsed.as_secs_f64().max(1e-9);
    let mut figures = vec![
        ("elapsed_us", seconds * 1e6),
        ("count_frames_per_s", counter.ledger().read as f64 / seconds),
        ("count_bytes_per_s", summary.read_bytes as f64 / seconds),
        ("results_rows", summary.results as f64),
        ("users", counter.users() as f64),
    ];
    figures.extend(host::peak_resident_bytes().map(|bytes| ("peak_resident_bytes", bytes as f64)));
    figures.extend(host::cpu_seconds().map(|seconds| ("cpu_us", seconds * 1e6)));
    record.figures = figures.into_iter().map(|(name, value)| (name.to_owned(), figure(value))).collect();
    record
}

fn report(screen: Screen, table: &WindowTable<'_>, counter: &Counter, summary: &Summary) {
    screen.say(table.render());
    screen.say(session::ledger_line(&counter.ledger().into()));
    let seconds = summary.elapsed.as_secs_f64().max(1e-9);
    let frames = counter.ledger().read;
    screen.say(format!(
        "counted {} in {}: {} frames/s, {} MB/s",
        plural(frames, "frame"),
        time(summary.elapsed),
        rate(frames as f64 / seconds),
        megabytes(summary.read_bytes as f64 / seconds),
    ));
    if summary.interrupted {
        screen.say(format!("interrupted: {} had no result yet", plural(counter.pending() as u64, "open window")));
    }
}

/// One line on a terminal; a line every ten seconds elsewhere, while following.
struct StatusLine {
    screen: Screen,
    bar: indicatif::ProgressBar,
    total: u64,
    contexts: Option<Vec<Arc<Context>>>,
    rate: (Instant, u64, f64),
    said: Instant,
}

impl StatusLine {
    fn new(screen: Screen, total: u64, contexts: Option<Vec<Arc<Context>>>) -> StatusLine {
        let now = Instant::now();
        let bar = screen.progress("{spinner} {msg}");
        StatusLine { screen, bar, total, contexts, rate: (now, 0, 0.0), said: now }
    }

    fn show(&mut self, now: &Progress) {
        let elapsed = self.rate.0.elapsed();
        if elapsed >= Duration::from_secs(1) {
            let frames = now.frames - self.rate.1;
            self.rate = (Instant::now(), now.frames, frames as f64 / elapsed.as_secs_f64());
        }
        let lag = match &self.contexts {
            Some(contexts) => contexts.iter().map(|context| context.lag()).sum::<i64>().max(0) as u64,
            None => self.total.saturating_sub(now.frames),
        };
        let watermark = now.watermark.and_then(|at| jiff::Timestamp::from_second(at).ok());
        let line = format!(
            "{} open, {} results, watermark {}, lag {}, {} frames/s",
            plural(now.pending as u64, "window"),
            screen::count(now.results),
            watermark.map_or_else(|| "not yet known".into(), |at| at.to_string()),
            screen::count(lag),
            rate(self.rate.2),
        );
        if self.contexts.is_some() && self.bar.is_hidden() && self.said.elapsed() >= Duration::from_secs(10) {
            self.said = Instant::now();
            Screen { to_stderr: true, ..self.screen }.say(&line);
        }
        self.bar.set_message(line);
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
