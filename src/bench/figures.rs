//! Turns samples into the figures of a record, and writes the histograms.

use crate::bench::catch_up::Samples;
use crate::bench::live::LiveFigures;
use crate::bench::load::Load;
use crate::record::store;
use crate::system::host;
use anyhow::Result;
use kuu_core::latency::{LegRecords, write_hgrm, write_hlog};
use kuu_core::record::{Ceiling, Figure, Record};
use kuu_core::statistics::{median, share};
use kuu_frame::ParserKind;
use std::collections::BTreeMap;
use std::path::Path;

/// A phase with a ceiling.
#[derive(Clone, Copy)]
pub struct Phase<'a> {
    /// Its name.
    pub name: &'static str,
    /// The duration in seconds, by round.
    pub seconds: &'a [f64],
    /// The name of its ceiling.
    pub ceiling: &'static str,
    /// The duration of the ceiling in seconds, by round.
    pub ceiling_seconds: &'a [f64],
}

impl<'a> Phase<'a> {
    /// A phase and its ceiling.
    pub fn new(name: &'static str, seconds: &'a [f64], ceiling: &'static str, ceiling_seconds: &'a [f64]) -> Phase<'a> {
        Phase { name, seconds, ceiling, ceiling_seconds }
    }

    /// The speed relative to the ceiling: the ceiling's time divided by that of the phase.
    pub fn share(&self) -> f64 {
        share(self.ceiling_seconds, self.seconds)
    }
}

/// The phases with a ceiling, in the order of the table.
pub fn phases(samples: &Samples) -> [Phase<'_>; 3] {
    [
        Phase::new("batch", &samples.batch, "inflate", &samples.inflate),
        Phase::new("produce", &samples.produce, "raw send", &samples.raw_send),
        Phase::new("count", &samples.count, "raw read", &samples.raw_read),
    ]
}

/// One step of the processing of a frame, measured alone.
pub struct Stage<'a> {
    /// Its name.
    pub name: &'static str,
    /// The duration in seconds, by round.
    pub seconds: &'a [f64],
    /// Whether the step processed only the frames in memory.
    pub is_of_kept: bool,
}

/// The steps of the processing of a frame, each measured alone, in the order of the table.
pub fn stages(samples: &Samples) -> [Stage<'_>; 6] {
    let all = |name, seconds| Stage { name, seconds, is_of_kept: false };
    let kept = |name, seconds| Stage { name, seconds, is_of_kept: true };
    [
        all("inflate", &samples.inflate),
        kept("parse", &samples.parse_fast),
        kept("parse, plain", &samples.parse_plain),
        kept("intern, window, set", &samples.observe),
        all("raw send", &samples.raw_send),
        all("raw read", &samples.raw_read),
    ]
}

/// The share of its ceiling that each phase reached, and the speed of `parser` relative to inflating: both run on one
/// thread, so that other load on the machine hardly changes their ratio.
pub fn shares(samples: &Samples, parser: ParserKind) -> BTreeMap<String, f64> {
    let phases = phases(samples).map(|phase| (phase.name.to_owned(), phase.share()));
    let parse = match parser {
        ParserKind::Fast => &samples.parse_fast,
        ParserKind::Plain => &samples.parse_plain,
    };
    phases.into_iter().chain([("parse".to_owned(), share(&samples.inflate, parse))]).collect()
}

/// The rates per second, if `amount` took each of `seconds`.
pub fn per_second(amount: u64, seconds: &[f64]) -> Vec<f64> {
    seconds.iter().map(|seconds| amount as f64 / seconds.max(1e-9)).collect()
}

/// The nanoseconds per frame, if `frames` took each of `seconds`.
pub fn ns_per_frame(frames: u64, seconds: &[f64]) -> Vec<f64> {
    seconds.iter().map(|seconds| seconds * 1e9 / frames.max(1) as f64).collect()
}

/// Adds every figure to the record.
///
/// # Errors
/// If a histogram cannot be encoded.
pub fn fill(record: &mut Record, load: &Load, samples: &Samples, parser: ParserKind, live: &LiveFigures) -> Result<()> {
    let mut add = |name: String, samples: Vec<f64>, ceiling: Option<Ceiling>| {
        record.figures.insert(name, Figure { value: median(&samples), samples, ceiling });
    };
    for phase in phases(samples) {
        let Phase { name, seconds, ceiling_seconds, .. } = phase;
        for (unit, amount) in [("frames_per_s", load.frames), ("bytes_per_s", load.bytes)] {
            let ceiling = per_second(amount, ceiling_seconds);
            let ceiling =
                Ceiling { name: phase.ceiling.into(), value: median(&ceiling), samples: ceiling, share: phase.share() };
            add(format!("{name}_{unit}"), per_second(amount, seconds), Some(ceiling));
        }
    }
    for (phase, share) in shares(samples, parser) {
        add(format!("{phase}_share"), vec![share], None);
    }
    if !samples.count_at_least_once.is_empty() {
        add("count_at_least_once_frames_per_s".into(), per_second(load.frames, &samples.count_at_least_once), None);
        add("exactly_once_share".into(), vec![share(&samples.count_at_least_once, &samples.count)], None);
    }
    for Stage { name: stage, seconds, is_of_kept } in stages(samples) {
        let (frames, bytes) = load.amounts(is_of_kept);
        let name = stage.replace(", ", "_").replace(' ', "_");
        add(format!("{name}_ns_per_frame"), ns_per_frame(frames, seconds), None);
        add(format!("{name}_bytes_per_s"), per_second(bytes, seconds), None);
    }
    for (name, value) in [
        ("live_frames_per_s", live.rate),
        ("live_frames", live.frames as f64),
        ("live_results_rows", live.results as f64),
        ("live_lag_max_frames", live.lag.iter().copied().max().unwrap_or(0) as f64),
        ("live_on_schedule", f64::from(u8::from(live.on_schedule))),
        ("live_sustained", f64::from(u8::from(live.sustained))),
    ] {
        add(name.into(), vec![value], None);
    }
    if let Some(bytes) = host::peak_resident_bytes() {
        add("peak_resident_bytes".into(), vec![bytes as f64], None);
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
    if !load.is_whole() {
        record.remarks.push(format!("raw send, parse and live used the first {} frames only", load.kept()));
    }
    Ok(())
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
