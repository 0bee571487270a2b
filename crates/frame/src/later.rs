//! Frames at a later time: the same bytes, but for the literal of the time.

use crate::fast::{find, text};
use crate::format::FrameFormat;
use std::io::Write as _;

/// Seconds of a day.
const DAY: u128 = 86_400;

/// Moves frames in event time. By whole days a time as text only gets another date, whatever its offset from UTC.
#[derive(Debug)]
pub struct Later {
    format: FrameFormat,
    unescaped: String,
    frame: Vec<u8>,
}

impl Later {
    /// Moves frames of this format.
    pub fn new(format: &FrameFormat) -> Later {
        Later { format: format.clone(), unescaped: String::new(), frame: Vec::new() }
    }

    /// This frame, which a parser has read without an error, so many days later. A string of digits keeps its leading
    /// zeros; a time with escapes loses them. `None` if the later time cannot be written, as it is beyond the year 9999.
    pub fn by_days(&mut self, frame: &[u8], days: u32) -> Option<&[u8]> {
        self.by(frame, Shift::Days(days))
    }

    /// The same, so many seconds later. `None` also for a time as text, which needs whole days.
    pub fn by_seconds(&mut self, frame: &[u8], seconds: u64) -> Option<&[u8]> {
        self.by(frame, Shift::Seconds(seconds))
    }

    fn by(&mut self, frame: &[u8], shift: Shift) -> Option<&[u8]> {
        let Later { format, unescaped, frame: out } = self;
        let place = find::ts_literal(frame, format, unescaped)?;
        let literal = &frame[place.clone()];
        out.clear();
        out.extend_from_slice(&frame[..place.start]);
        match text::string(literal) {
            Some((raw, escaped)) => {
                let time = if escaped {
                    text::unescape(raw, unescaped)?;
                    unescaped.as_str()
                } else {
                    std::str::from_utf8(raw).ok()?
                };
                out.push(b'"');
                write_later(time, format, shift, out)?;
                out.push(b'"');
            }
            // `-0` is zero.
            None => write_later(std::str::from_utf8(literal).ok()?.trim_start_matches('-'), format, shift, out)?,
        }
        out.extend_from_slice(&frame[place.end..]);
        Some(out)
    }
}

/// How much later.
#[derive(Clone, Copy, Debug)]
enum Shift {
    Days(u32),
    Seconds(u64),
}

