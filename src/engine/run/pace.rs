//! Time as the counter has it: what passes while it stands still, waiting for a broker, does not count. A partition is not
//! silent because nobody listened.

use std::time::{Duration, Instant};

/// Advances with each look, by no more than one step.
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

    /// Looks at the clock.
    pub fn look(&mut self) -> Duration {
        let now = Instant::now();
        self.now += (now - self.last).min(self.step);
        self.last = now;
        self.now
    }
}
