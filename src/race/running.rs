//! An engine that runs, and how far it is.

use crate::race::awake::IdleWatch;
use crate::race::entrant::Entrant;
use crate::race::observer::OutputObserver;
use crate::race::pacing;
use crate::race::question::RaceWorkload;
use crate::race::setup::{CellNames, RaceSetup};
use crate::race::supervisor::Launch;
use crate::system::clock::steady_us;
use std::time::Duration;

/// How long nothing more comes from an idle engine before the epilogue is sent, and how long it waits for one that is busy,
/// or for the first row: frames of later hours may make an engine drop those that it has not read yet.
const QUIET_US: i64 = 2_000_000;
const BUSY_US: i64 = 12_000_000;
/// How long an engine must be idle before its silence is the end: its last rows may wait for a commit.
const IDLE_US: i64 = 5_000_000;
/// How long the race goes on after the answer is right: what comes then counts.
const SETTLE: Duration = Duration::from_secs(10);
/// The same against the clock, where an engine that waits adds to its cost. What it writes later shows in a scorecard.
const SETTLE_TIMED: Duration = Duration::from_secs(3);

/// When an engine gets its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputTiming {
    /// All are there before it starts; the epilogue follows if it never ends.
    Before,
    /// All are there before it starts, and nothing follows: other engines get the same topic.
    Shared,
    /// All are there before it starts, and the epilogue right behind them: nobody has to wait for it.
    Followed,
    /// They come while it runs, then the epilogue.
    Meanwhile,
}

/// An engine that runs.
pub struct Running<'a> {
    pub setup: &'a RaceSetup<'a>,
    pub engine: &'a Entrant,
    pub of: &'a RaceWorkload,
    pub names: &'a CellNames,
    pub observer: &'a OutputObserver,
    /// How it is started.
    pub launch: &'a Launch,
    /// How it is started after a crash.
    pub again: &'a Launch,
    /// When its frames come.
    pub feed: InputTiming,
    /// When it was started.
    pub started_us: i64,
    /// When its frames began to come, if they come while it runs.
    pub sending_from_us: i64,
}

impl Running<'_> {
    /// Whether only the race ends the engine.
    pub fn never_ends(&self) -> bool {
        self.feed == InputTiming::Meanwhile || !self.engine.ends_itself()
    }

    /// How many frames per second come while the engine runs; none if they are there before, or come as fast as it goes.
    pub fn rate(&self) -> Option<f64> {
        let rate = pacing::rate(&self.of.workload, self.engine.descriptor(), self.setup.pace);
        rate.filter(|_| self.feed == InputTiming::Meanwhile)
    }

    /// How long the frames take that come while the engine runs, in microseconds.
    pub fn sending_us(&self) -> i64 {
        self.rate().map_or(0, |rate| (self.of.workload.expect.read as f64 / rate * 1e6) as i64)
    }

    /// Whether it is time for the epilogue: the engine has read what there is, as far as can be seen.
    pub fn awaits_epilogue(&self, idle: &IdleWatch) -> bool {
        let now = steady_us();
        let quiet_us = if idle.idle_from_us(now).is_some() { QUIET_US } else { BUSY_US };
        self.observer.look(|timeline| match timeline.changed_us() {
            Some(changed) => now - changed > quiet_us,
            None => now - self.sending_from_us - self.sending_us() > BUSY_US,
        })
    }

    /// Whether the answer was right for long enough; or, if it is not right, whether nothing has come of an idle engine for
    /// longer than it may be silent. One that has said nothing since it was interrupted has all the time there is.
    pub fn has_settled(&self, begun_us: i64, idle: &IdleWatch) -> bool {
        let descriptor = self.engine.descriptor();
        let least = 3 * Duration::from_millis(descriptor.emits_every_ms.unwrap_or(0));
        let is_timed = matches!(self.feed, InputTiming::Shared | InputTiming::Followed);
        let settle = if is_timed { SETTLE_TIMED } else { SETTLE }.max(least).as_micros() as i64;
        let session = Duration::from_millis(descriptor.session_ms.unwrap_or(0));
        let silence =
            longest_silence(SETTLE.max(least), session, !self.of.workload.meanwhile.is_empty()).as_micros() as i64;
        let now = steady_us();
        self.observer.look(|timeline| match (timeline.right_us(), timeline.changed_us()) {
            (Some(right), _) => now - right.max(begun_us) > settle,
            (None, Some(changed)) => {
                let is_idle = idle.idle_from_us(now).is_some_and(|idle_from| now - idle_from > IDLE_US);
                !timeline.is_silent() && is_idle && now - changed.max(begun_us) > silence
            }
            (None, None) => false,
        })
    }
}

/// After what silence a wrong answer is the last: twice the time for which a right one must last, or three times where
/// something breaks, as what comes back may take long to do so. A group may wait for two sessions: see
/// `Incidents::grace_us`.
fn longest_silence(settle: Duration, session: Duration, breaks: bool) -> Duration {
    if breaks { (3 * settle).max(2 * session + settle) } else { 2 * settle }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_longer_than_a_session() {
        let seconds = |settle, session, breaks| {
            longest_silence(Duration::from_secs(settle), Duration::from_secs(session), breaks).as_secs()
        };
        assert_eq!(seconds(10, 0, false), 20);
        assert_eq!(seconds(10, 45, false), 20);
        assert_eq!(seconds(10, 0, true), 30);
        assert_eq!(seconds(10, 10, true), 30);
        assert_eq!(seconds(10, 45, true), 100);
    }
}
