//! Whether an engine keeps up with a rate: the slope of its event-time frontier, its lag, and its latency.

use kuu_core::race_live::{LiveWindow, RateVerdict};
use kuu_core::speed::FrontierPoint;
use kuu_core::statistics::{Slope, median, quantile};
use std::time::Duration;

/// A frontier that moves at the rate less this share keeps up: a run cannot tell less apart.
pub const TOLERANCE: f64 = 0.01;
/// The bound of latency: five times the interval at which rows come, and this time.
const BOUND: Duration = Duration::from_secs(2);
const BOUND_INTERVALS: u32 = 5;
/// A result is late if it comes later than the interval at which rows come, and this time.
const LATE: Duration = Duration::from_secs(1);
/// The fewest windows whose latency says something.
const WINDOWS: usize = 8;

/// What was seen of an engine at a rate.
pub struct RateSeen<'a> {
    /// Every window that closed after the warm-up and before the end of sending.
    pub windows: &'a [LiveWindow],
    /// The latency of each of them, in microseconds; of one that was not right at the end, so far.
    pub latencies_us: &'a [i64],
    /// The frontier over time.
    pub frontier: &'a [FrontierPoint],
    /// Frames that count, per second.
    pub rate: f64,
    /// The end of the warm-up, and the end of sending, in seconds.
    pub from_s: f64,
    /// See `from_s`.
    pub to_s: f64,
    /// The interval at which rows come.
    pub every: Duration,
}

/// The bound of the 99th percentile of the latency of an engine whose rows come at this interval.
pub fn bound(every: Duration) -> Duration {
    every * BOUND_INTERVALS + BOUND
}

/// How late a result may be before it is called late.
pub fn late_after(every: Duration) -> Duration {
    every + LATE
}

/// The verdict, and the slope of the frontier while frames were sent, if there were enough points.
pub fn judge_rate(seen: &RateSeen<'_>) -> (RateVerdict, Option<Slope>) {
    let within = |point: &&FrontierPoint| (seen.from_s..=seen.to_s).contains(&point.seconds);
    let points: Vec<FrontierPoint> = seen.frontier.iter().filter(within).copied().collect();
    let times: Vec<f64> = points.iter().map(|point| point.seconds).collect();
    let frames: Vec<f64> = points.iter().map(|point| point.frames as f64).collect();
    let slope = Slope::fit(&times, &frames);
    let bound_s = bound(seen.every).as_secs_f64();
    let verdict = match &slope {
        Ok(slope) if slope.interval.high < seen.rate * (1.0 - TOLERANCE) => {
            let Slope { slope, interval, .. } = slope;
            let why = format!("{slope:.0} frames/s were answered, {:.0} at most", interval.high);
            RateVerdict::Refuted { why }
        }
        _ => match (grown_s(seen), &slope) {
            (Some(grown), _) if grown > bound_s => {
                RateVerdict::Refuted { why: format!("its lag grew by {grown:.1} s") }
            }
            (None, _) => RateVerdict::Undecided {
                why: format!("{} windows are too few: --window second, or a longer time", seen.windows.len()),
            },
            (_, Err(error)) => RateVerdict::Undecided {
                why: format!("no slope of its frontier: {error}: --window second, or a longer time"),
            },
            (Some(_), Ok(_)) => match quantile(&seconds(seen.latencies_us), 0.99) {
                Some(p99) if p99 > bound_s => RateVerdict::Undecided {
                    why: format!("the 99th percentile of its latency is {p99:.1} s, above the bound of {bound_s:.1} s"),
                },
                _ => RateVerdict::Proven,
            },
        },
    };
    (verdict, slope.ok())
}

/// By how many seconds the latency grew from the first quarter of the windows to the last.
fn grown_s(seen: &RateSeen<'_>) -> Option<f64> {
    let all = seconds(seen.latencies_us);
    let quarter = all.len() / 4;
    (all.len() >= WINDOWS).then(|| median(&all[all.len() - quarter..]) - median(&all[..quarter]))
}

