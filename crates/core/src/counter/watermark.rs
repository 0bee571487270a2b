//! Event time: one clock for each partition, one watermark over all of them.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Consecutive frames that must agree before a clock starts or jumps.
pub const CORROBORATION: u32 = 8;

/// The event time that one partition has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watermark {
    /// No frame has been corroborated yet: no window may close.
    Unknown,
    /// No more frames before this second are expected.
    At(i64),
    /// The partition is silent, has ended, or has no plausible clock: it does not count for the watermark.
    Idle,
}

/// Whether a partition counts for the overall watermark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Presence {
    #[default]
    Present,
    /// The partition has ended, or is silent at its end: its next frame brings it back.
    Silent,
    /// The partition sends frames, but they disagree on the time: it is back once they agree.
    Doubtful,
}

/// The event time of one partition: the greatest plausible `ts` so far.
///
/// A frame more than `max_jump` ahead moves the clock only once [`CORROBORATION`] consecutive frames agree with it to
/// within `max_jump`; so a single damaged `ts` cannot close windows or hold them open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    now: Option<i64>,
    candidate: i64,
    agreeing: u32,
    /// Only in states of format 1: a restart does not restore which partitions are silent.
    #[serde(rename = "silent", default, skip_serializing)]
    _silent: bool,
    #[serde(skip)]
    presence: Presence,
    /// The time of the first frame of a series in which no frame agreed with the clock.
    #[serde(skip)]
    doubted_since: Option<Duration>,
}

impl Clock {
    /// Takes the `ts` of one frame, read at the time `at`; returns whether the clock moved or the partition is back.
    fn observe(&mut self, ts: i64, max_jump: i64, at: Duration) -> bool {
        let before = self.now;
        let agrees = match self.now {
            Some(now) if ts <= now + max_jump => {
                self.agreeing = 0;
                self.now = Some(now.max(ts));
                ts >= now - max_jump
            }
            _ => self.corroborate(ts, max_jump),
        };
        let was = self.presence;
        if agrees {
            self.doubted_since = None;
            self.presence = Presence::Present;
        } else {
            self.doubted_since.get_or_insert(at);
            if was == Presence::Silent {
                self.presence = Presence::Present;
            }
        }
        self.presence != was || self.now > before
    }

    fn corroborate(&mut self, ts: i64, max_jump: i64) -> bool {
        if self.agreeing > 0 && (ts - self.candidate).abs() <= max_jump {
            self.candidate = self.candidate.max(ts);
            self.agreeing += 1;
        } else {
            self.candidate = ts;
            self.agreeing = 1;
        }
        let moved = self.agreeing >= CORROBORATION;
        if moved {
            self.now = Some(self.candidate);
            self.agreeing = 0;
        }
        moved
    }

    fn watermark(&self, lateness: i64) -> Watermark {
        match self.now {
            _ if self.presence != Presence::Present => Watermark::Idle,
            None => Watermark::Unknown,
            Some(now) => Watermark::At(now - lateness),
        }
    }

    fn is_near(&self, ts: i64, max_jump: i64) -> bool {
        self.now.is_some_and(|now| (ts - now).abs() <= max_jump)
    }
}

/// The clocks of all partitions and the watermark over them, which never goes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    clocks: Vec<Clock>,
    lateness: i64,
    max_jump: i64,
    overall: Option<i64>,
    /// The processing time, from any clock that never goes back.
    #[serde(skip)]
    at: Duration,
}

impl Clocks {
    /// Clocks of `partitions` partitions, none of them started.
    pub fn new(partitions: usize, lateness: i64, max_jump: i64) -> Clocks {
        let clocks = vec![Clock::default(); partitions];
        Clocks { clocks, lateness, max_jump, overall: None, at: Duration::ZERO }
    }

    /// The clocks after a restart, when no partition is known to be silent or doubtful.
    pub fn awake(mut self) -> Clocks {
        for clock in &mut self.clocks {
            clock.presence = Presence::Present;
            clock.doubted_since = None;
        }
        self
    }

    /// The clocks after partitions were added, whose clocks have not started.
    pub fn grown(mut self, partitions: usize) -> Clocks {
        self.clocks.resize(partitions.max(self.clocks.len()), Clock::default());
        self
    }

