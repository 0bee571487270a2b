//! The destination of results.

use anyhow::Result;
use kuu_core::counter::{Change, Emission};
use kuu_core::frame_batch::{Times, Value};
use kuu_core::ledger::Ledger;
use kuu_core::ordered::Held;

/// A destination of results.
pub trait Sink {
    /// Takes the next output.
    ///
    /// # Errors
    /// If the sink cannot take it.
    fn take(&mut self, output: Output) -> Result<()>;

    /// Makes all results so far permanent, so that no work before the commit is repeated.
    ///
    /// # Errors
    /// If a result was lost.
    fn commit(&mut self, commit: Commit<'_>) -> Result<()>;

    /// Waits until every reader sees the committed results.
    fn settle(&mut self) {}

    /// Lets the sink do its own work, such as serving answers of brokers.
    ///
    /// # Errors
    /// If a result was lost.
    fn poll(&mut self) -> Result<()> {
        Ok(())
    }
}

/// One output of a run.
pub enum Output {
    /// A result; on a live stream with the times of the frame that caused it.
    Result(Emission, Option<Times>),
    /// A value that no window counts, or that came after its turn, with the reason.
    DeadLetter(Letter, &'static str),
    /// The next frame of the ordered output.
    Ordered(Letter),
}

/// The content of a commit.
pub struct Commit<'a> {
    /// For each partition the next offset to read, -1 if none was read.
    pub positions: &'a [i64],
    /// Changes of the counter since the last commit, if it keeps its state.
    pub changes: Vec<Change>,
    /// The state of the ordered output, if there is one.
    pub held: Option<Held>,
    /// What became of the frames before the positions, those of earlier runs included.
    pub ledger: &'a Ledger,
    /// Bytes of the values that this run read before the positions.
    pub read_bytes: u64,
    /// Whether this is the last commit of the run: then the sink waits for it.
    pub last: bool,
}

/// One original value on its way to another topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The user id, if the value has one that can be read.
    pub key: Option<String>,
    /// The original bytes.
    pub value: Vec<u8>,
    /// The partition that it was read from.
    pub partition: usize,
    /// Its offset in that partition.
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
