//! A histogram of latencies in microseconds.

use crate::latency::percentile::Percentile;

/// Latencies in microseconds of any size, to three significant digits. Negative ones are counted separately.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    pub(super) inner: hdrhistogram::Histogram<u64>,
    pub(super) negative: u64,
}

/// The figures of a histogram that holds at least one value. All but `mean_us` are upper bounds of the bucket that
/// holds the exact figure, at most 0.1 % above it; `min_us` is the lower bound. A percentile is none if fewer than ten
/// values lie above it ([`Percentile::is_supported_by`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Number of values that are not negative; no figure includes the negative ones.
    pub count: u64,
    /// Least value.
    pub min_us: u64,
    /// Median.
    pub p50_us: Option<u64>,
    /// 90 % of the values are at most this.
    pub p90_us: Option<u64>,
    /// 99 % of the values are at most this.
    pub p99_us: Option<u64>,
    /// 99.9 % of the values are at most this.
    pub p99_9_us: Option<u64>,
    /// Greatest value.
    pub max_us: u64,
    /// Arithmetic mean.
    pub mean_us: f64,
}

impl Histogram {
    /// Significant decimal digits of a value.
    pub const DIGITS: u8 = 3;

    /// Records one latency in microseconds. A negative one (clocks that disagree) is counted, not clamped to 0.
    #[inline]
    pub fn record(&mut self, us: i64) {
        match u64::try_from(us) {
            // The histogram resizes itself, up to about 400 KB for the largest value, so recording cannot fail.
            Ok(us) => self.inner.record(us).unwrap_or_default(),
            Err(_) => self.negative += 1,
        }
    }

    /// Adds the values of another histogram.
    pub fn merge(&mut self, other: &Histogram) {
        self.inner.add(&other.inner).unwrap_or_default(); // resizes itself as well
        self.negative += other.negative;
    }

    /// Number of recorded values that are not negative.
    pub fn count(&self) -> u64 {
        self.inner.len()
    }

    /// Number of recorded values below zero.
    pub fn negative(&self) -> u64 {
        self.negative
    }

    /// Whether nothing was recorded, not even a negative value.
    pub fn is_empty(&self) -> bool {
        self.count() == 0 && self.negative == 0
    }

    /// The value that this share of the values does not exceed, however few they are, as the upper bound of its bucket; 0
    /// without a value. What is printed or recorded is in [`Histogram::summary`].
    pub fn at_quantile(&self, quantile: f64) -> u64 {
        self.inner.value_at_quantile(quantile)
    }

    /// The figures, or `None` without a value that is not negative.
    pub fn summary(&self) -> Option<Summary> {
        let at = |percentile: Percentile| {
            percentile.is_supported_by(self.count()).then(|| self.at_quantile(percentile.quantile()))
        };
        (self.count() > 0).then(|| Summary {
            count: self.count(),
            min_us: self.inner.min(),
            p50_us: at(Percentile::P50),
            p90_us: at(Percentile::P90),
            p99_us: at(Percentile::P99),
            p99_9_us: at(Percentile::P99_9),
            max_us: self.inner.max(),
            mean_us: self.inner.mean(),
        })
    }
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { inner: hdrhistogram::Histogram::new(Histogram::DIGITS).expect("3 digits are allowed"), negative: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: impl IntoIterator<Item = i64>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|us| histogram.record(us));
        histogram
    }

    #[test]
    fn nothing_and_negative_values() {
        assert!(of([]).is_empty());
        let negative = of([-1, i64::MIN]);
        assert!(!negative.is_empty());
        assert_eq!((negative.count(), negative.negative(), negative.summary()), (0, 2, None));
    }

    #[test]
    fn exact_figures() {
        assert_eq!(
            of((1..=2000).chain([-5])).summary(),
            Some(Summary {
                count: 2000,
                min_us: 1,
                p50_us: Some(1000),
                p90_us: Some(1800),
                p99_us: Some(1980),
                p99_9_us: None,
                max_us: 2000,
                mean_us: 1000.5,
            })
        );
        let zero = of([0]).summary().unwrap();
        assert_eq!((zero.min_us, zero.p50_us, zero.max_us, zero.mean_us), (0, None, 0, 0.0));
    }

    #[test]
    fn a_percentile_with_fewer_than_ten_values_above_it_is_none() {
        let given = |count: i64| {
            let Summary { p50_us, p90_us, p99_us, p99_9_us, .. } = of(1..=count).summary().unwrap();
            [p50_us, p90_us, p99_us, p99_9_us]
        };
        assert_eq!(given(19), [None; 4]);
        assert_eq!(given(20), [Some(10), None, None, None]);
        assert_eq!(given(999), [Some(500), Some(900), None, None]);
        assert_eq!(given(1_000), [Some(500), Some(900), Some(990), None]);
        assert_eq!(given(10_000).map(|us| us.is_some()), [true; 4]);
        assert_eq!((of(1..=19).at_quantile(0.5), of([]).at_quantile(0.5)), (10, 0));
    }

    #[test]
    fn values_of_any_size() {
        // From 2,048 us on a bucket is wider than 1 us: the figures are the bounds of the bucket.
        let summary = of([123_456_789, 1]).summary().unwrap();
        assert_eq!((summary.min_us, summary.max_us), (1, 123_469_823));
        let huge = of([i64::MAX]);
        assert_eq!(huge.count(), 1);
        assert_eq!(huge.summary().unwrap().max_us, i64::MAX as u64);
    }

    proptest! {
        #[test]
        fn merging_is_recording_both(
            one in prop::collection::vec(-10..100_000_000_i64, 0..50),
            two in prop::collection::vec(-10..10_000_i64, 0..50),
        ) {
            let mut merged = of(one.iter().copied());
            merged.merge(&of(two.iter().copied()));
            let both = of(one.into_iter().chain(two));
            prop_assert_eq!(&merged, &both);
            let negative = both.negative();
            prop_assert_eq!(Histogram::from_base64(&both.to_base64().unwrap(), negative).unwrap(), both);
        }

        #[test]
        fn figures_are_within_a_thousandth(values in prop::collection::vec(0..i64::MAX / 2, 1..100)) {
            let mut sorted: Vec<u64> = values.iter().map(|us| *us as u64).collect();
            sorted.sort_unstable();
            let histogram = of(values);
            let summary = histogram.summary().unwrap();
            let rank = |quantile: f64| sorted[(quantile * sorted.len() as f64).ceil() as usize - 1];
            for (figure, exact) in [
                (histogram.at_quantile(0.5), rank(0.5)),
                (histogram.at_quantile(0.9), rank(0.9)),
                (summary.max_us, sorted[sorted.len() - 1]),
            ] {
                prop_assert!(exact <= figure && figure - exact <= exact / 1000, "{} {}", figure, exact);
            }
            prop_assert!(summary.min_us <= sorted[0] && sorted[0] - summary.min_us <= sorted[0] / 1000);
        }
    }
}
