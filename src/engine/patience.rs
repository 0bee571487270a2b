//! How long brokers that do not answer are waited for.

use crate::engine::stop::Stop;
use std::time::{Duration, Instant};

/// Without end, until the user wants the run to end; from then on for some time, which begins anew with every answer.
pub struct Patience<'a> {
    stop: &'a Stop,
    time: Duration,
    last: Option<LastAnswer>,
}

/// When the last answer came, and how many there were.
struct LastAnswer {
    at: Instant,
    count: u64,
}

impl Patience<'_> {
    /// For this time once `stop` is interrupted.
    pub fn new(stop: &Stop, time: Duration) -> Patience<'_> {
        Patience { stop, time, last: None }
    }

    /// Whether it is over, after so many answers.
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
