//! How fast frames come in a cell in which something breaks: over so many checkpoints that it breaks between them.

use crate::race::descriptor::Descriptor;
use kuu_core::workload::Workload;

/// Checkpoints of an engine over which the frames are sent, at least.
const CHECKPOINTS: f64 = 10.0;
/// How often an engine commits that does not say it: the interval of Kafka's own consumers.
const CHECKPOINT_MS: u64 = 5_000;
/// The least time that counts as one checkpoint: an engine takes seconds to start and to start again.
const LEAST_MS: u64 = 1_000;

/// The frames per second that an engine gets of a workload, none if they come as fast as it goes.
pub fn rate(workload: &Workload, engine: &Descriptor) -> Option<f64> {
    if workload.meanwhile.is_empty() {
        return workload.delivery.rate;
    }
    let checkpoint_ms = engine.checkpoint_ms.unwrap_or(CHECKPOINT_MS).max(LEAST_MS);
    let slow = workload.expect.read as f64 / (CHECKPOINTS * checkpoint_ms as f64 / 1e3);
    Some(workload.delivery.rate.map_or(slow, |rate| rate.min(slow)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(meanwhile: &str, delivery: &str, claims: &str) -> Option<f64> {
        let tier = if meanwhile.is_empty() { "contract" } else { "fault" };
        let text = format!(
            "why = 'x'\ntier = '{tier}'\n{meanwhile}\n[delivery]\n{delivery}\n[expect]\nread = 6000\ncounted = 6000\nwindows = 1"
        );
        let engine = format!("name = 'x'\ntitle = 'x'\nrun = ['x']\n{claims}");
        rate(&Workload::parse(&text).unwrap(), &Descriptor::parse(&engine, "x").unwrap())
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
    fn what_does_not_break_is_not_slowed_down() {
        assert_eq!(of("", "", "checkpoint_ms = 1000"), None);
        assert_eq!(of("", "rate = 1000.0", ""), Some(1000.0));
    }
}
