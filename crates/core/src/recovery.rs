//! What became of an engine's results when something broke.

use crate::statistics::median;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use strum::{IntoStaticStr, VariantArray};

/// What broke while an engine counted, and what that did to its results.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// What drew the moments that are at random.
    pub seed: u64,
    /// How many frames a second were sent.
    pub frames_per_s: f64,
    /// How many frames a second the slowest engine of the race takes where nothing breaks, from its start to the right
    /// answer; none if that was not measured. The pace is at most half of it.
    #[serde(default)]
    pub slowest_frames_per_s: Option<f64>,
    /// When the first of them was sent, in microseconds from the start of the engine: it had started by then.
    #[serde(default)]
    pub sending_from_us: i64,
    /// What interrupted the engine, in order.
    pub interruptions: Vec<Interruption>,
    /// Windows that are missing in the end, or have fewer users than are acceptable.
    pub lost_windows: u64,
    /// Windows of which a row came again, with the same users and frames.
    pub repeated_windows: u64,
    /// Rows that are the first answer of their window again.
    pub repeated_firsts: u64,
}

/// A time in which an engine could not count. Times are microseconds from the start of the engine.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interruption {
    /// Why.
    pub kind: InterruptionKind,
    /// When it began: the engine was killed or stopped, or the broker told to end.
    pub begun_us: i64,
    /// When it was over: the engine was started again or went on, or the broker was there again.
    pub back_us: i64,
    /// When the first row after that was news: its window had had no row with as many users. None if there was none
    /// before the next interruption.
    pub news_us: Option<i64>,
}

/// Why an engine could not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
pub enum InterruptionKind {
    /// All its processes were killed.
    #[strum(serialize = "crashes")]
    Crash,
    /// All its processes were stopped for a while.
    #[strum(serialize = "stalls")]
    Stall,
    /// The broker was restarted.
    #[strum(serialize = "broker restarts")]
    BrokerRestart,
}

impl Recovery {
    /// As in `crashes: 3, going on after 1.2 s (0.9 to 1.4)`; none if there was none of this kind.
    fn words(&self, kind: InterruptionKind) -> Option<String> {
        let of: Vec<&Interruption> =
            self.interruptions.iter().filter(|interruption| interruption.kind == kind).collect();
        // A row may come while the command that restarts the broker ends: a little before it is back. No `-0.0`.
        let tenths = |us: i64| (us as f64 / 1e5).round() / 10.0 + 0.0;
        let seconds: Vec<f64> = of.iter().filter_map(|it| Some(tenths(it.news_us? - it.back_us))).collect();
        if of.is_empty() {
            return None;
        }
        let name: &str = kind.into();
        let after = match (seconds.len(), of.len()) {
            (0, 1) => return Some(format!("{name}: 1, nothing new after it")),
            (0, all) => return Some(format!("{name}: {all}, nothing new after any")),
            (some, all) if some < all => format!("{name}: {all}, going on after {some} of them, after"),
            (_, all) => format!("{name}: {all}, going on after"),
        };
        let middle = median(&seconds);
        let (least, most) = seconds.iter().fold((middle, middle), |(least, most), s| (least.min(*s), most.max(*s)));
        let range =
            if of.len() > 1 && seconds.len() > 1 { format!(" ({least:.1} to {most:.1})") } else { String::new() };
        Some(format!("{after} {middle:.1} s{range}"))
    }
}

/// As in `crashes: 3, going on after 1.2 s (0.9 to 1.4), 0 windows lost, 4 with repeated rows, at 300 frames/s`. The
/// middle one of the times is the median.
impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for words in InterruptionKind::VARIANTS.iter().filter_map(|kind| self.words(*kind)) {
            write!(f, "{words}, ")?;
        }
        let windows = if self.lost_windows == 1 { "window" } else { "windows" };
        write!(f, "{} {windows} lost, {} with repeated rows, ", self.lost_windows, self.repeated_windows)?;
        if self.repeated_firsts > 0 {
            let rows = if self.repeated_firsts == 1 { "first answer" } else { "first answers" };
            write!(f, "{} {rows} again, ", self.repeated_firsts)?;
        }
        write!(f, "at {:.0} frames/s", self.frames_per_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interruption(kind: InterruptionKind, after: Option<i64>) -> Interruption {
        Interruption { kind, begun_us: 1_000_000, back_us: 2_000_000, news_us: after.map(|us| us + 2_000_000) }
    }

    fn words(interruptions: &[(InterruptionKind, Option<i64>)], firsts: u64) -> String {
        let interruptions = interruptions.iter().map(|(kind, after)| interruption(*kind, *after)).collect();
        let recovery = Recovery {
            seed: 1,
            frames_per_s: 600.0,
            slowest_frames_per_s: None,
            sending_from_us: 1_500_000,
            interruptions,
            lost_windows: firsts,
            repeated_windows: 4,
            repeated_firsts: firsts,
        };
        recovery.to_string()
    }

    #[test]
    fn a_line() {
        use InterruptionKind::{BrokerRestart, Crash, Stall};
        let rest = "0 windows lost, 4 with repeated rows, at 600 frames/s";
        let crashes = [(Crash, Some(1_200_000)), (Crash, Some(1_400_000)), (Crash, Some(900_000))];
        assert_eq!(words(&crashes, 0), format!("crashes: 3, going on after 1.2 s (0.9 to 1.4), {rest}"));
        assert_eq!(words(&crashes[..1], 0), format!("crashes: 1, going on after 1.2 s, {rest}"));
        let some = [crashes[0], (Crash, None), crashes[1]];
        assert_eq!(words(&some, 0), format!("crashes: 3, going on after 2 of them, after 1.3 s (1.2 to 1.4), {rest}"));
        assert_eq!(words(&[(Crash, None)], 0), format!("crashes: 1, nothing new after it, {rest}"));
        assert_eq!(words(&[(Crash, None); 2], 0), format!("crashes: 2, nothing new after any, {rest}"));
        let both = [(Stall, Some(-2_000)), (BrokerRestart, Some(5_000_000))];
        let expected = format!("stalls: 1, going on after 0.0 s, broker restarts: 1, going on after 5.0 s, {rest}");
        assert_eq!(words(&both, 0), expected);
        assert_eq!(words(&[], 0), rest);
        assert_eq!(words(&[], 1), "1 window lost, 4 with repeated rows, 1 first answer again, at 600 frames/s");
    }
}
