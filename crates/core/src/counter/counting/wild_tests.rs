//! Wild clocks: what they may delay, and how much memory they may use.

use super::*;
use crate::counter::watermark::Watermark;
use crate::window::Unit;
use proptest::prelude::*;

const HOUR: i64 = 3_600;
const NOON: i64 = 1_000_000_800;
const IDLE: Duration = Duration::from_secs(2);

fn see(counter: &mut Counter, partition: usize, ts: i64) -> Option<Fate> {
    counter.observe(partition, Ok(Frame { uid: "a", ts }))
}

fn start(counter: &mut Counter, partition: usize, ts: i64) {
    for _ in 0..8 {
        see(counter, partition, ts);
    }
}

/// One frame a second in partition 1, with each of `clocks` in turn as its distance from noon; partition 0 has a good
/// clock.
fn two_partitions(counter: &mut Counter, clocks: &[i64], seconds: i64) -> Vec<Option<i64>> {
    let mut watermarks = Vec::new();
    for second in 0..seconds {
        for _ in 0..8 {
            see(counter, 0, NOON + second);
        }
        see(counter, 1, NOON + second + clocks[second as usize % clocks.len()]);
        counter.leave_out_doubtful(Duration::from_secs(second as u64 + 1), IDLE);
        watermarks.push(counter.watermark().map(|watermark| watermark - NOON));
    }
    watermarks
}

#[test]
fn a_partition_without_a_clock_holds_back_for_idle_at_most() {
    let mut counter = Counter::new(Config::default(), 2);
    let watermarks = two_partitions(&mut counter, &[0, 2 * HOUR], 6);
    // Partition 1 sends frames from second 0 on: two seconds later it is left out.
    assert_eq!(watermarks, [None, Some(-4), Some(-3), Some(-2), Some(-1), Some(0)]);
    assert_eq!(counter.clocks().doubtful().collect::<Vec<_>>(), [(1, true)]);
    assert_eq!(counter.ledger().counted, 54, "its frames are still counted");
    // Once eight frames agree, it counts for the watermark again.
    start(&mut counter, 1, NOON + 3);
    assert_eq!(counter.clocks().doubtful().count(), 0);
    assert_eq!(counter.clocks().of(1), Watermark::At(NOON - 2));
}

#[test]
fn a_clock_that_no_frame_agrees_with_any_more_holds_back_no_longer() {
    for clocks in [[5 * HOUR, 8 * HOUR], [-5 * HOUR, -8 * HOUR]] {
        let mut counter = Counter::new(Config::default(), 2);
        start(&mut counter, 1, NOON - 60);
        let watermarks = two_partitions(&mut counter, &clocks, 5);
        assert_eq!(watermarks, [-65, -4, -3, -2, -1].map(Some), "{clocks:?}");
    }
}

#[test]
fn one_frame_in_many_that_agrees_is_a_clock() {
    let mut counter = Counter::new(Config::default(), 2);
    start(&mut counter, 1, NOON);
    let watermarks = two_partitions(&mut counter, &[5 * HOUR, 0], 6);
    assert_eq!(watermarks, [-5, -4, -4, -2, -2, 0].map(Some));
    assert_eq!(counter.clocks().doubtful().count(), 0);
}

#[test]
fn without_a_word_about_the_time_outside_nothing_is_left_out() {
    let mut counter = Counter::new(Config::default(), 2);
    for i in 0..1_000 {
        see(&mut counter, 0, NOON + i);
        see(&mut counter, 1, NOON + i + i % 2 * 2 * HOUR);
    }
    assert_eq!(counter.watermark(), None);
}

#[test]
fn a_silent_partition_that_comes_back_with_another_time_is_left_out_again() {
    let mut counter = Counter::new(Config::default(), 2);
    start(&mut counter, 0, NOON);
    start(&mut counter, 1, NOON);
    counter.silence(1);
    see(&mut counter, 0, NOON + 60);
    see(&mut counter, 1, NOON + 9 * HOUR);
    see(&mut counter, 0, NOON + 120);
    assert_eq!(counter.watermark(), Some(NOON + 55), "it is back");
    counter.leave_out_doubtful(IDLE, IDLE);
    assert_eq!(counter.watermark(), Some(NOON + 115));
}