fn seconds(us: &[i64]) -> Vec<f64> {
    us.iter().map(|us| *us as f64 / 1e6).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An engine that takes at most `cap` frames per second, on windows of 1,000 frames of which `rate` come per second,
    /// for 20 s; its rows come every so many milliseconds.
    fn simulated(rate: f64, cap: f64, every_ms: i64) -> (RateVerdict, Option<Slope>) {
        let windows = (20.0 * rate / 1_000.0) as i64;
        let (mut free_us, mut frontier) = (0.0_f64, Vec::<FrontierPoint>::new());
        let (mut all, mut latencies) = (Vec::new(), Vec::new());
        for n in 1..=windows {
            let due = n as f64 * 1e9 / rate;
            // A window is answered when all its frames have had their turn.
            free_us = (free_us + 1e9 / cap).max(due);
            let every = every_ms * 1_000;
            let right = if every > 0 { (free_us as i64 / every + 1) * every } else { free_us as i64 };
            let due_us = due as i64;
            all.push(LiveWindow {
                start: n,
                last_due_us: due_us,
                closed_due_us: due_us,
                closed_sent_us: due_us,
                right_us: Some(right),
            });
            let point = FrontierPoint { seconds: right as f64 / 1e6, frames: n as u64 * 1_000 };
            match frontier.last_mut() {
                Some(last) if last.seconds >= point.seconds => *last = point,
                _ => frontier.push(point),
            }
            latencies.push(right - due_us);
        }
        let from = all.iter().position(|window| window.closed_due_us >= 4_000_000).unwrap();
        let every = Duration::from_millis(every_ms as u64);
        let (windows, latencies_us) = (&all[from..], &latencies[from..]);
        judge_rate(&RateSeen { windows, latencies_us, frontier: &frontier, rate, from_s: 4.0, to_s: 20.0, every })
    }

    #[test]
    fn the_frontier_of_an_engine_that_keeps_up_moves_at_the_rate() {
        for every_ms in [0, 100, 1_000] {
            for (rate, proven) in [(5_000.0, true), (19_500.0, true), (20_600.0, false), (40_000.0, false)] {
                let (verdict, slope) = simulated(rate, 20_000.0, every_ms);
                let slope = slope.unwrap().slope;
                assert!((slope / rate.min(20_000.0) - 1.0).abs() < 0.005, "{rate} {every_ms}: {slope}");
                match verdict {
                    RateVerdict::Proven => assert!(proven, "{rate} {every_ms}"),
                    RateVerdict::Refuted { .. } => assert!(!proven, "{rate} {every_ms}"),
                    other => panic!("{rate} {every_ms}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_said_is_not() {
        let windows: Vec<LiveWindow> = Vec::new();
        let frontier = [FrontierPoint { seconds: 5.0, frames: 1 }];
        let nothing = RateSeen {
            windows: &windows,
            latencies_us: &[],
            frontier: &frontier,
            rate: 100.0,
            from_s: 0.0,
            to_s: 9.0,
            every: Duration::ZERO,
        };
        let (verdict, slope) = judge_rate(&nothing);
        assert!(matches!(verdict, RateVerdict::Undecided { why } if why.contains("--window second")));
        assert_eq!(slope, None);
        // No row came: the lag of each window is the time since it closed, until everything ended.
        let lags: Vec<i64> = (0..20).map(|n| n * 500_000).collect();
        let (verdict, _) = judge_rate(&RateSeen { latencies_us: &lags, ..nothing });
        assert_eq!(verdict, RateVerdict::Refuted { why: "its lag grew by 7.5 s".into() });
    }

    #[test]
    fn a_latency_above_the_bound_proves_nothing() {
        let frontier: Vec<FrontierPoint> =
            (0..20).map(|n| FrontierPoint { seconds: n.into(), frames: n as u64 * 100 }).collect();
        let lags = |us: i64| vec![us; 20];
        let seen = |lags: &[i64]| {
            let every = Duration::from_millis(100);
            let of = RateSeen {
                windows: &[],
                latencies_us: lags,
                frontier: &frontier,
                rate: 100.0,
                from_s: 0.0,
                to_s: 19.0,
                every,
            };
            judge_rate(&of).0
        };
        assert_eq!(seen(&lags(2_500_000)), RateVerdict::Proven);
        let words = "the 99th percentile of its latency is 2.6 s, above the bound of 2.5 s";
        assert_eq!(seen(&lags(2_600_000)), RateVerdict::Undecided { why: words.into() });
        assert_eq!(
            (bound(Duration::from_secs(1)), late_after(Duration::from_secs(1))),
            (Duration::from_secs(7), Duration::from_secs(2))
        );
    }
}
