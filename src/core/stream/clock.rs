//! How far event time has got: one clock a partition, one watermark over all.

use serde::{Deserialize, Serialize};

/// Consecutive frames that must agree before a clock starts or jumps.
pub const CORROBORATION: u32 = 8;

/// How far the event time of one partition is known to have got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watermark {
    /// No frame has been corroborated yet: nothing may close.
    Unknown,
    /// No more frames before this second are expected.
    At(i64),
    /// The partition is silent or has ended: it says nothing about time and holds nothing back.
    Idle,
}

/// The event time of one partition: the greatest plausible `ts` seen.
///
/// A frame that is more than `max_jump` ahead moves the clock only once [`CORROBORATION`] consecutive
/// frames agree with it to within `max_jump`; so one damaged `ts` neither closes windows nor holds them open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    now: Option<i64>,
    silent: bool,
    candidate: i64,
    agreeing: u32,
}

impl Clock {
    /// Takes the `ts` of one frame; whether the clock moved or the partition came back from silence.
    fn observe(&mut self, ts: i64, max_jump: i64) -> bool {
        let woke = std::mem::take(&mut self.silent);
        match self.now {
            Some(now) if ts <= now + max_jump => {
                self.agreeing = 0;
                if ts > now {
                    self.now = Some(ts);
                }
                woke || ts > now
            }
            _ => self.corroborate(ts, max_jump) || woke,
        }
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
            _ if self.silent => Watermark::Idle,
            None => Watermark::Unknown,
            Some(now) => Watermark::At(now - lateness),
        }
    }
}

/// The clocks of all partitions and the watermark over them, which never goes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    clocks: Vec<Clock>,
    lateness: i64,
    max_jump: i64,
    overall: Option<i64>,
}

impl Clocks {
    /// Clocks of `partitions` partitions, none of which has started.
    pub fn new(partitions: usize, lateness: i64, max_jump: i64) -> Clocks {
        Clocks { clocks: vec![Clock::default(); partitions], lateness, max_jump, overall: None }
    }

    /// As they are after a restart: whether a partition is silent must show anew.
    pub fn awake(mut self) -> Clocks {
        self.clocks.iter_mut().for_each(|clock| clock.silent = false);
        self
    }

    /// As they are when partitions were added, whose clocks have not started.
    pub fn grown(mut self, partitions: usize) -> Clocks {
        self.clocks.resize(partitions.max(self.clocks.len()), Clock::default());
        self
    }

    /// How many there are.
    pub fn partitions(&self) -> usize {
        self.clocks.len()
    }

    /// Takes the `ts` of one frame of `partition`; whether the overall watermark advanced.
    #[inline]
    pub fn observe(&mut self, partition: usize, ts: i64) -> bool {
        self.clocks[partition].observe(ts, self.max_jump) && self.advance()
    }

    /// Leaves `partition` out until it speaks again; whether the overall watermark advanced.
    pub fn silence(&mut self, partition: usize) -> bool {
        self.clocks[partition].silent = true;
        self.advance()
    }

    /// The overall watermark in Unix seconds, none before every partition has a clock or is left out.
    pub fn watermark(&self) -> Option<i64> {
        self.overall
    }

    /// The watermark of one partition.
    pub fn of(&self, partition: usize) -> Watermark {
        self.clocks[partition].watermark(self.lateness)
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
        // Option sorts None first: with every partition silent, the watermark stays.
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
}
