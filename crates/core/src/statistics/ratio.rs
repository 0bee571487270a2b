//! The ratio of two series of samples, with its interval.

use super::error::StatisticsError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The share of repeated experiments whose interval holds the true value.
pub const CONFIDENCE: f64 = 0.95;

/// The rounds that a published ratio needs. Fewer still have an interval, a wide one: a first look.
pub const MIN_ROUNDS: usize = 10;

/// How often a difference as great as [`RatioEstimate::detectable`] is found.
const POWER: f64 = 0.8;

/// Where the true value lies, with the confidence of [`CONFIDENCE`] unless it says otherwise. In the unit of the value.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// Whether the value lies between the ends, or is one of them.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// What a ratio of speeds says, beyond a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RatioVerdict {
    /// The whole interval lies above the threshold.
    Faster,
    /// The whole interval lies below it.
    Slower,
    /// The whole interval lies between the two thresholds.
    Same,
    /// The interval holds a threshold: more rounds might decide.
    Undecided,
}

/// How many times as large samples are as their reference: geometric means, as ratios are many times as large or as
/// small, not more or less. Give speeds; for durations give the reference first, so that above 1 is faster.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct RatioEstimate {
    /// The geometric mean of the ratios.
    pub ratio: f64,
    /// Where the true ratio lies.
    pub interval: Interval,
    /// Number of pairs; of the smaller side if there are none.
    pub rounds: usize,
    /// The standard error of the natural logarithm of the ratio: 0.01 is about 1 %.
    pub standard_error: f64,
    /// Degrees of freedom of the t distribution behind the interval.
    pub freedom: f64,
}

impl RatioEstimate {
    /// Of samples that were taken in turn: `samples[i]` and `reference[i]` are of the same round, so what slows down both
    /// leaves their ratio alone. The interval is Student's t of the mean of the log ratios.
    ///
    /// # Errors
    /// Fewer than two rounds, sides of different lengths, or a sample that is not a number above 0.
    pub fn paired(samples: &[f64], reference: &[f64]) -> Result<RatioEstimate, StatisticsError> {
        let (samples, reference) = (logarithms(samples)?, logarithms(reference)?);
        if samples.len() != reference.len() {
            return Err(StatisticsError::Unpaired { samples: samples.len(), others: reference.len() });
        }
        let ratios: Vec<f64> = samples.iter().zip(&reference).map(|(sample, reference)| sample - reference).collect();
        let Moments { mean, variance_of_mean } = moments(&ratios)?;
        Ok(RatioEstimate::new(mean, variance_of_mean.sqrt(), (ratios.len() - 1) as f64, ratios.len()))
    }

    /// Of samples of different runs. The interval is that of Welch, "The Generalization of 'Student's' Problem when Several
    /// Different Population Variances are Involved" (Biometrika 34, 1947), on logarithms. It knows nothing of what changed
    /// between the runs: a machine that was slower at one of the times looks like a slower program.
    ///
    /// # Errors
    /// Fewer than two samples on a side, or a sample that is not a number above 0.
    pub fn unpaired(samples: &[f64], reference: &[f64]) -> Result<RatioEstimate, StatisticsError> {
        let (left, right) = (moments(&logarithms(samples)?)?, moments(&logarithms(reference)?)?);
        let (a, b) = (left.variance_of_mean, right.variance_of_mean);
        let rest = a.powi(2) / (samples.len() - 1) as f64 + b.powi(2) / (reference.len() - 1) as f64;
        let rounds = samples.len().min(reference.len());
        let freedom = if rest > 0.0 { (a + b).powi(2) / rest } else { (rounds - 1) as f64 };
        Ok(RatioEstimate::new(left.mean - right.mean, (a + b).sqrt(), freedom, rounds))
    }

    fn new(log_ratio: f64, standard_error: f64, freedom: f64, rounds: usize) -> RatioEstimate {
        let margin = quantile_of_t(freedom, CONFIDENCE.midpoint(1.0)) * standard_error;
        let interval = Interval { low: (log_ratio - margin).exp(), high: (log_ratio + margin).exp() };
        RatioEstimate { ratio: log_ratio.exp(), interval, rounds, standard_error, freedom }
    }

    /// What the interval says beyond `threshold` (0.05: 5 %, that is above 1.05 or below 1 / 1.05, so that the sides can be
    /// exchanged). For several ratios at once, ask [`super::verdicts`].
    pub fn verdict(&self, threshold: f64) -> RatioVerdict {
        self.verdict_if(threshold, self.p_value(threshold))
    }

