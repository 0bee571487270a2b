//! How fast a value grows, such as the event time that an engine has reached.

use super::error::StatisticsError;
use super::ratio::{CONFIDENCE, Interval, quantile_of_t};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rate that changes by a greater share than this, between the third and the last quarter of a run, is not steady.
pub const STEADY_DRIFT: f64 = 0.05;

/// The stretches whose rates give the interval. More would be too short to be independent of each other.
const STRETCHES: usize = 10;

/// The slope of a line through samples over time, in the unit of the value per unit of time.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Slope {
    /// That of the line of least squares.
    pub slope: f64,
    /// Where the true slope lies.
    pub interval: Interval,
    /// Number of samples.
    pub samples: usize,
}

/// The rate in the second half of a run.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct SteadyRate {
    /// The rate.
    pub rate: Slope,
    /// By which share the rate of the last quarter is above that of the third: 0.05 is 5 %. Infinite if only the last moved.
    pub drift: f64,
}

impl Slope {
    /// Fits a line to `values[i]` at the times `times[i]`, which ascend.
    ///
    /// The samples of a run are not independent of each other: an engine that is behind stays behind. So the textbook
    /// interval of least squares is far too narrow (it holds the true slope in 7 to 100 % of simulated runs, by their noise, not 95), and
    /// one corrected for the correlation of neighbours still is (19 to 100 %). This one takes the rates of ten stretches
    /// of equal length, end to end, and Student's t of their mean, around the slope of the line: "batch means", Law,
    /// *Simulation Modeling and Analysis*. It is wide rather than narrow (91 to 100 %).
    ///
    /// # Errors
    /// Fewer than 11 samples, lists of different lengths, a value that is no number, or times that do not ascend.
    pub fn fit(times: &[f64], values: &[f64]) -> Result<Slope, StatisticsError> {
        check(times, values, STRETCHES + 1)?;
        let rates = stretches(times, values);
        let count = rates.len() as f64;
        let mean = rates.iter().sum::<f64>() / count;
        let variance = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let margin = quantile_of_t(count - 1.0, CONFIDENCE.midpoint(1.0)) * (variance / count).sqrt();
        let slope = least_squares(times, values);
        let interval = Interval { low: slope - margin, high: slope + margin };
        Ok(Slope { slope, interval, samples: times.len() })
    }
}

impl SteadyRate {
    /// Of the second half of the time that the samples cover; the first is warm-up.
    ///
    /// # Errors
    /// As [`Slope::fit`], for the samples of that half.
    pub fn fit(times: &[f64], values: &[f64]) -> Result<SteadyRate, StatisticsError> {
        check(times, values, STRETCHES + 1)?;
        let at = |share: f64| times[0] + (times[times.len() - 1] - times[0]) * share;
        let from = |share: f64| times.partition_point(|time| *time < at(share));
        let (half, last) = (from(0.5), from(0.75));
        let rate = Slope::fit(&times[half..], &values[half..])?;
        for part in [half..last, last..times.len()] {
            check(&times[part.clone()], &values[part], 2)?;
        }
        let earlier = least_squares(&times[half..last], &values[half..last]);
        let later = least_squares(&times[last..], &values[last..]);
        Ok(SteadyRate { rate, drift: if earlier == later { 0.0 } else { later / earlier - 1.0 } })
    }

    /// Whether the drift is small, up or down.
    pub fn is_steady(&self) -> bool {
        self.drift.abs() <= STEADY_DRIFT
    }
}

fn check(times: &[f64], values: &[f64], needed: usize) -> Result<(), StatisticsError> {
    if times.len() != values.len() {
        return Err(StatisticsError::Unpaired { samples: times.len(), others: values.len() });
    }
    if times.len() < needed {
        return Err(StatisticsError::TooFew { found: times.len(), needed });
    }
    let unusable = |it: &[f64]| it.iter().position(|value| !value.is_finite()).map(|at| (at, it[at]));
    if let Some((at, value)) = unusable(times).or(unusable(values)) {
        return Err(StatisticsError::Unusable { at, value });
    }
    match times.windows(2).position(|pair| pair[0] >= pair[1]) {
        Some(at) => Err(StatisticsError::NotLater { at: at + 1 }),
        None => Ok(()),
    }
}

fn least_squares(times: &[f64], values: &[f64]) -> f64 {
    let count = times.len() as f64;
    let (time, value) = (times.iter().sum::<f64>() / count, values.iter().sum::<f64>() / count);
    let products: f64 = times.iter().zip(values).map(|(t, v)| (t - time) * (v - value)).sum();
    products / times.iter().map(|t| (t - time).powi(2)).sum::<f64>()
}

/// The rates of [`STRETCHES`] stretches that take equally long, end to end. Samples may come in bursts, as the rows of a
/// commit do: a stretch of so many samples could take no time.
fn stretches(times: &[f64], values: &[f64]) -> Vec<f64> {
    let (first, last) = (times[0], times[times.len() - 1]);
    let length = (last - first) / STRETCHES as f64;
    let ends: Vec<f64> = (0..=STRETCHES).map(|end| value_at(times, values, first + length * end as f64)).collect();
    ends.windows(2).map(|pair| (pair[1] - pair[0]) / length).collect()
}

