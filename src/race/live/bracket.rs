//! The search for the greatest rate that an engine sustains.

use kuu_core::race_live::{LiveSample, RateLimit, RateVerdict};

/// The first rate that is tried, in frames per second, and by how much more the next one is while all are sustained.
pub const FIRST: f64 = 3_000.0;
const MORE: f64 = 4.0;
/// The least rate that is tried.
const LEAST: f64 = 1.0;
/// A bracket is narrow if its ends differ by this factor at most.
pub const NARROW: f64 = 1.05;
/// Below and above the estimate of a run that was too fast for the engine: the bracket between them is narrow.
const BELOW: f64 = 0.985;
const ABOVE: f64 = 1.03;
/// A probe that is not faster than a proven one by more than this factor, and in which the engine answered less than in
/// that one, was disturbed: too much to do at a time makes an engine slower, a little too much does not.
const ALIKE: f64 = 1.5;
/// The most probes.
const PROBES: usize = 20;

/// A rate to try.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NextProbe {
    /// Frames per second.
    pub rate: f64,
    /// Whether it takes twice as long, as a shorter one did not say.
    pub is_longer: bool,
}

/// What a probe said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeResult {
    /// Frames per second: those that were sent.
    pub rate: f64,
    /// Whether the engine kept up; else why that is not proven.
    pub limit: Option<RateLimit>,
    /// Frames per second that the engine answered, if it had more to do than that.
    pub answered: Option<f64>,
}

impl ProbeResult {
    /// What a run said.
    pub fn of(sample: &LiveSample) -> ProbeResult {
        let answered = sample.slope.map(|slope| slope.slope);
        let sent = sample.rate.min(sample.achieved);
        match &sample.keeps_up {
            RateVerdict::Proven => ProbeResult { rate: sample.rate, limit: None, answered: None },
            RateVerdict::Refuted { .. } => ProbeResult { rate: sent, limit: Some(RateLimit::Refuted), answered },
            RateVerdict::Undecided { .. } => {
                ProbeResult { rate: sample.rate, limit: Some(RateLimit::Undecided), answered: None }
            }
            RateVerdict::GeneratorBehind => {
                ProbeResult { rate: sample.rate, limit: Some(RateLimit::Generator), answered: Some(sent) }
            }
        }
    }
}

/// What is known of the greatest rate, in frames per second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RateSearch {
    /// The highest rate that is proven.
    pub proven: Option<f64>,
    /// The lowest rate that is not, and why.
    pub limit: Option<(f64, RateLimit)>,
    /// What the engine answered when it had too much to do.
    estimate: Option<f64>,
    /// A rate of which a short probe said nothing.
    unsaid: Option<f64>,
    probes: usize,
}

impl RateSearch {
    /// The next rate to try; none if the bracket is narrow, or there were enough probes.
    pub fn next(&self) -> Option<NextProbe> {
        if self.probes >= PROBES {
            return None;
        }
        if let Some(rate) = self.unsaid {
            return Some(NextProbe { rate, is_longer: true });
        }
        let rate = match (self.proven, self.limit) {
            (None, None) => FIRST,
            (Some(proven), None) => proven * MORE,
            (None, Some((limit, _))) => self.by_estimate(LEAST, limit).unwrap_or(limit / MORE),
            (Some(proven), Some((limit, _))) if limit / proven <= NARROW => return None,
            (Some(proven), Some((limit, _))) => {
                self.by_estimate(proven, limit).unwrap_or_else(|| (proven * limit).sqrt())
            }
        };
        // A whole number is easier to read.
        let rate = if rate > 100.0 { rate.round() } else { rate };
        (rate >= LEAST).then_some(NextProbe { rate, is_longer: false })
    }

    /// A rate beside the estimate, if it lies between these.
    fn by_estimate(&self, low: f64, high: f64) -> Option<f64> {
        let estimate = self.estimate?;
        // A probe near an end says little.
        let fits = |rate: &f64| *rate > low * 1.005 && *rate * 1.005 < high;
        [estimate * BELOW, estimate * ABOVE].into_iter().find(fits)
    }

