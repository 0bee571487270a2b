//! Tumbling windows of UTC event time, from a second to a year.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};
use std::fmt;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

const DAY: i64 = 86_400;
const EPOCH: Date = date(1970, 1, 1);

/// The length of a window, ordered from the shortest to the longest.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = String, parse_err_fn = unknown)]
pub enum Unit {
    /// One second.
    Second,
    /// 60 seconds.
    Minute,
    /// 3,600 seconds.
    Hour,
    /// 86,400 seconds: leap seconds do not exist in Unix time.
    Day,
    /// Seven days from a Monday (ISO 8601).
    Week,
    /// A month of the Gregorian calendar.
    Month,
    /// A year of the Gregorian calendar.
    Year,
}

impl Unit {
    /// Every unit, shortest first.
    pub const ALL: &[Unit] = Unit::VARIANTS;

    /// The name used on the command line, in keys and in records.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether every window of this unit lies within one window of `longer`.
    pub fn nests_in(self, longer: Unit) -> bool {
        self < longer && !(self == Unit::Week && longer > Unit::Week)
    }

    /// The window that holds the second `ts` (Unix seconds, `0..=MAX_TS`).
    pub fn window(self, ts: i64) -> Window {
        let days = |first: i64, count: i64| (first * DAY, (first + count) * DAY);
        let (start, end) = match self {
            Unit::Second => (ts, ts + 1),
            Unit::Minute => span(ts, 60),
            Unit::Hour => span(ts, 3600),
            Unit::Day => span(ts, DAY),
            // 1970-01-01 was a Thursday, three days after a Monday.
            Unit::Week => {
                let day = ts.div_euclid(DAY);
                days(day - (day + 3).rem_euclid(7), 7)
            }
            Unit::Month => {
                let date = date_of(ts);
                days(day_number(date.first_of_month()), date.days_in_month().into())
            }
            Unit::Year => {
                let date = date_of(ts);
                days(day_number(date.first_of_year()), date.days_in_year().into())
            }
        };
        Window { unit: self, start, end }
    }
}

fn unknown(name: &str) -> String {
    format!("no unit `{name}`: use second, minute, hour, day, week, month or year")
}

/// One interval `start..end` of event time, in Unix seconds.
///
/// Windows sort by start, shorter ones first: the order of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Its length.
    pub unit: Unit,
    /// First second.
    pub start: i64,
    /// First second after it.
    pub end: i64,
}

impl Window {
    /// The key of the results of this window, as in `minute:1468244340`.
    pub fn key(&self) -> String {
        format!("{}:{}", self.unit, self.start)
    }

    /// Whether the second `ts` belongs to the window.
    pub fn contains(&self, ts: i64) -> bool {
        self.start <= ts && ts < self.end
    }
}

impl Ord for Window {
    fn cmp(&self, other: &Window) -> std::cmp::Ordering {
        (self.start, self.unit).cmp(&(other.start, other.unit))
    }
}

impl PartialOrd for Window {
    fn partial_cmp(&self, other: &Window) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The window as people write it: `2016-07-11 13:39`, `2016-W28`, `2016`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = date_of(self.start);
        let second = self.start.rem_euclid(DAY);
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        match self.unit {
            Unit::Second => f.pad(&format!("{date} {h:02}:{m:02}:{s:02}")),
            Unit::Minute | Unit::Hour => f.pad(&format!("{date} {h:02}:{m:02}")),
            Unit::Day => f.pad(&date.to_string()),
            Unit::Week => {
                let week = date.iso_week_date();
                f.pad(&format!("{}-W{:02}", week.year(), week.week()))
            }
            Unit::Month => f.pad(&format!("{}-{:02}", date.year(), date.month())),
            Unit::Year => f.pad(&date.year().to_string()),
        }
    }
}

fn span(ts: i64, seconds: i64) -> (i64, i64) {
    let start = ts - ts.rem_euclid(seconds);
    (start, start + seconds)
}

/// The civil date of a second. Plain dates reach the end of the year 9999, the timestamps of jiff do not.
fn date_of(ts: i64) -> Date {
    EPOCH.saturating_add(ts.div_euclid(DAY).days())
}

