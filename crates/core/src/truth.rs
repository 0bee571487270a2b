//! The truth: users and frames of every window, counted offline, exactly, and in the simplest way.
//!
//! It has one hash set of user ids for each window, shares nothing between units, and has no code in common with the
//! streaming counter: it checks that counter, and must not repeat its mistakes. Where it is asked for sketches instead,
//! it is no truth, but what any count of these frames by such sketches must come to: only the sketch itself is shared.

use crate::distinct::Distinct;
use crate::ledger::Ledger;
use crate::lines::{Block, is_blank};
use crate::repeats::InputRepeats;
use crate::sketch::{Sketch, UserHash};
use crate::window::{Unit, Window};
use foldhash::fast::RandomState;
use kuu_frame::{Frame, Malformed, Parser, ParserOptions};
use rayon::iter::{IntoParallelIterator, ParallelExtend, ParallelIterator};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// A source of blocks, in the order of the input. [`count`] calls it from several threads, one at a time.
pub trait Blocks: Send {
    /// Why the rest of an input cannot be read.
    type Error: Send;

    /// Refills `block` with the next lines; returns false at the end.
    ///
    /// # Errors
    /// The rest of the input cannot be read. All lines before that place were returned.
    fn next_block(&mut self, block: &mut Block) -> Result<bool, Self::Error>;
}

impl<B: Blocks> Blocks for &mut B {
    type Error = B::Error;

    fn next_block(&mut self, block: &mut Block) -> Result<bool, B::Error> {
        (**self).next_block(block)
    }
}

/// The result of one window. Its text form is a line of the expected counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowCount {
    /// The window.
    pub window: Window,
    /// Number of distinct user ids.
    pub users: u64,
    /// Number of frames.
    pub frames: u64,
    /// How the users were counted.
    pub distinct: Distinct,
}

impl fmt::Display for WindowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WindowCount { window: Window { unit, start, .. }, users, frames, distinct } = self;
        write!(f, r#"{{"unit": "{unit}", "start": {start}, "users": {users}, "frames": {frames}"#)?;
        distinct.mark().map_or(Ok(()), |mark| write!(f, r#", "distinct": "{mark}""#))?;
        f.write_str("}")
    }
}

type UserIds = HashSet<Box<str>, RandomState>;

#[derive(Clone)]
enum Users {
    Ids(UserIds),
    Sketch(Box<Sketch>),
}

/// The users and frames of one window.
#[derive(Clone)]
struct Tally {
    users: Users,
    frames: u64,
}

impl Tally {
    fn new(distinct: Distinct) -> Tally {
        let users = match distinct {
            Distinct::Exact => Users::Ids(UserIds::default()),
            Distinct::Hll(precision) => Users::Sketch(Box::new(Sketch::new(precision))),
        };
        Tally { users, frames: 0 }
    }

    fn add(&mut self, uid: &str) {
        self.frames += 1;
        match &mut self.users {
            Users::Ids(ids) if ids.contains(uid) => {}
            Users::Ids(ids) => _ = ids.insert(uid.into()),
            Users::Sketch(sketch) => sketch.add(UserHash::of(uid)),
        }
    }

    fn merge(mut self, mut other: Tally) -> Tally {
        self.frames += other.frames;
        match (&mut self.users, &mut other.users) {
            (Users::Ids(mine), Users::Ids(others)) => {
                if mine.len() < others.len() {
                    std::mem::swap(mine, others);
                }
                mine.extend(std::mem::take(others));
            }
            (Users::Sketch(mine), Users::Sketch(others)) => mine.merge(others),
            _ => unreachable!("two counts that are merged count in the same way"),
        }
        self
    }

    fn users(&self) -> u64 {
        match &self.users {
            Users::Ids(ids) => ids.len() as u64,
            Users::Sketch(sketch) => sketch.users(),
        }
    }
}

/// The exact count of a set of frames. Its memory grows with the number of distinct users of each window.
#[derive(Clone)]
pub struct Truth {
    units: Vec<Unit>,
    distinct: Distinct,
    windows: HashMap<Window, Tally, RandomState>,
    ledger: Ledger,
    frame_bytes: u64,
    repeats: InputRepeats,
}

/// Which lines of an input count, and how often.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    /// The first so many lines that are not blank; all, if it is not set.
    pub limit: Option<u64>,
    /// How often each of them counts.
    pub repeats: InputRepeats,
}

impl From<Option<u64>> for Extent {
    fn from(limit: Option<u64>) -> Extent {
        Extent { limit, ..Extent::default() }
    }
}

impl Truth {
    /// An empty count, by windows of each of these units.
    pub fn new(units: &[Unit]) -> Truth {
        let mut units = units.to_vec();
        units.sort_unstable();
        units.dedup();
        Truth {
            units,
            distinct: Distinct::Exact,
            windows: HashMap::default(),
            ledger: Ledger::default(),
            frame_bytes: 0,
            repeats: InputRepeats::default(),
        }
    }

    /// Counts users in this way. By sketches, it is no truth: see above.
    #[must_use]
    pub fn by(self, distinct: Distinct) -> Truth {
        Truth { distinct, ..self }
    }

    /// Counts each frame that is added as often as `repeats` has it, each time later.
    #[must_use]
    pub fn with_repeats(self, repeats: InputRepeats) -> Truth {
        Truth { repeats, ..self }
    }

