//! Exact sets and sketches on the same frames, in turn.

use crate::bench::figures::ns_per_frame;
use crate::bench::load::Load;
use crate::bench::timing::{Timing, turns};
use crate::engine::stop::Stop;
use crate::terminal::{count, size, table};
use anyhow::{Result, bail};
use kuu_core::counter::{Config, Counter, Emission};
use kuu_core::distinct::{Distinct, Precision};
use kuu_core::distinct_record::{DistinctRecord, WayRecord};
use kuu_core::frame_batch::Frames;
use kuu_core::statistics::{median, order};
use kuu_core::truth::Truth;
use kuu_core::window::Window;
use kuu_frame::{Parser, ParserOptions};
use std::collections::BTreeMap;
use std::hint::black_box;

/// The precisions that are measured beside exact sets.
const PRECISIONS: [u8; 3] = [11, 14, 17];

/// The ways to count that are measured.
pub fn ways() -> Vec<Distinct> {
    let sketches = PRECISIONS.into_iter().filter_map(Precision::new).map(Distinct::Hll);
    [Distinct::Exact].into_iter().chain(sketches).collect()
}

/// Measures all ways on the frames of a file; `config` says how windows are made. Every answer is checked: exact sets
/// against the truth, sketches against those of the truth's own path.
///
/// # Errors
/// If an answer is wrong, or the run is to stop.
pub fn measure(
    load: &Load,
    config: &Config,
    parser: &ParserOptions,
    rounds: usize,
    stop: &Stop,
) -> Result<DistinctRecord> {
    let frames = parsed(load, parser);
    let truth = counted(&frames, config, Distinct::Exact);
    let mut users: Vec<u64> = truth.values().copied().collect();
    users.sort_unstable();
    let mut record = DistinctRecord {
        name: load.sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", "),
        frames: frames.len() as u64,
        windows: truth.len() as u64,
        window_users: users.get(users.len() / 2).copied().unwrap_or_default(),
        all_window_users: users.iter().sum(),
        ..DistinctRecord::default()
    };
    for distinct in ways() {
        let way = assessed(&frames, config, distinct, &truth, &mut record.users)?;
        record.ways.push(way);
    }
    let mut timings = Vec::new();
    for round in 0..rounds {
        for turn in order(record.ways.len() + 1, round) {
            if stop.interrupted() {
                bail!("interrupted");
            }
            let (name, samples, timing) = match record.ways.get_mut(turn) {
                Some(WayRecord { distinct, frame_ns, .. }) => {
                    let timing = Timing::of(|| Ok(black_box(observed(&frames, config, *distinct))))?;
                    (distinct.to_string(), frame_ns, timing)
                }
                None => {
                    let timing = Timing::of(|| Ok(black_box(parsed(load, parser))))?;
                    ("parse".into(), &mut record.parse_ns, timing)
                }
            };
            samples.extend(ns_per_frame(record.frames, &[timing.seconds]));
            timings.push((name, timing));
        }
    }
    record.turns = turns(timings);
    Ok(record)
}

fn parsed(load: &Load, options: &ParserOptions) -> Frames {
    let (mut parser, mut frames) = (Parser::new(options), Frames::default());
    for (offset, (_, value)) in load.iter().enumerate() {
        frames.push(offset as i64, parser.parse(value));
    }
    frames
}

/// Counts all frames, and gives every result.
fn observed(frames: &Frames, config: &Config, distinct: Distinct) -> (Counter, Vec<Emission>) {
    let mut counter = Counter::new(Config { distinct, ..config.clone() }, 1);
    for value in frames.iter() {
        counter.observe(0, value.outcome);
    }
    counter.finish();
    let results = counter.drain().collect();
    (counter, results)
}

/// The users of every window, by the path that shares nothing with the counter.
fn counted(frames: &Frames, config: &Config, distinct: Distinct) -> BTreeMap<Window, u64> {
    let mut truth = Truth::new(&config.units).by(distinct);
    frames.iter().for_each(|value| truth.add(value.outcome));
    truth.windows().into_iter().map(|count| (count.window, count.users)).collect()
}

