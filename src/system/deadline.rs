//! Limits the duration of repeated attempts, and pauses between them.

use std::time::{Duration, Instant};

/// The default pause between two attempts.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a wait that may end early sleeps before it looks.
const LOOK: Duration = Duration::from_millis(50);

/// A time limit for several attempts, with pauses between them.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    end: Instant,
    pause: Duration,
    longest: Duration,
}

impl Deadline {
    /// A deadline after this time.
    pub fn after(time: Duration) -> Deadline {
        Deadline { end: Instant::now() + time, pause: PAUSE, longest: PAUSE }
    }

    /// Sets the pause between two attempts.
    pub fn every(self, pause: Duration) -> Deadline {
        Deadline { pause, longest: pause, ..self }
    }

    /// Doubles the pause after every attempt, from the first one up to the longest.
    pub fn backing_off(self, first: Duration, longest: Duration) -> Deadline {
        Deadline { pause: first, longest, ..self }
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// The longest duration of the next attempt: a pause, but not beyond the deadline.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(self.longest);
        pause.min(self.end.saturating_duration_since(Instant::now()))
    }

    /// Waits until the next attempt, or until `ends`, which is called at least every 50 ms.
    pub fn wait_unless(&mut self, ends: impl Fn() -> bool) {
        let end = Instant::now() + self.next_pause();
        while !ends() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }

    /// Waits until the next attempt; returns false at once if the time is over.
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
    fn a_wait_may_end_early() {
        let mut deadline = Deadline::after(Duration::from_secs(3600)).every(Duration::from_secs(3600));
        let looks = std::cell::Cell::new(0);
        deadline.wait_unless(|| {
            looks.set(looks.get() + 1);
            looks.get() == 3
        });
        assert_eq!(looks.get(), 3);
    }

    #[test]
    fn after_the_end_nothing_is_waited_for() {
        let mut deadline = Deadline::after(Duration::ZERO).every(Duration::from_secs(3600));
        assert!(deadline.is_over() && !deadline.wait());
        assert_eq!(deadline.next_pause(), Duration::ZERO);
    }
}
