//! Runs the counter: what readers deliver goes in, what it emits goes to a sink.

use crate::core::frames::{Frames, Times, Value};
use crate::core::latency::Histogram;
use crate::core::order::Reorder;
use crate::core::stream::{Counter, Emission, Fate};
use crate::edge::stop::Stop;
use anyhow::Result;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Runs of frames that may wait between readers and counter; bounds the memory in between.
const WAITING_RUNS: usize = 16;
/// How often the clock is looked at while nothing arrives.
const TICK: Duration = Duration::from_millis(20);

/// What a reader has to say.
pub enum Event {
    /// The next frames of a partition.
    Frames(Frames),
    /// A partition of a live stream has no more for now.
    CaughtUp(usize),
    /// A partition has reached its known end.
    Ended(usize),
    /// The reader cannot go on.
    Failed(anyhow::Error),
}

/// The readers' end of the queue to the counter.
#[derive(Clone)]
pub struct Feed {
    events: SyncSender<Event>,
    spares: Arc<Mutex<Vec<Frames>>>,
}

impl Feed {
    /// A queue of bounded length.
    pub fn new() -> (Feed, Intake) {
        let (events, incoming) = sync_channel(WAITING_RUNS);
        let spares = Arc::new(Mutex::new(Vec::new()));
        (Feed { events, spares: spares.clone() }, Intake { incoming, spares })
    }

    /// Hands an event over, waiting while the queue is full. A counter that is gone needs none.
    pub fn send(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// A used run, for its memory.
    pub fn spare(&self) -> Frames {
        self.spares.lock().ok().and_then(|mut spares| spares.pop()).unwrap_or_default()
    }
}

/// The counter's end of the queue.
pub struct Intake {
    incoming: Receiver<Event>,
    spares: Arc<Mutex<Vec<Frames>>>,
}

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
    fn dead_letter(&mut self, _letter: Letter, _reason: &str) -> Result<()> {
        Ok(())
    }

    /// Takes the next frame of the ordered output.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn ordered(&mut self, _letter: Letter) -> Result<()> {
        Ok(())
    }

    /// Makes sure that every result so far is where it should be, then commits the positions: for each partition the
    /// next offset to read, -1 if none was read. The last time, the commit itself is waited for.
    ///
    /// # Errors
    /// If a result was lost.
    fn commit(&mut self, positions: &[i64], last: bool) -> Result<()>;

    /// Gives the sink a moment for its own affairs.
    ///
    /// # Errors
    /// If a result was lost.
    fn poll(&mut self) -> Result<()> {
        Ok(())
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
}