    /// The verdict if its p-value, corrected or not, is small enough.
    pub(super) fn verdict_if(&self, threshold: f64, p_value: f64) -> RatioVerdict {
        let (log_ratio, line) = (self.ratio.ln(), threshold.ln_1p());
        match p_value < 1.0 - CONFIDENCE {
            false => RatioVerdict::Undecided,
            true if log_ratio > line => RatioVerdict::Faster,
            true if log_ratio < -line => RatioVerdict::Slower,
            true => RatioVerdict::Same,
        }
    }

    /// 1 less the confidence of the widest interval around the ratio that holds neither `1 + threshold` nor its inverse. With
    /// threshold 0 it is the two-sided p-value of the t-test of "the ratio is 1".
    pub fn p_value(&self, threshold: f64) -> f64 {
        let distance = (self.ratio.ln().abs() - threshold.ln_1p()).abs();
        if distance == 0.0 {
            return 1.0;
        }
        2.0 * t_distribution(self.freedom).map_or(0.5, |it| it.sf(distance / self.standard_error))
    }

    /// The least change that `rounds` rounds of the same noise find four times in five (power 0.8, at 5 %), as a share:
    /// 0.03 is 3 %. At least two rounds.
    ///
    /// It adds two quantiles of t, as in Bloom, "Minimum Detectable Effects" (Evaluation Review 19, 1995); the exact one,
    /// of the noncentral t, is 0.1 % greater at 10 rounds, 1.2 % at 5 and 5.4 % at 3.
    pub fn detectable(&self, rounds: usize) -> f64 {
        let rounds = rounds.max(2) as f64;
        let standard_error = self.standard_error * (self.rounds as f64 / rounds).sqrt();
        let freedom = self.freedom * (rounds - 1.0) / (self.rounds as f64 - 1.0);
        let quantiles = quantile_of_t(freedom, CONFIDENCE.midpoint(1.0)) + quantile_of_t(freedom, POWER);
        (quantiles * standard_error).exp_m1()
    }
}

struct Moments {
    mean: f64,
    variance_of_mean: f64,
}

fn moments(values: &[f64]) -> Result<Moments, StatisticsError> {
    if values.len() < 2 {
        return Err(StatisticsError::TooFew { found: values.len(), needed: 2 });
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Ok(Moments { mean, variance_of_mean: squares / (count - 1.0) / count })
}

fn logarithms(samples: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    let usable = |(at, value): (usize, &f64)| match value.is_finite() && *value > 0.0 {
        true => Ok(value.ln()),
        false => Err(StatisticsError::Unusable { at, value: *value }),
    };
    samples.iter().enumerate().map(usable).collect()
}

/// `None` if the degrees of freedom are not above 0, as in an estimate of somebody's own making.
fn t_distribution(freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom).ok()
}

