//! Where results go, and what goes there.

use anyhow::Result;
use kuu_core::counter::{Change, Emission};
use kuu_core::frame_batch::{Times, Value};
use kuu_core::ordered::Held;

/// Where results go.
pub trait Sink {
    /// Takes what comes next.
    ///
    /// # Errors
    /// If it cannot be taken.
    fn take(&mut self, output: Output) -> Result<()>;

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

/// What goes to a sink.
pub enum Output {
    /// A result; on a live stream with the times of the frame that brought it about.
    Result(Emission, Option<Times>),
    /// A value that no window counts, or that came after its turn, and why.
    DeadLetter(Letter, &'static str),
    /// The next frame of the ordered output.
    Ordered(Letter),
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
    pub(super) fn of(partition: usize, value: &Value<'_>) -> Letter {
        Letter {
            key: value.outcome.ok().map(|frame| frame.uid.to_owned()),
            value: value.bytes.unwrap_or_default().to_vec(),
            partition,
            offset: value.offset,
        }
    }
}
