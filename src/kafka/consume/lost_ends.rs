//! After an error of a broker: the partitions of which a reader does not know whether it is at their ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The first time between two questions, and the longest: each is twice the one before.
const SOON: Duration = Duration::from_millis(250);
const LATER: Duration = Duration::from_secs(2);
/// A partition that does not answer for so long, while others do, has no broker: nothing waits for it any more.
const OFFLINE: Duration = Duration::from_secs(30);

/// The partitions whose ends are asked for.
#[derive(Debug)]
pub struct LostEnds {
    asked: BTreeMap<usize, Asked>,
    /// Those that nothing waits for; they are asked for all the same.
    offline: BTreeSet<usize>,
    ask_at: Instant,
    interval: Duration,
}

#[derive(Debug)]
struct Asked {
    since: Instant,
    /// It did not answer: it may have more frames than is known.
    is_lost: bool,
}

/// What a round of questions shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Silent {
    /// Partitions that do not answer, which was not known before.
    pub lost: Vec<usize>,
    /// Partitions that nothing shall wait for any more.
    pub given_up: Vec<usize>,
}

impl LostEnds {
    /// None is lost.
    pub fn none(now: Instant) -> LostEnds {
        LostEnds { asked: BTreeMap::new(), offline: BTreeSet::new(), ask_at: now, interval: SOON }
    }

    /// A broker has an error, which need not be the broker of these partitions: they are asked for.
    pub fn suspect(&mut self, partitions: impl Iterator<Item = usize>, now: Instant) {
        if self.asked.is_empty() {
            (self.ask_at, self.interval) = (now, SOON);
        }
        for partition in partitions.filter(|partition| !self.offline.contains(partition)) {
            self.asked.entry(partition).or_insert(Asked { since: now, is_lost: false });
        }
        self.ask_at = self.ask_at.min(now + SOON);
    }

    /// The partitions to ask for now.
    pub fn due(&self, now: Instant) -> Vec<usize> {
        if now < self.ask_at {
            return Vec::new();
        }
        self.asked.keys().chain(&self.offline).copied().collect()
    }

    /// Whether the partition did not answer the last time.
    pub fn is_lost(&self, partition: usize) -> bool {
        self.offline.contains(&partition) || self.asked.get(&partition).is_some_and(|asked| asked.is_lost)
    }

    /// Takes the partitions that answered, of all that were asked for.
    pub fn found(&mut self, answered: &[usize], now: Instant) -> Silent {
        for partition in answered {
            self.asked.remove(partition);
            self.offline.remove(partition);
        }
        self.ask_at = now + self.interval;
        self.interval = (2 * self.interval).min(LATER);
        let mut silent = Silent::default();
        for (partition, asked) in &mut self.asked {
            if !std::mem::replace(&mut asked.is_lost, true) {
                silent.lost.push(*partition);
            }
            // While none answers, there are no frames that could close a window either.
            if now - asked.since >= OFFLINE && !answered.is_empty() {
                silent.given_up.push(*partition);
            }
        }
        silent.given_up.iter().for_each(|partition| _ = self.asked.remove(partition));
        self.offline.extend(&silent.given_up);
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent(lost: &[usize], given_up: &[usize]) -> Silent {
        Silent { lost: lost.to_vec(), given_up: given_up.to_vec() }
    }

    #[test]
    fn an_error_of_another_broker_loses_nothing() {
        let start = Instant::now();
        let mut ends = LostEnds::none(start);
        assert_eq!(ends.due(start), [0; 0]);
        ends.suspect([1, 3].into_iter(), start);
        assert_eq!((ends.due(start), ends.is_lost(1)), (vec![1, 3], false));
        assert_eq!(ends.found(&[1, 3], start), silent(&[], &[]));
        assert_eq!(ends.due(start + LATER), [0; 0]);
    }

    #[test]
    fn all_are_asked_for_until_they_answer() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut ends = LostEnds::none(start);
        ends.suspect([1, 3].into_iter(), at(0));
        assert_eq!(ends.found(&[], at(0)), silent(&[1, 3], &[]));
        assert!(ends.is_lost(1) && !ends.is_lost(2));
        // The time between two questions doubles, and is short again after an error.
        assert_eq!((ends.due(at(249)), ends.due(at(250))), (vec![], vec![1, 3]));
        assert_eq!(ends.found(&[], at(250)), silent(&[], &[]));
        assert_eq!((ends.due(at(749)), ends.due(at(750))), (vec![], vec![1, 3]));
        assert_eq!(ends.found(&[], at(750)), silent(&[], &[]));
        ends.suspect([1, 3].into_iter(), at(800));
        assert_eq!((ends.due(at(1_049)), ends.due(at(1_050))), (vec![], vec![1, 3]));
        // However long all are away, nobody is given up.
        assert_eq!(ends.found(&[], at(99_000)), silent(&[], &[]));
        assert_eq!(ends.found(&[1, 3], at(99_250)), silent(&[], &[]));
        assert_eq!((ends.due(at(200_000)), ends.is_lost(1)), (vec![], false));
    }

    #[test]
    fn one_that_does_not_come_back_with_the_others_is_given_up() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut ends = LostEnds::none(start);
        ends.suspect([1, 3].into_iter(), at(0));
        assert_eq!(ends.found(&[1], at(29)), silent(&[3], &[]));
        assert_eq!(ends.found(&[], at(40)), silent(&[], &[]), "nothing answers");
        // Another partition must have answered in the same round.
        ends.suspect([1, 3].into_iter(), at(40));
        assert_eq!(ends.found(&[1], at(41)), silent(&[], &[3]));
        ends.suspect([1, 3].into_iter(), at(42));
        assert_eq!(ends.due(at(50)), [1, 3]);
        assert_eq!(ends.found(&[1], at(50)), silent(&[], &[]), "3 is not lost again");
        assert!(ends.is_lost(3) && !ends.is_lost(1));
        assert_eq!(ends.found(&[3], at(60)), silent(&[], &[]));
        ends.suspect([1, 3].into_iter(), at(70));
        assert_eq!(ends.found(&[], at(70)), silent(&[1, 3], &[]));
    }
}