    /// The number of partitions.
    pub fn partitions(&self) -> usize {
        self.clocks.len()
    }

    /// Takes the `ts` of one frame of `partition`; returns whether the overall watermark advanced.
    #[inline]
    pub fn observe(&mut self, partition: usize, ts: i64) -> bool {
        self.clocks[partition].observe(ts, self.max_jump, self.at) && self.advance()
    }

    /// Leaves `partition` out until its next frame; returns whether the overall watermark advanced.
    pub fn silence(&mut self, partition: usize) -> bool {
        self.clocks[partition].presence = Presence::Silent;
        self.advance()
    }

    /// Takes a silent `partition` in again: it may have frames that nobody has read. The overall watermark never goes back.
    pub fn expect(&mut self, partition: usize) {
        let presence = &mut self.clocks[partition].presence;
        if *presence == Presence::Silent {
            *presence = Presence::Present;
        }
    }

    /// Sets the processing time, and leaves out every partition whose frames have disagreed with its clock, or that has
    /// had no clock, for `idle`; returns whether the overall watermark advanced.
    pub fn leave_out_doubtful(&mut self, at: Duration, idle: Duration) -> bool {
        self.at = at;
        let mut changed = false;
        for clock in &mut self.clocks {
            let doubted = clock.doubted_since.is_some_and(|since| at.saturating_sub(since) >= idle);
            if doubted && clock.presence == Presence::Present {
                clock.presence = Presence::Doubtful;
                changed = true;
            }
        }
        changed && self.advance()
    }

    /// Partitions with frames but without a plausible clock, and whether they are left out; those that are not hold the
    /// watermark back.
    pub fn doubtful(&self) -> impl Iterator<Item = (usize, bool)> {
        let doubtful = |(partition, clock): (usize, &Clock)| {
            clock.doubted_since.map(|_| (partition, clock.presence == Presence::Doubtful))
        };
        self.clocks.iter().enumerate().filter_map(doubtful)
    }

    /// The overall watermark in Unix seconds; none until every partition has a clock or is left out.
    pub fn watermark(&self) -> Option<i64> {
        self.overall
    }

    /// The watermark of one partition.
    pub fn of(&self, partition: usize) -> Watermark {
        self.clocks[partition].watermark(self.lateness)
    }

    /// Whether the second `ts` is within a plausible jump of the clock of `partition`, or else of any clock.
    #[inline]
    pub fn is_near(&self, partition: usize, ts: i64) -> bool {
        self.clocks[partition].is_near(ts, self.max_jump) || self.is_near_any(ts)
    }

    #[cold]
    fn is_near_any(&self, ts: i64) -> bool {
        let near = |at: i64| (ts - at).abs() <= self.max_jump;
        self.overall.is_some_and(near) || self.clocks.iter().any(|clock| clock.is_near(ts, self.max_jump))
    }

    /// The last plausible second of a frame of `partition`: by its own clock or, until it has one, by the most advanced
    /// clock.
    #[inline]
    pub fn horizon(&self, partition: usize) -> Option<i64> {
        let now = self.clocks[partition].now.or_else(|| self.clocks.iter().filter_map(|clock| clock.now).max());
        now.map(|now| now + self.max_jump)
    }

