//! Where a run begins, and how it goes.

use kuu_core::ordered::Held;
use std::time::Duration;

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
pub struct RunOptions {
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

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
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
