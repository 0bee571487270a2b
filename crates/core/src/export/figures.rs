//! The figures of a record, each with its samples.

use super::latencies::latencies;
use super::left_out::wrong_engines;
use crate::comparison::{Better, SurePercentile, direction, percentiles};
use crate::race_live::RateBracket;
use crate::record::{Figure, Record};
use crate::scorecard::CellRecord;
use crate::speed::SpeedSample;
use std::collections::BTreeMap;
use strum::{IntoStaticStr, VariantArray};

/// The units with which the names of figures end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(super) enum FigureUnit {
    FramesPerS,
    BytesPerS,
    NsPerFrame,
    UsPerFrame,
    Share,
    Bytes,
    Frames,
    Rows,
    Us,
    S,
    #[strum(serialize = "")]
    None,
}

/// What a figure is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FigureKey {
    /// Its name without the unit, as in `count`, `cold_62500` or `latency_result_p99`.
    pub name: String,
    /// The engine, in a race.
    pub engine: Option<String>,
    pub unit: FigureUnit,
}

/// A sample of a figure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FigureSample {
    /// When the run began that gave it, RFC 3339 in UTC.
    pub begun: String,
    /// The round, from 1, if there are several.
    pub round: Option<u32>,
    /// The turn in the round of a race, from 1.
    pub turn: Option<u32>,
    pub value: f64,
}

/// The samples of a figure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FigureSamples {
    /// Which way it is better; none if neither, or if the same is there in another unit.
    pub better: Option<Better>,
    /// In the order in which they were taken.
    pub samples: Vec<FigureSample>,
}

pub(super) type Figures = BTreeMap<FigureKey, FigureSamples>;

impl FigureUnit {
    /// As in names: `frames_per_s`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl FigureKey {
    /// The name with the unit, as in records: `count_frames_per_s`.
    pub fn full_name(&self) -> String {
        let unit = self.unit.name();
        if unit.is_empty() { self.name.clone() } else { format!("{}_{unit}", self.name) }
    }
}

impl FigureSamples {
    /// The values alone.
    pub fn values(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.value).collect()
    }
}

/// Every figure of a record. An engine that was wrong once has none.
pub(super) fn figures(record: &Record) -> Figures {
    let mut all = measured(record);
    for of in latencies(record) {
        let prefix = of.rate.map_or_else(|| "latency".into(), |rate| format!("live_{rate}"));
        for SurePercentile { name, us, .. } in percentiles(of.histogram) {
            let name = format!("{prefix}_{}_{name}", of.leg);
            let key = FigureKey { name, engine: of.engine.map(str::to_owned), unit: FigureUnit::Us };
            let sample = FigureSample { begun: of.begun.to_owned(), round: of.round, turn: of.turn, value: us };
            add(&mut all, key, Some(Better::Less), sample);
        }
    }
    all
}

/// The same without percentiles of latency.
pub(super) fn measured(record: &Record) -> Figures {
    let mut all = Figures::new();
    for (name, figure) in &record.figures {
        add_recorded(&mut all, record, name, figure);
    }
    let wrong = wrong_engines(record);
    let is_right = |engine: &str| !wrong.contains(engine);
    let speed = record.speed.iter().flat_map(|speed| &speed.samples);
    speed.filter(|sample| is_right(&sample.key.engine)).for_each(|sample| add_speed(&mut all, sample));
    let brackets = record.live.iter().flat_map(|live| &live.brackets);
    brackets.filter(|bracket| is_right(&bracket.engine)).for_each(|bracket| add_bracket(&mut all, record, bracket));
    record.cells.iter().filter(|cell| cell.verdict.is_right()).for_each(|cell| add_cell(&mut all, record, cell));
    all
}

fn add(all: &mut Figures, key: FigureKey, better: Option<Better>, sample: FigureSample) {
    all.entry(key).or_insert_with(|| FigureSamples { better, samples: Vec::new() }).samples.push(sample);
}