    /// Takes what a probe said.
    pub fn take(&mut self, result: ProbeResult) {
        self.probes += 1;
        let ProbeResult { rate, limit, answered } = result;
        let was_unsaid = self.unsaid.take().is_some();
        let is_disturbed = self.proven.zip(answered).is_some_and(|(proven, answered)| {
            answered < proven / NARROW && rate < proven * ALIKE && limit == Some(RateLimit::Refuted)
        });
        match limit {
            Some(_) if !was_unsaid && (is_disturbed || limit == Some(RateLimit::Undecided)) => self.unsaid = Some(rate),
            Some(why) => {
                if self.limit.is_none_or(|(before, _)| rate < before) {
                    self.limit = Some((rate, why));
                    self.estimate = answered.or(self.estimate);
                }
                // Of two probes that contradict each other, the one that says less counts.
                self.proven = self.proven.filter(|proven| *proven < rate);
            }
            None => self.proven = Some(self.proven.map_or(rate, |before| before.max(rate))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches with an engine that sustains `cap`, of which overloaded runs say that it is so many times as much, and a
    /// generator that sends `most`.
    fn search(cap: f64, said: f64, most: f64) -> (RateSearch, Vec<f64>) {
        let (mut search, mut rates) = (RateSearch::default(), Vec::new());
        while let Some(NextProbe { rate, .. }) = search.next() {
            rates.push(rate);
            let answered = Some(cap * said);
            search.take(if rate <= cap && rate <= most {
                ProbeResult { rate, limit: None, answered: None }
            } else if rate > most && cap > most {
                ProbeResult { rate, limit: Some(RateLimit::Generator), answered: Some(most) }
            } else {
                ProbeResult { rate, limit: Some(RateLimit::Refuted), answered }
            });
        }
        (search, rates)
    }

    #[test]
    fn an_estimate_makes_the_search_short() {
        let (found, rates) = search(20_000.0, 1.0, f64::MAX);
        assert_eq!(rates, [3_000.0, 12_000.0, 48_000.0, 19_700.0, 20_600.0]);
        assert_eq!((found.proven, found.limit), (Some(19_700.0), Some((20_600.0, RateLimit::Refuted))));
        let (found, rates) = search(15_000.0, 1.0, f64::MAX);
        assert_eq!(rates, [3_000.0, 12_000.0, 48_000.0, 14_775.0, 15_450.0]);
        assert_eq!((found.proven, found.limit), (Some(14_775.0), Some((15_450.0, RateLimit::Refuted))));
    }

    #[test]
    fn a_wrong_estimate_makes_it_longer_and_not_wrong() {
        for said in [0.5, 0.9, 1.1, 2.0] {
            for cap in [30.0, 1_234.0, 19_000.0, 333_333.0] {
                let (found, rates) = search(cap, said, f64::MAX);
                let (proven, limit) = (found.proven.unwrap(), found.limit.unwrap().0);
                assert!(proven <= cap && cap < limit && limit / proven <= NARROW, "{cap} {said}: {found:?}");
                assert!(rates.len() <= 16, "{cap} {said}: {rates:?}");
            }
        }
    }

    #[test]
    fn the_generator_may_be_the_limit() {
        let (found, _) = search(1e9, 1.0, 100_000.0);
        assert!((95_000.0..=100_000.0).contains(&found.proven.unwrap()), "{found:?}");
        assert_eq!(found.limit.map(|limit| limit.1), Some(RateLimit::Generator));
    }

    #[test]
    fn what_says_nothing_is_tried_again_for_longer() {
        let mut search = RateSearch::default();
        let unsaid = |rate| ProbeResult { rate, limit: Some(RateLimit::Undecided), answered: None };
        search.take(unsaid(5_000.0));
        assert_eq!(search.next(), Some(NextProbe { rate: 5_000.0, is_longer: true }));
        search.take(unsaid(5_000.0));
        assert_eq!(search.limit, Some((5_000.0, RateLimit::Undecided)));
        assert_eq!(search.next(), Some(NextProbe { rate: 1_250.0, is_longer: false }));
    }

    #[test]
    fn a_probe_that_was_disturbed_is_made_again() {
        let mut search = RateSearch::default();
        search.take(ProbeResult { rate: 10_000.0, limit: None, answered: None });
        let refuted = |rate, answered| ProbeResult { rate, limit: Some(RateLimit::Refuted), answered: Some(answered) };
        search.take(refuted(10_500.0, 9_000.0));
        assert_eq!((search.limit, search.next()), (None, Some(NextProbe { rate: 10_500.0, is_longer: true })));
        search.take(refuted(10_500.0, 9_000.0));
        assert_eq!((search.proven, search.limit), (Some(10_000.0), Some((10_500.0, RateLimit::Refuted))));
        // One with far too much to do says what it says.
        let mut search = RateSearch::default();
        search.take(ProbeResult { rate: 10_000.0, limit: None, answered: None });
        search.take(refuted(40_000.0, 9_000.0));
        assert_eq!(search.limit, Some((40_000.0, RateLimit::Refuted)));
    }

    #[test]
    fn an_engine_that_sustains_nothing_has_no_bracket() {
        let (found, rates) = search(0.0, 1.0, f64::MAX);
        assert_eq!((found.proven, rates.len()), (None, 6));
    }
}
