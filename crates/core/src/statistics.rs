//! Samples that were measured in turn.

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
    fn shares_are_taken_pair_by_pair() {
        assert_eq!(share(&[50.0, 90.0, 10.0], &[100.0, 100.0, 10.0]), 0.9);
    }
}
