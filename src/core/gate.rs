//! The regression gate: shares of ceilings against a baseline.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a share should be. Lies in `results/baseline.json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Median share of the ceiling over the runs that the baseline was made from.
    pub share: f64,
    /// How far a share may fall below it, as a part of the ceiling. Derived from the spread of those runs.
    pub tolerance: f64,
    /// The smallest and the largest share among those runs.
    pub spread: [f64; 2],
}

/// A baseline file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// How the expectations were made, for people; by the same keys.
    pub notes: BTreeMap<String, String>,
    /// Expectations by kind of broker, vector unit and processor, then by phase. A shorter key (`embedded/avx2`) is for all
    /// that it begins, and have none of their own.
    pub brokers: BTreeMap<String, BTreeMap<String, Expected>>,
}

/// A share that fell too far.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// Which phase.
    pub phase: String,
    /// Its share of the ceiling.
    pub share: f64,
    /// What it should be.
    pub expected: Expected,
}

impl Baseline {
    /// What is expected under the longest key that the given one begins with.
    fn expected(&self, key: &str) -> Option<&BTreeMap<String, Expected>> {
        let shorter = || key.rsplit_once('/').and_then(|(shorter, _)| self.expected(shorter));
        self.brokers.get(key).or_else(shorter)
    }

    /// Whether anything is expected of this kind of broker, vector unit and processor.
    pub fn knows(&self, key: &str) -> bool {
        self.expected(key).is_some()
    }

    /// The phases of `shares` that fell by more than their tolerance. Phases without an expectation pass.
    pub fn regressions(&self, key: &str, shares: &BTreeMap<String, f64>) -> Vec<Regression> {
        let Some(phases) = self.expected(key) else { return Vec::new() };
        let fell = |(phase, expected): (&String, &Expected)| {
            let share = *shares.get(phase)?;
            let regression = || Regression { phase: phase.clone(), share, expected: *expected };
            (share < expected.share - expected.tolerance).then(regression)
        };
        phases.iter().filter_map(fell).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        let expected = Expected { share: 0.9, tolerance: 0.1, spread: [0.85, 0.95] };
        let phases = BTreeMap::from([("count".to_owned(), expected), ("produce".to_owned(), expected)]);
        Baseline { notes: BTreeMap::new(), brokers: BTreeMap::from([("embedded".to_owned(), phases)]) }
    }

    fn shares(count: f64) -> BTreeMap<String, f64> {
        BTreeMap::from([("count".to_owned(), count), ("batch".to_owned(), 0.1)])
    }

    #[test]
    fn a_fall_within_the_tolerance_passes_and_one_beyond_is_named() {
        assert_eq!(baseline().regressions("embedded", &shares(0.81)), []);
        let found = baseline().regressions("embedded", &shares(0.79));
        assert_eq!(found.iter().map(|fell| (fell.phase.as_str(), fell.share)).collect::<Vec<_>>(), [("count", 0.79)]);
    }

    #[test]
    fn brokers_are_never_compared_with_each_other() {
        assert_eq!(baseline().regressions("another", &shares(0.1)), []);
        assert!(baseline().knows("embedded") && !baseline().knows("another"));
    }

    #[test]
    fn the_longest_key_counts() {
        let mut baseline = baseline();
        let expected = Expected { share: 0.5, tolerance: 0.1, spread: [0.45, 0.55] };
        baseline.brokers.insert("embedded/avx2/x".into(), BTreeMap::from([("count".into(), expected)]));
        assert_eq!(baseline.regressions("embedded/avx2/x", &shares(0.41)), []);
        assert_eq!(baseline.regressions("embedded/avx2/x", &shares(0.39)).len(), 1);
        for other in ["embedded/avx2/y", "embedded/avx2", "embedded/avx512/x"] {
            assert_eq!(baseline.regressions(other, &shares(0.79)).len(), 1, "{other}");
        }
        assert!(!baseline.knows("embedde/d") && !baseline.knows(""));
    }
}
