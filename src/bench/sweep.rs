//! Latency against load: the rates of a sweep, and its table.

use crate::bench::live::LiveFigures;
use crate::bench::tables::milliseconds;
use crate::terminal::{count, rate, table};
use anyhow::Result;
use kuu_core::latency::{HistogramRecord, Leg, Percentile};
use kuu_core::load_sweep::{SweepEnd, SweepRecord, SweepStep};
use std::f64::consts::SQRT_2;
use std::time::Duration;

/// Each rate is higher by this factor, so that every second one is twice as high.
const FACTOR: f64 = SQRT_2;
/// How many rates there are below the highest: the lowest is a sixteenth of it.
const BELOW: i32 = 8;
/// A step that lasts no longer than this says nothing of the trend of lag.
pub const LEAST: Duration = Duration::from_secs(2);
/// Lag below the number of frames in this part of a step, or in this time if that is shorter, is no growth.
const HARMLESS_PART: f64 = 0.1;
const HARMLESS: Duration = Duration::from_millis(500);

/// The rates, from the lowest, up to `most` frames per second.
pub fn rates(most: f64) -> Vec<f64> {
    (0..=BELOW).rev().map(|below| (most / FACTOR.powi(below)).round().max(1.0)).collect()
}

/// How much lag is no growth in a step that lasts so many seconds.
pub fn harmless_lag(seconds: f64) -> Duration {
    HARMLESS.min(Duration::try_from_secs_f64(seconds * HARMLESS_PART).unwrap_or(HARMLESS))
}

/// A step as it is recorded.
///
/// # Errors
/// If a histogram cannot be encoded.
pub fn step(started: String, asked: f64, live: &LiveFigures) -> Result<SweepStep> {
    Ok(SweepStep {
        started,
        asked_frames_per_s: asked,
        sent_frames_per_s: live.rate,
        frames: live.frames,
        results_rows: live.results,
        on_schedule: live.on_schedule,
        sustained: live.sustained,
        lag_frames: live.lag.clone(),
        latency: (&live.legs).try_into()?,
    })
}

/// The table of all steps, and a line that says up to which rate they were sustained.
pub fn text(sweep: &SweepRecord) -> String {
    let titles = ["frames/s", "for", "", "result p50", "p99", "max", "end_to_end p50", "p99", "max", "lag"];
    let mut rows = vec![titles.map(String::from).to_vec()];
    rows.extend(sweep.steps.iter().map(row));
    format!("{}\n{}", table(&rows), sentence(sweep))
}

/// How a step came out.
pub fn words(on_schedule: bool, sustained: bool) -> &'static str {
    match (on_schedule, sustained) {
        (true, true) => "sustained",
        (true, false) => "NOT sustained",
        (false, _) => "sent too late",
    }
}

fn row(step: &SweepStep) -> Vec<String> {
    let seconds = step.frames as f64 / step.asked_frames_per_s;
    let mut row =
        vec![rate(step.asked_frames_per_s), format!("{seconds:.1} s"), words(step.on_schedule, step.sustained).into()];
    for leg in [Leg::Result, Leg::EndToEnd] {
        // The latency of a load that was not sustained means nothing.
        let of = step.latency.0.get(&leg).filter(|_| step.is_valid());
        let percentile = |at| of.and_then(|of: &HistogramRecord| of.percentile(at));
        row.extend([percentile(Percentile::P50), percentile(Percentile::P99)].map(milliseconds));
        row.push(milliseconds(of.and_then(|of| of.percentiles).map(|of| of.max_us)));
    }
    row.push(count(step.lag_frames.iter().copied().max().unwrap_or(0)));
    row
}

fn sentence(sweep: &SweepRecord) -> String {
    let sustained = sweep.sustained().map_or_else(|| "no rate".into(), |most| format!("{} frames/s", rate(most)));
    let last = sweep.steps.last().map_or(0.0, |step| step.asked_frames_per_s);
    let why = match sweep.end {
        SweepEnd::NotSustained => format!("at {} frames/s lag grows", rate(last)),
        SweepEnd::Behind => format!("the load generator cannot send {} frames/s", rate(last)),
        SweepEnd::CatchUpRate => "which is as fast as a count without a load generator beside it".into(),
        SweepEnd::TooShort => {
            "a higher rate would be over too soon: the embedded broker holds too few frames, name another with --brokers"
                .into()
        }
        SweepEnd::NoRepeats => {
            "a higher rate would be over too soon: the input has too few frames, and its timestamps do not allow repeats"
                .into()
        }
    };
    format!("highest sustained: {sustained}; {why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuu_core::latency::{LegRecords, Legs};

    #[test]
    fn rates_double_with_every_second_one() {
        let expected = [20_000, 28_284, 40_000, 56_569, 80_000, 113_137, 160_000, 226_274, 320_000];
        assert_eq!(rates(320_000.0), expected.map(f64::from));
        assert_eq!(rates(2.0), [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0]);
    }

    #[test]
    fn a_short_step_has_little_patience() {
        assert_eq!([2.0, 5.0, 10.0, 1e300].map(harmless_lag).map(|lag| lag.as_millis()), [200, 500, 500, 500]);
    }

    #[test]
    fn a_table_ends_at_the_first_rate_that_is_not_sustained() {
        let mut legs = Legs::default();
        (1..=50).for_each(|ms| legs.record(Leg::Result, ms * 1_000));
        let step = |rate, sustained| SweepStep {
            started: String::new(),
            asked_frames_per_s: rate,
            sent_frames_per_s: rate,
            frames: 5_000,
            results_rows: 50,
            on_schedule: true,
            sustained,
            lag_frames: vec![5, 1_700, 3],
            latency: LegRecords::try_from(&legs).unwrap(),
        };
        let sweep = SweepRecord { steps: vec![step(1_000.0, true), step(2_000.0, false)], end: SweepEnd::NotSustained };
        let printed = text(&sweep);
        let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
        // Fifty results support a median, and no 99th percentile.
        assert_eq!(
            lines[1],
            ["1,000", "5.0", "s", "sustained", "25.01", "ms", "-", "50.02", "ms", "-", "-", "-", "1,700"]
        );
        assert_eq!(lines[2], ["2,000", "2.5", "s", "NOT", "sustained", "-", "-", "-", "-", "-", "-", "1,700"]);
        assert!(printed.ends_with("highest sustained: 1,000 frames/s; at 2,000 frames/s lag grows"), "{printed}");
    }
}
