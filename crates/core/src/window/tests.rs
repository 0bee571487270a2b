//! Windows against the calendar, and against a search.

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
    let labels: Vec<String> = Unit::NAMED.iter().map(|unit| unit.window(at).to_string()).collect();
    assert_eq!(
        labels,
        ["2016-07-11 13:39:44", "2016-07-11 13:39", "2016-07-11 13:00", "2016-07-11", "2016-W28", "2016-07", "2016"]
    );
    assert_eq!(Unit::Minute.window(at).key(), "minute:1468244340");
    assert_eq!(Unit::Week.window(0).to_string(), "1970-W01");
    assert_eq!(Unit::Week.window(ts("2021-01-03T00:00:00Z")).to_string(), "2020-W53");
}

fn every(seconds: u32) -> Unit {
    Unit::every(seconds).unwrap()
}

#[test]
fn labels_of_any_length() {
    let at = ts("2016-07-11T13:39:44Z");
    for (seconds, label, in_a_table) in [
        (10, "2016-07-11 13:39:40", "2016-07-11 13:39:40 (10s)"),
        (90, "2016-07-11 13:39:00", "2016-07-11 13:39:00 (90s)"),
        (300, "2016-07-11 13:35", "2016-07-11 13:35 (5min)"),
        (6 * 3_600, "2016-07-11 12:00", "2016-07-11 12:00 (6h)"),
        (2 * 86_400, "2016-07-10", "2016-07-10 (2d)"),
        (3_600, "2016-07-11 13:00", "2016-07-11 13:00 (hour)"),
        (60, "2016-07-11 13:39", "2016-07-11 13:39"),
    ] {
        let window = every(seconds).window(at);
        assert_eq!((window.to_string().as_str(), window.label().as_str()), (label, in_a_table));
    }
    assert_eq!(every(300).window(1_468_244_340).key(), "5min:1468244100");
}

#[test]
fn a_length_has_one_name() {
    for (spellings, name) in [
        (&["1s", "second", "01s"][..], "second"),
        (&["60s", "1min", "minute"], "minute"),
        (&["3600s", "60min", "1h", "hour"], "hour"),
        (&["86400s", "1440min", "24h", "1d", "day"], "day"),
        (&["10s"], "10s"),
        (&["90s"], "90s"),
        (&["300s", "5min"], "5min"),
        (&["5400s", "90min"], "90min"),
        (&["120min", "2h"], "2h"),
        (&["48h", "2d"], "2d"),
        // From a Thursday: not a week.
        (&["168h", "7d"], "7d"),
        (&["864000000s", "10000d"], "10000d"),
    ] {
        for spelling in spellings {
            let unit: Unit = spelling.parse().unwrap();
            assert_eq!((unit.to_string().as_str(), name.parse()), (name, Ok(unit)), "{spelling}");
        }
    }
}

#[test]
fn what_is_no_unit() {
    for (text, says) in [
        ("0s", "no unit `0s`: a window lasts 1s at least"),
        ("0d", "no unit `0d`: a window lasts 1s at least"),
        ("10", "no unit `10`: 10 of what? Write 10s, 10min, 10h or 10d"),
        ("5m", "no unit `5m`: minutes are written 5min"),
        ("10001d", "no unit `10001d`: a window lasts 10000d at most"),
        ("864000001s", "no unit `864000001s`: a window lasts 10000d at most"),
        ("4294967295d", "no unit `4294967295d`: a window lasts 10000d at most"),
        ("99999999999999999999s", "no unit `99999999999999999999s`: a window lasts 10000d at most"),
    ] {
        assert_eq!(text.parse::<Unit>(), Err(says.to_owned()));
    }
    let general = ": use second, minute, hour, day, week, month or year, or a whole number of s, min, h or d, as in 10s, \
                   5min, 6h or 2d";
    for text in
        ["", "-5s", "+5s", "1.5s", "5 min", " 5min", "5min ", "s", "500ms", "2w", "5M", "Minute", "every", "\u{663}s"]
    {
        assert_eq!(text.parse::<Unit>(), Err(format!("no unit `{text}`{general}")));
    }
    assert_eq!((Unit::every(0), Unit::every(Unit::MAX_SECONDS + 1)), (None, None));
}

