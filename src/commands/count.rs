//! `kuu count`: counts a topic, files or standard input.

use crate::cli::CountArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::receipts;
use crate::commands::session::{self, Session, broker, figure, print_json};
use crate::commands::session::{topics, unread};
use crate::count::lines_sink::LinesSink;
use crate::count::observer::Observed;
use crate::count::recovery::{Activity, Counted, Job};
use crate::count::window_table::WindowTable;
use crate::engine::queue::Feed;
use crate::engine::run;
use crate::engine::sink::Sink;
use crate::engine::start::{RunOptions, Start};
use crate::engine::status::{Doubtful, RunSummary};
use crate::input::source;
use crate::kafka::admin::Cluster;
use crate::kafka::commit::interval::check_interval;
use crate::kafka::commit::state_topic::State;
use crate::kafka::topics::count_topics::{CountTopics, Limits};
use crate::kafka::topics::limits::{limits_of, to_take};
use crate::system::host;
use crate::terminal::ledger_line::ledger_line;
use crate::terminal::{self, Screen, megabytes, plural, rate, time};
use crate::verification::check::hidden;
use anyhow::{Result, bail};
use kuu_core::configuration::{Configuration, CountConfig, Guarantee};
use kuu_core::counter::Counter;
use kuu_core::record::{Record, Topic};
use std::cell::Cell;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Runs the command.
///
/// # Errors
/// If the input or the broker fails.
pub fn run(arguments: &CountArgs, session: &Session) -> Result<ExitStatus> {
    if arguments.files.is_empty() { topic(arguments, session) } else { files(arguments, session) }
}

/// Counts a topic and writes the results to another one.
fn topic(arguments: &CountArgs, session: &Session) -> Result<ExitStatus> {
    let settings = session.settings();
    if arguments.guarantee == Guarantee::ExactlyOnce {
        check_interval(&settings, arguments.commit_interval)?;
    }
    let cluster = Cluster::connect(&settings)?;
    if cluster.partitions(&arguments.topic)?.is_none() {
        bail!("there is no topic {}: fill it with `kuu produce FILE`, or name another with --topic", arguments.topic);
    }
    prepare_outputs(arguments, session.screen, &cluster)?;
    let mut job = job(arguments);
    let state = (job.guarantee == Guarantee::ExactlyOnce).then(|| State::topic(&arguments.group));
    job.topics.limits = limits_of(&cluster, &job.topics, state.as_deref())?;
    let mut table = WindowTable::default();
    let mut status = StatusLine::new(session.screen, arguments.follow);
    let mut begun = Some(begun(arguments, session));
    let counted = job.run(&cluster, &session.stop, &mut table, |now| {
        if matches!(now, Activity::Counting { .. })
            && let Some(record) = begun.take()
        {
            // If this record cannot be written, the final one cannot be written either, and that is an error.
            let _ = receipts::store(session, &arguments.output, &record);
        }
        status.show(now);
    });
    status.clear();
    let Counted { counter, summary, resumed_frames, setbacks } = counted?;

    let mut record = record(arguments, session, &counter, &summary, resumed_frames);
    record.broker = Some(broker(&cluster));
    let partitions = summary.positions.len();
    record.topic = Some(Topic { name: arguments.topic.clone(), partitions });
    record.remarks = setbacks.iter().map(|why| format!("went back to the last commit: {why}")).collect();
    let hidden = if summary.interrupted { Vec::new() } else { hidden_frames(&cluster, &arguments.topic) };
    record.remarks.extend(hidden.iter().cloned());
    if resumed_frames > 0 {
        let before = plural(resumed_frames, "frame");
        session.screen.say(format!("went on from the position of group {}: {before} counted before", arguments.group));
    }
    if let Some(last) = setbacks.last() {
        let times = plural(setbacks.len() as u64, "time");
        session.screen.say(format!("went back to the last commit {times}, the last time because {last}"));
    }
    report(session.screen, &table, &counter, &summary, resumed_frames);
    hidden.iter().for_each(|hint| session.screen.say(hint));
    session.print(&record)?;
    let saved = receipts::store(session, &arguments.output, &record)?;
    session.screen.say(format!("record: {}", saved.display()));
    Ok(if summary.interrupted { ExitStatus::Interrupted } else { unread::status(counter.ledger(), &job.parser) })
}

