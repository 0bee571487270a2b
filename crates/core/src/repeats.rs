//! An input that is sent several times, each time later in event time.

use kuu_frame::MAX_TS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const DAY: i64 = 86_400;

/// How often the frames of an input came, and how much later each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct InputRepeats {
    /// The first of these times, from 0.
    pub first: u64,
    /// How many times.
    pub count: u64,
    /// How much later each time is than the one before, in seconds of event time.
    pub shift_s: i64,
}

/// Once, as they are.
impl Default for InputRepeats {
    fn default() -> InputRepeats {
        InputRepeats { first: 0, count: 1, shift_s: 0 }
    }
}

impl InputRepeats {
    /// Whether the frames came once, as they are.
    pub fn is_once(&self) -> bool {
        self.count == 1 && (self.first == 0 || self.shift_s == 0)
    }

    /// The event times, in Unix seconds, of a frame that has `ts` in its file.
    pub fn times(self, ts: i64) -> impl Iterator<Item = i64> {
        let shift = move |index: u64| i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(self.shift_s);
        (0..self.count).map(move |index| ts.saturating_add(shift(self.first.saturating_add(index))).clamp(0, MAX_TS))
    }
}

/// The event times of an input, from the earliest to the latest, in Unix seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventSpan(Option<Ends>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    earliest: i64,
    latest: i64,
}

impl EventSpan {
    /// Adds the time of a frame.
    #[inline]
    pub fn add(&mut self, ts: i64) {
        self.0 = Some(match self.0 {
            Some(ends) => Ends { earliest: ends.earliest.min(ts), latest: ends.latest.max(ts) },
            None => Ends { earliest: ts, latest: ts },
        });
    }

    /// Whether no frame has a time.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The days from one repeat to the next: the span, rounded up to whole days, and a day more. So every frame of a
    /// repeat is at least a day later than all frames before it, and no window of up to a day has frames of both.
    pub fn days_apart(&self) -> u32 {
        let span = self.0.map_or(0, |ends| ends.latest - ends.earliest);
        u32::try_from((span + DAY - 1) / DAY + 1).unwrap_or(u32::MAX)
    }

    /// Whether all frames of a repeat, by its index from 0, are at least a day before the end of the year 9999: then their
    /// local dates can be written too.
    pub fn may_repeat(&self, index: u64) -> bool {
        let room = self.0.map_or(MAX_TS, |ends| MAX_TS - DAY - ends.latest);
        let days = u64::from(self.days_apart()).saturating_mul(index);
        index == 0 || i64::try_from(days).is_ok_and(|days| days <= room / DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(times: &[i64]) -> EventSpan {
        let mut span = EventSpan::default();
        times.iter().for_each(|ts| span.add(*ts));
        span
    }

    #[test]
    fn repeats_are_a_day_apart() {
        for (times, days) in [
            (&[][..], 1),
            (&[5], 1),
            (&[5, 6], 2),
            (&[DAY - 1, 0, 7], 2),
            (&[0, DAY], 2),
            (&[DAY + 1, 0], 3),
            (&[0, MAX_TS], 2_932_898),
        ] {
            assert_eq!(span(times).days_apart(), days, "{times:?}");
        }
    }

    #[test]
    fn the_end_of_the_year_9999() {
        let days = (MAX_TS / DAY) as u64;
        assert!(span(&[]).may_repeat(days - 1));
        // The frame of the last repeat is exactly a day before the end of time.
        assert!(span(&[DAY - 1]).may_repeat(days - 1));
        assert!(!span(&[DAY - 1]).may_repeat(days));
        assert!(span(&[MAX_TS]).may_repeat(0) && !span(&[MAX_TS]).may_repeat(1));
        assert!(!span(&[5]).may_repeat(u64::MAX));
    }

    #[test]
    fn times_of_a_frame() {
        let times = |first, count, shift_s| InputRepeats { first, count, shift_s }.times(7).collect::<Vec<_>>();
        assert_eq!(InputRepeats::default().times(7).collect::<Vec<_>>(), [7]);
        assert_eq!(times(0, 3, 100), [7, 107, 207]);
        assert_eq!(times(3, 1, 100), [307]);
        assert_eq!(times(u64::MAX, 1, i64::MAX), [MAX_TS]);
        assert!(InputRepeats::default().is_once() && !InputRepeats { count: 2, ..InputRepeats::default() }.is_once());
    }
}
