//! What a stream is made of: the whole input of the generator.

use super::trouble::{Amount, Kind, Share, Trouble};
use super::users::MOST_SKEWED_USERS;
use crate::window::Unit;
use kuu_frame::MAX_TS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of the frames of the challenge's generator, on average.
pub const FRAME_BYTES: u32 = 2_079;

/// The first second of its sample: 2016-07-11T13:39:44Z.
pub const START: i64 = 1_468_244_384;

/// How a stream is made. The same specification gives the same bytes, on every machine.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Spec {
    /// Number of lines.
    pub frames: u64,
    /// Frames per second of event time.
    pub rate: f64,
    /// Number of different users.
    pub users: u32,
    /// Zipf exponent of the users; 0 if all are alike.
    pub skew: f64,
    /// What makes the stream another one.
    pub seed: u64,
    /// The first second of event time.
    pub start: i64,
    /// How far a delayed frame may lie back, in seconds.
    pub delay: u32,
    /// How many frames are delayed.
    pub delay_probability: Share,
    /// Whether lines end with `\r\n`.
    pub crlf: bool,
    /// Bytes of a frame, about: 100 to 1,000,000.
    pub frame_bytes: u32,
    /// Number of partitions.
    pub partitions: u16,
    /// Whether all frames of a user go to one partition; else they go to each in turn.
    pub keyed: bool,
    /// Units of the windows in the truth file.
    pub window: Vec<Unit>,
    /// How long a window waits for frames that are out of order, in seconds.
    pub lateness: u32,
    /// How long after its end a window accepts frames, in seconds.
    pub retention: u32,
    /// What is wrong with the stream.
    pub troubles: Vec<Trouble>,
}

impl Default for Spec {
    fn default() -> Spec {
        Spec {
            frames: 50_000,
            rate: 100.0,
            users: 5_000,
            skew: 0.0,
            seed: 1,
            start: START,
            delay: 0,
            delay_probability: Share::NONE,
            crlf: false,
            frame_bytes: FRAME_BYTES,
            partitions: 1,
            keyed: false,
            window: vec![Unit::Minute],
            lateness: 5,
            retention: 86_400,
            troubles: Vec::new(),
        }
    }
}

/// How far ahead a stamp in the future is.
pub(super) const FIVE_YEARS: i64 = 5 * 365 * 86_400;

/// The range of stamps in the past, in seconds before the time of the frame.
pub(super) const YEARS_AGO: (i64, i64) = (365 * 86_400, 3_650 * 86_400);

