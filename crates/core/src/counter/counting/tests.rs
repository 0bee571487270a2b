//! Histories: frames go in, and the test compares every emitted result, in order.

use super::*;
use crate::window::Unit;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

mod any_history;

const MINUTE: i64 = 60;

fn counter(partitions: usize) -> Counter {
    Counter::new(Config::default(), partitions)
}

fn see(counter: &mut Counter, partition: usize, uid: &str, ts: i64) -> Option<Fate> {
    counter.observe(partition, Ok(Frame { uid, ts }))
}

/// Eight agreeing frames: the clock of `partition` stands at `ts`.
fn start(counter: &mut Counter, partition: usize, ts: i64) {
    for _ in 0..8 {
        see(counter, partition, "start", ts);
    }
}

/// `minute 60: 2 users 3 frames on_time 0`
fn drain(counter: &mut Counter) -> Vec<String> {
    let line = |result: Emission| {
        let timing = match result.timing {
            Timing::Early => "early",
            Timing::OnTime => "on_time",
            Timing::Late => "late",
        };
        let revision = result.revision.map_or(String::new(), |revision| format!(" {revision}"));
        let Emission { window, users, frames, .. } = result;
        format!("{} {}: {users} users {frames} frames {timing}{revision}", window.unit, window.start)
    };
    counter.drain().map(line).collect()
}

#[test]
fn a_window_closes_when_the_watermark_reaches_its_end() {
    let mut counter = counter(1);
    start(&mut counter, 0, 10);
    see(&mut counter, 0, "b", 59);
    see(&mut counter, 0, "b", MINUTE + 4);
    assert!(!counter.has_results(), "the watermark is at 59");
    see(&mut counter, 0, "b", MINUTE + 5);
    assert_eq!(drain(&mut counter), ["minute 0: 2 users 9 frames on_time 0"]);
    assert_eq!(counter.watermark(), Some(60));
    counter.finish();
    assert_eq!(drain(&mut counter), ["minute 60: 1 users 2 frames on_time 0"]);
    assert!(counter.ledger().balances());
    assert_eq!((counter.ledger().counted, counter.users(), counter.pending()), (11, Some(2), 0));
}

#[test]
fn late_frames_correct_once_with_the_next_window_that_closes() {
    let mut counter = counter(1);
    start(&mut counter, 0, 10);
    see(&mut counter, 0, "a", 65);
    assert_eq!(drain(&mut counter), ["minute 0: 1 users 8 frames on_time 0"]);
    see(&mut counter, 0, "late", 59);
    see(&mut counter, 0, "later", 0);
    see(&mut counter, 0, "late", 30);
    assert!(!counter.has_results(), "corrections wait for each other");
    see(&mut counter, 0, "a", 125);
    assert_eq!(drain(&mut counter), ["minute 60: 1 users 1 frames on_time 0", "minute 0: 3 users 11 frames late 1"]);
    see(&mut counter, 0, "late", 1);
    counter.flush_late();
    assert_eq!(drain(&mut counter), ["minute 0: 3 users 12 frames late 2"]);
    counter.flush_late();
    counter.finish();
    assert_eq!(drain(&mut counter), ["minute 120: 1 users 1 frames on_time 0"]);
    assert_eq!(counter.ledger().late, 4);
}

#[test]
fn retention_ends_when_the_watermark_is_that_far_past_the_end() {
    let mut counter = Counter::new(Config { retention: 100, ..Config::default() }, 1);
    start(&mut counter, 0, 10);
    see(&mut counter, 0, "a", 60 + 100 + 5 - 1);
    assert_eq!(see(&mut counter, 0, "in time", 59), Some(Fate::Counted));
    see(&mut counter, 0, "a", 60 + 100 + 5);
    assert_eq!(see(&mut counter, 0, "too late", 59), Some(Fate::TooLate));
    counter.finish();
    assert_eq!(
        drain(&mut counter),
        [
            "minute 0: 1 users 8 frames on_time 0",
            // The correction is emitted before the window is evicted.
            "minute 0: 2 users 9 frames late 1",
            "minute 120: 1 users 2 frames on_time 0",
        ]
    );
    assert_eq!((counter.ledger().too_late, counter.ledger().counted), (1, 11));
    assert!(counter.ledger().balances());
}

