//! The figures of a record that can be compared, each with its samples.

use crate::latency::{HistogramRecord, LegRecords};
use crate::race_live::LiveSample;
use crate::record::{Figure, Record};
use crate::speed::SpeedSample;
use std::collections::BTreeMap;

/// A percentile needs this many samples above it: of fewer it is hardly more than the maximum.
const ABOVE: f64 = 10.0;

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// More is better, as of a rate or a share.
    More,
    /// Less is better, as of a time or of memory.
    Less,
}

/// The samples of one figure in one record, in the order in which they were taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Which way it is better.
    pub better: Better,
    /// The samples, in the unit with which the name ends.
    pub samples: Vec<f64>,
}

/// Everything in a record that can be compared, by a name that ends in its unit. What no run made better or worse, such as
/// the rate at which frames were sent, is left out, and so is what an engine measured that was wrong.
pub fn series(record: &Record) -> BTreeMap<String, Series> {
    let mut all = BTreeMap::new();
    let has = |name: String| record.figures.contains_key(&name);
    // The same runs in another unit are no further figure.
    let is_again = |name: &str| {
        let stem = name.strip_suffix("_bytes_per_s");
        stem.is_some_and(|stem| has(format!("{stem}_frames_per_s")) || has(format!("{stem}_ns_per_frame")))
    };
    for (name, Figure { value, samples, .. }) in &record.figures {
        if let Some(better) = better(name).filter(|_| !is_again(name)) {
            let samples = if samples.is_empty() { vec![*value] } else { samples.clone() };
            all.insert(name.clone(), Series { better, samples });
        }
    }
    let LegRecords(legs) = &record.latency;
    for (leg, histogram) in legs {
        for (percentile, us) in percentiles(histogram) {
            add(&mut all, format!("latency_{leg}_{percentile}_us"), Better::Less, us);
        }
    }
    record.speed.iter().flat_map(|speed| &speed.samples).for_each(|sample| add_speed(&mut all, sample));
    record.live.iter().flat_map(|live| &live.samples).for_each(|sample| add_live(&mut all, sample));
    all
}

/// Which way a figure of this name is better; none if it is neither.
fn better(name: &str) -> Option<Better> {
    // The rate at which frames are sent is given.
    if name == "live_frames_per_s" {
        return None;
    }
    let ends = |units: &[&str]| units.iter().any(|unit| name.ends_with(unit));
    if ends(&["_per_s", "_share"]) {
        Some(Better::More)
    } else if ends(&["_ns_per_frame", "_us", "_s", "_bytes"]) {
        Some(Better::Less)
    } else {
        None
    }
}

fn add(all: &mut BTreeMap<String, Series>, name: String, better: Better, sample: f64) {
    all.entry(name).or_insert_with(|| Series { better, samples: Vec::new() }).samples.push(sample);
}

fn add_speed(all: &mut BTreeMap<String, Series>, sample: &SpeedSample) {
    let Some(speed) = sample.speed() else { return };
    let key = &sample.key;
    let name = format!("{}_{}_{}", key.phase, key.frames, key.engine);
    add(all, format!("{name}_frames_per_s"), Better::More, speed);
    add(all, format!("{name}_cpu_us_per_frame"), Better::Less, sample.cpu_s_per_million());
    add(all, format!("{name}_peak_pss_bytes"), Better::Less, sample.used.peak_pss_bytes as f64);
}

fn add_live(all: &mut BTreeMap<String, Series>, sample: &LiveSample) {
    let figures = sample.last_frame.iter().filter(|_| sample.is_valid()).flat_map(percentiles);
    for (percentile, us) in figures {
        add(all, format!("live_{}_last_frame_{percentile}_us", sample.engine), Better::Less, us);
    }
}

/// The percentiles of a histogram that have enough samples above them, by name.
fn percentiles(histogram: &HistogramRecord) -> Vec<(&'static str, f64)> {
    let Some(of) = &histogram.percentiles else { return Vec::new() };
    let all =
        [("p50", 0.5, of.p50_us), ("p90", 0.9, of.p90_us), ("p99", 0.99, of.p99_us), ("p99.9", 0.999, of.p99_9_us)];
    let has_enough = |at: f64| histogram.samples as f64 * (1.0 - at) >= ABOVE - 1e-6;
    all.into_iter().filter(|(_, at, _)| has_enough(*at)).map(|(name, _, us)| (name, us as f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Histogram;

    #[test]
    fn a_name_says_which_way_is_better() {
        for name in ["count_frames_per_s", "produce_bytes_per_s", "count_share"] {
            assert_eq!(better(name), Some(Better::More), "{name}");
        }
        for name in ["parse_fast_ns_per_frame", "schedule_slip_max_s", "peak_resident_bytes", "x_us"] {
            assert_eq!(better(name), Some(Better::Less), "{name}");
        }
        for name in ["live_frames_per_s", "live_frames", "live_results_rows", "live_on_schedule"] {
            assert_eq!(better(name), None, "{name}");
        }
    }

    #[test]
    fn a_percentile_needs_samples_above_it() {
        let names = |samples: i64| {
            let mut histogram = Histogram::default();
            (1..=samples).for_each(|us| histogram.record(us));
            let record = HistogramRecord::try_from(&histogram).unwrap();
            percentiles(&record).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(0), [""; 0]);
        assert_eq!(names(19), [""; 0]);
        assert_eq!(names(20), ["p50"]);
        assert_eq!(names(100), ["p50", "p90"]);
        assert_eq!(names(999), ["p50", "p90"]);
        assert_eq!(names(1_000), ["p50", "p90", "p99"]);
        assert_eq!(names(10_000), ["p50", "p90", "p99", "p99.9"]);
    }
}
