//! Several ratios at once: each further one is a further chance of a false alarm.

use super::error::StatisticsError;
use super::ratio::{CONFIDENCE, RatioEstimate, RatioVerdict};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The places that an engine may have, from 1: equal ones if the measurement decides, else those of a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rank {
    /// 1 and the number of engines that are faster for sure.
    pub first: usize,
    /// The number of engines less those that are slower for sure.
    pub last: usize,
}

impl fmt::Display for Rank {
    /// `2`, or `2-4` for a tie.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// The p-values, each raised so that all those below 0.05 together are false alarms in at most 5 % of all experiments,
/// however they depend on each other: Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (Scandinavian Journal
/// of Statistics 6, 1979). In the order given; none above 1.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut corrected = vec![0.0; p_values.len()];
    let mut least: f64 = 0.0;
    for (done, at) in order.into_iter().enumerate() {
        least = least.max((p_values[at] * (p_values.len() - done) as f64).min(1.0));
        corrected[at] = least;
    }
    corrected
}

/// The verdicts on several ratios, corrected by [`holm`]: in at most 5 % of all experiments is any of them wrong. A verdict
/// is wrong only if an interval misses the true ratio, whichever of faster, slower and same it is, so that one p-value
/// ([`RatioEstimate::p_value`]) speaks for all three. `threshold` as there.
pub fn verdicts(estimates: &[RatioEstimate], threshold: f64) -> Vec<RatioVerdict> {
    let p_values: Vec<f64> = estimates.iter().map(|estimate| estimate.p_value(threshold)).collect();
    let corrected = holm(&p_values);
    estimates.iter().zip(corrected).map(|(estimate, p_value)| estimate.verdict_if(threshold, p_value)).collect()
}

/// The ranks of engines by speed: `speeds[engine][round]`, greater is better. An engine ranks above another one only if
/// the interval of their ratio excludes 1, corrected by [`holm`] over all pairs.
///
/// Together these ranks hold the true ones in 95 % of all experiments: Mogstad, Romano, Shaikh and Wilhelm, "Inference for
/// Ranks with Applications to Mobility across Neighbourhoods and Academic Achievement across Countries" (The Review of
/// Economic Studies 91, 2024). Ties need not be transitive: A may beat C, and B tie with both.
///
/// # Errors
/// As [`RatioEstimate::paired`].
pub fn ranks(speeds: &[Vec<f64>]) -> Result<Vec<Rank>, StatisticsError> {
    let mut pairs = Vec::new();
    for (one, of_one) in speeds.iter().enumerate() {
        for (other, of_other) in speeds.iter().enumerate().skip(one + 1) {
            pairs.push((one, other, RatioEstimate::paired(of_one, of_other)?));
        }
    }
    let p_values: Vec<f64> = pairs.iter().map(|(_, _, estimate)| estimate.p_value(0.0)).collect();
    let mut ranks = vec![Rank { first: 1, last: speeds.len() }; speeds.len()];
    for ((one, other, estimate), p_value) in pairs.into_iter().zip(holm(&p_values)) {
        let (faster, slower) = if estimate.ratio > 1.0 { (one, other) } else { (other, one) };
        if p_value < 1.0 - CONFIDENCE {
            ranks[slower].first += 1;
            ranks[faster].last -= 1;
        }
    }
    Ok(ranks)
}

#[cfg(test)]
mod tests {
    use super::*;

    // pip install statsmodels==0.15.0
    // statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03, 0.005, 0.2], method="holm")[1].tolist()
    #[test]
    fn corrections_are_as_statsmodels_has_them() {
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005, 0.2]), [0.04, 0.09, 0.09, 0.025, 0.2]);
        assert_eq!(holm(&[0.5, 0.6]), [1.0, 1.0]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }

    #[test]
    fn of_several_verdicts_each_has_to_be_surer() {
        // Alone, p is 0.032 without a threshold.
        let a = [102.1, 98.4, 131.0, 99.9, 97.2, 104.8, 101.3, 95.5, 99.0, 103.7];
        let b = [96.0, 97.1, 99.5, 93.2, 96.8, 97.7, 95.1, 94.9, 97.3, 98.2];
        let faster = RatioEstimate::paired(&a, &b).unwrap();
        assert_eq!(verdicts(&[faster], 0.0), [RatioVerdict::Faster]);
        let sure = RatioEstimate::paired(&[1.0, 1.01], &[2.0, 2.0]).unwrap();
        assert_eq!(verdicts(&[faster, sure], 0.0), [RatioVerdict::Faster, RatioVerdict::Slower]);
        assert_eq!(verdicts(&[faster; 2], 0.0), [RatioVerdict::Undecided; 2]);
        assert_eq!(verdicts(&[], 0.05), []);
    }

    #[test]
    fn engines_that_cannot_be_told_apart_share_their_places() {
        // scipy.stats.ttest_rel(log(a), log(b)).pvalue: a and b 0.88, a and c 3e-13, b and c 4e-8
        let a = vec![100.0, 104.0, 98.0, 101.0, 103.0, 99.0, 102.0, 100.0, 97.0, 105.0];
        let b = vec![101.0, 99.0, 103.0, 100.0, 98.0, 104.0, 99.0, 102.0, 100.0, 101.0];
        let c = vec![80.0, 83.0, 79.0, 81.0, 84.0, 78.0, 82.0, 80.0, 79.0, 83.0];
        let ranks = ranks(&[c.clone(), a, b]).unwrap();
        assert_eq!(ranks.iter().map(Rank::to_string).collect::<Vec<_>>(), ["3", "1-2", "1-2"]);
        assert_eq!(super::ranks(&[c]).unwrap(), [Rank { first: 1, last: 1 }]);
        assert_eq!(super::ranks(&[]).unwrap(), []);
        let uneven = super::ranks(&[vec![1.0, 2.0], vec![1.0, 2.0, 3.0]]);
        assert_eq!(uneven, Err(StatisticsError::Unpaired { samples: 2, others: 3 }));
    }
}