fn write_later(time: &str, format: &FrameFormat, shift: Shift, out: &mut Vec<u8>) -> Option<()> {
    match (format.ts_format.per_second(), shift) {
        (Some(per_second), shift) => {
            let seconds = match shift {
                Shift::Days(days) => u128::from(days) * DAY,
                Shift::Seconds(seconds) => seconds.into(),
            };
            let later = time.parse::<u128>().ok()?.checked_add(seconds * per_second)?;
            write!(out, "{later:0width$}", width = time.len()).ok()
        }
        (None, Shift::Seconds(_)) => None,
        (None, Shift::Days(days)) => {
            let (date, time_of_day) = time.split_at_checked(10)?;
            let date: jiff::civil::Date = date.parse().ok()?;
            let later = date.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
            write!(out, "{later}{time_of_day}").ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::TsFormat;
    use crate::{Frame, Parser, ParserKind, ParserOptions};

    #[track_caller]
    fn moves(format: &FrameFormat, days: u32, frame: &str, expected: &str) {
        let mut later = Later::new(format);
        assert_eq!(later.by_days(frame.as_bytes(), days).map(String::from_utf8_lossy).as_deref(), Some(expected));
        for kind in [ParserKind::Fast, ParserKind::Plain] {
            let options = ParserOptions { kind, format: format.clone(), ..ParserOptions::default() };
            let (mut before, mut after) = (Parser::new(&options), Parser::new(&options));
            let Frame { uid, ts } = before.parse(frame.as_bytes()).unwrap();
            let then = Frame { uid, ts: ts + 86_400 * i64::from(days) };
            assert_eq!(after.parse(expected.as_bytes()), Ok(then), "{kind} {frame}");
        }
    }

    fn of(ts_format: TsFormat) -> FrameFormat {
        FrameFormat { ts_format, ..FrameFormat::default() }
    }

    #[test]
    fn numbers_and_strings_of_digits() {
        for (format, frame, expected) in [
            (TsFormat::S, r#" {"uid":"a", "ts" : 99 , "n":1} "#, r#" {"uid":"a", "ts" : 172899 , "n":1} "#),
            (TsFormat::S, r#"{"ts":-0,"uid":"a"}"#, r#"{"ts":172800,"uid":"a"}"#),
            (TsFormat::S, r#"{"uid":"a","ts":99}"#, r#"{"uid":"a","ts":172899}"#),
            (TsFormat::S, r#"{"ts":"0000000099","uid":"a"}"#, r#"{"ts":"0000172899","uid":"a"}"#),
            (TsFormat::S, r#"{"t\u0073":"\u0039\u0039","uid":"a"}"#, r#"{"t\u0073":"172899","uid":"a"}"#),
            (TsFormat::S, r#"{"x":{"ts":1},"ts":9,"uid":"ts\":1"}"#, r#"{"x":{"ts":1},"ts":172809,"uid":"ts\":1"}"#),
            (TsFormat::Ms, r#"{"ts":1500,"uid":"é"}"#, r#"{"ts":172801500,"uid":"é"}"#),
            (TsFormat::Us, r#"{"ts":"1500000","uid":"a"}"#, r#"{"ts":"172801500000","uid":"a"}"#),
            (TsFormat::Ns, r#"{"ts":1500000000,"uid":"a"}"#, r#"{"ts":172801500000000,"uid":"a"}"#),
        ] {
            moves(&of(format), 2, frame, expected);
        }
    }

    #[test]
    fn by_seconds() {
        let mut later = Later::new(&of(TsFormat::Ms));
        assert_eq!(later.by_seconds(br#"{"uid":"a","ts":1500}"#, 61), Some(br#"{"uid":"a","ts":62500}"#.as_slice()));
        let mut later = Later::new(&of(TsFormat::Rfc3339));
        assert_eq!(later.by_seconds(br#"{"uid":"a","ts":"2026-02-28T23:59:59Z"}"#, 1), None);
    }

    #[test]
    fn times_as_text() {
        for (time, expected) in [
            ("2026-02-28T23:59:59.123456789123Z", "2026-03-02T23:59:59.123456789123Z"),
            ("2024-02-28t00:30:00+01:00", "2024-03-01t00:30:00+01:00"),
            ("1969-12-31 23:30:00-00:30", "1970-01-02 23:30:00-00:30"),
            ("2016-12-31T23:59:60z", "2017-01-02T23:59:60z"),
            (r"2026\u002d02-28T00:00:00Z", "2026-03-02T00:00:00Z"),
        ] {
            let frame = |time: &str| format!(r#"{{"uid":"a","ts":"{time}","n":[1]}}"#);
            moves(&of(TsFormat::Rfc3339), 2, &frame(time), &frame(expected));
        }
    }

    #[test]
    fn a_time_below_the_root() {
        let format = FrameFormat { ts: "/a/b~1c".parse().unwrap(), ..FrameFormat::default() };
        let frame = r#"{"ts":1,"a":{"ts":2,"b/c":3},"uid":"u"}"#;
        moves(&format, 1, frame, r#"{"ts":1,"a":{"ts":2,"b/c":86403},"uid":"u"}"#);
    }

    #[test]
    fn what_has_no_later_time() {
        let mut later = Later::new(&of(TsFormat::Rfc3339));
        assert_eq!(later.by_days(br#"{"uid":"a","ts":"9999-12-31T00:00:00Z"}"#, 1), None);
        assert_eq!(later.by_days(br#"{"uid":"a","ts":"soon"}"#, 1), None);
        for value in ["", "{", "[]", "{\"ts", "{\"ts\"", "{\"ts\":", "{\"ts\":\"", "{\"ts\":1", "{\"ts\":1.5}", "\u{0}"]
        {
            let _ = Later::new(&of(TsFormat::S)).by_days(value.as_bytes(), 1);
            assert_eq!(later.by_days(value.as_bytes(), u32::MAX), None, "{value}");
        }
    }
}
