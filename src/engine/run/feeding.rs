//! Feeds frames to the counter, passes results to the sink, and commits.

use crate::engine::run::pace::Pace;
use crate::engine::run::quiet::Quiet;
use crate::engine::sink::{Commit, Letter, Output, Sink};
use crate::engine::start::{RunOptions, Start};
use crate::engine::status::{RunSummary, Status};
use crate::system::memory::Relief;
use anyhow::{Result, anyhow};
use kuu_core::counter::{Counter, Timing};
use kuu_core::frame_batch::{Frames, Times};
use kuu_core::ordered::Ordered;
use std::time::{Duration, Instant};

/// A commit that takes longer has waited for a broker, while many frames have gathered.
const LONG: Duration = Duration::from_secs(1);
/// A live stream without a frame for this long is idle.
const IDLE: Duration = Duration::from_secs(2);

pub(super) struct Run<'a> {
    pub(super) counter: &'a mut Counter,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) options: RunOptions,
    pub(super) summary: RunSummary,
    /// For each partition the first offset to count; an earlier run counted those before it.
    pub(super) start: Vec<i64>,
    /// For each partition the offset from which the ordered output reads frames again; none once they are read. Until
    /// then nothing is released, as the watermark is ahead of these frames.
    pub(super) again: Vec<Option<i64>>,
    pub(super) silent_since: Vec<Option<Duration>>,
    /// Which partitions have reported their ends.
    pub(super) ended: Vec<bool>,
    pub(super) pace: Pace,
    /// Set if open windows close when no frame comes.
    pub(super) quiet: Option<Quiet>,
    pub(super) relief: Relief,
    /// When the first and the last frames arrived.
    pub(super) frames_at: Option<(Instant, Instant)>,
    pub(super) order: Option<Ordered<Letter>>,
    /// Whether a window closed since the last commit.
    pub(super) closed: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        counter: &'a mut Counter,
        start: Start,
        sink: &'a mut dyn Sink,
        options: RunOptions,
    ) -> Result<Run<'a>> {
        let Start { positions, held } = start;
        let partitions = positions.len();
        let order = options.ordered.then(|| Ordered::new(partitions, held.as_ref())).transpose();
        let order = order.map_err(|why| anyhow!("the state of the ordered output is damaged: {why}; --recreate"))?;
        let from = held.map(|held| held.from).unwrap_or_default();
        let again = |partition| from.get(partition).copied().filter(|from| *from < positions[partition]);
        Ok(Run {
            counter,
            sink,
            options,
            again: (0..partitions).map(again).collect(),
            summary: RunSummary { positions: positions.clone(), ..RunSummary::default() },
            start: positions,
            silent_since: vec![None; partitions],
            ended: vec![false; partitions],
            pace: Pace::new(options.idle.unwrap_or_default() / 4),
            quiet: options.close_idle.map(|after| Quiet::new(after, partitions)),
            relief: Relief::default(),
            frames_at: None,
            order,
            closed: false,
        })
    }

    pub(super) fn frames(&mut self, frames: &Frames) -> Result<()> {
        let now = Instant::now();
        let (first, last) = self.frames_at.unwrap_or((now, now));
        if self.options.idle.is_some() && now - last >= IDLE {
            self.summary.idle += now - last;
        }
        let partition = frames.partition;
        if let Some(quiet) = &mut self.quiet {
            quiet.hears(partition);
        }
        self.counter.ledger_mut().blank += frames.blank;
        self.summary.read_bytes += frames.read_bytes;
        for value in frames.iter() {
            if value.offset < self.start[partition] {
                self.hold_again(partition, &value);
                continue;
            }
            self.is_read_again(partition)?;
            let fate = self.counter.observe(partition, value.outcome);
            if self.counter.has_results() {
                self.emit(value.times)?;
            }
            if value.bytes.is_some() {
                self.forward(partition, &value, fate)?;
            }
            if let Some(Times { sent_us: Some(sent), arrived_us, .. }) = value.times {
                // Any producer may set the header, to any number.
                self.summary.transit.record(arrived_us.saturating_sub(sent));
            }
            self.summary.positions[partition] = value.offset + 1;
        }
        self.silent_since[partition] = None;
        self.frames_at = Some((first, Instant::now()));
        Ok(())
    }

    pub(super) fn emit(&mut self, cause: Option<Times>) -> Result<()> {
        for result in self.counter.drain() {
            self.summary.results += 1;
            self.closed |= result.timing == Timing::OnTime;
            self.sink.take(Output::Result(result, cause))?;
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, last: bool) -> Result<()> {
        // A bounded run emits corrections only when a window closes, so that its results do not depend on its speed.
        if self.options.idle.is_some() && !last {
            self.counter.flush_late();
            self.emit(None)?;
        }
        self.closed = false;
        self.settle()?;
        let changes = self.counter.changes();
        let held = self.held();
        let (positions, read_bytes) = (&self.summary.positions, self.summary.read_bytes);
        let begun = Instant::now();
        let ledger = self.counter.ledger();
        self.sink.commit(Commit { positions, changes, held, ledger, read_bytes, last })?;
        if begun.elapsed() > LONG {
            self.relief.burst(self.pace.now());
        }
        Ok(())
    }

    pub(super) fn status(&self) -> Status {
        Status {
            frames: self.counter.ledger().read,
            pending: self.counter.pending(),
            results: self.summary.results,
            watermark: self.counter.watermark(),
            caught_up: self.silent_since.iter().all(Option::is_some),
            doubtful: self.doubtful(),
        }
    }

    /// Ends the run: emits the open windows, unless it was interrupted, and commits everything.
    pub(super) fn finish(mut self, interrupted: bool) -> Result<RunSummary> {
        if interrupted {
            self.summary.interrupted = true;
            self.counter.flush_late();
            // No later run would release the frames that still wait for their turn.
            if !self.options.resumes {
                self.release_all()?;
            }
        } else {
            self.counter.finish();
            self.release_all()?;
        }
        self.emit(None)?;
        self.summary.doubtful = self.doubtful();
        self.commit(true)?;
        self.summary.elapsed = match self.frames_at {
            Some((first, last)) if self.options.idle.is_some() => (last - first).saturating_sub(self.summary.idle),
            Some((first, _)) => first.elapsed(),
            None => Duration::ZERO,
        };
        self.sink.settle();
        Ok(self.summary)
    }
}
