//! How often the intervals hold the true value, in simulated experiments.

use super::{Interval, RatioEstimate, Slope, median, order, quantile};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, Normal};

/// Random numbers of fixed seed.
struct Noise(Pcg64Mcg);

impl Noise {
    fn new(seed: u64) -> Noise {
        Noise(Pcg64Mcg::seed_from_u64(seed))
    }

    /// Above 0 and below 1, evenly.
    fn even(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.even() * n as f64) as usize
    }

    /// Normal with a standard deviation of 1 (Box and Muller).
    fn normal(&mut self) -> f64 {
        libm::sqrt(-2.0 * libm::log(self.even())) * libm::cos(std::f64::consts::TAU * self.even())
    }

    fn exponential(&mut self) -> f64 {
        -libm::log(self.even())
    }
}

/// Logarithms of what disturbs a duration.
#[derive(Clone, Copy)]
struct Trouble {
    /// Share of the samples that are outliers, of A and of B.
    outliers: [f64; 2],
    /// Mean size of an outlier, which only ever slows down.
    outlier: f64,
    /// From the first slot to the last, along a straight line.
    linear: f64,
    /// From a random slot on.
    step: f64,
    /// Correlation of a load that wanders, from slot to slot.
    wander: f64,
}

const CALM: Trouble = Trouble { outliers: [0.0; 2], outlier: 0.3, linear: 0.0, step: 0.0, wander: 0.0 };
const SKEWED: Trouble = Trouble { outliers: [0.05; 2], ..CALM };
const TROUBLES: [(&str, Trouble); 9] = [
    ("log-normal", CALM),
    ("outliers", SKEWED),
    ("many outliers", Trouble { outliers: [0.2; 2], ..CALM }),
    ("linear drift", Trouble { linear: 0.2, ..SKEWED }),
    ("step", Trouble { step: 0.1, ..SKEWED }),
    ("drift and step", Trouble { linear: 0.2, step: 0.1, ..SKEWED }),
    ("wandering load", Trouble { wander: 0.9, ..SKEWED }),
    ("outliers of A", Trouble { outliers: [0.05, 0.0], ..CALM }),
    ("many of A", Trouble { outliers: [0.2, 0.0], ..CALM }),
];
/// Of the log-normal noise of each sample.
const SIGMA: f64 = 0.05;
/// The ratio of A to B without outliers.
const RATIO: f64 = 1.1;

impl Trouble {
    /// One experiment in turns as the race takes them: the durations of A and those of B.
    fn experiment(&self, noise: &mut Noise, rounds: usize) -> [Vec<f64>; 2] {
        let (slots, step) = (2 * rounds, noise.below(2 * rounds));
        let mut durations = [Vec::new(), Vec::new()];
        let mut load = noise.normal();
        for (slot, engine) in (0..rounds).flat_map(|round| order(2, round)).enumerate() {
            load = self.wander * load + (1.0 - self.wander * self.wander).sqrt() * noise.normal();
            let mut log = [RATIO.ln(), 0.0][engine] + SIGMA * noise.normal();
            log += self.linear * slot as f64 / slots as f64;
            log += if slot >= step { self.step } else { 0.0 };
            log += if self.wander > 0.0 { load * SIGMA } else { 0.0 };
            if noise.even() < self.outliers[engine] {
                log += self.outlier * noise.exponential();
            }
            durations[engine].push(libm::exp(log));
        }
        durations
    }

    /// The ratio of the geometric means, outliers included.
    fn true_ratio(&self) -> f64 {
        RATIO * libm::exp(self.outlier * (self.outliers[0] - self.outliers[1]))
    }

    /// Share of the experiments whose interval holds the true ratio, in percent with one decimal.
    fn coverage(&self, experiments: usize, rounds: usize, method: impl Fn(&[f64], &[f64]) -> Interval) -> f64 {
        let mut noise = Noise::new(16);
        let held = (0..experiments).filter(|_| {
            let [a, b] = self.experiment(&mut noise, rounds);
            method(&a, &b).contains(self.true_ratio())
        });
        (held.count() as f64 / experiments as f64 * 1000.0).round() / 10.0
    }
}

fn students_t(a: &[f64], b: &[f64]) -> Interval {
    RatioEstimate::paired(a, b).unwrap().interval
}

/// Efron, "Better Bootstrap Confidence Intervals" (Journal of the American Statistical Association 82, 1987), of the mean of
/// the log ratios, 1,000 resamples.
fn bca(a: &[f64], b: &[f64]) -> Interval {
    let normal = Normal::standard();
    let x: Vec<f64> = a.iter().zip(b).map(|(a, b)| (a / b).ln()).collect();
    let count = x.len() as f64;
    let mean = x.iter().sum::<f64>() / count;
    let mut noise = Noise::new(87);
    let mut resample = || (0..x.len()).map(|_| x[noise.below(x.len())]).sum::<f64>() / count;
    let means: Vec<f64> = (0..1000).map(|_| resample()).collect();
    let below = means.iter().filter(|it| **it < mean).count();
    let bias = normal.inverse_cdf(below.clamp(1, 999) as f64 / 1000.0);
    // The jackknife: without x[i] the mean moves by (mean - x[i]) / (count - 1).
    let (cubes, squares) = x.iter().map(|it| it - mean).fold((0.0, 0.0), |(c, s), d| (c + d * d * d, s + d * d));
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    let end = |at: f64| {
        let z = bias + normal.inverse_cdf(at);
        quantile(&means, normal.cdf(bias + z / (1.0 - acceleration * z))).unwrap().exp()
    };
    Interval { low: end(0.025), high: end(0.975) }
}

