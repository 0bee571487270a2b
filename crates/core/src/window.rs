//! Tumbling windows of UTC event time: seconds, minutes, ... years, and any whole number of seconds.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

const DAY: i64 = 86_400;
const EPOCH: Date = date(1970, 1, 1);

/// The length of a window. Each length has one value, and one name: 60 seconds are a minute, not `Every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Any other whole number of seconds, from the Unix epoch on.
    Every(Seconds),
}

/// The length in seconds of a unit that has no name of its own: see [`Unit::every`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seconds(u32);

impl Seconds {
    /// The number of seconds.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Unit {
    /// The units with a name of their own, shortest first.
    pub const NAMED: &[Unit] =
        &[Unit::Second, Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];

    /// The longest window of seconds: 10,000 days. Below the 146,097 days of 400 years, after which the Gregorian
    /// calendar repeats, such windows never hold whole months only.
    pub const MAX_SECONDS: u32 = 10_000 * 86_400;

    /// Windows of this many seconds, aligned to the Unix epoch, if it is `1..=MAX_SECONDS`.
    pub fn every(seconds: u32) -> Option<Unit> {
        match seconds {
            1 => Some(Unit::Second),
            60 => Some(Unit::Minute),
            3_600 => Some(Unit::Hour),
            86_400 => Some(Unit::Day),
            _ => (1..=Unit::MAX_SECONDS).contains(&seconds).then_some(Unit::Every(Seconds(seconds))),
        }
    }

    /// Its seconds, if its windows have a fixed length and one of them starts at the epoch.
    fn seconds(self) -> Option<i64> {
        match self {
            Unit::Second => Some(1),
            Unit::Minute => Some(60),
            Unit::Hour => Some(3_600),
            Unit::Day => Some(DAY),
            Unit::Every(Seconds(seconds)) => Some(seconds.into()),
            Unit::Week | Unit::Month | Unit::Year => None,
        }
    }

    /// Whether every window of this unit lies within one window of `longer`.
    pub fn nests_in(self, longer: Unit) -> bool {
        match (self.seconds(), longer.seconds()) {
            (Some(short), Some(long)) => short < long && long % short == 0,
            // Weeks, months and years begin at any day of those since the epoch, but at the start of a day.
            (Some(short), None) => DAY % short == 0,
            (None, None) => self == Unit::Month && longer == Unit::Year,
            (None, Some(_)) => false,
        }
    }

    /// The window that holds the second `ts` (Unix seconds, `0..=MAX_TS`).
    pub fn window(self, ts: i64) -> Window {
        let days = |first: i64, count: i64| (first * DAY, (first + count) * DAY);
        let (start, end) = match self {
            Unit::Second => (ts, ts + 1),
            Unit::Minute => span(ts, 60),
            Unit::Hour => span(ts, 3600),
            Unit::Day => span(ts, DAY),
            Unit::Every(Seconds(seconds)) => span(ts, seconds.into()),
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

    /// What units are ordered by: the length in seconds, of months and years the average over 400 years; and whether it
    /// is a unit of the calendar, as a week comes after the seven days from a Thursday.
    fn rank(self) -> (i64, bool) {
        match self {
            Unit::Week => (7 * DAY, true),
            Unit::Month => (146_097 * DAY / 4_800, true),
            Unit::Year => (146_097 * DAY / 400, true),
            _ => (self.seconds().unwrap_or_default(), false),
        }
    }

    fn own_name(self) -> Option<&'static str> {
        match self {
            Unit::Second => Some("second"),
            Unit::Minute => Some("minute"),
            Unit::Hour => Some("hour"),
            Unit::Day => Some("day"),
            Unit::Week => Some("week"),
            Unit::Month => Some("month"),
            Unit::Year => Some("year"),
            Unit::Every(_) => None,
        }
    }
}

impl Ord for Unit {
    fn cmp(&self, other: &Unit) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Unit {
    fn partial_cmp(&self, other: &Unit) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a length is written in, shortest first.
const LETTERS: [(&str, u32); 4] = [("s", 1), ("min", 60), ("h", 3_600), ("d", 86_400)];

/// The name used on the command line, in rows, keys and records: `minute`, or a length in the largest of `s`, `min`, `h`
/// and `d` that divides it, as in `90min`.
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.own_name(), self) {
            (None, Unit::Every(Seconds(seconds))) => {
                let (letters, one) = LETTERS.into_iter().rfind(|(_, one)| seconds % one == 0).unwrap_or(LETTERS[0]);
                f.pad(&format!("{}{letters}", seconds / one))
            }
            (name, _) => f.pad(name.unwrap_or_default()),
        }
    }
}