/// Whether the windows of `longer` begin only where one of `shorter` does, for all of time.
fn tiles(shorter: Unit, longer: Unit) -> bool {
    let mut start = longer.window(0).start;
    while start <= MAX_TS {
        if shorter.window(start).start != start {
            return false;
        }
        start = longer.window(start).end;
    }
    true
}

#[test]
fn named_units_that_tile_each_other() {
    for (i, shorter) in Unit::NAMED.iter().enumerate().skip(3) {
        for longer in &Unit::NAMED[i + 1..] {
            let is_week = *shorter == Unit::Week;
            assert_eq!(
                (shorter.nests_in(*longer), tiles(*shorter, *longer)),
                (!is_week, !is_week),
                "{shorter} {longer}"
            );
        }
    }
    assert!(Unit::Second.nests_in(Unit::Week) && !Unit::Day.nests_in(Unit::Day) && !Unit::Day.nests_in(Unit::Hour));
}

#[test]
fn lengths_that_tile_the_calendar() {
    for (text, week, month) in [
        ("5min", true, true),
        ("8h", true, true),
        ("7min", false, false),
        ("5h", false, false),
        ("2d", false, false),
        // From a Thursday, and a month has no whole number of them.
        ("7d", false, false),
        ("36h", false, false),
    ] {
        let unit: Unit = text.parse().unwrap();
        let calendar = [Unit::Week, Unit::Month, Unit::Year];
        assert_eq!(calendar.map(|longer| unit.nests_in(longer)), [week, month, month], "{text}");
        assert_eq!(calendar.map(|longer| tiles(unit, longer)), [week, month, month], "{text}");
    }
}

#[test]
fn no_length_holds_only_whole_weeks_or_months() {
    for days in 1..=Unit::MAX_SECONDS / 86_400 {
        let unit = every(days * 86_400);
        for shorter in [Unit::Week, Unit::Month, Unit::Year] {
            assert!(!tiles(shorter, unit) && !shorter.nests_in(unit), "{shorter} {unit}");
        }
    }
}

/// Any unit; often one of few lengths, as most pairs of random ones have nothing in common.
fn any_unit() -> impl Strategy<Value = Unit> {
    let round =
        vec![2, 5, 10, 90, 120, 300, 420, 600, 5_400, 7_200, 21_600, 43_200, 129_600, 172_800, 604_800, 1_209_600];
    prop_oneof![
        prop::sample::select(Unit::NAMED),
        prop::sample::select(round).prop_map(every),
        (1..5_000u32).prop_map(every),
        (1..=Unit::MAX_SECONDS).prop_map(every),
    ]
}

proptest! {
    #[test]
    fn windows_tile_the_time(ts in 0..=MAX_TS, unit in any_unit()) {
        let window = unit.window(ts);
        prop_assert!(window.contains(ts));
        for second in [window.start.max(0), (window.end - 1).min(MAX_TS)] {
            prop_assert_eq!(unit.window(second), window);
        }
        if window.end <= MAX_TS {
            prop_assert_eq!(unit.window(window.end).start, window.end);
        }
        if let Some(seconds) = unit.seconds() {
            prop_assert_eq!((window.start % seconds, window.end - window.start), (0, seconds));
        }
    }

    #[test]
    fn nesting_is_what_a_search_finds(shorter in any_unit(), longer in any_unit(), ts in 0..=MAX_TS) {
        if shorter.nests_in(longer) {
            prop_assert!(shorter < longer);
            let (inner, outer) = (shorter.window(ts), longer.window(ts));
            prop_assert!(outer.start <= inner.start && inner.end <= outer.end);
        }
        // Searches the starts of the first 50 longer windows, which is enough to tell.
        let starts = std::iter::successors(Some(longer.window(0)), |window| Some(longer.window(window.end)));
        let tiles = starts.take(50).all(|window| shorter.window(window.start).start == window.start);
        prop_assert_eq!(shorter.nests_in(longer), tiles && shorter != longer);
    }

    #[test]
    fn a_name_is_read_back(unit in any_unit(), other in any_unit()) {
        prop_assert_eq!(unit.to_string().parse(), Ok(unit));
        prop_assert_eq!(unit.to_string() == other.to_string(), unit == other);
        prop_assert_eq!(unit.cmp(&other).is_eq(), unit == other);
        let seconds = |unit: Unit| { let window = unit.window(1_468_244_340); window.end - window.start };
        prop_assert!(unit <= other || seconds(unit) + 4 * DAY >= seconds(other) );
    }
}