#[test]
fn a_month_that_is_closed_for_good_is_not_opened_again_by_a_week_that_goes_on() {
    // The week from 28 January 2019 to 4 February holds the end of January.
    let february = "2019-02-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    let config = Config { units: vec![Unit::Week, Unit::Month], retention: 3_600, ..Config::default() };
    let mut counter = Counter::new(config, 1);
    start(&mut counter, 0, february - 3_000);
    for i in 0..4 {
        see(&mut counter, 0, "a", february + i * 3_000);
    }
    assert_eq!(see(&mut counter, 0, "late", february - 3_000), Some(Fate::TooLate));
    counter.finish();
    assert_eq!(
        drain(&mut counter),
        [
            format!("month {}: 1 users 8 frames on_time 0", february - 31 * 86_400),
            format!("week {}: 2 users 12 frames on_time 0", february - 4 * 86_400),
            format!("month {february}: 1 users 4 frames on_time 0"),
        ]
    );
    assert_eq!(counter.ledger().too_late, 1);
}

#[test]
fn a_window_that_a_late_frame_opens_has_its_first_result_as_time_goes_on() {
    let mut counter = counter(1);
    start(&mut counter, 0, 1000);
    see(&mut counter, 0, "old", 65);
    see(&mut counter, 0, "older", 61);
    assert!(!counter.has_results());
    see(&mut counter, 0, "now", 1001);
    assert_eq!(drain(&mut counter), ["minute 60: 2 users 2 frames on_time 0"]);
}

/// One frame a second, over some minutes.
fn steady() -> Vec<(String, i64)> {
    (0..300).map(|i| (format!("u{}", i % 7), 1_000_000_020 + i)).collect()
}

/// The emitted results, each with the number of ordinary frames before it.
fn timed(frames: &[(String, i64)], wild: Option<(usize, i64)>) -> Vec<(usize, Emission)> {
    let mut counter = counter(1);
    let mut results = Vec::new();
    for (i, (uid, ts)) in frames.iter().enumerate() {
        if let Some((at, wild)) = wild
            && at == i
        {
            see(&mut counter, 0, "wild", wild);
            results.extend(counter.drain().map(|result| (i, result)));
        }
        see(&mut counter, 0, uid, *ts);
        results.extend(counter.drain().map(|result| (i, result)));
    }
    counter.finish();
    results.extend(counter.drain().map(|result| (frames.len(), result)));
    results
}

#[test]
fn one_wild_future_frame_changes_no_other_result_and_no_timing() {
    let frames = steady();
    let plain = timed(&frames, None);
    assert_eq!(plain.len(), 5);
    let ten_years = 1_000_000_020 + 10 * 365 * 86_400;
    for at in 0..frames.len() {
        let mut results = timed(&frames, Some((at, ten_years)));
        let (when, wild) = results.pop().unwrap();
        assert_eq!((when, wild.window.contains(ten_years), wild.users), (frames.len(), true, 1));
        assert_eq!(results, plain, "wild frame before frame {at}");
    }
}

#[test]
fn one_wild_past_frame_changes_no_other_result_and_no_timing() {
    let frames = steady();
    let plain = timed(&frames, None);
    for at in 0..frames.len() {
        let results = timed(&frames, Some((at, 5)));
        // Before the clock has started no frame is too late; then the old window closes at once.
        let others: Vec<_> = results.into_iter().filter(|(_, result)| result.window.start != 0).collect();
        assert_eq!(others, plain, "wild frame before frame {at}");
    }
}

#[test]
fn a_partition_that_has_not_spoken_holds_everything_back() {
    let mut counter = counter(2);
    start(&mut counter, 0, 10);
    see(&mut counter, 0, "a", 1000);
    assert!(!counter.has_results());
    counter.silence(1);
    assert_eq!(drain(&mut counter), ["minute 0: 1 users 8 frames on_time 0"]);
}