impl Default for Options {
    fn default() -> Options {
        Options {
            commit_interval: Duration::from_secs(1),
            idle: None,
            early: None,
            dead_letters: false,
            ordered: false,
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
    /// From the first frames to the last results, acknowledged.
    pub elapsed: Duration,
    /// Sent to read, on a live stream whose frames carry their times, in microseconds.
    pub transit: Histogram,
}

struct Run<'a> {
    counter: &'a mut Counter,
    sink: &'a mut dyn Sink,
    options: Options,
    summary: Summary,
    silent_since: Vec<Option<Instant>>,
    started: Option<Instant>,
    order: Option<Reorder<Letter>>,
}

/// Runs until the readers are gone, then finishes: open windows are emitted unless the run was interrupted.
///
/// # Errors
/// The first failure of a reader or of the sink.
pub fn run(
    intake: &Intake,
    counter: &mut Counter,
    partitions: usize,
    sink: &mut dyn Sink,
    options: Options,
    stop: &Stop,
    mut watch: impl FnMut(&Status),
) -> Result<Summary> {
    let summary = Summary { positions: vec![-1; partitions], ..Summary::default() };
    let order = options.ordered.then(Reorder::default);
    let mut run = Run { counter, sink, options, summary, silent_since: vec![None; partitions], started: None, order };
    let mut committed = Instant::now();
    let mut early = Instant::now();
    let mut watched = Instant::now();
    loop {
        match intake.incoming.recv_timeout(TICK) {
            Ok(Event::Frames(frames)) => {
                run.frames(&frames)?;
                if let Ok(mut spares) = intake.spares.lock() {
                    spares.push(frames);
                }
            }
            Ok(Event::CaughtUp(partition)) => run.silent_since[partition] = Some(Instant::now()),
            Ok(Event::Ended(partition)) => run.silence(partition)?,
            Ok(Event::Failed(error)) => return Err(error),
            // A reader may be stuck in a pipe that stays silent.
            Err(RecvTimeoutError::Timeout) if stop.interrupted() => break,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        run.sink.poll()?;
        run.excuse_idle()?;
        if options.early.is_some_and(|interval| early.elapsed() >= interval) {
            run.counter.flush_early();
            run.emit(None)?;
            early = Instant::now();
        }
        if committed.elapsed() >= options.commit_interval {
            run.commit()?;
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
    } else {
        run.counter.finish();
        run.release_all()?;
    }
    run.emit(None)?;
    run.sink.commit(&run.summary.positions, true)?;
    run.summary.elapsed = run.started.map_or(Duration::ZERO, |started| started.elapsed());
    Ok(run.summary)
}

impl Run<'_> {
    fn frames(&mut self, frames: &Frames) -> Result<()> {
        self.started.get_or_insert_with(Instant::now);
        let partition = frames.partition;
        self.counter.ledger_mut().blank += frames.blank;
        self.summary.read_bytes += frames.read_bytes;
        for value in frames.iter() {
            let fate = self.counter.observe(partition, value.outcome);
            if self.counter.has_results() {
                self.emit(value.times)?;
            }
            if value.bytes.is_some() {
                self.forward(partition, &value, fate)?;
            }
            if let Some(Times { sent_us: Some(sent), arrived_us, .. }) = value.times {
                self.summary.transit.record(arrived_us - sent);
            }
            self.summary.positions[partition] = value.offset + 1;
        }
        self.silent_since[partition] = None;
        Ok(())
    }

    /// Passes the original bytes on: counted frames in their order, all others with a reason.
    fn forward(&mut self, partition: usize, value: &Value<'_>, fate: Option<Fate>) -> Result<()> {
        let reason = match (value.outcome, fate) {
            (Err(malformed), _) => malformed.name(),
            (Ok(_), Some(Fate::TooLate)) => "too_late",
            (Ok(frame), _) => {
                let Some(order) = &mut self.order else { return Ok(()) };
                if order.push(frame.ts, Letter::of(partition, value)).is_ok() {
                    return self.release();
                }
                self.counter.ledger_mut().out_of_order += 1;
                "out_of_order"
            }
        };
        if self.options.dead_letters {
            self.sink.dead_letter(Letter::of(partition, value), reason)?;
        }
        Ok(())
    }

    fn release(&mut self) -> Result<()> {
        let (Some(order), Some(watermark)) = (&mut self.order, self.counter.watermark()) else { return Ok(()) };
        order.release(watermark).try_for_each(|letter| self.sink.ordered(letter))
    }

    fn release_all(&mut self) -> Result<()> {
        let Some(order) = &mut self.order else { return Ok(()) };
        order.finish().try_for_each(|letter| self.sink.ordered(letter))
    }

    fn emit(&mut self, cause: Option<Times>) -> Result<()> {
        for result in self.counter.drain() {
            self.summary.results += 1;
            self.sink.result(&result, cause)?;
        }
        Ok(())
    }

    /// What time alone brings about has itself as its cause, and no frame.
    fn silence(&mut self, partition: usize) -> Result<()> {
        self.counter.silence(partition);
        self.release()?;
        self.emit(None)
    }

    fn excuse_idle(&mut self) -> Result<()> {
        let Some(idle) = self.options.idle else { return Ok(()) };
        for partition in 0..self.silent_since.len() {
            if self.silent_since[partition].is_some_and(|since| since.elapsed() >= idle) {
                self.silent_since[partition] = None;
                self.silence(partition)?;
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        // A bounded run corrects when a window closes, so that its results do not depend on its speed.
        if self.options.idle.is_some() {
            self.counter.flush_late();
            self.emit(None)?;
        }
        self.sink.commit(&self.summary.positions, false)
    }

    fn status(&self) -> Status {
        Status {
            frames: self.counter.ledger().read,
            pending: self.counter.pending(),
            results: self.summary.results,
            watermark: self.counter.watermark(),
            caught_up: self.silent_since.iter().all(Option::is_some),
        }
    }
}