/// The value at this time, on a straight line between the samples beside it.
fn value_at(times: &[f64], values: &[f64], time: f64) -> f64 {
    let next = times.partition_point(|sample| *sample < time).clamp(1, times.len() - 1);
    let share = (time - times[next - 1]) / (times[next] - times[next - 1]);
    values[next - 1] + (values[next] - values[next - 1]) * share.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [f64; 21] = [
        0.0, 1.1, 1.9, 3.2, 3.8, 5.1, 6.3, 6.9, 8.2, 9.1, 9.8, 11.2, 11.9, 13.1, 14.2, 14.8, 16.1, 17.2, 17.9, 19.0,
        20.3,
    ];

    fn seconds(count: u32) -> Vec<f64> {
        (0..count).map(f64::from).collect()
    }

    #[test]
    fn samples_in_bursts() {
        // Twenty commits, one a second, of ten rows each, which come within 9 us.
        let at = |n: u32| (f64::from(n / 10) + f64::from(n % 10) * 1e-6, f64::from(n));
        let (times, values): (Vec<f64>, Vec<f64>) = (0..200).map(at).unzip();
        let Slope { slope, interval, .. } = Slope::fit(&times, &values).unwrap();
        assert!((slope - 10.0).abs() < 0.1, "{slope}");
        assert!(interval.low > 8.0 && interval.high < 12.0, "{interval:?}");
    }

    // pip install scipy==1.17.1; python3, from numpy import *; from scipy.stats import *
    // x = arange(21.); y = array(VALUES); s = linregress(x, y).slope
    // e = arange(0, 21, 2); m = t.ppf(.975, 9) * sem(diff(y[e]) / diff(x[e])); s, s - m, s + m
    #[test]
    fn slopes_are_as_scipy_has_them() {
        let Slope { slope, interval, samples } = Slope::fit(&seconds(21), &VALUES).unwrap();
        let expected = [1.0027272727272727, 0.900095784210825, 1.1053587612437203];
        for (value, expected) in [slope, interval.low, interval.high].into_iter().zip(expected) {
            assert!((value - expected).abs() < 1e-9, "{value} instead of {expected}");
        }
        assert_eq!(samples, 21);
    }

    #[test]
    fn a_rate_that_still_rises_is_not_steady() {
        let times = seconds(101);
        let rate = |later: f64| {
            let values: Vec<f64> = times.iter().map(|t| t + (later - 1.0) * (t - 75.0).max(0.0)).collect();
            SteadyRate::fit(&times, &values).unwrap()
        };
        assert!((rate(1.04).drift - 0.04).abs() < 1e-9 && rate(1.04).is_steady());
        assert!((rate(1.06).drift - 0.06).abs() < 1e-9 && !rate(1.06).is_steady());
        assert!((rate(0.9).drift + 0.1).abs() < 1e-9 && !rate(0.9).is_steady());
        assert_eq!(rate(1.0).rate.samples, 51);
    }

    #[test]
    fn the_first_half_is_warm_up() {
        let times = seconds(101);
        let values: Vec<f64> = times.iter().map(|t| if *t < 50.0 { 0.0 } else { 2.0 * (t - 50.0) }).collect();
        let steady = SteadyRate::fit(&times, &values).unwrap();
        assert_eq!((steady.rate.slope, steady.rate.interval), (2.0, Interval { low: 2.0, high: 2.0 }));
        assert_eq!((steady.drift, steady.is_steady()), (0.0, true));
    }

    #[test]
    fn what_stands_still_is_steady_and_what_starts_late_is_not() {
        let times = seconds(101);
        assert_eq!(SteadyRate::fit(&times, &[5.0; 101]).unwrap().drift, 0.0);
        let values: Vec<f64> = times.iter().map(|t| (t - 80.0).max(0.0)).collect();
        assert!(!SteadyRate::fit(&times, &values).unwrap().is_steady());
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |times: &[f64], values: &[f64]| Slope::fit(times, values).unwrap_err();
        assert_eq!(error(&seconds(10), &[0.0; 10]), StatisticsError::TooFew { found: 10, needed: 11 });
        assert_eq!(error(&seconds(11), &[0.0; 10]), StatisticsError::Unpaired { samples: 11, others: 10 });
        let mut times = seconds(11);
        times[4] = 3.0;
        let message = "sample 4 is not later than the one before it: a slope needs samples in the order of their times";
        assert_eq!(error(&times, &[0.0; 11]).to_string(), message);
        times[4] = f64::INFINITY;
        assert_eq!(error(&times, &[0.0; 11]), StatisticsError::Unusable { at: 4, value: f64::INFINITY });
        let few = SteadyRate::fit(&seconds(20), &[0.0; 20]);
        assert_eq!(few, Err(StatisticsError::TooFew { found: 10, needed: 11 }));
    }
}
