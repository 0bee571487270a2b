//! Turns samples into the figures of a record, and writes the histograms.

use crate::bench::live::LiveFigures;
use crate::bench::load::Load;
use crate::bench::stage::{Samples, Stage};
use crate::bench::timing::turns;
use crate::record::store;
use crate::system::host;
use anyhow::Result;
use kuu_core::latency::{LegRecords, write_hgrm, write_hlog};
use kuu_core::record::{Ceiling, Figure, Record};
use kuu_core::statistics::median;
use kuu_frame::ParserKind;
use std::collections::BTreeMap;
use std::path::Path;

/// The share of its ceiling that each phase reached, and the speed of `parser` relative to inflating: both run on one
/// thread, so that other load on the machine hardly changes their ratio.
pub fn shares(samples: &Samples, parser: ParserKind) -> BTreeMap<String, f64> {
    let phases = Stage::phases().map(|(phase, ceiling)| (phase.key(), samples.share(phase, ceiling)));
    let parse = (Stage::ParseFast.key(), samples.share(Stage::parse(parser), Stage::Inflate));
    phases.chain([parse]).collect()
}

/// The rates per second, if `amount` took each of `seconds`.
pub fn per_second(amount: u64, seconds: &[f64]) -> Vec<f64> {
    seconds.iter().map(|seconds| amount as f64 / seconds.max(1e-9)).collect()
}

/// The nanoseconds per frame, if `frames` took each of `seconds`.
pub fn ns_per_frame(frames: u64, seconds: &[f64]) -> Vec<f64> {
    seconds.iter().map(|seconds| seconds * 1e9 / frames.max(1) as f64).collect()
}

/// Adds the figures of catch-up to the record.
pub fn fill(record: &mut Record, load: &Load, samples: &Samples, parser: ParserKind) {
    record.turns = turns(samples.timings());
    let mut add = |name: String, samples: Vec<f64>, ceiling: Option<Ceiling>| {
        record.figures.insert(name, Figure { value: median(&samples), samples, ceiling });
    };
    for (phase, ceiling) in Stage::phases() {
        for (unit, amount) in [("frames_per_s", load.frames), ("bytes_per_s", load.bytes)] {
            let rates = per_second(amount, &samples[ceiling]);
            let (name, share) = (ceiling.name().into(), samples.share(phase, ceiling));
            let ceiling = Ceiling { name, value: median(&rates), samples: rates, share };
            add(format!("{}_{unit}", phase.key()), per_second(amount, &samples[phase]), Some(ceiling));
        }
    }
    for (phase, share) in shares(samples, parser) {
        add(format!("{phase}_share"), vec![share], None);
    }
    let at_least_once = &samples[Stage::CountAtLeastOnce];
    if !at_least_once.is_empty() {
        add("count_at_least_once_frames_per_s".into(), per_second(load.frames, at_least_once), None);
        add("exactly_once_share".into(), vec![samples.share(Stage::Count, Stage::CountAtLeastOnce)], None);
    }
    for step in Stage::STEPS {
        let (frames, bytes) = load.amounts(step.is_of_kept());
        add(format!("{}_ns_per_frame", step.key()), ns_per_frame(frames, &samples[step]), None);
        add(format!("{}_bytes_per_s", step.key()), per_second(bytes, &samples[step]), None);
    }
    if !load.is_whole() {
        record.remarks.push(format!("raw send, parse and live used the first {} frames only", load.kept()));
    }
}

/// Adds the figures of the live phase to the record.
///
/// # Errors
/// If a histogram cannot be encoded.
pub fn fill_live(record: &mut Record, live: &LiveFigures) -> Result<()> {
    for (name, value) in [
        ("live_frames_per_s", live.rate),
        ("live_frames", live.frames as f64),
        ("live_results_rows", live.results as f64),
        ("live_lag_max_frames", live.lag.iter().copied().max().unwrap_or(0) as f64),
        ("live_on_schedule", f64::from(u8::from(live.on_schedule))),
        ("live_sustained", f64::from(u8::from(live.sustained))),
    ] {
        record.figures.insert(name.into(), one(value));
    }
    let lag = live.lag.iter().map(|lag| *lag as f64).collect();
    for (name, samples) in [("live_lag_frames", lag), ("live_counted_frames_per_s", live.counted_per_s.clone())] {
        record.figures.insert(name.into(), Figure { value: median(&samples), samples, ceiling: None });
    }
    record.latency = LegRecords::try_from(&live.legs)?;
    if !live.sustained {
        record.remarks.push("latency is invalid: lag kept growing, the load was unsustainable".into());
    }
    if let Some(error) = &live.bare_error {
        record.remarks.push(error.clone());
    }
    if !live.on_schedule {
        record.remarks.push("latency is invalid: the load generator fell behind its schedule".into());
    }
    Ok(())
}

/// Adds the greatest memory of the process so far to the record.
pub fn fill_memory(record: &mut Record) {
    if let Some(bytes) = host::peak_resident_bytes() {
        record.figures.insert("peak_resident_bytes".into(), one(bytes as f64));
    }
}

/// A figure of one sample.
pub fn one(value: f64) -> Figure {
    Figure { value, samples: vec![value], ceiling: None }
}

/// Writes the histograms as `NAME.hlog`, and each leg as `NAME.LEG.hgrm`.
///
/// # Errors
/// If a file cannot be written.
pub fn export(dir: &Path, name: &str, live: &LiveFigures) -> Result<()> {
    let mut log = Vec::new();
    write_hlog(&mut log, &live.legs, live.started_us.unsigned_abs(), live.duration_us.unsigned_abs())?;
    store::write(dir, &format!("{name}.hlog"), &log)?;
    for (leg, histogram) in live.legs.recorded() {
        let mut text = Vec::new();
        write_hgrm(&mut text, histogram)?;
        store::write(dir, &format!("{name}.{leg}.hgrm"), &text)?;
    }
    Ok(())
}
