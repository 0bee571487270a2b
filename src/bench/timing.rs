//! When each sample was taken.

use anyhow::Result;
use kuu_core::turn::Turn;
use std::time::Instant;

/// When something was measured, and how long it took.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// When it began.
    pub started: Instant,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Timing {
    /// Measures the work; its result is freed after the measurement.
    ///
    /// # Errors
    /// If the work fails.
    pub fn of<T>(work: impl FnOnce() -> Result<T>) -> Result<Timing> {
        let started = Instant::now();
        let result = work()?;
        let timing = Timing::since(started);
        drop(result);
        Ok(timing)
    }

    /// What began at `started`, and ends now.
    pub fn since(started: Instant) -> Timing {
        Timing { started, seconds: started.elapsed().as_secs_f64() }
    }
}

/// The seconds of each timing.
pub fn seconds(timings: &[Timing]) -> Vec<f64> {
    timings.iter().map(|timing| timing.seconds).collect()
}

/// The slots of named timings for a record, in the order in which they began.
pub fn turns(timings: impl IntoIterator<Item = (String, Timing)>) -> Vec<Turn> {
    let mut timings: Vec<(String, Timing)> = timings.into_iter().collect();
    timings.sort_by_key(|(_, timing)| timing.started);
    let begun = timings.first().map(|(_, timing)| timing.started);
    let turn = |(stage, Timing { started, seconds })| Turn {
        stage,
        started_us: begun.map_or(0, |begun| started.duration_since(begun).as_micros() as u64),
        took_us: seconds * 1e6,
    };
    timings.into_iter().map(turn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn turns_are_in_the_order_of_time_and_begin_with_the_first() {
        let now = Instant::now();
        let at = |ms, seconds| Timing { started: now + Duration::from_millis(ms), seconds };
        let turns = turns([("b".into(), at(9, 0.5)), ("a".into(), at(7, 0.002)), ("b".into(), at(10, 3.0))]);
        let all: Vec<_> = turns.iter().map(|turn| (turn.stage.as_str(), turn.started_us, turn.took_us)).collect();
        assert_eq!(all, [("a", 0, 2e3), ("b", 2_000, 5e5), ("b", 3_000, 3e6)]);
    }
}
