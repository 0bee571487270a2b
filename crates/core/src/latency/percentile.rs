//! Which percentiles samples support.

use strum::{IntoStaticStr, VariantArray};

/// A percentile is given only if this many samples lie above it: of fewer it is hardly more than the maximum.
const ABOVE: u64 = 10;

/// A percentile that tables and records give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Percentile {
    /// The median.
    #[strum(serialize = "p50")]
    P50,
    /// 90 % of the values are at most this.
    #[strum(serialize = "p90")]
    P90,
    /// 99 % of the values are at most this.
    #[strum(serialize = "p99")]
    P99,
    /// 99.9 % of the values are at most this.
    #[strum(serialize = "p99.9")]
    P99_9,
}

impl Percentile {
    /// All of them, from the lowest.
    pub const ALL: &[Percentile] = Percentile::VARIANTS;

    /// The name in tables and in names of figures.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The share of the values that are at most this.
    pub fn quantile(self) -> f64 {
        1.0 - self.thousandths_above() as f64 / 1000.0
    }

    /// Whether so many samples support it: ten of them at least lie above.
    pub fn is_supported_by(self, samples: u64) -> bool {
        samples.saturating_mul(self.thousandths_above()) >= ABOVE * 1000
    }

    /// How many of a thousand values lie above it.
    fn thousandths_above(self) -> u64 {
        match self {
            Percentile::P50 => 500,
            Percentile::P90 => 100,
            Percentile::P99 => 10,
            Percentile::P99_9 => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_samples_lie_above() {
        for (percentile, least) in Percentile::ALL.iter().zip([20, 100, 1_000, 10_000]) {
            assert!(percentile.is_supported_by(least) && !percentile.is_supported_by(least - 1), "{percentile:?}");
            assert!(percentile.is_supported_by(u64::MAX) && !percentile.is_supported_by(0), "{percentile:?}");
        }
        let quantiles: Vec<f64> = Percentile::ALL.iter().map(|percentile| percentile.quantile()).collect();
        assert_eq!(quantiles, [0.5, 0.9, 0.99, 0.999]);
    }
}
