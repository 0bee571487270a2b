//! Waits until an engine without frames is idle: what happens after so many of its checkpoints counts from there.

use crate::engine::stop::Stop;
use crate::race::supervisor::Supervised;
use anyhow::Result;
use std::time::{Duration, Instant};

/// How long a look at its processor time takes.
const LOOK: Duration = Duration::from_millis(250);
/// An engine that uses less than this share of a core, in so many looks in turn, waits for frames.
const IDLE: f64 = 0.2;
const LOOKS: u32 = 4;
/// The longest wait: some engines are never idle.
const MOST: Duration = Duration::from_secs(20);

/// Waits until the engine is idle, or has ended.
///
/// # Errors
/// If it cannot be watched any more.
pub fn wait_until_idle(engine: &mut Supervised, stop: &Stop) -> Result<()> {
    let begun = Instant::now();
    let mut idle = 0;
    let mut before_us = engine.usage().cpu_us;
    while idle < LOOKS && begun.elapsed() < MOST && !stop.interrupted() && engine.ended()?.is_none() {
        let looked = Instant::now();
        std::thread::sleep(LOOK);
        let now_us = engine.usage().cpu_us;
        let share = now_us.saturating_sub(before_us) as f64 / looked.elapsed().as_micros() as f64;
        idle = if share < IDLE { idle + 1 } else { 0 };
        before_us = now_us;
    }
    Ok(())
}
