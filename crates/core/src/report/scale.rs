//! Axes: where a value stands, and which values are named.

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Evenly, from the first value to the second.
    Linear(f64, f64),
    /// Each tenfold as wide as the one before; both ends are above 0.
    Logarithmic(f64, f64),
}

/// How many values a linear axis names, about.
const NAMED: f64 = 5.0;

impl Scale {
    /// From 0 to the greatest of the values.
    pub fn from_zero(values: impl Iterator<Item = f64>) -> Scale {
        let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        if most > 0.0 { Scale::Linear(0.0, rounded_up(most)) } else { Scale::Linear(0.0, 1.0) }
    }

    /// Whole tenfolds around the values that are above 0.
    pub fn tenfolds(values: impl Iterator<Item = f64>) -> Scale {
        let usable = values.filter(|value| value.is_finite() && *value > 0.0);
        let (low, high) = usable.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        if high <= 0.0 {
            return Scale::Logarithmic(1.0, 10.0);
        }
        let (low, high) = (low.log10().floor(), high.log10().ceil());
        Scale::Logarithmic(10_f64.powf(low), 10_f64.powf(high.max(low + 1.0)))
    }

    /// The place of a value: 0 at the lower end, 1 at the upper one; never outside.
    pub fn place(self, value: f64) -> f64 {
        let place = match self {
            Scale::Linear(low, high) => (value - low) / (high - low),
            Scale::Logarithmic(low, high) => (value.max(f64::MIN_POSITIVE) / low).log10() / (high / low).log10(),
        };
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The values that the axis names, from the lowest.
    pub fn ticks(self) -> Vec<f64> {
        match self {
            Scale::Linear(low, high) => {
                let step = step(high - low);
                let first = (low / step).ceil() as i64;
                let last = (high / step + 1e-9).floor() as i64;
                (first..=last).map(|at| at as f64 * step).collect()
            }
            Scale::Logarithmic(low, high) => {
                let ends = (low.log10().round() as i32, high.log10().round() as i32);
                (ends.0..=ends.1).map(|at| 10_f64.powi(at)).filter(|value| *value <= high * 1.001).collect()
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, so that a span has about [`NAMED`] of them.
fn step(span: f64) -> f64 {
    let rough = span / NAMED;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = match rough / power {
        factor if factor <= 1.0 => 1.0,
        factor if factor <= 2.0 => 2.0,
        factor if factor <= 5.0 => 5.0,
        _ => 10.0,
    };
    factor * power
}

fn rounded_up(most: f64) -> f64 {
    let step = step(most);
    (most / step).ceil() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_axis_has_round_numbers() {
        let scale = Scale::from_zero([3.0, 87.0, f64::NAN].into_iter());
        assert_eq!(scale, Scale::Linear(0.0, 100.0));
        assert_eq!(scale.ticks(), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!((scale.place(25.0), scale.place(-1.0), scale.place(1e9)), (0.25, 0.0, 1.0));
        assert_eq!(Scale::from_zero([].into_iter()), Scale::Linear(0.0, 1.0));
        assert_eq!(Scale::Linear(0.0, 10.0).ticks(), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
    }

    #[test]
    fn a_logarithmic_axis_has_whole_tenfolds() {
        let scale = Scale::tenfolds([0.0, 0.02, 130.0].into_iter());
        assert_eq!(scale.ticks(), [0.01, 0.1, 1.0, 10.0, 100.0, 1_000.0]);
        assert!((scale.place(1.0) - 0.4).abs() < 1e-12);
        assert_eq!((scale.place(0.0), scale.place(f64::NAN)), (0.0, 0.0));
        assert_eq!(Scale::tenfolds([5.0].into_iter()).ticks(), [1.0, 10.0]);
        assert_eq!(Scale::tenfolds([].into_iter()).ticks(), [1.0, 10.0]);
    }
}
