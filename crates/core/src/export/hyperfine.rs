//! Times as hyperfine's `--export-json` has them (`src/benchmark/benchmark_result.rs` of hyperfine 1.20).

use super::left_out::wrong_engines;
use super::named::{ExportRefusal, NamedRecord, pretty};
use crate::record::{Record, Source};
use crate::speed::{SpeedPhase, SpeedSample};
use crate::statistics::median;
use serde::Serialize;
use std::collections::BTreeMap;

/// Steps that a user waits for: each is the beginning of the name of a rate.
const PHASES: [&str; 4] = ["batch", "produce", "count", "count_at_least_once"];

#[derive(Serialize)]
struct HyperfineDocument {
    results: Vec<HyperfineResult>,
}

/// Times are in seconds.
#[derive(Serialize)]
struct HyperfineResult {
    command: String,
    mean: f64,
    /// None of a single run.
    stddev: Option<f64>,
    median: f64,
    /// Records have the processor time of both modes together, or none.
    user: Option<f64>,
    system: Option<f64>,
    min: f64,
    max: f64,
    times: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    memory_usage_byte: Vec<u64>,
    /// A phase has none, and of an engine they are not recorded.
    exit_codes: Vec<Option<i32>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<&'static str, String>,
}

/// The phases of a bench, and the cold runs of a race.
pub(super) fn text(records: &[NamedRecord]) -> Result<String, ExportRefusal> {
    let mut results = Vec::new();
    for NamedRecord { name, record } in records {
        let mut of_record = [phases(record), cold_runs(record)].concat();
        if of_record.is_empty() {
            let lacks = "no time of a phase (batch, produce, count) and of no cold run of an engine";
            return Err(ExportRefusal::Nothing { record: name.clone(), lacks });
        }
        if records.len() > 1 {
            of_record.iter_mut().for_each(|run| run.command += &format!(" ({name})"));
        }
        results.extend(of_record.into_iter().map(HyperfineResult::from));
    }
    pretty(&HyperfineDocument { results })
}

/// The runs of one command.
#[derive(Clone, Default)]
struct Runs {
    command: String,
    seconds: Vec<f64>,
    memory: Vec<u64>,
    frames: Option<u64>,
}

/// Rates are those of all frames of the input.
fn phases(record: &Record) -> Vec<Runs> {
    let sent = |source: &Source| source.frames * source.repeats.as_ref().map_or(1, |repeats| repeats.count);
    let frames = record.input.iter().map(sent).sum::<u64>() as f64;
    let of = |phase: &&str| {
        let figure = record.figures.get(&format!("{phase}_frames_per_s"))?;
        let rates = if figure.samples.is_empty() { vec![figure.value] } else { figure.samples.clone() };
        let seconds: Vec<f64> = rates.iter().map(|rate| frames / rate).collect();
        let is_time = seconds.iter().all(|time| time.is_finite() && *time > 0.0);
        let command = format!("kuu {}: {phase}", record.configuration.command());
        is_time.then(|| Runs { command, seconds, ..Runs::default() })
    };
    PHASES.iter().filter_map(of).collect()
}

/// From the start of an engine to the right answer.
fn cold_runs(record: &Record) -> Vec<Runs> {
    let wrong = wrong_engines(record);
    let samples = record.speed.iter().flat_map(|speed| &speed.samples);
    let cold =
        |sample: &&SpeedSample| sample.key.phase == SpeedPhase::Cold && !wrong.contains(sample.key.engine.as_str());
    let mut all: BTreeMap<(u64, &str), Runs> = BTreeMap::new();
    for sample in samples.filter(cold) {
        let (Some(us), key) = (sample.times.right_us, &sample.key) else { continue };
        let runs = all.entry((key.frames, &key.engine)).or_insert_with(|| Runs {
            command: format!("kuu race: {}, cold, {} frames", key.engine, key.frames),
            frames: Some(key.frames),
            ..Runs::default()
        });
        runs.seconds.push(us as f64 / 1e6);
        runs.memory.push(sample.used.peak_resident_bytes);
    }
    all.into_values().collect()
}

impl From<Runs> for HyperfineResult {
    fn from(Runs { command, seconds, memory, frames }: Runs) -> HyperfineResult {
        let count = seconds.len() as f64;
        let mean = seconds.iter().sum::<f64>() / count;
        let squares: f64 = seconds.iter().map(|time| (time - mean).powi(2)).sum();
        HyperfineResult {
            command,
            mean,
            stddev: (seconds.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
            median: median(&seconds),
            user: None,
            system: None,
            min: seconds.iter().copied().fold(f64::INFINITY, f64::min),
            max: seconds.iter().copied().fold(0.0, f64::max),
            exit_codes: vec![None; seconds.len()],
            times: seconds,
            memory_usage_byte: memory,
            parameters: frames.into_iter().map(|frames| ("frames", frames.to_string())).collect(),
        }
    }
}
