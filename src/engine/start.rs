//! The start and the options of a run.

use kuu_core::ordered::Held;
use std::time::Duration;

/// The start of a run.
pub struct Start {
    /// For each partition the next offset to count, -1 if none was counted.
    pub positions: Vec<i64>,
    /// The state of the ordered output, whose frames are read again.
    pub held: Option<Held>,
}

impl Start {
    /// A start without counted frames.
    pub fn anew(partitions: usize) -> Start {
        Start { positions: vec![-1; partitions], held: None }
    }
}

/// The options of a run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// How often positions are committed.
    pub commit_interval: Duration,
    /// Set for a live stream: the time after which a partition that is silent at its end is left out.
    pub idle: Option<Duration>,
    /// Set for a live stream: the time without any frame after which every open window closes.
    pub close_idle: Option<Duration>,
    /// How often open windows that changed get an early result.
    pub early: Option<Duration>,
    /// Whether the sink takes dead letters; the reader must keep the original bytes.
    pub dead_letters: bool,
    /// Whether the sink takes the frames in order; the reader must keep the original bytes.
    pub ordered: bool,
    /// Whether results are visible only after a commit: then a live stream commits as soon as a window closes.
    pub commit_results: bool,
    /// Whether the next run continues from this one: then an interrupt leaves the frames that wait for their turn to
    /// it.
    pub resumes: bool,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            commit_interval: Duration::from_secs(1),
            idle: None,
            close_idle: None,
            early: None,
            dead_letters: false,
            ordered: false,
            commit_results: false,
            resumes: false,
        }
    }
}