fn day_number(date: Date) -> i64 {
    EPOCH.until(date).map_or(0, |span| i64::from(span.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuu_frame::MAX_TS;
    use proptest::prelude::*;

    fn ts(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_second()
    }

    fn bounds(unit: Unit, at: &str) -> (i64, i64) {
        let window = unit.window(ts(at));
        (window.start, window.end)
    }

    #[test]
    fn calendars() {
        for (unit, at, start, end) in [
            (Unit::Second, "2016-07-11T13:39:44Z", "2016-07-11T13:39:44Z", "2016-07-11T13:39:45Z"),
            (Unit::Minute, "2016-07-11T13:39:59Z", "2016-07-11T13:39:00Z", "2016-07-11T13:40:00Z"),
            (Unit::Hour, "2016-07-11T13:39:59Z", "2016-07-11T13:00:00Z", "2016-07-11T14:00:00Z"),
            (Unit::Day, "2016-02-29T23:59:59Z", "2016-02-29T00:00:00Z", "2016-03-01T00:00:00Z"),
            (Unit::Week, "2016-01-03T23:59:59Z", "2015-12-28T00:00:00Z", "2016-01-04T00:00:00Z"),
            (Unit::Week, "2020-12-31T00:00:00Z", "2020-12-28T00:00:00Z", "2021-01-04T00:00:00Z"),
            (Unit::Week, "2024-12-30T00:00:00Z", "2024-12-30T00:00:00Z", "2025-01-06T00:00:00Z"),
            (Unit::Week, "1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z"),
            (Unit::Month, "2016-02-29T12:00:00Z", "2016-02-01T00:00:00Z", "2016-03-01T00:00:00Z"),
            (Unit::Month, "2100-02-28T12:00:00Z", "2100-02-01T00:00:00Z", "2100-03-01T00:00:00Z"),
            (Unit::Month, "2000-02-29T12:00:00Z", "2000-02-01T00:00:00Z", "2000-03-01T00:00:00Z"),
            (Unit::Month, "2019-04-30T23:59:59Z", "2019-04-01T00:00:00Z", "2019-05-01T00:00:00Z"),
            (Unit::Month, "2019-12-31T23:59:59Z", "2019-12-01T00:00:00Z", "2020-01-01T00:00:00Z"),
            (Unit::Year, "2016-12-31T23:59:59Z", "2016-01-01T00:00:00Z", "2017-01-01T00:00:00Z"),
            (Unit::Year, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1971-01-01T00:00:00Z"),
        ] {
            assert_eq!(bounds(unit, at), (ts(start), ts(end)), "{unit} {at}");
        }
    }

    #[test]
    fn the_last_second_of_the_year_9999() {
        let end = MAX_TS + 1;
        for (unit, start) in [
            (Unit::Second, end - 1),
            (Unit::Minute, end - 60),
            (Unit::Hour, end - 3600),
            (Unit::Day, end - DAY),
            (Unit::Month, end - 31 * DAY),
            (Unit::Year, end - 365 * DAY),
        ] {
            assert_eq!(unit.window(MAX_TS), Window { unit, start, end });
        }
        // 9999-12-31 is a Friday: its week ends two days later.
        let week = Unit::Week.window(MAX_TS);
        assert_eq!((week.start, week.end), (end - 5 * DAY, end + 2 * DAY));
    }

    #[test]
    fn labels_and_keys() {
        let at = ts("2016-07-11T13:39:44Z");
        let labels: Vec<String> = Unit::ALL.iter().map(|unit| unit.window(at).to_string()).collect();
        assert_eq!(
            labels,
            [
                "2016-07-11 13:39:44",
                "2016-07-11 13:39",
                "2016-07-11 13:00",
                "2016-07-11",
                "2016-W28",
                "2016-07",
                "2016"
            ]
        );
        assert_eq!(Unit::Minute.window(at).key(), "minute:1468244340");
        assert_eq!(Unit::Week.window(0).to_string(), "1970-W01");
        assert_eq!(Unit::Week.window(ts("2021-01-03T00:00:00Z")).to_string(), "2020-W53");
    }

    #[test]
    fn nesting() {
        assert!(
            Unit::Second.nests_in(Unit::Week) && Unit::Day.nests_in(Unit::Month) && Unit::Month.nests_in(Unit::Year)
        );
        assert!(
            !Unit::Week.nests_in(Unit::Month) && !Unit::Week.nests_in(Unit::Year) && !Unit::Day.nests_in(Unit::Day)
        );
    }

    proptest! {
        #[test]
        fn windows_tile_the_time(ts in 0..=MAX_TS, unit in prop::sample::select(Unit::ALL)) {
            let window = unit.window(ts);
            prop_assert!(window.contains(ts));
            for second in [window.start.max(0), (window.end - 1).min(MAX_TS)] {
                prop_assert_eq!(unit.window(second), window);
            }
            if window.end <= MAX_TS {
                prop_assert_eq!(unit.window(window.end).start, window.end);
            }
            for longer in Unit::ALL.iter().copied().filter(|longer| unit.nests_in(*longer)) {
                let outer = longer.window(ts);
                prop_assert!(outer.start <= window.start && window.end <= outer.end);
            }
        }
    }
}
