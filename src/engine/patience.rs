//! How long a run waits for brokers that do not answer.

use crate::engine::stop::Stop;
use std::time::{Duration, Instant};

/// The wait is unlimited until the user interrupts the run; from then on it is limited, and every answer starts it
/// again.
pub struct Patience<'a> {
    stop: &'a Stop,
    time: Duration,
    last: Option<LastAnswer>,
}

/// The time of the last answer, and the number of answers until then.
struct LastAnswer {
    at: Instant,
    count: u64,
}

impl Patience<'_> {
    /// Waits for `time` once `stop` is interrupted.
    pub fn new(stop: &Stop, time: Duration) -> Patience<'_> {
        Patience { stop, time, last: None }
    }

    /// Whether the wait is over, when `count` answers have arrived.
    pub fn is_over(&mut self, count: u64) -> bool {
        if !self.stop.interrupted() {
            return false;
        }
        match &self.last {
            Some(last) if last.count == count => last.at.elapsed() > self.time,
            _ => {
                self.last = Some(LastAnswer { at: Instant::now(), count });
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_the_wish_to_end_and_with_every_answer() {
        let stop = Stop::default();
        let mut patience = Patience::new(&stop, Duration::ZERO);
        let mut is_over = |count| {
            let first = patience.is_over(count);
            std::thread::sleep(Duration::from_millis(1));
            (first, patience.is_over(count))
        };
        assert_eq!(is_over(0), (false, false));
        stop.interrupt();
        assert_eq!(is_over(0), (false, true));
        assert_eq!(is_over(1), (false, true));
    }
}