impl Spec {
    /// Checks that a stream can be made of it.
    ///
    /// # Errors
    /// The first thing that is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        self.check_numbers()?;
        let partitions = self.partitions;
        for trouble in &self.troubles {
            if trouble.partition().is_some_and(|partition| partition >= partitions) {
                return Err(format!("{trouble}: there are {partitions} partitions, numbered from 0"));
            }
        }
        let ends = |trouble: &&Trouble| matches!(trouble.kind, Kind::Empty | Kind::Silent);
        let emptied =
            |partition| self.troubles.iter().filter(ends).find(|trouble| trouble.partition() == Some(partition));
        if (0..partitions).all(|partition| emptied(partition).is_some()) {
            return Err("every partition is empty or falls silent: one must go on".into());
        }
        let forced =
            |trouble: &&Trouble| matches!(trouble.kind, Kind::FutureFirst | Kind::FutureMiddle | Kind::FutureLast);
        for trouble in self.troubles.iter().filter(forced) {
            if let Some(other) = trouble.partition().and_then(emptied) {
                return Err(format!("{trouble}: the partition has no frames: {other}"));
            }
        }
        for kinds in [is_of_time as fn(Kind) -> bool, is_of_form] {
            let shares = self.troubles.iter().filter(|trouble| kinds(trouble.kind)).map(Trouble::share);
            let delay = if self.delay > 0 && kinds(Kind::Past) { self.delay_probability } else { Share::NONE };
            if shares.chain([delay]).map(f64::from).sum::<f64>() > 1.0 {
                return Err("the shares of troubles that exclude each other are more than 1 in all".into());
            }
        }
        let singles = self.troubles.iter().map(|trouble| match trouble.value {
            Amount::Count(count) => u64::from(count),
            Amount::Partition(_) if trouble.kind != Kind::Empty => 1,
            _ => 0,
        });
        if singles.sum::<u64>() > self.frames {
            return Err(format!("more single troubles than the {} frames", self.frames));
        }
        self.check_times()
    }

    fn check_numbers(&self) -> Result<(), String> {
        let fine = |is_fine: bool, words: &str| if is_fine { Ok(()) } else { Err(words.to_owned()) };
        fine(self.rate.is_finite() && self.rate > 0.0, "rate: more than 0 frames per second")?;
        fine(self.users > 0, "users: at least 1")?;
        fine((0.0..=10.0).contains(&self.skew), "skew: a Zipf exponent from 0 to 10")?;
        let table = self.skew == 0.0 || self.users <= MOST_SKEWED_USERS;
        fine(table, "skew: with a skew there are at most 20,000,000 users")?;
        fine((100..=1_000_000).contains(&self.frame_bytes), "frame-bytes: from 100 to 1000000")?;
        fine(self.partitions > 0, "partitions: at least 1")?;
        fine(!self.window.is_empty(), "window: at least one unit")?;
        fine(self.frames <= 1 << 53, "frames: at most 2^53")
    }

    /// Checks that all stamps are from 1970 to 9999.
    fn check_times(&self) -> Result<(), String> {
        let has = |kind: Kind| self.troubles.iter().any(|trouble| trouble.kind == kind);
        let sum = |kind: Kind| -> i64 {
            self.troubles.iter().filter(|trouble| trouble.kind == kind).map(Trouble::seconds).sum()
        };
        let mut back = i64::from(self.delay);
        for (kind, seconds) in [
            (Kind::LateWithin, i64::from(self.lateness)),
            (Kind::LateBeyond, i64::from(self.lateness) + 600),
            (Kind::LateRetention, self.beyond_retention().1),
            (Kind::Past, YEARS_AGO.1),
            (Kind::Edges, self.longest_window()),
        ] {
            back = if has(kind) { back.max(seconds) } else { back };
        }
        back += sum(Kind::Behind);
        let mut ahead = sum(Kind::Ahead) + sum(Kind::Pause);
        if has(Kind::FutureFirst) || has(Kind::FutureMiddle) || has(Kind::FutureLast) {
            ahead += FIVE_YEARS;
        }
        if has(Kind::Edges) {
            ahead += self.longest_window();
        }
        let length = (self.frames as f64 / self.rate).min(MAX_TS as f64) as i64;
        if self.start < back || self.start > MAX_TS - length - ahead {
            let last = MAX_TS - length - ahead;
            return Err(format!("start: from {back} to {last}, or a stamp lies before 1970 or after 9999"));
        }
        Ok(())
    }

    /// The range of stamps beyond retention, in seconds before the time of the frame.
    pub(super) fn beyond_retention(&self) -> (i64, i64) {
        let least = i64::from(self.retention) + i64::from(self.lateness) + self.longest_window();
        (least + 1, least + 3_600)
    }

    /// At least the seconds of the longest window.
    fn longest_window(&self) -> i64 {
        let days = |unit: &Unit| match unit {
            Unit::Second | Unit::Minute | Unit::Hour | Unit::Day => 1,
            Unit::Every(seconds) => i64::from(seconds.get()).div_euclid(86_400) + 1,
            Unit::Week => 7,
            Unit::Month => 31,
            Unit::Year => 366_i64,
        };
        self.window.iter().map(days).max().unwrap_or(1) * 86_400
    }
}

/// Troubles of the time of a frame: at most one a frame.
pub(super) fn is_of_time(kind: Kind) -> bool {
    matches!(kind, Kind::LateWithin | Kind::LateBeyond | Kind::LateRetention | Kind::Past | Kind::Edges)
}

/// Troubles of the form of a frame: at most one a frame.
pub(super) fn is_of_form(kind: Kind) -> bool {
    matches!(kind.default_value(), Amount::Share(_)) && !is_of_time(kind) && kind != Kind::Hot
}
