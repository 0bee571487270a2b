//! How long something may take, and how long to wait before it is tried again.

use std::time::{Duration, Instant};

/// The pause between two attempts, unless another one is asked for.
const PAUSE: Duration = Duration::from_millis(10);

/// A time that ends, with pauses between the attempts that are made within it.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    end: Instant,
    pause: Duration,
    longest: Duration,
}

impl Deadline {
    /// Ends after this time.
    pub fn after(time: Duration) -> Deadline {
        Deadline { end: Instant::now() + time, pause: PAUSE, longest: PAUSE }
    }

    /// With pauses of this length.
    pub fn every(self, pause: Duration) -> Deadline {
        Deadline { pause, longest: pause, ..self }
    }

    /// With pauses that double, from the first one up to the longest.
    pub fn backing_off(self, first: Duration, longest: Duration) -> Deadline {
        Deadline { pause: first, longest, ..self }
    }

    /// Whether the time has ended.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// How long the next attempt may take: a pause, but no longer than until the end.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(self.longest);
        pause.min(self.end.saturating_duration_since(Instant::now()))
    }

    /// Waits for the next attempt; false, at once, if the time has ended.
    pub fn wait(&mut self) -> bool {
        let goes_on = !self.is_over();
        if goes_on {
            std::thread::sleep(self.next_pause());
        }
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let [one, five] = [1, 5].map(Duration::from_secs);
        let mut deadline = Deadline::after(Duration::from_secs(3600)).backing_off(one, five);
        assert_eq!([(); 5].map(|()| deadline.next_pause().as_secs()), [1, 2, 4, 5, 5]);
        let mut deadline = deadline.every(one);
        assert_eq!([(); 2].map(|()| deadline.next_pause()), [one, one]);
        assert!(!deadline.is_over());
    }

    #[test]
    fn after_the_end_nothing_is_waited_for() {
        let mut deadline = Deadline::after(Duration::ZERO).every(Duration::from_secs(3600));
        assert!(deadline.is_over() && !deadline.wait());
        assert_eq!(deadline.next_pause(), Duration::ZERO);
    }
}
