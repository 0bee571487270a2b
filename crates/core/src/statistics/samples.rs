//! Medians and quantiles of samples.

/// The median; the mean of the middle two for an even number of samples, 0 without samples.
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// The value that the share `at` of the samples does not exceed; `None` without samples, or if `at` is not in 0..=1.
///
/// Between two samples it interpolates: type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages"
/// (The American Statistician 50, 1996), the default of NumPy and R. Far from the middle it needs many samples: the
/// quantile 0.99 of 20 samples is little else than the greatest.
pub fn quantile(samples: &[f64], at: f64) -> Option<f64> {
    if samples.is_empty() || !(0.0..=1.0).contains(&at) {
        return None;
    }
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() - 1) as f64 * at;
    let below = place.floor() as usize;
    let above = sorted[(below + 1).min(sorted.len() - 1)];
    Some(sorted[below] + (above - sorted[below]) * place.fract())
}

/// The median of `samples[i] / ceilings[i]`: the two values of a pair were measured one after the other, under the same
/// load of the machine.
pub fn share(samples: &[f64], ceilings: &[f64]) -> f64 {
    let ratios: Vec<f64> = samples.iter().zip(ceilings).map(|(sample, ceiling)| sample / ceiling).collect();
    median(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        let samples = [15.0, 20.0, 35.0, 40.0, 50.0];
        // python3 -c "import numpy; print(numpy.quantile([15, 20, 35, 40, 50], [0, .05, .4, .5, .99, 1]).tolist())"
        let expected = [15.0, 16.0, 29.0, 35.0, 49.6, 50.0];
        for (at, expected) in [0.0, 0.05, 0.4, 0.5, 0.99, 1.0].into_iter().zip(expected) {
            assert_eq!(quantile(&samples, at), Some(expected), "{at}");
        }
        assert_eq!(quantile(&[7.0], 0.9), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&samples, 1.01), None);
        assert_eq!(quantile(&samples, f64::NAN), None);
    }

    #[test]
    fn shares_are_taken_pair_by_pair() {
        assert_eq!(share(&[50.0, 90.0, 10.0], &[100.0, 100.0, 10.0]), 0.9);
    }
}
