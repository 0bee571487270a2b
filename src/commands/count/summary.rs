//! What a count says in the end: its record, and its words.

use crate::cli::CountArgs;
use crate::commands::session::{self, Session, figure};
use crate::count::window_table::WindowTable;
use crate::engine::status::{Doubtful, RunSummary};
use crate::system::host;
use crate::terminal::ledger_line::ledger_line;
use crate::terminal::{Screen, megabytes, plural, rate, time};
use kuu_core::configuration::{Configuration, CountConfig};
use kuu_core::counter::Counter;
use kuu_core::record::Record;
use std::time::Duration;

/// The record of a count before its first commit. If it is the last record, the run did not end, and the record before
/// it is out of date.
pub fn begun(arguments: &CountArgs, session: &Session) -> Record {
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
        distinct: arguments.distinct,
        lateness_s: event_time.lateness.as_secs(),
        retention_s: event_time.retention.as_secs(),
        max_jump_s: event_time.max_jump.as_secs(),
        max_open_windows: event_time.max_open_windows,
        max_far_users: event_time.max_far_users,
        idle_us: arguments.idle.as_micros() as u64,
        commit_interval_us: arguments.commit_interval.as_micros() as u64,
        close_idle_us: arguments.close_idle.map(|idle| idle.as_micros() as u64),
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

/// The record of a count that has ended.
pub fn record(
    arguments: &CountArgs,
    session: &Session,
    counter: &Counter,
    summary: &RunSummary,
    resumed: u64,
) -> Record {
    let mut record = session.record(Configuration::Count, config(arguments));
    record.ledger = Some(counter.ledger().clone());
    let mut figures = vec![("resumed_frames", resumed as f64), ("results_rows", summary.results as f64)];
    figures.extend(counter.users().map(|users| ("users", users as f64)));
    let frames = counter.ledger().read - resumed;
    if frames > 0 {
        // Whole microseconds, so that the rates are quotients of what stands beside them.
        let elapsed_us = summary.elapsed.as_micros().max(1) as f64;
        let per_second = |amount: u64| amount as f64 / (elapsed_us / 1e6);
        figures.push(("elapsed_us", elapsed_us));
        if summary.idle > Duration::ZERO {
            figures.push(("idle_us", summary.idle.as_secs_f64() * 1e6));
        }
        figures.push(("count_frames_per_s", per_second(frames)));
        figures.push(("count_bytes_per_s", per_second(summary.read_bytes)));
    }
    figures.extend(host::peak_resident_bytes().map(|bytes| ("peak_resident_bytes", bytes as f64)));
    figures.extend(host::cpu_seconds().map(|seconds| ("cpu_us", seconds * 1e6)));
    record.figures = figures.into_iter().map(|(name, value)| (name.to_owned(), figure(value))).collect();
    record
}

/// Says what was counted.
pub fn report(screen: Screen, table: &WindowTable, counter: &Counter, summary: &RunSummary, resumed: u64) {
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
            "counted {} in {}{}: {} frames/s, {} MB/s",
            plural(frames, "frame"),
            time(summary.elapsed),
            if summary.idle > Duration::ZERO {
                format!(", and {} without a frame", time(summary.idle))
            } else {
                String::new()
            },
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
pub fn doubts(doubtful: &Doubtful) -> String {
    let others = if doubtful.others > 0 { format!(" (and {} more)", doubtful.others) } else { String::new() };
    let so = if doubtful.left_out { "it is left out of the watermark" } else { "it holds the watermark back" };
    format!("partition {}{others}: its frames do not agree on the time: {so}", doubtful.partition)
}
