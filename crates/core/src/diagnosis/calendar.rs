//! Windows a third time: a diagnosis must not depend on what it judges.

use crate::window::{Unit, Window};
use jiff::ToSpan;
use jiff::civil::{Date, date};

const DAY: i64 = 86_400;

/// The window that holds the second `ts`, which may also lie before 1970 or after 9999.
pub(super) fn window_of(unit: Unit, ts: i64) -> Window {
    let of_length = |seconds: i64| {
        let number = ts.div_euclid(seconds);
        Window { unit, start: number * seconds, end: (number + 1) * seconds }
    };
    let of_days = |first: Date, after: Date| Window { unit, start: second_of(first), end: second_of(after) };
    let day = date(1970, 1, 1).saturating_add(ts.div_euclid(DAY).clamp(-100_000, 4_000_000).days());
    match unit {
        Unit::Second => of_length(1),
        Unit::Minute => of_length(60),
        Unit::Hour => of_length(3_600),
        Unit::Day => of_length(DAY),
        Unit::Every(seconds) => of_length(seconds.get().into()),
        Unit::Week => {
            let monday = day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
            Window { unit, start: second_of(monday), end: second_of(monday) + 7 * DAY }
        }
        Unit::Month => {
            let last = second_of(day.last_of_month());
            Window { end: last + DAY, ..of_days(day.first_of_month(), day) }
        }
        Unit::Year => {
            let last = second_of(day.last_of_year());
            Window { end: last + DAY, ..of_days(day.first_of_year(), day) }
        }
    }
}

fn second_of(day: Date) -> i64 {
    day.duration_since(date(1970, 1, 1)).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuu_frame::MAX_TS;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_calendars_agree(ts in 0..=MAX_TS, seconds in 1..=Unit::MAX_SECONDS) {
            for unit in Unit::NAMED.iter().copied().chain(Unit::every(seconds)) {
                prop_assert_eq!(window_of(unit, ts), unit.window(ts), "{}", unit);
            }
        }
    }

    #[test]
    fn before_1970_and_after_9999() {
        let minute = |start| Window { unit: Unit::Minute, start, end: start + 60 };
        assert_eq!(window_of(Unit::Minute, -1), minute(-60));
        assert_eq!(window_of(Unit::Minute, MAX_TS + 1), minute(MAX_TS + 1));
        assert_eq!(window_of(Unit::Year, -1).start, -365 * DAY);
        for unit in Unit::NAMED {
            window_of(*unit, 1 << 40);
            window_of(*unit, -(1 << 40));
        }
    }
}