/// The frames that an open transaction hides from the count. If the brokers do not answer, there is no remark and no
/// error.
fn hidden_frames(cluster: &Cluster, topic: &str) -> Vec<String> {
    let ends = cluster.uncommitted_ranges(topic).and_then(|all| Ok((all, cluster.ranges(topic)?)));
    ends.map_or_else(|_| Vec::new(), |(all, stable)| hidden(topic, "count", &all, &stable))
}

fn job(arguments: &CountArgs) -> Job {
    Job {
        topics: CountTopics {
            input: arguments.topic.clone(),
            output: arguments.output.clone(),
            dead_letters: arguments.dead_letter.clone(),
            ordered: arguments.ordered_output.clone(),
            limits: Limits::default(),
        },
        group: arguments.group.clone(),
        guarantee: arguments.guarantee,
        threads: session::threads(arguments.threads),
        parser: arguments.frames.options(),
        counting: session::counting(&arguments.windows, &arguments.event_time),
        follow: arguments.follow,
        options: pipeline_options(arguments),
    }
}

/// Creates missing topics for the output. The broker must not delete or compact their messages, so that first answers
/// stay readable.
fn prepare_outputs(arguments: &CountArgs, screen: Screen, cluster: &Cluster) -> Result<()> {
    let exactly_once = arguments.guarantee == Guarantee::ExactlyOnce;
    let others = [&arguments.dead_letter, &arguments.ordered_output];
    let state = State::topic(&arguments.group);
    for topic in others.into_iter().flatten().chain([&arguments.output]) {
        topics::no_state(topic, cluster)?;
        if !arguments.recreate && cluster.partitions(topic)?.is_some() {
            continue;
        }
        let largest = to_take(cluster, &arguments.topic).to_string();
        let forever = [("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "-1")];
        let config = [&forever[..], &[("max.message.bytes", &largest)]].concat();
        if arguments.recreate {
            cluster.check_creation(topic, 1, -1, &config)?;
            cluster.delete(&[topic])?;
        }
        cluster.create(topic, 1, -1, &config)?;
    }
    // The state is deleted after the results: if the run is killed in between, the next one finds a state without its
    // results, and reports it.
    if arguments.recreate {
        if exactly_once {
            cluster.delete(&[&state])?;
        }
        cluster.delete_group(&arguments.group)?;
    }
    if exactly_once {
        State::prepare(cluster, &arguments.group)?;
    }
    if exactly_once && cluster.holds(&state)? {
        return Ok(());
    }
    // Without a state, the topic is counted from its start.
    if let Some(topic) = &arguments.ordered_output
        && cluster.holds(topic)?
    {
        bail!("topic {topic} already holds frames: --recreate deletes the output topics with all they hold first");
    }
    if exactly_once && cluster.holds(&arguments.output)? {
        let (output, group) = (&arguments.output, &arguments.group);
        Screen { to_stderr: true, ..screen }.say(format!(
            "kuu: topic {output} already holds results that group {group} did not write: they stay, and windows of both \
             have two first answers; --recreate deletes them first"
        ));
    }
    Ok(())
}

/// Counts files or standard input, and writes the results to standard output.
fn files(arguments: &CountArgs, session: &Session) -> Result<ExitStatus> {
    let screen = Screen { to_stderr: true, ..session.screen };
    let (feed, intake) = Feed::new();
    let parser = arguments.frames.options();
    let parsing = parser.clone();
    let mut counter = Counter::new(session::counting(&arguments.windows, &arguments.event_time), 1);
    let mut sink: Box<dyn Sink> = if screen.quiet {
        Box::new(LinesSink::new(std::io::sink(), session.stop.clone()))
    } else if session.common.json {
        Box::new(LinesSink::new(std::io::stderr(), session.stop.clone()))
    } else {
        Box::new(LinesSink::new(std::io::stdout(), session.stop.clone()))
    };
    let mut table = WindowTable::default();
    let mut status = StatusLine::new(screen, false);
    let (names, stop) = (arguments.files.clone(), session.stop.clone());
    let (done, reading) = channel();
    // The thread is not joined: after an interrupt it may wait for a silent pipe forever.
    let read = move || done.send(source::feed(&names, &parsing, false, &feed, &stop, |_| {}));
    std::thread::Builder::new().name("parser".into()).spawn(read)?;
    let options = pipeline_options(arguments);
    let commits = Cell::new(0);
    let mut observed = Observed::new(sink.as_mut(), &mut table, &commits);
    let summary = run::run(&intake, &mut counter, Start::anew(1), &mut observed, options, &session.stop, |now| {
        status.show(&Activity::Counting { status: *now, lag: 0, hidden: 0 });
    })?;
    let reading = match summary.interrupted {
        true => reading.recv_timeout(Duration::from_millis(200)).unwrap_or_default(),
        false => reading.recv().unwrap_or_default(),
    };
    status.clear();

    let mut record = record(arguments, session, &counter, &summary, 0);
    record.input = reading.sources.clone();
    report(screen, &table, &counter, &summary, 0);
    if session.common.json {
        print_json(&record)?;
    }
    Ok(match &reading.error {
        Some(error) => {
            terminal::complain(error);
            ExitStatus::Incomplete
        }
        None if summary.interrupted => ExitStatus::Interrupted,
        None => unread::status(counter.ledger(), &parser),
    })
}

fn pipeline_options(arguments: &CountArgs) -> RunOptions {
    RunOptions {
        commit_interval: arguments.commit_interval,
        idle: arguments.follow.then_some(arguments.idle),
        early: arguments.early,
        dead_letters: arguments.dead_letter.is_some(),
        ordered: arguments.ordered_output.is_some(),
        ..RunOptions::default()
    }
}

/// The record of a count before its first commit. If it is the last record, the run did not end, and the record before
/// it is out of date.
fn begun(arguments: &CountArgs, session: &Session) -> Record {
    session.record(Configuration::Count, CountConfig { complete: Some(false), ..config(arguments) })
}

fn config(arguments: &CountArgs) -> CountConfig {
    let CountArgs { windows, frames, event_time, .. } = arguments;
    CountConfig {
        topic: arguments.topic.clone(),
        output: arguments.output.clone(),
        group: arguments.group.clone(),
        guarantee: arguments.guarantee,
        window: session::units(&windows.window),
        lateness_s: event_time.lateness.as_secs(),
        retention_s: event_time.retention.as_secs(),
        max_jump_s: event_time.max_jump.as_secs(),
        max_open_windows: event_time.max_open_windows,
        max_far_users: event_time.max_far_users,
        idle_us: arguments.idle.as_micros() as u64,
        commit_interval_us: arguments.commit_interval.as_micros() as u64,
        early_us: arguments.early.map(|early| early.as_micros() as u64),
        dead_letter: arguments.dead_letter.clone(),
        ordered_output: arguments.ordered_output.clone(),
        threads: session::threads(arguments.threads),
        follow: arguments.follow,
        parser: frames.parser,
        frames: frames.options().format,
        complete: Some(true),
    }
}

fn record(arguments: &CountArgs, session: &Session, counter: &Counter, summary: &RunSummary, resumed: u64) -> Record {
    let mut record = session.record(Configuration::Count, config(arguments));
    record.ledger = Some(counter.ledger().clone());
    let mut figures = vec![
        ("resumed_frames", resumed as f64),
        ("results_rows", summary.results as f64),
        ("users", counter.users() as f64),
    ];
    let frames = counter.ledger().read - resumed;
    if frames > 0 {
        let seconds = summary.elapsed.as_secs_f64().max(1e-9);
        figures.push(("elapsed_us", seconds * 1e6));
        figures.push(("count_frames_per_s", frames as f64 / seconds));
        figures.push(("count_bytes_per_s", summary.read_bytes as f64 / seconds));
    }
    figures.extend(host::peak_resident_bytes().map(|bytes| ("peak_resident_bytes", bytes as f64)));
    figures.extend(host::cpu_seconds().map(|seconds| ("cpu_us", seconds * 1e6)));
    record.figures = figures.into_iter().map(|(name, value)| (name.to_owned(), figure(value))).collect();
    record
}

fn report(screen: Screen, table: &WindowTable, counter: &Counter, summary: &RunSummary, resumed: u64) {
    let frames = counter.ledger().read - resumed;
    if !table.is_empty() || resumed == 0 {
        screen.say(table.render());
    }
    screen.say(ledger_line(counter.ledger()));
    let seconds = summary.elapsed.as_secs_f64().max(1e-9);
    screen.say(match (frames, table.is_empty()) {
        (0, _) if resumed == 0 => "counted 0 frames".into(),
        (0, true) => "nothing new".into(),
        (0, false) => "no new frames: windows that were open have their results".into(),
        _ => format!(
            "counted {} in {}: {} frames/s, {} MB/s",
            plural(frames, "frame"),
            time(summary.elapsed),
            rate(frames as f64 / seconds),
            megabytes(summary.read_bytes as f64 / seconds),
        ),
    });
    if let Some(doubtful) = &summary.doubtful {
        screen.say(doubts(doubtful));
    }
    if summary.interrupted {
        screen.say(format!("interrupted: {} had no result yet", plural(counter.pending() as u64, "open window")));
    }
}

/// The partition without a plausible clock, and the effect of it.
fn doubts(doubtful: &Doubtful) -> String {
    let others = if doubtful.others > 0 { format!(" (and {} more)", doubtful.others) } else { String::new() };
    let so = if doubtful.left_out { "it is left out of the watermark" } else { "it holds the watermark back" };
    format!("partition {}{others}: its frames do not agree on the time: {so}", doubtful.partition)
}

/// The rate of frames at its last measurement.
struct Rate {
    since: Instant,
    /// Number of frames until then.
    frames: u64,
    per_s: f64,
}

/// The status on a terminal, in one line; elsewhere a line every ten seconds, while the count follows.
struct StatusLine {
    screen: Screen,
    bar: indicatif::ProgressBar,
    follow: bool,
    rate: Rate,
    said: Instant,
}

impl StatusLine {
    fn new(screen: Screen, follow: bool) -> StatusLine {
        let now = Instant::now();
        let bar = screen.progress("{spinner} {msg}");
        StatusLine { screen, bar, follow, rate: Rate { since: now, frames: 0, per_s: 0.0 }, said: now }
    }

    fn show(&mut self, now: &Activity) {
        let (status, lag, hidden) = match now {
            Activity::Restoring { read, total } => {
                let (read, total) = (terminal::count(*read), terminal::count(*total));
                return self.bar.set_message(format!("restoring the state: {read} of {total} records"));
            }
            Activity::SetBack { why } => {
                // Who follows may wait for days until the summary has it.
                let screen = Screen { to_stderr: true, quiet: self.screen.quiet || !self.follow };
                return self.bar.suspend(|| screen.say(format!("goes back to the last commit: {why}")));
            }
            Activity::Counting { status, lag, hidden } => (status, lag, hidden),
        };
        let elapsed = self.rate.since.elapsed();
        if elapsed >= Duration::from_secs(1) {
            // After a setback the number of frames is lower than before.
            let frames = status.frames.saturating_sub(self.rate.frames);
            let per_s = frames as f64 / elapsed.as_secs_f64();
            self.rate = Rate { since: Instant::now(), frames: status.frames, per_s };
        }
        let watermark = status.watermark.and_then(|at| jiff::Timestamp::from_second(at).ok());
        let line = format!(
            "{} open, {} results, watermark {}, lag {}, {} frames/s{}{}",
            plural(status.pending as u64, "window"),
            terminal::count(status.results),
            watermark.map_or_else(|| "not yet known".into(), |at| at.to_string()),
            terminal::count(*lag),
            rate(self.rate.per_s),
            status.doubtful.map_or_else(String::new, |doubtful| format!("; {}", doubts(&doubtful))),
            match hidden {
                0 => String::new(),
                offsets => format!("; an open transaction hides {}", plural(*offsets, "offset")),
            },
        );
        if self.follow && self.bar.is_hidden() && self.said.elapsed() >= Duration::from_secs(10) {
            self.said = Instant::now();
            Screen { to_stderr: true, ..self.screen }.say(&line);
        }
        self.bar.set_message(line);
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
