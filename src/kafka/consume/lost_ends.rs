//! After an outage: the partitions of which a reader does not know whether it is at their ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The first time between two questions, and the longest: each is twice the one before.
const SOON: Duration = Duration::from_millis(250);
const LATER: Duration = Duration::from_secs(2);
/// A partition that does not answer for so long, while others do, has no broker: nothing waits for it any more.
const OFFLINE: Duration = Duration::from_secs(30);

/// The partitions whose ends are not known, and when to ask for them.
#[derive(Debug)]
pub struct LostEnds {
    /// Since when each is not known.
    unknown: BTreeMap<usize, Instant>,
    /// Those that nothing waits for; a reader goes on to ask.
    offline: BTreeSet<usize>,
    ask_at: Instant,
    interval: Duration,
}

impl LostEnds {
    /// None is lost.
    pub fn none(now: Instant) -> LostEnds {
        LostEnds { unknown: BTreeMap::new(), offline: BTreeSet::new(), ask_at: now, interval: SOON }
    }

    /// The brokers do not answer; returns the partitions that may have more frames than is known.
    pub fn lose(&mut self, partitions: impl Iterator<Item = usize>, now: Instant) -> Vec<usize> {
        let lost: Vec<usize> = partitions.filter(|partition| !self.offline.contains(partition)).collect();
        lost.iter().for_each(|partition| _ = self.unknown.entry(*partition).or_insert(now));
        (self.ask_at, self.interval) = (now + SOON, SOON);
        lost
    }

    /// The partitions to ask for now.
    pub fn due(&self, now: Instant) -> Vec<usize> {
        if now < self.ask_at {
            return Vec::new();
        }
        self.unknown.keys().chain(&self.offline).copied().collect()
    }

    /// Takes the partitions that answered, of all that were asked for; returns those that nothing shall wait for any more.
    pub fn found(&mut self, answered: &[usize], now: Instant) -> Vec<usize> {
        for partition in answered {
            self.unknown.remove(partition);
            self.offline.remove(partition);
        }
        self.ask_at = now + self.interval;
        self.interval = (2 * self.interval).min(LATER);
        // While none answers, there are no frames that could close a window either.
        if answered.is_empty() {
            return Vec::new();
        }
        let is_gone = |(partition, since): (&usize, &Instant)| (now - *since >= OFFLINE).then_some(*partition);
        let gone: Vec<usize> = self.unknown.iter().filter_map(is_gone).collect();
        gone.iter().for_each(|partition| _ = self.unknown.remove(partition));
        self.offline.extend(&gone);
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_asked_for_until_they_answer() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut ends = LostEnds::none(start);
        assert_eq!(ends.due(at(9_000)), [0; 0]);
        assert_eq!(ends.lose([1, 3].into_iter(), at(0)), [1, 3]);
        assert_eq!((ends.due(at(249)), ends.due(at(250))), (vec![], vec![1, 3]));
        // The time between two questions doubles, and begins anew with each error.
        assert_eq!(ends.found(&[], at(250)), [0; 0]);
        assert_eq!((ends.due(at(499)), ends.due(at(500))), (vec![], vec![1, 3]));
        assert_eq!(ends.found(&[], at(500)), [0; 0]);
        assert_eq!((ends.due(at(999)), ends.due(at(1_000))), (vec![], vec![1, 3]));
        assert_eq!(ends.lose([1, 3].into_iter(), at(1_000)), [1, 3]);
        assert_eq!(ends.due(at(1_250)), [1, 3]);
        // However long all are away, nobody is given up.
        assert_eq!(ends.found(&[], at(99_000)), [0; 0]);
        assert_eq!(ends.found(&[1, 3], at(99_250)), [0; 0]);
        assert_eq!(ends.due(at(200_000)), [0; 0]);
    }

    #[test]
    fn one_that_does_not_come_back_with_the_others_is_given_up() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut ends = LostEnds::none(start);
        ends.lose([1, 3].into_iter(), at(0));
        assert_eq!(ends.found(&[1], at(29)), [0; 0]);
        // Errors go on: of that broker. Another partition must have answered in the same round.
        assert_eq!(ends.lose([1, 3].into_iter(), at(29)), [1, 3]);
        assert_eq!(ends.found(&[1], at(30)), [3]);
        assert_eq!(ends.lose([1, 3].into_iter(), at(31)), [1], "3 is not held again");
        assert_eq!(ends.due(at(40)), [1, 3]);
        assert_eq!(ends.found(&[1, 3], at(40)), [0; 0]);
        assert_eq!(ends.lose([1, 3].into_iter(), at(50)), [1, 3]);
    }
}
