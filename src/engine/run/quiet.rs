//! Whether a stream is quiet: no partition has had a frame for some time.

use crate::engine::run::pace::Pace;
use std::time::Duration;

/// Waits for a time without any frame.
pub struct Quiet {
    after: Duration,
    /// Leaves out the time in which the counter is blocked: frames may wait meanwhile.
    pace: Pace,
    since: Duration,
    /// Which partitions are read to their ends.
    at_end: Vec<bool>,
}

impl Quiet {
    /// Waits for a time of `after` in which no partition has a frame.
    pub fn new(after: Duration, partitions: usize) -> Quiet {
        let step = after / 4;
        Quiet { after, pace: Pace::new(step), since: Duration::ZERO, at_end: vec![false; partitions] }
    }

    /// A partition had frames.
    pub fn hears(&mut self, partition: usize) {
        self.at_end[partition] = false;
        self.since = self.pace.look();
    }

    /// A partition has no more frames for now.
    pub fn ends(&mut self, partition: usize) {
        self.at_end[partition] = true;
    }

    /// There are more partitions, which are not read yet.
    pub fn grow(&mut self, partitions: usize) {
        self.at_end.resize(partitions, false);
    }

    /// Whether the time has passed since the last frame, or since this was last true.
    pub fn is_over(&mut self) -> bool {
        let now = self.pace.look();
        let is_over = self.at_end.iter().all(|at_end| *at_end) && now.saturating_sub(self.since) >= self.after;
        if is_over {
            self.since = now;
        }
        is_over
    }
}