fn see_user(counter: &mut Counter, uid: &str, ts: i64) -> Option<Fate> {
    counter.observe(0, Ok(Frame { uid, ts }))
}

fn limited(max_open_windows: usize) -> Counter {
    Counter::new(Config { max_open_windows, ..Config::default() }, 1)
}

#[test]
fn windows_far_from_the_clock_are_limited_and_no_others() {
    let mut counter = limited(10);
    start(&mut counter, 0, NOON);
    see(&mut counter, 0, NOON);
    // Frames ten days ahead and more, and some in the past: each opens a window.
    let wild = |i: i64| NOON + (if i % 3 == 0 { -20 } else { 240 + i }) * HOUR + i * 60;
    let fates: Vec<_> = (0..20).map(|i| see(&mut counter, 0, wild(i))).collect();
    assert_eq!(fates, [[Some(Fate::Counted); 10], [Some(Fate::TooFar); 10]].concat());
    // Open windows still accept frames, and the clock still advances.
    assert_eq!(see(&mut counter, 0, wild(3)), Some(Fate::Counted));
    for minute in 0..2_000 {
        assert_eq!(see(&mut counter, 0, NOON + minute * 60), Some(Fate::Counted), "minute {minute}");
        assert_eq!(see(&mut counter, 0, NOON + minute * 60 - HOUR), Some(Fate::Counted), "minute {minute}");
    }
    let ledger = counter.ledger();
    assert_eq!((ledger.read, ledger.counted, ledger.too_far), (4_030, 4_020, 10));
    assert!(ledger.balances());
    // The windows in the past are evicted by now, so there is room for others.
    assert_eq!(counter.far.windows, 6);
    assert_eq!((0..9).filter(|i| see(&mut counter, 0, NOON + (999 + 2 * i) * HOUR) == Some(Fate::Counted)).count(), 4);
}

#[test]
fn a_window_that_the_clock_reaches_is_no_longer_far() {
    let mut counter = limited(8);
    // Before the clock starts all windows are far; a night later seven are far again.
    start(&mut counter, 0, NOON);
    assert_eq!(counter.far.windows, 1);
    see(&mut counter, 0, NOON);
    assert_eq!(counter.far.windows, 0);
    for i in 0..9 {
        assert_eq!(see(&mut counter, 0, NOON + 10 * HOUR + i * 60), Some(Fate::Counted));
    }
    assert_eq!(counter.far.windows, 8);
    for i in 0..8 {
        see(&mut counter, 0, NOON + 10 * HOUR + i * 60);
    }
    assert_eq!(counter.far.windows, 0);
}

#[test]
fn the_other_partitions_clocks_and_the_watermark_are_near_too() {
    let mut counter = Counter::new(Config { max_open_windows: 1, ..Config::default() }, 3);
    start(&mut counter, 0, NOON);
    assert_eq!(see(&mut counter, 0, NOON + 999 * HOUR), Some(Fate::TooFar), "partition 0 had one before its clock");
    // The first frames of the other partitions, whose clocks have not started.
    for i in 0..7 {
        assert_eq!(see(&mut counter, 1, NOON - 60 * i), Some(Fate::Counted));
        assert_eq!(see(&mut counter, 2, NOON + 60 * i), Some(Fate::Counted));
    }
}

#[test]
fn a_frame_opens_all_its_windows_or_none() {
    let units = vec![Unit::Second, Unit::Minute, Unit::Hour];
    let mut counter = Counter::new(Config { units, max_open_windows: 5, ..Config::default() }, 1);
    start(&mut counter, 0, NOON);
    start(&mut counter, 0, NOON);
    assert_eq!(see(&mut counter, 0, NOON + 99 * HOUR), Some(Fate::Counted));
    assert_eq!(see(&mut counter, 0, NOON + 98 * HOUR), Some(Fate::TooFar), "it needs three more");
    assert_eq!(see(&mut counter, 0, NOON + 99 * HOUR + 60), Some(Fate::Counted), "it needs two");
    assert_eq!(see(&mut counter, 0, NOON + 99 * HOUR + 61), Some(Fate::TooFar));
    assert_eq!(counter.lanes.iter().map(|lane| lane.windows().count()).sum::<usize>(), 3 + 5);
}