fn add_recorded(all: &mut Figures, record: &Record, name: &str, figure: &Figure) {
    let (stem, unit) = split(name);
    let mut add_all = |name: String, better: Option<Better>, values: &[f64]| {
        let key = FigureKey { name, engine: None, unit };
        for (round, value) in (1..).zip(values) {
            let round = (values.len() > 1).then_some(round);
            let sample = FigureSample { begun: record.written.clone(), round, turn: None, value: *value };
            add(all, key.clone(), better, sample);
        }
    };
    let of_value = [figure.value];
    let values = if figure.samples.is_empty() { &of_value[..] } else { &figure.samples };
    add_all(stem.to_owned(), direction(record, name), values);
    if let Some(ceiling) = &figure.ceiling {
        add_all(format!("{stem}_ceiling"), None, &ceiling.samples);
    }
}

/// A name, and the unit with which it ends.
fn split(name: &str) -> (&str, FigureUnit) {
    let with = |unit: &FigureUnit| Some((name.strip_suffix(unit.name())?.strip_suffix('_')?, *unit));
    FigureUnit::VARIANTS.iter().find_map(with).unwrap_or((name, FigureUnit::None))
}

fn add_speed(all: &mut Figures, sample: &SpeedSample) {
    let Some((speed, cpu)) = sample.speed().zip(sample.cpu_s_per_million()) else { return };
    let key = &sample.key;
    let name = format!("{}_{}", key.phase, key.frames);
    let memory = sample.used.peak_pss_bytes as f64;
    for (name, unit, better, value) in [
        (name.clone(), FigureUnit::FramesPerS, Better::More, speed),
        // Seconds for a million are microseconds for one.
        (format!("{name}_cpu"), FigureUnit::UsPerFrame, Better::Less, cpu),
        (format!("{name}_peak_pss"), FigureUnit::Bytes, Better::Less, memory),
    ] {
        let (round, turn) = (Some(key.round), Some(key.turn));
        let sample = FigureSample { begun: sample.started.clone(), round, turn, value };
        add(all, FigureKey { name, engine: Some(key.engine.clone()), unit }, Some(better), sample);
    }
}

fn add_bracket(all: &mut Figures, record: &Record, bracket: &RateBracket) {
    let Some(value) = bracket.proven else { return };
    let engine = Some(bracket.engine.clone());
    let key = FigureKey { name: "sustained".into(), engine, unit: FigureUnit::FramesPerS };
    let sample = FigureSample { begun: record.written.clone(), round: Some(bracket.round), turn: None, value };
    add(all, key, Some(Better::More), sample);
}

/// The times of a cell are those of its workload, which often is paced: none is better.
fn add_cell(all: &mut Figures, record: &Record, cell: &CellRecord) {
    let right = cell.times.right_us.map(|us| us as f64);
    for (what, unit, value) in [
        ("right", FigureUnit::Us, right),
        ("cpu", FigureUnit::Us, Some(cell.used.cpu_us as f64)),
        ("peak_pss", FigureUnit::Bytes, Some(cell.used.peak_pss_bytes as f64)),
    ] {
        let Some(value) = value else { continue };
        let key = FigureKey { name: format!("{}_{what}", cell.workload), engine: Some(cell.engine.clone()), unit };
        let begun = cell.started.as_ref().unwrap_or(&record.written).clone();
        add(all, key, None, FigureSample { begun, round: None, turn: None, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_in_its_unit() {
        for (name, stem, unit) in [
            ("count_frames_per_s", "count", FigureUnit::FramesPerS),
            ("raw_read_ns_per_frame", "raw_read", FigureUnit::NsPerFrame),
            ("count_frames_per_s_detectable_share", "count_frames_per_s_detectable", FigureUnit::Share),
            ("schedule_slip_max_s", "schedule_slip_max", FigureUnit::S),
            ("x_us", "x", FigureUnit::Us),
            ("live_frames", "live", FigureUnit::Frames),
            ("live_sustained", "live_sustained", FigureUnit::None),
            ("bytes", "bytes", FigureUnit::None),
        ] {
            assert_eq!(split(name), (stem, unit));
            let key = FigureKey { name: stem.into(), engine: None, unit };
            assert_eq!(key.full_name(), name);
        }
    }
}
