//! The event-time frontier of an output: how far it was right, and when.

use kuu_core::speed::FrontierPoint;
use kuu_core::statistics::SteadyRate;
use kuu_core::verdict::WindowTimes;
use kuu_core::window::Window;
use std::collections::BTreeMap;

/// How far an output was right, and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frontier {
    /// The frontier over time; one point where several windows became right at once.
    pub points: Vec<FrontierPoint>,
    /// Windows behind the frontier's end that were answered, but are not right.
    pub unright: u64,
}

impl Frontier {
    /// The frontier of windows with so many frames each, from when each became right: up to the first window that did not.
    /// Times are from `started_us`.
    pub fn of(frames: &BTreeMap<Window, u64>, times: &BTreeMap<Window, WindowTimes>, started_us: i64) -> Frontier {
        let mut points: Vec<FrontierPoint> = Vec::new();
        let (mut answered, mut reached_us) = (0, i64::MIN);
        let right = |window: &Window| times.get(window).and_then(|times| times.right_us);
        let mut windows = frames.iter();
        for (window, frames) in windows.by_ref() {
            let Some(us) = right(window) else { break };
            answered += frames;
            reached_us = reached_us.max(us);
            let point = FrontierPoint { seconds: (reached_us - started_us) as f64 / 1e6, frames: answered };
            match points.last_mut() {
                Some(last) if last.seconds >= point.seconds => *last = point,
                _ => points.push(point),
            }
        }
        // The window at which the frontier stands is still open, as are those that other partitions are ahead by.
        let unright = windows.filter(|(window, _)| times.contains_key(window) && right(window).is_none()).count();
        Frontier { points, unright: unright as u64 }
    }

    /// Frames in all windows behind the frontier.
    pub fn answered(&self) -> u64 {
        self.points.last().map_or(0, |point| point.frames)
    }

    /// The rate at which it moved, in frames per second, if it moved for at least half of this time, in seconds: the rows
    /// of one commit come together, and say nothing of a rate.
    ///
    /// # Errors
    /// Why it has none, in words.
    pub fn rate(&self, time: f64) -> Result<SteadyRate, String> {
        let times: Vec<f64> = self.points.iter().map(|point| point.seconds).collect();
        let values: Vec<f64> = self.points.iter().map(|point| point.frames as f64).collect();
        let moved = times.last().zip(times.first()).map_or(0.0, |(last, first)| last - first);
        if moved < time / 2.0 {
            return Err(format!("its frontier moved for {moved:.1} s"));
        }
        match SteadyRate::fit(&times, &values) {
            Ok(rate) if rate.drift.is_finite() => Ok(rate),
            Ok(_) => Err("its frontier stood still".into()),
            Err(_) => {
                let moves = self.points.len();
                Err(format!(
                    "its frontier moved {moves} times, which is too few: race with shorter windows (--window second)"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuu_core::window::Unit;

    fn windows<T>(values: impl IntoIterator<Item = T>) -> BTreeMap<Window, T> {
        (0..).zip(values).map(|(n, value)| (Unit::Minute.window(n * 60), value)).collect()
    }

    fn times(right: &[Option<i64>]) -> BTreeMap<Window, WindowTimes> {
        windows(right.iter().map(|right_us| WindowTimes { first_us: Some(0), right_us: *right_us }))
    }

    #[test]
    fn it_stands_before_the_first_window_that_is_not_right() {
        let frames = windows([10, 20, 30, 40, 50]);
        let at = |us: i64| Some(us * 1_000_000);
        let frontier = Frontier::of(&frames, &times(&[at(2), at(5), at(4), None, at(9)]), 1_000_000);
        let point = |seconds, frames| FrontierPoint { seconds, frames };
        // The third was right before the second: the frontier passes both at once.
        assert_eq!(frontier.points, [point(1.0, 10), point(4.0, 60)]);
        assert_eq!((frontier.answered(), frontier.unright), (60, 0));
        assert_eq!(Frontier::of(&frames, &times(&[]), 0), Frontier::default());
        let frontier = Frontier::of(&frames, &times(&[at(1), None, at(3), None]), 0);
        assert_eq!((frontier.answered(), frontier.unright), (10, 1));
    }

    #[test]
    fn a_rate_needs_windows() {
        let frames = windows(vec![100; 100]);
        let right: Vec<Option<i64>> = (0..100).map(|n| Some(n * 500_000)).collect();
        let rate = Frontier::of(&frames, &times(&right), 0).rate(60.0).unwrap();
        assert!((rate.rate.slope - 200.0).abs() < 1e-6 && rate.is_steady(), "{rate:?}");
        let few = Frontier::of(&frames, &times(&right[..15]), 0).rate(5.0).unwrap_err();
        assert_eq!(few, "its frontier moved 15 times, which is too few: race with shorter windows (--window second)");
        let burst = Frontier::of(&frames, &times(&right), 0).rate(100.0).unwrap_err();
        assert_eq!(burst, "its frontier moved for 49.5 s");
    }
}
