//! How fast frames come in a cell in which something breaks: over so many checkpoints that it breaks between them.

use crate::race::descriptor::Descriptor;
use kuu_core::workload::Workload;

/// Checkpoints of an engine over which the frames are sent, at least.
const CHECKPOINTS: f64 = 10.0;
/// How often an engine commits that does not say it: the interval of Kafka's own consumers.
const CHECKPOINT_MS: u64 = 5_000;
/// The part of what the slowest engine takes at which frames come, at most.
const PART: f64 = 0.5;
/// The least time that counts as one checkpoint: an engine takes seconds to start and to start again.
const LEAST_MS: u64 = 1_000;

/// The most frames per second of a cell in which something breaks: an engine that has more has no time to catch up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaceLimit {
    /// Frames per second.
    pub frames_per_s: f64,
    /// What the slowest engine of the race takes where nothing breaks, in frames per second, if that was measured.
    pub slowest_frames_per_s: Option<f64>,
}

impl PaceLimit {
    /// Half of what the slowest engine takes, in frames per second; none if no engine's rate is known.
    pub fn of_slowest(rates: impl IntoIterator<Item = f64>) -> Option<PaceLimit> {
        let slowest = rates.into_iter().reduce(f64::min)?;
        Some(PaceLimit { frames_per_s: slowest * PART, slowest_frames_per_s: Some(slowest) })
    }
}

/// The frames per second that an engine gets of a workload, none if they come as fast as it goes.
pub fn rate(workload: &Workload, engine: &Descriptor, limit: Option<PaceLimit>) -> Option<f64> {
    if workload.meanwhile.is_empty() {
        return workload.delivery.rate;
    }
    let checkpoint_ms = engine.checkpoint_ms.unwrap_or(CHECKPOINT_MS).max(LEAST_MS);
    let slow = workload.expect.read as f64 / (CHECKPOINTS * checkpoint_ms as f64 / 1e3);
    let limits = [workload.delivery.rate, limit.map(|limit| limit.frames_per_s)];
    Some(limits.into_iter().flatten().fold(slow, f64::min))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(meanwhile: &str, delivery: &str, claims: &str) -> Option<f64> {
        limited(meanwhile, delivery, claims, None)
    }

    fn limited(meanwhile: &str, delivery: &str, claims: &str, limit: Option<PaceLimit>) -> Option<f64> {
        let tier = if meanwhile.is_empty() { "contract" } else { "fault" };
        let text = format!(
            "why = 'x'\ntier = '{tier}'\n{meanwhile}\n[delivery]\n{delivery}\n[expect]\nread = 6000\ncounted = 6000\nwindows = 1"
        );
        let engine = format!("name = 'x'\ntitle = 'x'\nrun = ['x']\n{claims}");
        rate(&Workload::parse(&text).unwrap(), &Descriptor::parse(&engine, "x").unwrap(), limit)
    }

    #[test]
    fn ten_checkpoints() {
        let kill = "meanwhile = ['at 40 %: kill -9 engine']";
        assert_eq!(of(kill, "rate = 1000.0", "checkpoint_ms = 1000"), Some(600.0));
        assert_eq!(of(kill, "rate = 300.0", "checkpoint_ms = 1000"), Some(300.0));
        assert_eq!(of(kill, "rate = 1000.0", "checkpoint_ms = 30000"), Some(20.0));
        assert_eq!(of(kill, "rate = 1000.0", "checkpoint_ms = 100"), Some(600.0));
        assert_eq!(of(kill, "rate = 1000.0", ""), Some(120.0));
        assert_eq!(of(kill, "", "checkpoint_ms = 1000"), Some(600.0));
    }

    #[test]
    fn half_of_what_the_slowest_takes() {
        let kill = "meanwhile = ['at 40 %: kill -9 engine']";
        let limit = PaceLimit::of_slowest([5_000.0, 700.0, 900.0]);
        assert_eq!(limit, Some(PaceLimit { frames_per_s: 350.0, slowest_frames_per_s: Some(700.0) }));
        assert_eq!(limited(kill, "rate = 1000.0", "checkpoint_ms = 1000", limit), Some(350.0));
        assert_eq!(limited(kill, "rate = 1000.0", "checkpoint_ms = 2000", limit), Some(300.0));
        assert_eq!(limited("", "rate = 1000.0", "checkpoint_ms = 1000", limit), Some(1000.0));
        assert_eq!(PaceLimit::of_slowest([]), None);
    }

    #[test]
    fn what_does_not_break_is_not_slowed_down() {
        assert_eq!(of("", "", "checkpoint_ms = 1000"), None);
        assert_eq!(of("", "rate = 1000.0", ""), Some(1000.0));
    }
}
