//! Runs the counter: it takes frames from readers and passes results to a sink.

mod feeding;
mod forward;
mod pace;
mod partitions;
mod quiet;
#[cfg(test)]
mod tests;

use crate::engine::queue::{Event, Intake};
use crate::engine::sink::Sink;
use crate::engine::start::{RunOptions, Start};
use crate::engine::status::{RunSummary, Status};
use crate::engine::stop::Stop;
use anyhow::{Result, bail};
use feeding::Run;
use kuu_core::counter::Counter;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// How often `watch` is called.
const TELL: Duration = Duration::from_millis(50);

/// Runs until every partition has ended, then finishes: open windows are emitted unless the run was interrupted.
///
/// # Errors
/// The first failure of a reader or of the sink, or if the readers are gone before all partitions have ended.
pub fn run(
    intake: &Intake,
    counter: &mut Counter,
    start: Start,
    sink: &mut dyn Sink,
    options: RunOptions,
    stop: &Stop,
    mut watch: impl FnMut(&Status),
) -> Result<RunSummary> {
    let mut run = Run::new(counter, start, sink, options)?;
    let mut committed = Instant::now();
    let mut early = Instant::now();
    let mut watched = Instant::now();
    while take(intake, &mut run, stop)? {
        run.sink.poll()?;
        run.excuse_idle()?;
        run.close_idle()?;
        if options.early.is_some_and(|interval| early.elapsed() >= interval) {
            run.counter.flush_early();
            run.emit(None)?;
            early = Instant::now();
        }
        // A commit takes as long as thousands of frames: it waits until the frames at hand are counted, and covers them
        // too.
        let at_once = options.commit_results && options.idle.is_some() && run.closed && intake.is_drained();
        if at_once || committed.elapsed() >= options.commit_interval {
            run.commit(false)?;
            committed = Instant::now();
        }
        if watched.elapsed() >= TELL {
            watch(&run.status());
            watched = Instant::now();
        }
    }
    run.finish(stop.interrupted())
}

/// Takes the next event, if one comes soon; returns whether the run continues.
fn take(intake: &Intake, run: &mut Run<'_>, stop: &Stop) -> Result<bool> {
    match intake.next() {
        Ok(Event::Frames(frames)) => {
            run.frames(&frames)?;
            intake.give_back(frames);
        }
        Ok(Event::Drained) => {}
        Ok(Event::CaughtUp(partition, at)) => run.caught_up(partition, at)?,
        Ok(Event::Unreachable(partition)) => run.unreachable(partition),
        Ok(Event::Ended(partition, at)) => return run.ended(partition, at).map(|all| !all),
        Ok(Event::Grown(partitions)) => run.grow(partitions),
        Ok(Event::Failed(error)) => return Err(error),
        // A reader may be blocked in a silent pipe.
        Err(_) if stop.interrupted() => return Ok(false),
        Err(RecvTimeoutError::Timeout) => {}
        // This is not the end of the input: open windows must not be emitted as final.
        Err(RecvTimeoutError::Disconnected) => bail!(run.unfinished()),
    }
    Ok(true)
}
