//! Runs the counter: what readers deliver goes in, what it emits goes to a sink.

mod forward;
mod pace;
mod partitions;

use crate::engine::queue::{Event, Intake};
use crate::engine::stop::Stop;
use crate::system::memory::Relief;
use anyhow::{Result, anyhow, bail};
use kuu_core::counter::{Change, Counter, Emission, Timing};
use kuu_core::frame_batch::{Frames, Times, Value};
use kuu_core::latency::Histogram;
use kuu_core::ordered::{Held, Ordered};
use pace::Pace;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// One value on its way to a topic of frames, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// User id, where one can be read.
    pub key: Option<String>,
    /// The original bytes.
    pub value: Vec<u8>,
    /// Where it was read.
    pub partition: usize,
    /// Its offset there.
    pub offset: i64,
}

impl Letter {
    fn of(partition: usize, value: &Value<'_>) -> Letter {
        Letter {
            key: value.outcome.ok().map(|frame| frame.uid.to_owned()),
            value: value.bytes.unwrap_or_default().to_vec(),
            partition,
            offset: value.offset,
        }
    }
}

/// Where results go.
pub trait Sink {
    /// Takes a result; `cause` has the times of the frame that brought it about, on a live stream.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn result(&mut self, result: &Emission, cause: Option<Times>) -> Result<()>;

    /// Takes a value that no window counts, or that came after its turn, for the reason given.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn dead_letter(&mut self, _letter: Letter, _reason: &'static str) -> Result<()> {
        Ok(())
    }

    /// Takes the next frame of the ordered output.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn ordered(&mut self, _letter: Letter) -> Result<()> {
        Ok(())
    }

    /// Makes sure that every result so far is where it should be, and that the work so far need not be done again.
    ///
    /// # Errors
    /// If a result was lost.
    fn commit(&mut self, commit: Commit<'_>) -> Result<()>;

    /// Waits until everybody sees what was committed.
    fn settle(&mut self) {}

    /// Gives the sink a moment for its own affairs.
    ///
    /// # Errors
    /// If a result was lost.
    fn poll(&mut self) -> Result<()> {
        Ok(())
    }
}

/// What a commit covers.
pub struct Commit<'a> {
    /// For each partition the next offset to read, -1 if none was read.
    pub positions: &'a [i64],
    /// What changed in the counter since the last commit, if it keeps its state.
    pub changes: Vec<Change>,
    /// What the ordered output has still to come, if there is one.
    pub held: Option<Held>,
    /// Whether it is the last one of the run: then it is waited for.
    pub last: bool,
}

/// Where a run begins.
pub struct Start {
    /// For each partition the next offset to count, -1 if none was counted.
    pub positions: Vec<i64>,
    /// What is read again for the ordered output.
    pub held: Option<Held>,
}

impl Start {
    /// Nothing was counted.
    pub fn anew(partitions: usize) -> Start {
        Start { positions: vec![-1; partitions], held: None }
    }
}

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How often positions are committed.
    pub commit_interval: Duration,
    /// A live stream: partitions that are silent at their end are left out after this time.
    pub idle: Option<Duration>,
    /// How often open windows that changed get an early result.
    pub early: Option<Duration>,
    /// Whether the sink takes dead letters; the reader must keep the original bytes.
    pub dead_letters: bool,
    /// Whether the sink takes the frames in order; the reader must keep the original bytes.
    pub ordered: bool,
    /// Whether results are seen only once they are committed: then a live stream commits as soon as a window closes.
    pub commit_results: bool,
    /// Whether the next run goes on where this one stops: then an interrupt leaves it what waits for its turn.
    pub resumes: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            commit_interval: Duration::from_secs(1),
            idle: None,
            early: None,
            dead_letters: false,
            ordered: false,
            commit_results: false,
            resumes: false,
        }
    }
}

/// What is known while it runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Status {
    /// Frames so far.
    pub frames: u64,
    /// Windows without an on-time result.
    pub pending: usize,
    /// Results so far.
    pub results: u64,
    /// Unix seconds.
    pub watermark: Option<i64>,
    /// Whether the end of every partition of a live stream was reached, and nothing came since.
    pub caught_up: bool,
    /// A partition of a live stream whose frames do not agree on the time, if there is one.
    pub doubtful: Option<Doubtful>,
}

/// A partition without a plausible clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubtful {
    /// The first one.
    pub partition: usize,
    /// Whether it is left out of the watermark; else it holds it back.
    pub left_out: bool,
    /// How many others there are.
    pub others: usize,
}

/// How a run went.
#[derive(Default)]
pub struct Summary {
    /// Whether it was interrupted; then open windows have no result.
    pub interrupted: bool,
    /// The next offset of each partition, -1 where nothing was read.
    pub positions: Vec<i64>,
    /// Results that were emitted.
    pub results: u64,
    /// Bytes of the values that were read.
    pub read_bytes: u64,
    /// From the first frames to the last results, acknowledged; on a live stream, which waits for frames, to the last ones.
    pub elapsed: Duration,
    /// Sent to read, on a live stream whose frames carry their times, in microseconds.
    pub transit: Histogram,
    /// As in [`Status`], at the end.
    pub doubtful: Option<Doubtful>,
}

/// A commit that takes longer has waited for a broker, and much has gathered meanwhile.
const LONG: Duration = Duration::from_secs(1);

