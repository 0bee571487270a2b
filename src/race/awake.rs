//! Whether an engine has something to do, by its processor time.

use crate::engine::stop::Stop;
use crate::race::supervisor::Supervised;
use crate::system::clock::steady_us;
use anyhow::Result;
use std::time::{Duration, Instant};

/// How long a look at its processor time takes.
const LOOK: Duration = Duration::from_millis(500);
/// An engine that uses less than this share of a core waits for frames.
const IDLE: f64 = 0.2;
/// How long it does so before it counts as idle.
const IDLE_FOR: Duration = Duration::from_secs(1);
/// The longest wait: some engines are never idle.
const MOST: Duration = Duration::from_secs(20);

/// Since when an engine is idle.
pub struct IdleWatch {
    looked_us: i64,
    cpu_us: u64,
    idle_from_us: Option<i64>,
}

impl IdleWatch {
    /// Of an engine that has used so much processor time.
    pub fn new(now_us: i64, cpu_us: u64) -> IdleWatch {
        IdleWatch { looked_us: now_us, cpu_us, idle_from_us: None }
    }

    /// Looks at its processor time, unless the last look was a moment ago.
    pub fn look(&mut self, now_us: i64, cpu_us: impl FnOnce() -> u64) {
        let past_us = now_us - self.looked_us;
        if past_us < LOOK.as_micros() as i64 {
            return;
        }
        let cpu_us = cpu_us();
        let share = cpu_us.saturating_sub(self.cpu_us) as f64 / past_us as f64;
        let since = self.idle_from_us.unwrap_or(self.looked_us);
        self.idle_from_us = (share < IDLE).then_some(since);
        (self.looked_us, self.cpu_us) = (now_us, cpu_us);
    }

    /// When it began to be idle, if it was so for a second.
    pub fn idle_from_us(&self, now_us: i64) -> Option<i64> {
        self.idle_from_us.filter(|from| now_us - from >= IDLE_FOR.as_micros() as i64)
    }
}

/// Waits until an engine without frames is idle, or has ended: what happens after so many of its checkpoints counts from
/// there.
///
/// # Errors
/// If it cannot be watched any more.
pub fn wait_until_idle(engine: &mut Supervised, stop: &Stop) -> Result<()> {
    let begun = Instant::now();
    let mut watch = IdleWatch::new(steady_us(), engine.usage().cpu_us);
    while watch.idle_from_us(steady_us()).is_none()
        && begun.elapsed() < MOST
        && !stop.interrupted()
        && engine.ended()?.is_none()
    {
        std::thread::sleep(LOOK);
        watch.look(steady_us(), || engine.usage().cpu_us);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_is_a_second_with_little_processor_time() {
        let ms = |ms: i64| ms * 1_000;
        let mut watch = IdleWatch::new(0, 0);
        watch.look(ms(600), || 600_000);
        assert_eq!(watch.idle_from_us(ms(2_000)), None, "busy");
        watch.look(ms(1_099), || panic!("the last look was a moment ago"));
        watch.look(ms(1_100), || 699_000);
        assert_eq!(watch.idle_from_us(ms(1_599)), None, "idle for too short a time");
        assert_eq!(watch.idle_from_us(ms(1_600)), Some(ms(600)));
        // Another process, with less time than the one before.
        watch.look(ms(1_800), || 0);
        assert_eq!(watch.idle_from_us(ms(1_800)), Some(ms(600)));
        watch.look(ms(2_800), || 200_000);
        assert_eq!(watch.idle_from_us(ms(9_000)), None, "busy again");
    }
}