#[test]
fn users_of_windows_far_from_the_clock_are_limited_and_no_others() {
    let units = vec![Unit::Minute, Unit::Hour];
    let mut counter = Counter::new(Config { units, max_far_users: 6, ..Config::default() }, 1);
    start(&mut counter, 0, NOON);
    see(&mut counter, 0, NOON);
    assert_eq!(counter.far, Far::default(), "the clock has reached the windows of the first eight frames");
    let wild = NOON + 99 * HOUR;
    assert_eq!(see_user(&mut counter, "b", wild), Some(Fate::Counted));
    assert_eq!(see_user(&mut counter, "c", wild), Some(Fate::Counted));
    assert_eq!(see_user(&mut counter, "b", wild + 60), Some(Fate::Counted), "new in its minute, not in its hour");
    assert_eq!(counter.far, Far { windows: 3, users: 5 });
    let known = counter.users();
    assert_eq!(see_user(&mut counter, "d", wild), Some(Fate::TooFar), "it needs a place in two windows");
    assert_eq!(counter.users(), known, "a user that is refused takes no memory");
    assert_eq!(see_user(&mut counter, "c", wild + 60), Some(Fate::Counted), "it needs one");
    assert_eq!(see_user(&mut counter, "b", wild + 120), Some(Fate::TooFar));
    assert_eq!(see_user(&mut counter, "b", wild + 1), Some(Fate::Counted), "who is there already needs none");
    for i in 0..100 {
        assert_eq!(see_user(&mut counter, &format!("near {i}"), NOON), Some(Fate::Counted), "user {i}");
    }
    assert_eq!((counter.ledger().too_far, counter.ledger().read), (2, 9 + 7 + 100));
    // A clock that gets there makes them near, and there is room for others.
    for _ in 0..9 {
        see_user(&mut counter, "b", wild);
    }
    assert_eq!(counter.far, Far { windows: 1, users: 2 }, "only the minute after it is far still");
    assert_eq!(see_user(&mut counter, "d", wild + 999 * HOUR), Some(Fate::Counted));
    assert_eq!(see_user(&mut counter, "e", wild + 999 * HOUR), Some(Fate::Counted));
    assert_eq!(see_user(&mut counter, "f", wild + 999 * HOUR), Some(Fate::TooFar));
}

proptest! {
    /// A frame near a clock always gets its windows, whatever wild clocks do: the result is the same as without a
    /// limit.
    #[test]
    fn what_is_near_is_never_refused(
        wild in prop::collection::vec((prop_oneof![0i64..4_000_000_000, 2_000_000_000i64..2_000_000_300], 0u8..30), 0..200),
        max_open_windows in 1usize..20,
        max_far_users in 1u64..20,
    ) {
        let mut counter = Counter::new(Config { max_open_windows, max_far_users, ..Config::default() }, 1);
        start(&mut counter, 0, NOON);
        let mut refused = 0;
        for (i, (ts, user)) in wild.iter().enumerate() {
            prop_assert_eq!(see(&mut counter, 0, NOON + i as i64 * 30), Some(Fate::Counted));
            refused += u64::from(see_user(&mut counter, &user.to_string(), *ts) == Some(Fate::TooFar));
            let far = counter.lanes.iter().flat_map(Lane::windows).filter(|(_, open)| open.far);
            let far = far.fold(Far::default(), |sum, (_, open)| {
                Far { windows: sum.windows + 1, users: sum.users + open.users.len() }
            });
            prop_assert!(far.windows <= max_open_windows && far.users <= max_far_users);
            prop_assert_eq!(&far, &counter.far);
        }
        prop_assert_eq!(counter.ledger().too_far, refused);
        prop_assert!(counter.ledger().balances());
    }
}
