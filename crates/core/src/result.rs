//! One row of a topic of results: kuu writes its own rows, and reads the rows of any engine.

use crate::counter::{Emission, Timing};
use crate::window::{Unit, Window};
use kuu_frame::MAX_TS;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::error::Category;

/// Users and frames of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Distinct users.
    pub users: u64,
    /// Frames; an engine may omit them.
    pub frames: Option<u64>,
}

impl Count {
    /// Whether both have the same users, and the same frames if both have them.
    pub fn agrees(&self, other: &Count) -> bool {
        let frames = self.frames.zip(other.frames).is_none_or(|(ours, theirs)| ours == theirs);
        self.users == other.users && frames
    }
}

/// One row of a topic of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The window.
    pub window: Window,
    /// The users and frames of the window.
    pub count: Count,
    /// The number of the correction.
    pub revision: Option<u32>,
    /// The time of the result relative to the watermark; none if an engine does not give it, or gives it in another
    /// way.
    pub timing: Option<Timing>,
}

/// A row in the format of kuu.
#[derive(Serialize)]
struct WrittenRow {
    unit: Unit,
    start: i64,
    end: i64,
    users: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
    emitted_us: i64,
}

/// A row before its validation, so that an error can name the member.
#[derive(Deserialize)]
struct Wire {
    unit: Option<Value>,
    start: Option<Value>,
    users: Option<Value>,
    frames: Option<Value>,
    revision: Option<Value>,
    timing: Option<Value>,
}

impl Row {
    /// Appends the row as one JSON object; `emitted_us` is in microseconds since the Unix epoch.
    pub fn write(&self, emitted_us: i64, out: &mut Vec<u8>) {
        let Row { window: Window { unit, start, end }, count: Count { users, frames }, revision, timing } = *self;
        let timing = timing.map(Timing::name);
        let written = WrittenRow { unit, start, end, users, frames, timing, revision, emitted_us };
        serde_json::to_writer(out, &written).expect("texts and numbers can be written as JSON");
    }

    /// Whether the row says that it is an early result.
    pub fn is_early(&self) -> bool {
        self.timing == Some(Timing::Early)
    }

    /// Reads a row: an object with `start` (Unix seconds or RFC 3339) and `users`; `unit` (default: minute), `frames`,
    /// `revision` and `timing` are optional, other members are ignored.
    ///
    /// # Errors
    /// What is wrong with the row, in a few words.
    pub fn parse(value: &[u8]) -> Result<Row, String> {
        // serde_json does not validate the strings that it skips.
        let text = std::str::from_utf8(value).map_err(|_| "not UTF-8")?;
        let wire = match serde_json::from_str::<Wire>(text) {
            Err(e) if e.classify() != Category::Data => return Err(format!("not JSON: {e}")),
            // serde also accepts an array of the members in their order.
            _ if !text.trim_ascii_start().starts_with('{') => {
                return Err("not a result row: it is not an object".into());
            }
            wire => wire.map_err(|e| format!("not a result row: {e}"))?,
        };
        let unit = match text_of("unit", wire.unit)? {
            Some(unit) => unit.parse()?,
            None => Unit::Minute,
        };
        let start = match wire.start.ok_or("not a result row: it has no `start`")? {
            Value::String(text) => seconds(&text)?,
            start => start.as_i64().ok_or_else(|| wrong("start", &start, "whole Unix seconds or an RFC 3339 text"))?,
        };
        let users = number_of("users", wire.users, u64::MAX)?.ok_or("not a result row: it has no `users`")?;
        let revision = number_of("revision", wire.revision, u32::MAX.into())?;
        Ok(Row {
            window: window_at(unit, start)?,
            count: Count { users, frames: number_of("frames", wire.frames, u64::MAX)? },
            revision: revision.map(|revision| revision as u32),
            timing: text_of("timing", wire.timing)?.and_then(|text| text.parse().ok()),
        })
    }
}

impl From<&Emission> for Row {
    fn from(result: &Emission) -> Row {
        let Emission { window, users, frames, timing, revision } = *result;
        Row { window, count: Count { users, frames: Some(frames) }, revision, timing: Some(timing) }
    }
}

fn wrong(member: &str, value: &Value, wanted: &str) -> String {
    format!("not a result row: `{member}` is {value}, not {wanted}")
}

fn text_of(member: &str, value: Option<Value>) -> Result<Option<String>, String> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(member, &other, "a text")),
    }
}

fn number_of(member: &str, value: Option<Value>, most: u64) -> Result<Option<u64>, String> {
    let Some(value) = value else { return Ok(None) };
    let number = value.as_u64().filter(|number| *number <= most);
    number.map(Some).ok_or_else(|| wrong(member, &value, &format!("a whole number from 0 to {most}")))
}

