//! The starts of windows, as other programs write them.

use kuu_frame::TsFormat;
use serde_json::Value;

/// In words, as in "13:39 in milliseconds".
pub(super) fn words(format: TsFormat) -> &'static str {
    match format {
        TsFormat::S => "seconds",
        TsFormat::Ms => "milliseconds",
        TsFormat::Us => "microseconds",
        TsFormat::Ns => "nanoseconds",
        TsFormat::Rfc3339 => "RFC 3339",
    }
}

/// Unix seconds of the member `member`; without a format, whole Unix seconds or RFC 3339.
///
/// # Errors
/// What is wrong with the value, in a few words.
pub(super) fn seconds(member: &str, value: &Value, format: Option<TsFormat>) -> Result<i64, String> {
    let per_second = match (format, value) {
        (None | Some(TsFormat::Rfc3339), Value::String(text)) => return rfc_3339(member, text),
        (None, _) => {
            return value.as_i64().ok_or_else(|| wrong(member, value, "whole Unix seconds or an RFC 3339 text"));
        }
        (Some(format), _) => format.per_second().map(|units| (units as i128, words(format))),
    };
    let (per_second, words) = per_second.ok_or_else(|| wrong(member, value, "an RFC 3339 text"))?;
    let number = match value {
        Value::Number(number) => number.as_i128(),
        // As of frames, a text of digits is a number.
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| wrong(member, value, &format!("whole Unix {words}")))?;
    if number % per_second != 0 {
        return Err(format!("not a result row: `{member}` is {number} {words}, not a whole second"));
    }
    i64::try_from(number / per_second).map_err(|_| wrong(member, value, "a time"))
}

pub(super) fn wrong(member: &str, value: &Value, wanted: &str) -> String {
    format!("not a result row: `{member}` is {value}, not {wanted}")
}

/// Unix seconds of an RFC 3339 time. Parsed here, as date libraries accept more (zones in brackets) and less (the year
/// 9999).
fn rfc_3339(member: &str, text: &str) -> Result<i64, String> {
    let wrong = || format!("{member} `{text}` is not RFC 3339, as in 2016-07-11T13:39:00Z");
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
        return Err(format!("{member} `{text}` is not a whole second"));
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