struct Run<'a> {
    counter: &'a mut Counter,
    sink: &'a mut dyn Sink,
    options: Options,
    summary: Summary,
    /// What lies before was counted in an earlier run.
    start: Vec<i64>,
    /// What the ordered output had still to come then, by partition; none once it is all read again. Until then nothing
    /// goes out, as the watermark is ahead of it.
    again: Vec<Option<i64>>,
    silent_since: Vec<Option<Duration>>,
    /// Which partitions have reported their ends.
    ended: Vec<bool>,
    pace: Pace,
    relief: Relief,
    /// When the first and the last frames were taken.
    frames_at: Option<(Instant, Instant)>,
    order: Option<Ordered<Letter>>,
    /// Whether a window closed since the last commit.
    closed: bool,
}

/// Runs until every partition has ended, then finishes: open windows are emitted unless the run was interrupted.
///
/// # Errors
/// The first failure of a reader or of the sink, or if the readers are gone before all partitions have ended.
pub fn run(
    intake: &Intake,
    counter: &mut Counter,
    start: Start,
    sink: &mut dyn Sink,
    options: Options,
    stop: &Stop,
    mut watch: impl FnMut(&Status),
) -> Result<Summary> {
    let mut run = Run::new(counter, start, sink, options)?;
    let mut committed = Instant::now();
    let mut early = Instant::now();
    let mut watched = Instant::now();
    loop {
        match intake.next() {
            Ok(Event::Frames(frames)) => {
                run.frames(&frames)?;
                intake.give_back(frames);
            }
            Ok(Event::Drained) => {}
            Ok(Event::CaughtUp(partition, at)) => {
                run.stands(partition, at);
                run.silent_since[partition] = Some(run.pace.now());
                run.is_read_again(partition)?;
            }
            Ok(Event::Ended(partition, at)) => {
                run.stands(partition, at);
                run.is_read_again(partition)?;
                run.silence(partition)?;
                run.ended[partition] = true;
                if run.ended.iter().all(|ended| *ended) {
                    break;
                }
            }
            Ok(Event::Grown(partitions)) => run.grow(partitions),
            Ok(Event::Failed(error)) => return Err(error),
            // A reader may be stuck in a pipe that stays silent.
            Err(RecvTimeoutError::Timeout) if stop.interrupted() => break,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) if stop.interrupted() => break,
            // Not an end: what is open would pass for final.
            Err(RecvTimeoutError::Disconnected) => bail!(run.unfinished()),
        }
        run.sink.poll()?;
        run.excuse_idle()?;
        if options.early.is_some_and(|interval| early.elapsed() >= interval) {
            run.counter.flush_early();
            run.emit(None)?;
            early = Instant::now();
        }
        // A commit takes as long as thousands of frames: what is there already goes along with it.
        let at_once = options.commit_results && options.idle.is_some() && run.closed && intake.is_drained();
        if at_once || committed.elapsed() >= options.commit_interval {
            run.commit(false)?;
            committed = Instant::now();
        }
        if watched.elapsed() >= Duration::from_millis(50) {
            watch(&run.status());
            watched = Instant::now();
        }
    }
    if stop.interrupted() {
        run.summary.interrupted = true;
        run.counter.flush_late();
        // Nobody would go on with what still waits for its turn.
        if !options.resumes {
            run.release_all()?;
        }
    } else {
        run.counter.finish();
        run.release_all()?;
    }
    run.emit(None)?;
    run.summary.doubtful = run.doubtful();
    run.commit(true)?;
    let span = |(first, last): (Instant, Instant)| if options.idle.is_some() { last - first } else { first.elapsed() };
    run.summary.elapsed = run.frames_at.map_or(Duration::ZERO, span);
    run.sink.settle();
    Ok(run.summary)
}

impl<'a> Run<'a> {
    fn new(counter: &'a mut Counter, start: Start, sink: &'a mut dyn Sink, options: Options) -> Result<Run<'a>> {
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
            summary: Summary { positions: positions.clone(), ..Summary::default() },
            start: positions,
            silent_since: vec![None; partitions],
            ended: vec![false; partitions],
            pace: Pace::new(options.idle.unwrap_or_default() / 4),
            relief: Relief::default(),
            frames_at: None,
            order,
            closed: false,
        })
    }

    fn frames(&mut self, frames: &Frames) -> Result<()> {
        let first = self.frames_at.map_or_else(Instant::now, |(first, _)| first);
        let partition = frames.partition;
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
                // The header may be of anybody, and hold any number.
                self.summary.transit.record(arrived_us.saturating_sub(sent));
            }
            self.summary.positions[partition] = value.offset + 1;
        }
        self.silent_since[partition] = None;
        self.frames_at = Some((first, Instant::now()));
        Ok(())
    }

    fn emit(&mut self, cause: Option<Times>) -> Result<()> {
        for result in self.counter.drain() {
            self.summary.results += 1;
            self.closed |= result.timing == Timing::OnTime;
            self.sink.result(&result, cause)?;
        }
        Ok(())
    }

    fn commit(&mut self, last: bool) -> Result<()> {
        // A bounded run corrects when a window closes, so that its results do not depend on its speed.
        if self.options.idle.is_some() && !last {
            self.counter.flush_late();
            self.emit(None)?;
        }
        self.closed = false;
        self.settle()?;
        let changes = self.counter.changes();
        let held = self.held();
        let positions = &self.summary.positions;
        let begun = Instant::now();
        self.sink.commit(Commit { positions, changes, held, last })?;
        if begun.elapsed() > LONG {
            self.relief.burst(self.pace.now());
        }
        Ok(())
    }

    fn status(&self) -> Status {
        Status {
            frames: self.counter.ledger().read,
            pending: self.counter.pending(),
            results: self.summary.results,
            watermark: self.counter.watermark(),
            caught_up: self.silent_since.iter().all(Option::is_some),
            doubtful: self.doubtful(),
        }
    }
}
