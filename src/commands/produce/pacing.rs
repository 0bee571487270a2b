//! When frames are sent, and how often: from the options to a plan, and from the schedule to a finding.

use crate::cli::ProduceArgs;
use crate::commands::session::{Session, figure, unread};
use crate::engine::schedule::{LoadPace, Schedule};
use crate::input::{LentBlock, Originals, is_blank, is_stream, several};
use crate::kafka::produce::replay::Replay;
use crate::terminal::{plural, rate, time};
use anyhow::{Result, bail};
use kuu_core::latency::{Leg, LegRecords, Legs};
use kuu_core::ledger::Ledger;
use kuu_core::record::Record;
use kuu_frame::{Parser, ParserOptions};
use std::sync::Arc;
use std::time::Duration;

/// What is sent, and how often.
///
/// # Errors
/// If the input cannot be repeated, or has no event time for --speed.
pub fn plan<'a>(arguments: &'a ProduceArgs, session: &Session, parser: &'a ParserOptions) -> Result<Replay<'a>> {
    let names = &arguments.files;
    let pacing = &arguments.pacing;
    let originals = if pacing.repeats() {
        if let Some(name) = names.iter().find(|name| is_stream(name)) {
            let name = if name == "-" { "standard input" } else { name };
            bail!("{name} cannot be read again: to repeat it with --repeat or --for, save it to a file and name that");
        }
        Originals::note(names)?
    } else {
        Originals::default()
    };
    if pacing.speed.is_some() && !names.iter().any(|name| is_stream(name)) {
        has_event_time(arguments, session, parser)?;
    }
    let times = pacing.repeat.unwrap_or(if pacing.time.is_some() { u64::MAX } else { 1 });
    Ok(Replay { names, limit: arguments.limit, parser, times, originals, sent: Arc::default() })
}

/// Reads files up to the first frame.
fn has_event_time(arguments: &ProduceArgs, session: &Session, parser: &ParserOptions) -> Result<()> {
    // The members of these values are not those of the frames that are sent.
    let options = ParserOptions { sample: Default::default(), ..parser.clone() };
    let mut parser = Parser::new(&options);
    let mut ledger = Ledger::default();
    let mut found = false;
    let take = |_: usize, block: &Arc<LentBlock>| {
        for (_, line) in block.lines().filter(|(_, line)| !is_blank(line)) {
            match parser.parse(line) {
                Ok(_) => found = true,
                Err(reason) => ledger.malformed(reason),
            }
            if found {
                break;
            }
        }
        !found
    };
    let reading = several::read(&arguments.files, arguments.limit, &session.stop, |_| {}, take);
    match reading.error {
        Some(error) if !found => Err(error.into()),
        _ if found || ledger.read == 0 || session.stop.interrupted() => Ok(()),
        _ => match unread::words(&ledger, &options) {
            Some(words) => bail!("--speed needs event time, and {words}"),
            None => bail!("--speed needs event time, and none of {} has one: use --rate", plural(ledger.read, "frame")),
        },
    }
}

/// The schedule that the options ask for.
pub fn schedule(arguments: &ProduceArgs) -> Option<Schedule> {
    let pacing = &arguments.pacing;
    pacing.rate.map(LoadPace::Rate).or(pacing.speed.map(LoadPace::Speed)).map(Schedule::new)
}

/// Adds to the record how the schedule was held.
///
/// # Errors
/// If the histogram cannot be encoded.
pub fn fill(record: &mut Record, schedule: &Schedule) -> Result<()> {
    let mut legs = Legs::default();
    legs.merge_leg(Leg::Schedule, schedule.lateness());
    record.latency = LegRecords::try_from(&legs)?;
    for (name, value) in [
        ("asked_frames_per_s", schedule.asked_per_s()),
        ("achieved_frames_per_s", schedule.achieved_per_s()),
        ("on_schedule", f64::from(u8::from(!schedule.is_behind()))),
    ] {
        record.figures.insert(name.into(), figure(value));
    }
    Ok(())
}

/// How the schedule was held, if any frame was sent.
pub fn words(schedule: &Schedule) -> Option<String> {
    let late = schedule.lateness().summary()?;
    let us = |us: u64| time(Duration::from_micros(us));
    let percentile = |name: &str, at: Option<u64>| at.map_or_else(String::new, |at| format!("{} ({name}), ", us(at)));
    Some(format!(
        "{}: {} of {} frames/s; frames were late by {}{}{} (max), the last one by {}",
        if schedule.is_behind() { "behind its schedule" } else { "on schedule" },
        rate(schedule.achieved_per_s()),
        rate(schedule.asked_per_s()),
        percentile("p50", late.p50_us),
        percentile("p99", late.p99_us),
        us(late.max_us),
        us(schedule.slip_us().unsigned_abs()),
    ))
}