/// Reads a name, or any spelling of a length: `60s` is `minute`.
impl FromStr for Unit {
    type Err = String;

    fn from_str(text: &str) -> Result<Unit, String> {
        if let Some(unit) = Unit::NAMED.iter().find(|unit| unit.own_name() == Some(text)) {
            return Ok(*unit);
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, letters) = text.split_at(digits);
        let one = LETTERS.into_iter().find(|(known, _)| *known == letters).map(|(_, one)| one);
        let Some(one) = one.filter(|_| digits > 0) else {
            return Err(match letters {
                "" if digits > 0 => {
                    format!("no unit `{text}`: {number} of what? Write {number}s, {number}min, {number}h or {number}d")
                }
                "m" if digits > 0 => format!("no unit `{text}`: minutes are written {number}min"),
                _ => format!(
                    "no unit `{text}`: use second, minute, hour, day, week, month or year, or a whole number of s, min, \
                     h or d, as in 10s, 5min, 6h or 2d"
                ),
            });
        };
        let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(one));
        match seconds {
            Some(0) => Err(format!("no unit `{text}`: a window lasts 1s at least")),
            seconds => seconds.and_then(Unit::every).ok_or_else(|| {
                format!("no unit `{text}`: a window lasts {} at most", Unit::Every(Seconds(Unit::MAX_SECONDS)))
            }),
        }
    }
}

impl JsonSchema for Unit {
    fn schema_name() -> Cow<'static, str> {
        "Unit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "The length of a window: `second` to `year` by the calendar, or a number and s, min, h or d, as in `10s`."
        })
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unit, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        name.parse().map_err(D::Error::custom)
    }
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

    /// The window in a table of several units: `2016-07-11 13:00 (hour)` where a minute could start there too.
    pub fn label(&self) -> String {
        match self.unit {
            Unit::Hour | Unit::Every(_) => format!("{self} ({})", self.unit),
            _ => self.to_string(),
        }
    }

    /// Whether the second `ts` belongs to the window.
    pub fn contains(&self, ts: i64) -> bool {
        self.start <= ts && ts < self.end
    }
}

impl Ord for Window {
    fn cmp(&self, other: &Window) -> Ordering {
        (self.start, self.unit).cmp(&(other.start, other.unit))
    }
}

impl PartialOrd for Window {
    fn partial_cmp(&self, other: &Window) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The window as people write it: `2016-07-11 13:39`, with seconds only if windows do not last whole minutes;
/// `2016-W28`, `2016`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = date_of(self.start);
        let second = self.start.rem_euclid(DAY);
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        match self.unit {
            Unit::Week => {
                let week = date.iso_week_date();
                f.pad(&format!("{}-W{:02}", week.year(), week.week()))
            }
            Unit::Month => f.pad(&format!("{}-{:02}", date.year(), date.month())),
            Unit::Year => f.pad(&date.year().to_string()),
            unit => match unit.seconds().unwrap_or(1) {
                seconds if seconds % DAY == 0 => f.pad(&date.to_string()),
                seconds if seconds % 60 == 0 => f.pad(&format!("{date} {h:02}:{m:02}")),
                _ => f.pad(&format!("{date} {h:02}:{m:02}:{s:02}")),
            },
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
mod tests;