/// The value below which a variable of this t distribution lies with probability `at`, above 0.5.
pub(super) fn quantile_of_t(freedom: f64, at: f64) -> f64 {
    t_distribution(freedom).map_or(f64::INFINITY, |it| it.inverse_cdf(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [f64; 10] = [102.1, 98.4, 131.0, 99.9, 97.2, 104.8, 101.3, 95.5, 99.0, 103.7];
    const B: [f64; 10] = [96.0, 97.1, 99.5, 93.2, 96.8, 97.7, 95.1, 94.9, 97.3, 98.2];

    #[track_caller]
    fn close(value: f64, expected: f64) {
        assert!((value / expected - 1.0).abs() < 1e-9, "{value} instead of {expected}");
    }

    /// An estimate with 9 degrees of freedom.
    fn estimate(ratio: f64, standard_error: f64) -> RatioEstimate {
        RatioEstimate::new(ratio.ln(), standard_error, 9.0, 10)
    }

    // Expected values, with A and B as above:
    // pip install scipy==1.17.1; python3, from numpy import *; from scipy.stats import *
    // x = log(array(A) / array(B)); r = ttest_1samp(x, 0); i = r.confidence_interval()
    // exp(x.mean()), exp(i.low), exp(i.high), sem(x), r.pvalue
    #[test]
    fn pairs_are_as_scipy_has_them() {
        let estimate = RatioEstimate::paired(&A, &B).unwrap();
        close(estimate.ratio, 1.0655507780718365);
        close(estimate.interval.low, 1.0069049307928708);
        close(estimate.interval.high, 1.1276123752372982);
        close(estimate.standard_error, 0.025025063681561297);
        close(estimate.p_value(0.0), 0.031860482999976986);
        assert_eq!((estimate.rounds, estimate.freedom), (10, 9.0));
    }

    // r = ttest_ind(log(A), log(B[:7]), equal_var=False); i = r.confidence_interval()
    // exp(log(A).mean() - log(B[:7]).mean()), exp(i.low), exp(i.high), r.df, r.pvalue
    #[test]
    fn two_runs_are_as_scipy_has_them() {
        let estimate = RatioEstimate::unpaired(&A, &B[..7]).unwrap();
        close(estimate.ratio, 1.066616633313305);
        close(estimate.interval.low, 0.9993069523666911);
        close(estimate.interval.high, 1.1384600495035342);
        close(estimate.freedom, 10.344778272553166);
        close(estimate.p_value(0.0), 0.05206161814559136);
        assert_eq!(estimate.rounds, 7);
    }

    // [expm1((t.ppf(.975, n - 1) + t.ppf(.8, n - 1)) * sem(x) * sqrt(10 / n)) for n in (10, 40, 5)]
    #[test]
    fn detectable_effects_are_as_scipy_has_them() {
        let estimate = RatioEstimate::paired(&A, &B).unwrap();
        close(estimate.detectable(10), 0.0818990373155324);
        close(estimate.detectable(40), 0.0366105830130908);
        close(estimate.detectable(5), 0.1406086743777706);
        assert_eq!(estimate.detectable(0), estimate.detectable(2));
    }

    // [t.ppf(q, n) for n in (1, 2, 9.5, 99) for q in (.8, .975, .9999)]
    #[test]
    fn quantiles_of_t_are_those_of_scipy() {
        let expected = [
            (1.0, [1.3763819204711738, 12.706204736174694, 3183.098757118502]),
            (2.0, [1.0606601717798214, 4.302652729749462, 70.70007107496818]),
            (9.5, [0.8811117763190847, 2.2441374614922958, 5.840573057719777]),
            (99.0, [0.8452670319534972, 1.9842169515864174, 3.8630891071273092]),
        ];
        for (freedom, values) in expected {
            for (at, value) in [0.8, 0.975, 0.9999].into_iter().zip(values) {
                close(quantile_of_t(freedom, at), value);
            }
        }
    }

    #[test]
    fn a_verdict_needs_the_whole_interval_beyond_the_threshold() {
        // t.ppf(.975, 9) = 2.262: the interval of 1.08 is 1.056 to 1.105, or 1.032 to 1.130.
        assert_eq!(estimate(1.08, 0.01).verdict(0.05), RatioVerdict::Faster);
        assert_eq!(estimate(1.08, 0.02).verdict(0.05), RatioVerdict::Undecided);
        assert_eq!(estimate(1.08, 0.02).verdict(0.0), RatioVerdict::Faster);
        assert_eq!(estimate(1.0 / 1.08, 0.01).verdict(0.05), RatioVerdict::Slower);
        assert_eq!(estimate(1.01, 0.01).verdict(0.05), RatioVerdict::Same);
        assert_eq!(estimate(1.01, 0.02).verdict(0.05), RatioVerdict::Undecided);
        assert_eq!(estimate(1.01, 0.01).verdict(0.0), RatioVerdict::Undecided);
    }

    #[test]
    fn samples_without_noise() {
        let double = RatioEstimate::paired(&[4.0; 3], &[2.0; 3]).unwrap();
        close(double.ratio, 2.0);
        assert_eq!(
            (double.verdict(0.05), double.p_value(0.05), double.detectable(2)),
            (RatioVerdict::Faster, 0.0, 0.0)
        );
        let one = RatioEstimate::unpaired(&[3.0; 2], &[3.0; 5]).unwrap();
        assert_eq!((one.verdict(0.05), one.verdict(0.0)), (RatioVerdict::Same, RatioVerdict::Undecided));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |a: &[f64], b: &[f64]| RatioEstimate::paired(a, b).unwrap_err().to_string();
        assert_eq!(error(&[1.0], &[1.0]), "1 samples, and this figure needs 2: measure more rounds");
        assert_eq!(error(&[1.0, 2.0], &[1.0]), "2 samples and 1 beside them: each round needs one of both");
        let unusable = "which no ratio or slope can use: leave out the round in which it failed";
        assert_eq!(error(&[1.0, 0.0], &[1.0, 1.0]), format!("sample 1 is 0, {unusable}"));
        assert_eq!(error(&[1.0, 1.0], &[f64::NAN, 1.0]), format!("sample 0 is NaN, {unusable}"));
        assert_eq!(error(&[1.0, f64::INFINITY], &[1.0, 1.0]), format!("sample 1 is inf, {unusable}"));
        let unpaired = RatioEstimate::unpaired(&[1.0, 2.0], &[1.0]);
        assert_eq!(unpaired, Err(StatisticsError::TooFew { found: 1, needed: 2 }));
    }
}
