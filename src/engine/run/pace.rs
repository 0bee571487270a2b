//! The counter's own time: it excludes the time in which the counter is blocked by a broker. A partition is not silent
//! because the counter did not read from it.

use std::time::{Duration, Instant};

/// A clock that advances by at most one step per look.
pub struct Pace {
    last: Instant,
    now: Duration,
    step: Duration,
}

impl Pace {
    /// Starts at zero.
    pub fn new(step: Duration) -> Pace {
        Pace { last: Instant::now(), now: Duration::ZERO, step }
    }

    /// The time at the last look.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Advances the clock and returns the time.
    pub fn look(&mut self) -> Duration {
        let now = Instant::now();
        self.now += (now - self.last).min(self.step);
        self.last = now;
        self.now
    }
}