/// What a way needs, and how far off it is; not its time. Notes the number of users of all windows.
fn assessed(
    frames: &Frames,
    config: &Config,
    distinct: Distinct,
    truth: &BTreeMap<Window, u64>,
    users: &mut u64,
) -> Result<WayRecord> {
    let mut counter = Counter::new(Config { distinct, ..config.clone() }, 1);
    counter.keep_state();
    for value in frames.iter() {
        counter.observe(0, value.outcome);
    }
    let (memory_bytes, changes) = (counter.user_bytes() as u64, counter.changes());
    let state_bytes = changes.iter().map(|change| change.value.as_ref().map_or(0, Vec::len) as u64).sum();
    drop(changes);
    counter.finish();
    // The last result of a window is its answer.
    let answers: BTreeMap<Window, u64> = counter.drain().map(|result| (result.window, result.users)).collect();
    *users = counter.users().map_or(*users, |users| users as u64);
    let expected = if distinct == Distinct::Exact { truth.clone() } else { counted(frames, config, distinct) };
    if answers != expected {
        bail!(
            "{distinct}: the counter and the offline count differ: frames that are beyond --retention or --max-jump?"
        );
    }
    let errors = answers.iter().map(|(window, users)| {
        let truth = truth.get(window).copied().unwrap_or_default();
        users.abs_diff(truth) as f64 / truth.max(1) as f64
    });
    let errors: Vec<f64> = errors.collect();
    let mean_square = errors.iter().map(|error| error * error).sum::<f64>() / errors.len().max(1) as f64;
    let largest_error = errors.into_iter().fold(0.0, f64::max);
    let frame_ns = Vec::new();
    Ok(WayRecord { distinct, frame_ns, memory_bytes, state_bytes, rms_error: mean_square.sqrt(), largest_error })
}

/// A table of all ways on all files: each figure with its ratio to exact sets in the same run.
pub fn text(all: &[DistinctRecord]) -> String {
    let title =
        ["users a window", "way", "ns/frame", "x", "memory", "x", "bytes/user", "state", "x", "rms error", "largest"];
    let mut rows = vec![title.map(String::from).to_vec()];
    for record in all {
        let Some(exact) = record.exact() else { continue };
        for way in &record.ways {
            let by = |ours: u64, theirs: u64| format!("{:.3}", ours as f64 / theirs.max(1) as f64);
            rows.push(vec![
                count(record.window_users),
                way.distinct.to_string(),
                format!("{:.1}", median(&way.frame_ns)),
                format!("{:.3}", record.ratio(way).unwrap_or_default()),
                size(way.memory_bytes),
                by(way.memory_bytes, exact.memory_bytes),
                format!("{:.1}", way.memory_bytes as f64 / record.all_window_users.max(1) as f64),
                size(way.state_bytes),
                by(way.state_bytes, exact.state_bytes),
                format!("{:.2} %", 100.0 * way.rms_error),
                format!("{:.2} %", 100.0 * way.largest_error),
            ]);
        }
    }
    table(&rows)
}

/// From how many users a window on each sketch takes less time than exact sets, in every round.
pub fn findings(all: &[DistinctRecord]) -> Vec<String> {
    let mut all: Vec<&DistinctRecord> = all.iter().collect();
    all.sort_by_key(|record| record.window_users);
    let finding = |distinct: Distinct| {
        let is_faster = |record: &&&DistinctRecord| {
            let way = record.ways.iter().find(|way| way.distinct == distinct);
            way.zip(record.exact()).is_some_and(|(way, exact)| way.ratios(exact).iter().all(|ratio| *ratio < 1.0))
        };
        // The smallest from which on all larger ones are faster, too.
        match all.iter().rev().take_while(is_faster).last() {
            Some(record) => {
                format!("{distinct}: less time than exact sets from {} users a window on", count(record.window_users))
            }
            None => format!("{distinct}: not always less time than exact sets, even at the most users a window"),
        }
    };
    ways().into_iter().filter(|way| *way != Distinct::Exact).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_point_from_which_a_sketch_is_faster() {
        let record = |window_users, ns: &[f64]| DistinctRecord {
            window_users,
            ways: ways()
                .into_iter()
                .map(|distinct| WayRecord {
                    distinct,
                    frame_ns: if distinct == Distinct::Exact { vec![10.0; ns.len()] } else { ns.to_vec() },
                    ..WayRecord::default()
                })
                .collect(),
            ..DistinctRecord::default()
        };
        // 100 is faster, but 1,000 is not in one round.
        let all = [
            record(100_000, &[3.0, 3.0]),
            record(100, &[5.0, 5.0]),
            record(1_000, &[9.0, 11.0]),
            record(10_000, &[9.0, 9.0]),
        ];
        assert_eq!(findings(&all)[0], "hll:11: less time than exact sets from 10,000 users a window on");
        let never = [record(100, &[5.0, 11.0])];
        assert_eq!(
            findings(&never)[2],
            "hll:17: not always less time than exact sets, even at the most users a window"
        );
    }
}
