//! The figures of a record that can be compared, each with its samples.

use crate::latency::{HistogramRecord, LegRecords, Percentile};
use crate::race_live::LiveSample;
use crate::record::{Figure, Record};
use crate::speed::SpeedSample;
use std::collections::BTreeMap;

/// What the names of the latency of legs begin with.
const LATENCY: &str = "latency_";

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
    for (name, Figure { value, samples, .. }) in &record.figures {
        if let Some(better) = direction(record, name) {
            let samples = if samples.is_empty() { vec![*value] } else { samples.clone() };
            all.insert(name.clone(), Series { better, samples });
        }
    }
    let LegRecords(legs) = &record.latency;
    for (leg, histogram) in legs {
        for SurePercentile { name, us, .. } in percentiles(histogram) {
            add(&mut all, format!("{LATENCY}{leg}_{name}_us"), Better::Less, us);
        }
    }
    record.speed.iter().flat_map(|speed| &speed.samples).for_each(|sample| add_speed(&mut all, sample));
    record.live.iter().flat_map(|live| &live.samples).for_each(|sample| add_live(&mut all, sample));
    all
}

/// The same without the latency of a bench that could not keep up: it is that of a queue which grows.
pub fn sound_series(record: &Record) -> BTreeMap<String, Series> {
    let mut all = series(record);
    if record.why_no_latency().is_some() {
        all.retain(|name, _| !name.starts_with(LATENCY));
    }
    all
}

/// Which way the figure of this name in the record is better; none if it is neither, or the same runs are there in another unit.
pub(crate) fn direction(record: &Record, name: &str) -> Option<Better> {
    let has = |name: String| record.figures.contains_key(&name);
    let stem = name.strip_suffix("_bytes_per_s");
    let is_again = stem.is_some_and(|stem| has(format!("{stem}_frames_per_s")) || has(format!("{stem}_ns_per_frame")));
    if is_again { None } else { better(name) }
}

/// Which way a figure of this name is better; none if it is neither.
fn better(name: &str) -> Option<Better> {
    // The rate at which frames are sent is given, and with it that at which they are counted.
    if ["live_frames_per_s", "live_counted_frames_per_s", "asked_frames_per_s"].contains(&name) {
        return None;
    }
    let ends = |units: &[&str]| units.iter().any(|unit| name.ends_with(unit));
    // The least change that can be seen: noise.
    if ends(&["_detectable_share"]) {
        Some(Better::Less)
    } else if ends(&["_per_s", "_share"]) {
        Some(Better::More)
    } else if ends(&["_ns_per_frame", "_bytes_per_frame", "_us", "_s", "_bytes"]) {
        Some(Better::Less)
    } else {
        None
    }
}

fn add(all: &mut BTreeMap<String, Series>, name: String, better: Better, sample: f64) {
    all.entry(name).or_insert_with(|| Series { better, samples: Vec::new() }).samples.push(sample);
}

fn add_speed(all: &mut BTreeMap<String, Series>, sample: &SpeedSample) {
    let Some((speed, cpu)) = sample.speed().zip(sample.cpu_s_per_million()) else { return };
    let key = &sample.key;
    let name = format!("{}_{}_{}", key.phase, key.frames, key.engine);
    add(all, format!("{name}_frames_per_s"), Better::More, speed);
    add(all, format!("{name}_cpu_us_per_frame"), Better::Less, cpu);
    add(all, format!("{name}_peak_pss_bytes"), Better::Less, sample.used.peak_pss_bytes as f64);
}

fn add_live(all: &mut BTreeMap<String, Series>, sample: &LiveSample) {
    let figures = sample.last_frame.iter().filter(|_| sample.is_valid()).flat_map(percentiles);
    for SurePercentile { name, us, .. } in figures {
        add(all, format!("live_{}_last_frame_{name}_us", sample.engine), Better::Less, us);
    }
}

/// A percentile with enough samples above it.
pub(crate) struct SurePercentile {
    /// As in `p99`.
    pub name: &'static str,
    /// The share of the samples that are at most `us`.
    pub at: f64,
    /// The value in microseconds.
    pub us: f64,
}

/// The percentiles of a histogram that have enough samples above them.
pub(crate) fn percentiles(histogram: &HistogramRecord) -> Vec<SurePercentile> {
    let given = |of: &Percentile| {
        Some(SurePercentile { name: of.name(), at: of.quantile(), us: histogram.percentile(*of)? as f64 })
    };
    Percentile::ALL.iter().filter_map(given).collect()
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
        for name in
            ["parse_fast_ns_per_frame", "schedule_slip_max_s", "peak_resident_bytes", "x_us", "count_detectable_share"]
        {
            assert_eq!(better(name), Some(Better::Less), "{name}");
        }
        for name in [
            "live_frames_per_s",
            "live_counted_frames_per_s",
            "asked_frames_per_s",
            "live_lag_frames",
            "live_results_rows",
            "live_on_schedule",
        ] {
            assert_eq!(better(name), None, "{name}");
        }
    }

    #[test]
    fn a_percentile_needs_samples_above_it() {
        let names = |samples: i64| {
            let mut histogram = Histogram::default();
            (1..=samples).for_each(|us| histogram.record(us));
            let record = HistogramRecord::try_from(&histogram).unwrap();
            percentiles(&record).into_iter().map(|it| it.name).collect::<Vec<_>>()
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