/// Reads the key of a row, as in `minute:1468244340`.
///
/// # Errors
/// What is wrong with the key, in a few words.
pub fn parse_key(key: &[u8]) -> Result<Window, String> {
    let text = std::str::from_utf8(key).map_err(|_| "the key is not UTF-8".to_owned())?;
    let (unit, start) = text.split_once(':').ok_or_else(|| format!("the key `{text}` is not UNIT:START"))?;
    window_at(unit.parse()?, start.parse().map_err(|_| format!("the key `{text}` has no start in Unix seconds"))?)
}

fn window_at(unit: Unit, start: i64) -> Result<Window, String> {
    // The week of 1970-01-01 starts three days before it.
    let window = unit.window(start.clamp(-3 * 86_400, MAX_TS));
    if window.start == start { Ok(window) } else { Err(format!("no {unit} starts at {start}")) }
}

/// Unix seconds of an RFC 3339 time. Parsed here, as date libraries accept more (zones in brackets) and less (the year
/// 9999).
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("start `{text}` is not RFC 3339, as in 2016-07-11T13:39:00Z");
    let (time, rest) = text.split_at_checked(19).ok_or_else(wrong)?;
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c.to_ascii_uppercase() };
    // RFC 3339 (section 5.6) allows a space instead of the T.
    if !matches!(time.chars().map(shape).collect::<String>().as_str(), "0000-00-00T00:00:00" | "0000-00-00 00:00:00") {
        return Err(wrong());
    }
    let number = |at: usize, len: usize| time[at..at + len].parse::<i8>().map_err(|_| wrong());
    let year = time[..4].parse::<i16>().map_err(|_| wrong())?;
    let date = jiff::civil::Date::new(year, number(5, 2)?, number(8, 2)?).map_err(|_| wrong())?;
    let clock = jiff::civil::Time::new(number(11, 2)?, number(14, 2)?, number(17, 2)?, 0).map_err(|_| wrong())?;
    let digits = rest.strip_prefix('.').map_or("", |rest| &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()]);
    let fraction = if rest.starts_with('.') { 1 + digits.len() } else { 0 };
    if fraction == 1 {
        return Err(wrong());
    }
    let offset = offset(&rest[fraction..]).ok_or_else(wrong)?;
    if digits.bytes().any(|digit| digit != b'0') {
        return Err(format!("start `{text}` is not a whole second"));
    }
    let since = date.to_datetime(clock).duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
    Ok(since.as_secs() - offset)
}