    fn advance(&mut self) -> bool {
        let mut least = None;
        for clock in &self.clocks {
            match clock.watermark(self.lateness) {
                Watermark::Unknown => return false,
                Watermark::Idle => {}
                Watermark::At(at) => least = Some(least.map_or(at, |least: i64| least.min(at))),
            }
        }
        // When every partition is silent, the watermark stops at the slowest clock or later, whichever partition fell
        // silent last.
        let stood = || self.clocks.iter().filter_map(|clock| clock.now).min().map(|now| now - self.lateness);
        let least = least.or_else(stood);
        // `Option` sorts `None` first.
        let advanced = least > self.overall;
        if advanced {
            self.overall = least;
        }
        advanced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(ts: i64) -> Clocks {
        let mut clocks = Clocks::new(1, 5, 3600);
        for _ in 0..8 {
            clocks.observe(0, ts);
        }
        clocks
    }

    #[test]
    fn starts_with_the_eighth_agreeing_frame() {
        let mut clocks = Clocks::new(1, 5, 3600);
        for i in 0..7 {
            assert!(!clocks.observe(0, 1000 + i));
            assert_eq!(clocks.of(0), Watermark::Unknown);
        }
        assert!(clocks.observe(0, 1003));
        assert_eq!(clocks.watermark(), Some(1006 - 5));
    }

    #[test]
    fn a_wild_first_frame_only_restarts_the_run() {
        let mut clocks = Clocks::new(1, 5, 3600);
        clocks.observe(0, 900_000_000);
        for _ in 0..7 {
            assert!(!clocks.observe(0, 1000));
        }
        assert!(clocks.observe(0, 1000));
        assert_eq!(clocks.watermark(), Some(995));
    }

    #[test]
    fn a_jump_needs_eight_in_a_row() {
        let mut clocks = started(1000);
        assert!(clocks.observe(0, 4600), "an hour ahead is plausible");
        for _ in 0..7 {
            assert!(!clocks.observe(0, 8201), "one second more is not");
        }
        assert!(!clocks.observe(0, 4600), "an old frame breaks the run");
        for _ in 0..7 {
            assert!(!clocks.observe(0, 8201));
        }
        assert!(clocks.observe(0, 8201));
        assert_eq!(clocks.watermark(), Some(8196));
    }

    #[test]
    fn frames_that_disagree_corroborate_nothing() {
        let mut clocks = started(1000);
        for i in 0..100 {
            assert!(!clocks.observe(0, 1_000_000 + i * 3601));
        }
        assert_eq!(clocks.watermark(), Some(995));
    }

    #[test]
    fn the_past_moves_nothing() {
        let mut clocks = started(1_000_000);
        for _ in 0..100 {
            assert!(!clocks.observe(0, 5));
        }
        assert_eq!(clocks.watermark(), Some(999_995));
    }

    #[test]
    fn partitions_that_are_added_hold_the_watermark_back() {
        let mut clocks = started(1000).grown(2);
        assert!(!clocks.observe(0, 2000));
        assert_eq!(clocks.watermark(), Some(995));
        for _ in 0..7 {
            assert!(!clocks.observe(1, 1500));
        }
        assert!(clocks.observe(1, 1500));
        assert_eq!(clocks.watermark(), Some(1495));
        let mut clocks = started(1000).grown(2);
        clocks.observe(0, 2000);
        assert!(clocks.silence(1));
        assert_eq!(clocks.watermark(), Some(1995));
    }

    #[test]
    fn the_slowest_partition_decides_and_silence_excuses() {
        let mut clocks = Clocks::new(3, 5, 3600);
        for _ in 0..8 {
            clocks.observe(0, 2000);
            clocks.observe(1, 1000);
        }
        assert_eq!(clocks.watermark(), None, "partition 2 has not spoken");
        assert!(clocks.silence(2));
        assert_eq!(clocks.watermark(), Some(995));
        assert!(clocks.silence(1));
        assert_eq!(clocks.watermark(), Some(1995));
        assert!(!clocks.observe(1, 1001), "back with an old clock: the watermark stays");
        assert_eq!(clocks.of(1), Watermark::At(996));
        assert!(!clocks.observe(0, 3000), "and is held back again");
        assert_eq!(clocks.watermark(), Some(1995));
        for partition in 0..3 {
            clocks.silence(partition);
        }
        assert_eq!(clocks.watermark(), Some(1995), "all silent: time stands still");
    }

    #[test]
    fn it_does_not_matter_who_falls_silent_last() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]] {
            let mut clocks = Clocks::new(3, 5, 3600);
            for _ in 0..8 {
                clocks.observe(0, 2000);
            }
            for partition in order {
                clocks.silence(partition);
            }
            assert_eq!(clocks.watermark(), Some(1995), "{order:?}");
        }
        // Without any clock there is no watermark.
        let mut clocks = Clocks::new(1, 5, 3600);
        clocks.silence(0);
        assert_eq!(clocks.watermark(), None);
    }
}
