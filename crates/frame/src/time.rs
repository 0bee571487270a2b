//! Event time as text, for the fast parser: the plain one uses `jiff`.

use crate::rules::MAX_TS;

/// The Unix second of a time as RFC 3339 has it, if it is in `0..=MAX_TS`: `2026-03-01T00:00:00.123+01:00`, with any
/// number of digits after the point, `T` or `t` or a space before the time, and `Z` or `z` or an offset after it. The
/// fraction is cut off, and a leap second belongs to the second before it.
pub(crate) fn rfc3339(text: &[u8]) -> Option<i64> {
    let (fixed, rest) = text.split_first_chunk::<19>()?;
    let marks = [fixed[4], fixed[7], fixed[13], fixed[16]] == *b"--::" && matches!(fixed[10], b'T' | b't' | b' ');
    let number = |from: usize| two_digits(fixed[from], fixed[from + 1]);
    let year = 100 * number(0)? + number(2)?;
    let (month, day) = (number(5)?, number(8)?);
    let (hour, minute, second) = (number(11)?, number(14)?, number(17)?);
    let is_time = hour < 24 && minute < 60 && second <= 60;
    if !marks || !is_time || !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let east = offset(after_fraction(rest)?)?;
    let days = days_before_year(year) + days_before_month(year, month) + day - 1;
    let ts = 86_400 * days + 3_600 * hour + 60 * minute + second.min(59) - east;
    (0..=MAX_TS).contains(&ts).then_some(ts)
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| i64::from(10 * (tens - b'0') + (ones - b'0')))
}

/// What follows the seconds and their fraction, if there is one.
fn after_fraction(rest: &[u8]) -> Option<&[u8]> {
    let Some(fraction) = rest.strip_prefix(b".") else { return Some(rest) };
    let len = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (len > 0).then(|| &fraction[len..])
}

/// The seconds by which local time is ahead of UTC.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, [h1, h2, b':', m1, m2]) = text.split_first()? else {
        return matches!(text, b"Z" | b"z").then_some(0);
    };
    let (hours, minutes) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
    let seconds = (hours < 24 && minutes < 60).then_some(3_600 * hours + 60 * minutes)?;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from 1970-01-01 to the first day of a year of the Gregorian calendar.
fn days_before_year(year: i64) -> i64 {
    let leap_days = |years: i64| years / 4 - years / 100 + years / 400;
    // The year 0 is a leap year itself, and there are 719,528 days from its first day to 1970.
    let before = if year == 0 { 0 } else { leap_days(year - 1) + 1 };
    365 * year + before - 719_528
}

/// The days from the first day of a year to the first day of a month.
fn days_before_month(year: i64, month: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    BEFORE[month as usize - 1] + i64::from(month > 2 && is_leap(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, ts) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-03-01T00:00:00.123Z", Some(1_772_323_200)),
            ("2026-03-01t00:00:00.999999999999z", Some(1_772_323_200)),
            ("2026-03-01 01:30:00+01:30", Some(1_772_323_200)),
            ("2026-02-28T23:59:60-00:00", Some(1_772_323_199)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800)),
            ("9999-12-31T23:59:59Z", Some(MAX_TS)),
            ("9999-12-31T23:59:59-00:01", None),
            ("1969-12-31T23:59:59Z", None),
            ("1970-01-01T00:00:00+00:01", None),
            ("0000-02-29T00:00:00Z", None),
            ("2026-02-29T00:00:00Z", None),
            ("1900-02-29T00:00:00Z", None),
            ("2026-03-01T24:00:00Z", None),
            ("2026-03-01T00:00:61Z", None),
            ("2026-03-01T00:00:00.Z", None),
            ("2026-03-01T00:00:00", None),
            ("2026-03-01T00:00:00+24:00", None),
            ("2026-03-01T00:00:00+0100", None),
            ("2026-03-01T00:00:00Z ", None),
            ("2026-03-01", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-00-01T00:00:00Z", None),
            ("2026-03-00T00:00:00Z", None),
            ("+026-03-01T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(rfc3339(text.as_bytes()), ts, "{text}");
        }
    }

    #[test]
    fn every_day() {
        let mut days = 0;
        for year in 1970..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    let text = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
                    assert_eq!(rfc3339(text.as_bytes()), Some(86_400 * days), "{text}");
                    days += 1;
                }
            }
        }
        assert_eq!(86_400 * days - 1, MAX_TS);
    }
}