    /// Counts every line of a block.
    pub fn add_block(&mut self, parser: &mut Parser, block: &Block) {
        for (_, line) in block.lines() {
            if is_blank(line) {
                self.ledger.blank += 1;
            } else {
                self.frame_bytes += line.len() as u64;
                self.add(parser.parse(line));
            }
        }
    }

    /// Counts one frame, or one value that is not a frame.
    pub fn add(&mut self, frame: Result<Frame<'_>, Malformed>) {
        match frame {
            Ok(Frame { uid, ts }) => {
                for ts in self.repeats.times(ts) {
                    self.ledger.read += 1;
                    self.ledger.counted += 1;
                    for unit in &self.units {
                        let tally = self.windows.entry(unit.window(ts));
                        tally.or_insert_with(|| Tally::new(self.distinct)).add(uid);
                    }
                }
            }
            Err(reason) => (0..self.repeats.count).for_each(|_| self.ledger.malformed(reason)),
        }
    }

    /// Adds another count, of other frames by the same units in the same way; the threads share the windows.
    #[must_use]
    pub fn merge(mut self, other: Truth) -> Truth {
        self.ledger.add(&other.ledger);
        self.frame_bytes += other.frame_bytes;
        let mut common = Vec::new();
        for (window, tally) in other.windows {
            match self.windows.remove(&window) {
                Some(mine) => common.push((window, mine, tally)),
                None => _ = self.windows.insert(window, tally),
            }
        }
        self.windows.par_extend(common.into_par_iter().map(|(window, mine, other)| (window, mine.merge(other))));
        self
    }

    /// The fate of every line.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Bytes of the lines that are not blank, without line ends, each line once.
    pub fn frame_bytes(&self) -> u64 {
        self.frame_bytes
    }

    /// The result of every window with a frame, by start, shorter windows first.
    pub fn windows(&self) -> Vec<WindowCount> {
        let count = |(window, tally): (&Window, &Tally)| WindowCount {
            window: *window,
            users: tally.users(),
            frames: tally.frames,
            distinct: self.distinct,
        };
        let mut counts: Vec<_> = self.windows.iter().map(count).collect();
        counts.sort_unstable_by_key(|count| count.window);
        counts
    }

    /// The sketch of a window, if it has one.
    pub fn sketch(&self, window: &Window) -> Option<&Sketch> {
        match &self.windows.get(window)?.users {
            Users::Sketch(sketch) => Some(sketch),
            Users::Ids(_) => None,
        }
    }
}

/// A count by minutes.
impl Default for Truth {
    fn default() -> Truth {
        Truth::new(&[Unit::Minute])
    }
}

/// Counts an input on all threads of the current rayon pool: one thread reads (and inflates) while the others parse.
/// Stops at the end of its extent, or at the first error; returns the error with the count of the lines before it. `empty`
/// is the count before the first line.
pub fn count<B: Blocks>(
    blocks: B,
    options: &ParserOptions,
    empty: &Truth,
    extent: impl Into<Extent>,
) -> (Truth, Option<B::Error>) {
    let counted = count_each([(blocks, extent.into())], options, empty).pop();
    counted.unwrap_or_else(|| (empty.clone(), None))
}

/// Counts several inputs at the same time, each as [`count`] does.
pub fn count_each<B: Blocks>(
    inputs: impl IntoIterator<Item = (B, Extent)>,
    options: &ParserOptions,
    start: &Truth,
) -> Vec<(Truth, Option<B::Error>)> {
    let (mut empty, mut queues) = (Vec::new(), Vec::new());
    for (blocks, Extent { limit, repeats }) in inputs {
        empty.push(start.clone().with_repeats(repeats));
        queues.push(Mutex::new(BlockQueue { blocks, left: limit, ended: false, error: None }));
    }
    let parts = rayon::broadcast(|thread| {
        let (mut parser, mut block) = (Parser::new(options), Block::default());
        let mut truths = empty.clone();
        // Each thread begins with another input, and then helps with the others.
        for index in (0..queues.len()).map(|index| (index + thread.index()) % queues.len()) {
            // The lock is held while a block is read, but not while it is counted.
            while queues[index].lock().unwrap_or_else(PoisonError::into_inner).next(&mut block) {
                truths[index].add_block(&mut parser, &block);
            }
        }
        truths
    });
    let mut truths = empty.clone();
    for part in parts {
        truths = truths.into_iter().zip(part).map(|(truth, part)| truth.merge(part)).collect();
    }
    let errors = queues.into_iter().map(|queue| queue.into_inner().unwrap_or_else(PoisonError::into_inner).error);
    truths.into_iter().zip(errors).collect()
}

/// Distributes the blocks of an input up to its end, its limit or its first error.
struct BlockQueue<B: Blocks> {
    blocks: B,
    left: Option<u64>,
    ended: bool,
    error: Option<B::Error>,
}

impl<B: Blocks> BlockQueue<B> {
    fn next(&mut self, block: &mut Block) -> bool {
        if self.ended || self.left == Some(0) {
            return false;
        }
        match self.blocks.next_block(block) {
            Ok(more) => self.ended = !more,
            Err(error) => {
                self.ended = true;
                self.error = Some(error);
            }
        }
        if let Some(left) = &mut self.left {
            *left -= block.keep(*left);
        }
        !self.ended
    }
}

#[cfg(test)]
mod tests;