fn percentiles(a: &[f64], b: &[f64]) -> Interval {
    let x: Vec<f64> = a.iter().zip(b).map(|(a, b)| a / b).collect();
    let mut noise = Noise::new(79);
    let mut resample = || median(&(0..x.len()).map(|_| x[noise.below(x.len())]).collect::<Vec<_>>());
    let medians: Vec<f64> = (0..500).map(|_| resample()).collect();
    let end = |at| quantile(&medians, at).unwrap();
    Interval { low: end(0.025), high: end(0.975) }
}

/// A way to an interval for the ratio of two lists of samples.
type Method = fn(&[f64], &[f64]) -> Interval;

/// A line for each trouble, a column for each method.
fn table(experiments: usize, rounds: usize, methods: &[Method]) -> String {
    let line = |(name, trouble): (&str, Trouble)| {
        let coverage = methods.iter().map(|method| trouble.coverage(experiments, rounds, method));
        format!("{name:14}{}\n", coverage.map(|it| format!(" {it:5.1}")).collect::<String>())
    };
    TROUBLES.into_iter().map(line).collect()
}

#[test]
fn two_thousand_experiments_of_ten_rounds() {
    assert_eq!(
        table(2_000, 10, &[students_t]),
        "\
log-normal      94.2
outliers        96.4
many outliers   97.2
linear drift    96.7
step            96.2
drift and step  96.5
wandering load  96.9
outliers of A   93.0
many of A       82.5
"
    );
}

#[test]
#[ignore = "takes a while: 10,000 experiments of each kind, t, BCa and percentiles of the median"]
fn ten_thousand_experiments_of_ten_rounds() {
    assert_eq!(
        table(10_000, 10, &[students_t, bca, percentiles]),
        "\
log-normal      95.0  89.8  93.3
outliers        96.6  85.7  93.8
many outliers   97.5  80.9  93.4
linear drift    96.7  85.9  93.7
step            96.6  85.8  93.7
drift and step  96.8  86.2  93.7
wandering load  96.4  85.9  93.2
outliers of A   93.4  85.9  91.8
many of A       83.1  77.4  76.2
"
    );
}

#[test]
#[ignore = "takes a while: 10,000 experiments of each kind"]
fn ten_thousand_experiments_of_other_rounds() {
    assert_eq!(
        table(10_000, 6, &[students_t]),
        "\
log-normal      95.1
outliers        96.0
many outliers   97.9
linear drift    96.3
step            96.0
drift and step  96.6
wandering load  96.1
outliers of A   94.3
many of A       85.0
"
    );
    assert_eq!(
        table(10_000, 20, &[students_t]),
        "\
log-normal      95.4
outliers        96.8
many outliers   96.5
linear drift    96.8
step            96.8
drift and step  96.8
wandering load  96.5
outliers of A   92.6
many of A       85.9
"
    );
}

/// How an engine's event time may go on, once a second on average, for a minute.
#[derive(Clone, Copy)]
enum Course {
    /// On a line, each sample with its own error of 0.3 s.
    Jitter,
    /// The same, but each error is most of the one before.
    Correlated,
    /// A speed that varies: an engine that was slow for a moment stays behind.
    Wander,
    /// That, in steps of a second.
    Steps,
}

impl Course {
    fn experiment(self, noise: &mut Noise, samples: usize) -> [Vec<f64>; 2] {
        let times: Vec<f64> = (0..samples).map(|i| 60.0 * i as f64 / (samples - 1) as f64).collect();
        let (mut error, phase) = (noise.normal(), noise.even());
        let values = times.iter().map(|time| {
            let normal = noise.normal();
            match self {
                Course::Jitter => time + 0.3 * normal,
                Course::Correlated => {
                    error = 0.9 * error + 0.3 * normal;
                    time + error
                }
                Course::Wander | Course::Steps => {
                    error += 0.1 * (60.0 / samples as f64).sqrt() * normal;
                    if matches!(self, Course::Steps) { (time + error + phase).floor() } else { time + error }
                }
            }
        });
        let values = values.collect();
        [times, values]
    }
}

#[test]
fn slopes_of_runs() {
    let coverage = |course: Course, samples| {
        let mut noise = Noise::new(17);
        let held = (0..1_000).filter(|_| {
            let [times, values] = course.experiment(&mut noise, samples);
            Slope::fit(&times, &values).unwrap().interval.contains(1.0)
        });
        held.count() as f64 / 10.0
    };
    let courses = [Course::Jitter, Course::Correlated, Course::Wander, Course::Steps];
    assert_eq!(courses.map(|it| coverage(it, 60)), [100.0, 99.9, 94.9, 92.1]);
    assert_eq!(courses.map(|it| coverage(it, 300)), [100.0, 100.0, 93.7, 91.3]);
}
