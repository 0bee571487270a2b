//! The tables of a live race.

use crate::terminal::{count, plural, table, time};
use kuu_core::latency::{Histogram, Leg, Percentile, Summary};
use kuu_core::race_live::{LiveRecord, LiveSample, RateBracket, RateLimit, RateVerdict};
use kuu_core::scorecard::CellVerdict;
use std::time::Duration;

/// The name of the way from the last frame of a window to its right row, which no [`Leg`] is.
const LAST_FRAME: &str = "last_frame";

/// A line for a run: what, who, how it came out.
pub fn live_line(sample: &LiveSample) -> String {
    let LiveSample { engine, rate, verdict, keeps_up, .. } = sample;
    let says = match keeps_up {
        _ if !verdict.is_right() => verdict.to_string(),
        RateVerdict::Proven => "kept up".into(),
        RateVerdict::Refuted { why } => format!("did not keep up: {why}"),
        RateVerdict::Undecided { why } => format!("undecided: {why}"),
        RateVerdict::GeneratorBehind => {
            format!("the generator was behind: it sent {} frames/s", count(sample.achieved as u64))
        }
    };
    let windows = sample.last_frame.as_ref().map_or_else(String::new, |last| {
        let p99 = last.percentile(Percentile::P99).map(|p99| format!(", p99 of {LAST_FRAME} {}", us(Some(p99))));
        format!("; {}{}", plural(sample.windows.len() as u64, "window"), p99.unwrap_or_default())
    });
    format!("{} frames/s, round {}: {engine}: {says}{windows}", count(*rate as u64), sample.round)
}

/// A latency, or `-` for a percentile that too few samples support.
fn us(us: Option<u64>) -> String {
    us.map_or_else(|| "-".into(), |us| time(Duration::from_micros(us)))
}

/// The table of latencies: all rounds of an engine together, the one with the least median first.
pub fn latency_table(record: &LiveRecord) -> String {
    let mut all: Vec<(u64, Vec<Vec<String>>)> = Vec::new();
    for engine in &record.engines {
        let samples: Vec<&LiveSample> = record.samples.iter().filter(|sample| sample.engine == engine.name).collect();
        if !samples.is_empty() && samples.iter().all(|sample| sample.is_valid()) {
            all.extend(rows(&samples));
        }
    }
    all.sort_by_key(|engine| engine.0);
    let head =
        ["engine", "windows", "late", "rows every", "leg", "p50", "p90", "p99", "max"].map(str::to_owned).to_vec();
    table(&[vec![head], all.into_iter().flat_map(|engine| engine.1).collect()].concat())
}

/// The median of an engine, and its rows.
fn rows(samples: &[&LiveSample]) -> Option<(u64, Vec<Vec<String>>)> {
    let merged = |leg: Option<Leg>| -> Option<(u64, Summary)> {
        let mut all = Histogram::default();
        for sample in samples {
            let record = match leg {
                Some(leg) => sample.legs.0.get(&leg),
                None => sample.last_frame.as_ref(),
            };
            all.merge(&record.map(Histogram::try_from)?.ok()?);
        }
        Some((all.at_quantile(0.5), all.summary()?))
    };
    let first = samples.first()?;
    let windows: usize = samples.iter().map(|sample| sample.windows.len()).sum();
    let late: u64 = samples.iter().map(|sample| sample.late).sum();
    let every = if first.every_ms == 0 { "-".into() } else { time(Duration::from_millis(first.every_ms)) };
    let head = [
        first.engine.clone(),
        count(windows as u64),
        format!("{:.1} %", late as f64 * 100.0 / windows.max(1) as f64),
        every,
    ];
    let (median, last_frame) = merged(None)?;
    let legs = [Leg::EndToEnd, Leg::Result, Leg::Schedule, Leg::Ack];
    let others = legs.into_iter().filter_map(|leg| Some((leg.name(), merged(Some(leg))?.1)));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, leg) in std::iter::once((LAST_FRAME, last_frame)).chain(others) {
        let who = if rows.is_empty() { head.clone() } else { Default::default() };
        let figures = [leg.p50_us, leg.p90_us, leg.p99_us, Some(leg.max_us)].map(us);
        rows.push(who.into_iter().chain([name.to_owned()]).chain(figures).collect());
    }
    Some((median, rows))
}

/// A line for a rate that was found.
pub fn bracket_line(bracket: &RateBracket) -> String {
    let frames = |rate: f64| count(rate as u64);
    let words = match (bracket.proven, bracket.limit, bracket.limit_is) {
        (None, limit, _) => {
            let tried = limit.map_or_else(String::new, |limit| format!(" not even {} frames/s", frames(limit)));
            format!("none found:{tried}")
        }
        (Some(proven), Some(limit), Some(RateLimit::Generator)) => {
            format!("at least {} frames/s ({} is {})", frames(proven), frames(limit), RateLimit::Generator)
        }
        (Some(proven), Some(limit), Some(why)) => {
            format!("{} to {} frames/s (proven, {why})", frames(proven), frames(limit))
        }
        (Some(proven), ..) => format!("at least {} frames/s (proven)", frames(proven)),
    };
    format!("{}: sustainable: {words}", bracket.engine)
}

/// Lines for the engines that have no figures, and why.
pub fn without_figures(record: &LiveRecord) -> Vec<String> {
    let mut lines = Vec::new();
    for engine in &record.engines {
        let of = |sample: &&LiveSample| sample.engine == engine.name;
        let wrong = record.samples.iter().filter(of).find(|sample| !sample.verdict.is_right());
        let invalid = record.samples.iter().filter(of).find(|sample| !sample.is_valid());
        let why = match (&engine.obstacle, wrong, invalid) {
            (Some(why), ..) => CellVerdict::NotRun { why: why.clone() }.to_string(),
            (_, Some(wrong), _) => {
                format!("{} (at {} frames/s, round {})", wrong.verdict, count(wrong.rate as u64), wrong.round)
            }
            (.., Some(invalid)) if record.brackets.is_empty() => match &invalid.keeps_up {
                RateVerdict::Refuted { why } => format!("invalid: it does not keep up: {why}"),
                _ => "invalid: the generator did not hold its schedule".into(),
            },
            _ => continue,
        };
        lines.push(format!("{}: {why}", engine.name));
    }
    lines
}
