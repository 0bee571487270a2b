//! `kuu count`: counts a topic, files or standard input.

mod metrics;
mod status_line;
mod summary;

use crate::cli::CountArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::receipts;
use crate::commands::session::{self, Session, broker};
use crate::commands::session::{topics, unread};
use crate::count::lines_sink::LinesSink;
use crate::count::metrics::metered::Metered;
use crate::count::observer::Observed;
use crate::count::printer::{Printer, ResultFormat};
use crate::count::recovery::{Activity, Counted, Job};
use crate::count::window_table::WindowTable;
use crate::engine::queue::Feed;
use crate::engine::run;
use crate::engine::sink::Sink;
use crate::engine::start::{RunOptions, Start};
use crate::input::source;
use crate::kafka::admin::Cluster;
use crate::kafka::client::lags::Lags;
use crate::kafka::commit::interval::check_interval;
use crate::kafka::commit::state_topic::State;
use crate::kafka::topics::count_topics::{CountTopics, Limits};
use crate::kafka::topics::limits::{limits_of, to_take};
use crate::terminal::{self, Screen, plural};
use crate::verification::check::hidden;
use anyhow::{Result, bail};
use kuu_core::configuration::Guarantee;
use kuu_core::counter::{Config, Counter};
use kuu_core::record::Topic;
use status_line::StatusLine;
use std::cell::Cell;
use std::sync::mpsc::channel;
use std::time::Duration;
use summary::{begun, record, report};

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
    let metrics = metrics::serve(arguments, session)?;
    let cluster = Cluster::connect(&settings)?;
    if arguments.follow && !topics::awaited(session, &cluster, &arguments.topic, "kuu produce FILE makes it")? {
        return Ok(ExitStatus::Interrupted);
    }
    if cluster.partitions(&arguments.topic)?.is_none() {
        bail!("there is no topic {}: fill it with `kuu produce FILE`, or name another with --topic", arguments.topic);
    }
    prepare_outputs(arguments, session.screen, &cluster)?;
    let mut job = job(arguments);
    job.lags = metrics.as_ref().map(|metrics| metrics.lags().clone()).unwrap_or_default();
    let state = (job.guarantee == Guarantee::ExactlyOnce).then(|| State::topic(&arguments.group));
    job.topics.limits = limits_of(&cluster, &job.topics, state.as_deref())?;
    let mut status = StatusLine::new(session.screen, arguments.follow.then_some(arguments.close_idle));
    let keeps_all = session.common.json && !arguments.follow;
    let printer = printer(arguments, session, &status)?;
    let mut table = WindowTable::new(keeps_all, printer);
    let mut begun = Some(begun(arguments, session));
    let output = receipts::topic(&cluster, &arguments.output);
    let mut metered = Metered::new(metrics.as_ref(), &mut table);
    let counted = job.run(&cluster, &session.stop, &mut metered, |now| {
        metrics.iter().for_each(|metrics| metrics.note(now));
        if matches!(now, Activity::Counting { .. })
            && let Some(record) = begun.take()
        {
            // If this record cannot be written, the final one cannot be written either, and that is an error.
            let _ = receipts::store(session, &output, &record);
        }
        status.show(now);
    });
    status.clear();
    // All results are printed before the summary.
    table.printer = None;
    let Counted { counter, summary, resumed_frames, setbacks } = counted?;

    let mut record = record(arguments, session, &counter, &summary, resumed_frames);
    record.broker = Some(broker(&cluster));
    let partitions = summary.positions.len();
    record.topic =
        Some(Topic { name: arguments.topic.clone(), partitions, id: cluster.id(&arguments.topic).ok().flatten() });
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
    if summary.interrupted && counter.pending() > 0 && arguments.follow {
        session.screen.say(status_line::closing(arguments.close_idle));
    }
    hidden.iter().for_each(|hint| session.screen.say(hint));
    // Those of a count that follows are printed already.
    if keeps_all {
        session.print_with(&record, table.windows())?;
    } else {
        session.print(&record)?;
    }
    let saved = receipts::store(session, &output, &record)?;
    session.screen.say(format!("record: {}", saved.display()));
    Ok(if summary.interrupted { ExitStatus::Interrupted } else { unread::status(counter.ledger(), &job.parser) })
}

/// Prints results as they come, to those who follow.
fn printer(arguments: &CountArgs, session: &Session, status: &StatusLine) -> Result<Option<Printer>> {
    if !arguments.follow || session.screen.quiet {
        return Ok(None);
    }
    let format = if session.common.json { ResultFormat::Json } else { ResultFormat::Text };
    Printer::new(format, status.bar(), session.stop.clone()).map(Some)
}

/// The frames that an open transaction hides from the count. If the brokers do not answer, there is no remark and no
/// error.
fn hidden_frames(cluster: &Cluster, topic: &str) -> Vec<String> {
    let ends = cluster.uncommitted_ranges(topic).and_then(|all| Ok((all, cluster.ranges(topic)?)));
    ends.map_or_else(|_| Vec::new(), |(all, stable)| hidden(topic, "count", &all, &stable))
}

fn counting(arguments: &CountArgs) -> Config {
    Config { distinct: arguments.distinct, ..session::counting(&arguments.windows, &arguments.event_time) }
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
        counting: counting(arguments),
        follow: arguments.follow,
        lags: Lags::default(),
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
    let mut counter = Counter::new(counting(arguments), 1);
    let mut sink: Box<dyn Sink> = if screen.quiet {
        Box::new(LinesSink::new(std::io::sink(), session.stop.clone()))
    } else if session.common.json {
        Box::new(LinesSink::new(std::io::stderr(), session.stop.clone()))
    } else {
        Box::new(LinesSink::new(std::io::stdout(), session.stop.clone()))
    };
    let mut table = WindowTable::new(session.common.json, None);
    let mut status = StatusLine::new(screen, None);
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
        session.print_with(&record, table.windows())?;
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
        close_idle: arguments.close_idle,
        early: arguments.early,
        dead_letters: arguments.dead_letter.is_some(),
        ordered: arguments.ordered_output.is_some(),
        ..RunOptions::default()
    }
}
