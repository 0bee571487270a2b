//! Windows once more, in other words than [`crate::window`]: the truth must not depend on what it checks.

use crate::window::Unit;

const DAY: i64 = 86_400;

/// The first second of the window that holds `ts`, and the first second after it.
pub(super) fn window(unit: Unit, ts: i64) -> (i64, i64) {
    let aligned = |length: i64, first: i64| {
        let start = first + (ts - first).div_euclid(length) * length;
        (start, start + length)
    };
    match unit {
        Unit::Second => aligned(1, 0),
        Unit::Minute => aligned(60, 0),
        Unit::Hour => aligned(3_600, 0),
        Unit::Day => aligned(DAY, 0),
        Unit::Every(seconds) => aligned(seconds.get().into(), 0),
        // 1970-01-05 was a Monday.
        Unit::Week => aligned(7 * DAY, 4 * DAY),
        Unit::Month => {
            let (year, month) = month_of(ts.div_euclid(DAY));
            let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            (first_day(year, month) * DAY, first_day(next.0, next.1) * DAY)
        }
        Unit::Year => {
            let (year, _) = month_of(ts.div_euclid(DAY));
            (first_day(year, 1) * DAY, first_day(year + 1, 1) * DAY)
        }
    }
}

/// Days from 1970-01-01 to the first day of a month.
fn first_day(year: i64, month: i64) -> i64 {
    let leap_days = |year: i64| year / 4 - year / 100 + year / 400;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][(month - 1) as usize];
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969) + before + i64::from(is_leap && month > 2)
}

/// The year and the month of a day: the last ones that begin on it or before.
fn month_of(day: i64) -> (i64, i64) {
    let mut year = 1970 + day / 366;
    while first_day(year + 1, 1) <= day {
        year += 1;
    }
    let month = (1..=12).rev().find(|month| first_day(year, *month) <= day).unwrap_or(1);
    (year, month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuu_frame::MAX_TS;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn two_calendars_agree(ts in 0..=MAX_TS, seconds in 1..=Unit::MAX_SECONDS) {
            for unit in Unit::NAMED.iter().copied().chain(Unit::every(seconds)) {
                let other = unit.window(ts);
                prop_assert_eq!(window(unit, ts), (other.start, other.end), "{}", unit);
            }
        }
    }

    #[test]
    fn they_agree_around_every_first_of_a_month() {
        for year in 1970..=9999 {
            for month in 1..=12 {
                let first = first_day(year, month) * DAY;
                for ts in [first - 1, first, first + 28 * DAY] {
                    for unit in Unit::NAMED.iter().filter(|_| (0..=MAX_TS).contains(&ts)) {
                        let other = unit.window(ts);
                        assert_eq!(window(*unit, ts), (other.start, other.end), "{unit} {ts}");
                    }
                }
            }
        }
    }
}
