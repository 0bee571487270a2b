//! The figures of a record that a reader looks for first.

use super::statement::{Statement, Tone};
use super::words::{count, figure, plural, time, whole};
use crate::latency::{HistogramRecord, Leg, Percentile};
use crate::load_sweep::SweepRecord;
use crate::race_live::{LiveRecord, RateBracket, RateVerdict};
use crate::record::Record;
use crate::speed::{SpeedEstimate, SpeedPhase, SpeedRecord};

/// The phases of a bench, in the order of their work.
const PHASES: [&str; 3] = ["batch", "produce", "count"];

/// The figures in sentences; none of a wrong answer.
pub(super) fn headlines(record: &Record) -> Vec<Statement> {
    if record.verdict.as_ref().is_some_and(|verdict| !verdict.is_right()) {
        return vec![Statement::new(Tone::Open, "figures", "none: a wrong answer has no speed")];
    }
    let mut all: Vec<Statement> = PHASES.into_iter().filter_map(|phase| of_phase(record, phase)).collect();
    all.extend(produced(record));
    all.extend(latency(record));
    all.extend(record.sweep.as_ref().map(sweep));
    all.extend(record.speed.iter().flat_map(speed));
    all.extend(record.live.as_ref().map(live));
    all
}

fn of_phase(record: &Record, phase: &'static str) -> Option<Statement> {
    let name = format!("{phase}_frames_per_s");
    let of = record.figures.get(&name)?;
    let mut words = figure(&name, of.value);
    if let Some(ceiling) = &of.ceiling {
        words += &format!(", {:.2} of its ceiling on this machine ({})", ceiling.share, ceiling.name);
    }
    Some(Statement::new(Tone::Open, phase, words))
}

fn produced(record: &Record) -> Option<Statement> {
    let value = |name: &str| record.figures.get(name).map(|figure| figure.value);
    let frames = value("delivered_frames")?;
    let words = format!("{} in {}", plural(frames as u64, "frame"), time(value("elapsed_us")?));
    Some(Statement::new(Tone::Open, "sent", words))
}

fn latency(record: &Record) -> Option<Statement> {
    if record.latency.is_empty() {
        return None;
    }
    if let Some(why) = record.why_no_latency() {
        return Some(Statement::new(Tone::Bad, "no latency", why));
    }
    let rate = record.figures.get("live_frames_per_s").map(|rate| format!("at {} frames/s ", whole(rate.value)));
    let of = record.latency.0.get(&Leg::Result)?;
    let percentile = |at: Percentile| Some(format!("{} {}", at.name(), time(of.percentile(at)? as f64)));
    let known: Vec<String> = Percentile::ALL.iter().filter_map(|at| percentile(*at)).collect();
    let words = format!("{}a result is visible after {}", rate.unwrap_or_default(), known.join(", "));
    (!known.is_empty()).then(|| Statement::new(Tone::Open, "latency", words))
}

fn sweep(sweep: &SweepRecord) -> Statement {
    match sweep.sustained() {
        Some(most) => Statement::new(Tone::Open, "sustained", format!("up to {} frames/s", whole(most))),
        None => Statement::new(Tone::Bad, "sustained", "no rate that was tried"),
    }
}

/// Who is first, on the largest input of each phase.
fn speed(of: &SpeedRecord) -> Vec<Statement> {
    let leader = |phase: SpeedPhase| {
        let frames = of.estimates.iter().filter(|one| one.phase == phase).map(|one| one.frames).max()?;
        let all = of.estimates.iter().filter(|one| (one.phase, one.frames) == (phase, frames));
        let first: Vec<&SpeedEstimate> = all.filter(|one| is_first(one)).collect();
        let names: Vec<String> = first
            .iter()
            .filter_map(|one| Some(format!("{} ({} frames/s)", one.engine, whole(one.speed?.ratio))))
            .collect();
        let input = match phase {
            SpeedPhase::Cold => format!("from start to right answer, {}", plural(frames, "frame")),
            SpeedPhase::Steady => "steady, after the warm-up".to_owned(),
        };
        let words = match names.as_slice() {
            [] => return None,
            [one] => format!("{input}: {one} is first"),
            several => format!("{input}: {} are not told apart", several.join(", ")),
        };
        Some(Statement::new(Tone::Open, "speed", words))
    };
    [SpeedPhase::Cold, SpeedPhase::Steady].into_iter().filter_map(leader).collect()
}

fn is_first(one: &SpeedEstimate) -> bool {
    one.rank.as_ref().is_some_and(|rank| rank == "1" || rank.starts_with("1-"))
}

fn live(of: &LiveRecord) -> Statement {
    if of.brackets.is_empty() {
        let proven = of.samples.iter().filter(|sample| sample.keeps_up == RateVerdict::Proven).count();
        let words =
            format!("{} of {} kept up with the rate", count(proven as u64), plural(of.samples.len() as u64, "run"));
        return Statement::new(Tone::Open, "live", words);
    }
    let words = |bracket: &RateBracket| match bracket.proven {
        Some(rate) => format!("{} sustains {} frames/s", bracket.engine, whole(rate)),
        None => format!("{}: no rate is proven", bracket.engine),
    };
    Statement::new(Tone::Open, "live", "the highest rates that are proven").with(of.brackets.iter().map(words))
}

/// The percentiles of a histogram that its samples support.
pub(super) fn percentiles(of: &HistogramRecord) -> Vec<String> {
    Percentile::ALL.iter().map(|at| of.percentile(*at).map_or_else(|| "-".into(), |us| time(us as f64))).collect()
}