#[test]
fn a_partition_far_ahead_waits_for_the_others() {
    let mut counter = counter(2);
    for minute in 0..10 {
        start(&mut counter, 0, minute * MINUTE);
    }
    start(&mut counter, 1, 5);
    assert!(!counter.has_results());
    see(&mut counter, 1, "b", 70);
    assert_eq!(drain(&mut counter), ["minute 0: 1 users 16 frames on_time 0"]);
    counter.silence(1);
    // The windows that partition 0 has passed are now closed; it has sent nothing after the last minute.
    let mut closed = vec!["minute 60: 2 users 9 frames on_time 0".to_owned()];
    closed.extend((2..8).map(|minute| format!("minute {}: 1 users 8 frames on_time 0", minute * MINUTE)));
    assert_eq!(drain(&mut counter), closed);
    see(&mut counter, 1, "back", 80);
    counter.finish();
    assert_eq!(
        drain(&mut counter),
        [
            "minute 480: 1 users 8 frames on_time 0",
            "minute 540: 1 users 8 frames on_time 0",
            "minute 60: 3 users 10 frames late 1"
        ]
    );
}

#[test]
fn frames_out_of_order_across_partitions_are_on_time() {
    let mut counter = counter(2);
    start(&mut counter, 0, 100);
    start(&mut counter, 1, 30);
    for (partition, uid, ts) in [(0, "a", 130), (1, "b", 31), (0, "c", 110), (1, "d", 59), (1, "e", 125), (0, "f", 131)]
    {
        see(&mut counter, partition, uid, ts);
    }
    assert_eq!(drain(&mut counter), ["minute 0: 3 users 10 frames on_time 0", "minute 60: 2 users 9 frames on_time 0"]);
    assert_eq!(counter.ledger().late, 0);
}

#[test]
fn a_stream_that_pauses_for_days_goes_on() {
    let day = 86_400;
    let mut counter = counter(2);
    start(&mut counter, 0, 10);
    start(&mut counter, 1, 10);
    counter.silence(0);
    counter.silence(1);
    assert!(!counter.has_results(), "silence is no proof that the minute is over");
    for i in 0..7 {
        see(&mut counter, 0, "a", 3 * day + i);
        see(&mut counter, 1, "b", 3 * day + i);
    }
    assert!(!counter.has_results());
    see(&mut counter, 0, "a", 3 * day + 7);
    assert!(!counter.has_results(), "the other partition is still in the past");
    see(&mut counter, 1, "b", 3 * day + 7);
    assert_eq!(drain(&mut counter), ["minute 0: 1 users 16 frames on_time 0"]);
    assert_eq!(see(&mut counter, 0, "late by days", 12), Some(Fate::TooLate));
    counter.finish();
    assert_eq!(drain(&mut counter), [format!("minute {}: 2 users 16 frames on_time 0", 3 * day)]);
}

#[test]
fn replayed_history_corrects_what_is_retained_and_is_too_late_beyond() {
    let mut counter = Counter::new(Config { retention: 300, ..Config::default() }, 1);
    let history: Vec<i64> = (0..600).step_by(10).collect();
    start(&mut counter, 0, 0);
    for ts in &history {
        see(&mut counter, 0, "a", *ts);
    }
    let mut first = vec!["minute 0: 2 users 14 frames on_time 0".to_owned()];
    first.extend((1..9).map(|minute| format!("minute {}: 1 users 6 frames on_time 0", minute * MINUTE)));
    assert_eq!(drain(&mut counter), first);
    // The watermark stands at 585: windows that end at 285 or before are evicted.
    let fates: Vec<_> = history.iter().map(|ts| see(&mut counter, 0, "again", *ts)).collect();
    assert_eq!(fates.iter().filter(|fate| **fate == Some(Fate::TooLate)).count(), 24);
    counter.finish();
    let mut corrected = vec!["minute 540: 2 users 12 frames on_time 0".to_owned()];
    corrected.extend((4..9).map(|minute| format!("minute {}: 2 users 12 frames late 1", minute * MINUTE)));
    assert_eq!(drain(&mut counter), corrected);
    assert!(counter.ledger().balances());
}