/// Seconds east of UTC: `Z` or `+02:00`.
fn offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes() {
        [b'Z' | b'z'] => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = digits else { return None };
    if ![h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number = |tens: &u8, ones: &u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let (hours, minutes) = (number(h1, h2), number(m1, m2));
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        Row::parse(text.as_bytes()).unwrap()
    }

    fn minute(start: i64) -> Window {
        Unit::Minute.window(start)
    }

    #[test]
    fn rows_of_any_engine() {
        let plain = row(r#"{"start":1468244340,"users":7}"#);
        assert_eq!(plain.window, minute(1_468_244_340));
        assert_eq!(plain.count, Count { users: 7, frames: None });
        for start in [
            "2016-07-11T13:39:00Z",
            "2016-07-11t13:39:00z",
            "2016-07-11 13:39:00Z",
            "2016-07-11T15:39:00+02:00",
            "2016-07-11T08:09:00-05:30",
            "2016-07-11T13:39:00.000Z",
            "2016-07-11T13:39:00.0+00:00",
        ] {
            assert_eq!(row(&format!(r#" {{"start":"{start}","users":7,"by":"another"}}"#)), plain, "{start}");
        }
        assert_eq!(row(r#"{"unit":"year","start":"9999-01-01T00:00:00Z","users":1}"#).window.end, MAX_TS + 1);
        assert_eq!(row(r#"{"unit":"minute","start":"9999-12-31T23:59:00Z","users":1}"#).window.end, MAX_TS + 1);
        assert_eq!(row(r#"{"unit":"week","start":-259200,"users":1}"#).window.start, -259_200);
    }

    #[test]
    fn what_is_written_is_read() {
        for (timing, revision, end) in [
            (Timing::Early, None, r#""early","emitted_us":7}"#),
            (Timing::OnTime, Some(0), r#""on_time","revision":0,"emitted_us":7}"#),
            (Timing::Late, Some(1), r#""late","revision":1,"emitted_us":7}"#),
        ] {
            let row = Row::from(&Emission { window: minute(60), users: 5, frames: 6, timing, revision });
            let mut text = Vec::new();
            row.write(7, &mut text);
            let text = String::from_utf8(text).unwrap();
            let begin = r#"{"unit":"minute","start":60,"end":120,"users":5,"frames":6,"timing":"#;
            assert_eq!(text, format!("{begin}{end}"));
            assert_eq!(Row::parse(text.as_bytes()), Ok(row));
        }
    }

    #[test]
    fn rows_that_are_none() {
        for (text, says) in [
            ("", "not JSON"),
            ("{", "not JSON"),
            ("[]", "not a result row: it is not an object"),
            (r#"["minute",60,5,5,0,"on_time"]"#, "it is not an object"),
            (r#" [null,60,5,null,null,null]"#, "it is not an object"),
            ("7", "not a result row: it is not an object"),
            (r#"{"start":60}"#, "not a result row: it has no `users`"),
            (r#"{"users":60}"#, "not a result row: it has no `start`"),
            (r#"{"start":null,"users":60}"#, "not a result row: it has no `start`"),
            (
                r#"{"start":60.0,"users":1}"#,
                "not a result row: `start` is 60.0, not whole Unix seconds or an RFC 3339 text",
            ),
            (
                r#"{"start":[60],"users":1}"#,
                "not a result row: `start` is [60], not whole Unix seconds or an RFC 3339 text",
            ),
            (
                r#"{"start":1e30,"users":1}"#,
                "not a result row: `start` is 1e+30, not whole Unix seconds or an RFC 3339 text",
            ),
            (
                r#"{"start":60,"users":-1}"#,
                "not a result row: `users` is -1, not a whole number from 0 to 18446744073709551615",
            ),
            (
                r#"{"start":60,"users":"5"}"#,
                "not a result row: `users` is \"5\", not a whole number from 0 to 18446744073709551615",
            ),
            (
                r#"{"start":60,"users":5,"frames":5.5}"#,
                "not a result row: `frames` is 5.5, not a whole number from 0 to 18446744073709551615",
            ),
            (
                r#"{"start":60,"users":5,"revision":4294967296}"#,
                "not a result row: `revision` is 4294967296, not a whole number from 0 to 4294967295",
            ),
            (r#"{"start":60,"users":5,"unit":7}"#, "not a result row: `unit` is 7, not a text"),
            (r#"{"start":60,"users":5,"timing":true}"#, "not a result row: `timing` is true, not a text"),
            (r#"{"start":60,"users":5,"users":6}"#, "duplicate field `users`"),
            (r#"{"start":61,"users":1}"#, "no minute starts at 61"),
            (r#"{"start":"2016-07-11T13:39:00.5Z","users":1}"#, "is not a whole second"),
            (r#"{"unit":"fortnight","start":60,"users":1}"#, "no unit `fortnight`"),
            (r#"{"start":-9223372036854775808,"users":1}"#, "no minute starts at"),
        ] {
            let error = Row::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_row_is_text() {
        for value in [&b"{\"start\":60,\"users\":1,\"x\":\"\xff\"}"[..], b"\xff"] {
            assert_eq!(Row::parse(value).unwrap_err(), "not UTF-8");
        }
        assert!(Row::parse("{\"start\":60,\"users\":1,\"x\":\"é\"}".as_bytes()).is_ok());
    }

    #[test]
    fn starts_that_are_not_rfc_3339() {
        for start in [
            "",
            "yesterday",
            "2016-07-11",
            "2016-07-11T13:40:00",
            "2016-07-11T13:40Z",
            "2016-07-11T13:40:00[Europe/Berlin]Z",
            "2016-07-11T13:40:00+02:00[Europe/Berlin]",
            "2016-07-11T13:40:00Z[UTC]",
            "2016-07-11T13:40:00+0200",
            "2016-07-11T13:40:00+02",
            "2016-07-11T13:40:00+24:00",
            "2016-07-11T13:40:00+00:60",
            "2016-07-11T13:40:00.Z",
            "2016-07-11T13:40:00,0Z",
            "2016-07-11T13:40:00ZZ",
            "2016-07-11T13:40:00Z ",
            " 2016-07-11T13:40:00Z",
            "20160711T134000Z",
            "2016-W28-1T13:40:00Z",
            "+002016-07-11T13:40:00Z",
            "2016-02-30T13:40:00Z",
            "2016-07-11T24:00:00Z",
            "2016-07-11T13:39:60Z",
            "2016-07-11T13:40:0éZ",
            "２016-07-11T13:40:00Z",
        ] {
            let error = Row::parse(format!(r#"{{"start":"{start}","users":1}}"#).as_bytes()).unwrap_err();
            assert!(error.contains("is not RFC 3339"), "{start}: {error}");
        }
    }

    #[test]
    fn keys() {
        assert_eq!(parse_key(b"minute:1468244340"), Ok(minute(1_468_244_340)));
        for key in ["", "minute", "minute:x", "minute:61", "eon:0"] {
            assert!(parse_key(key.as_bytes()).is_err(), "{key}");
        }
    }
}