#[test]
fn a_frame_that_comes_twice_is_two_frames_of_one_user() {
    let mut counter = counter(1);
    for _ in 0..2 {
        for i in 0..10 {
            see(&mut counter, 0, &format!("u{i}"), 5);
        }
    }
    counter.finish();
    assert_eq!(drain(&mut counter), ["minute 0: 10 users 20 frames on_time 0"]);
}

#[test]
fn early_results_have_no_revision_and_only_come_after_a_change() {
    let mut counter = counter(1);
    start(&mut counter, 0, 70);
    see(&mut counter, 0, "b", 10);
    counter.flush_early();
    assert_eq!(
        drain(&mut counter),
        ["minute 0: 1 users 1 frames early", "minute 60: 1 users 8 frames early"],
        "the watermark is at 65, but nothing has moved it since the old frame"
    );
    counter.flush_early();
    assert!(!counter.has_results());
    see(&mut counter, 0, "c", 71);
    counter.flush_early();
    counter.finish();
    assert_eq!(
        drain(&mut counter),
        [
            "minute 0: 1 users 1 frames on_time 0",
            "minute 60: 2 users 9 frames early",
            "minute 60: 2 users 9 frames on_time 0",
        ]
    );
}

#[test]
fn malformed_values_are_booked_by_reason_and_move_no_clock() {
    let mut counter = counter(1);
    for _ in 0..4 {
        see(&mut counter, 0, "a", 100);
        assert_eq!(counter.observe(0, Err(Malformed::BadTs)), None);
    }
    start(&mut counter, 0, 100);
    counter.observe(0, Err(Malformed::NotJson));
    assert_eq!(counter.watermark(), Some(95));
    let ledger = counter.ledger();
    assert_eq!((ledger.read, ledger.counted, ledger.malformed_total()), (17, 12, 5));
    assert_eq!(ledger.malformed[Malformed::BadTs as usize], 4);
    assert!(ledger.balances());
}

#[test]
fn every_unit_from_one_parse_in_the_order_of_their_ends() {
    let mut counter = Counter::new(Config { units: Unit::NAMED.to_vec(), ..Config::default() }, 1);
    // The last second of 2015, and the first of 2016: a Thursday and a Friday of one ISO week.
    let new_year = 1_451_606_400;
    for _ in 0..8 {
        see(&mut counter, 0, "a", new_year - 1);
    }
    see(&mut counter, 0, "b", new_year);
    see(&mut counter, 0, "a", new_year + 5);
    let old_year = new_year - 365 * 86_400;
    assert_eq!(
        drain(&mut counter),
        [
            format!("second {}: 1 users 8 frames on_time 0", new_year - 1),
            format!("minute {}: 1 users 8 frames on_time 0", new_year - 60),
            format!("hour {}: 1 users 8 frames on_time 0", new_year - 3600),
            format!("day {}: 1 users 8 frames on_time 0", new_year - 86_400),
            format!("month {}: 1 users 8 frames on_time 0", new_year - 31 * 86_400),
            format!("year {old_year}: 1 users 8 frames on_time 0"),
        ]
    );
    counter.finish();
    assert_eq!(
        drain(&mut counter),
        [
            format!("second {new_year}: 1 users 1 frames on_time 0"),
            format!("second {}: 1 users 1 frames on_time 0", new_year + 5),
            format!("minute {new_year}: 2 users 2 frames on_time 0"),
            format!("hour {new_year}: 2 users 2 frames on_time 0"),
            format!("day {new_year}: 2 users 2 frames on_time 0"),
            format!("week {}: 2 users 10 frames on_time 0", new_year - 4 * 86_400),
            format!("month {new_year}: 2 users 2 frames on_time 0"),
            format!("year {new_year}: 2 users 2 frames on_time 0"),
        ]
    );
}

#[test]
fn expired_windows_are_forgotten() {
    let config = Config { units: vec![Unit::Second, Unit::Minute], retention: 60, ..Config::default() };
    let mut counter = Counter::new(config, 1);
    for ts in 0..100_000 {
        see(&mut counter, 0, "a", ts);
    }
    let open: usize = counter.lanes.iter().map(|lane| lane.windows().count()).sum();
    assert_eq!((open, counter.pending(), counter.closed.len()), (68, 7, 61));
}
