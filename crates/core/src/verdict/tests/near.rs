//! Answers that need not be exact.

use super::*;

fn compared(within: Option<f64>, users: u64, frames: u64, truth: u64) -> Comparison {
    let row = format!(r#"{{"start":60,"users":{users},"frames":{frames},"distinct":"hll"}}"#);
    fold(Repeats::Forbidden, &[&row]).within(within).compare([(minute(60), count(truth, 9))])
}

#[test]
fn users_may_be_off_by_a_share_of_those_in_truth() {
    for (within, users, truth, fault) in [
        (None, 100, 100, ""),
        (None, 101, 100, "minute 1970-01-01 00:01 has 101 users instead of 100"),
        (Some(0.02), 102, 100, ""),
        (Some(0.02), 98, 100, ""),
        (Some(0.02), 103, 100, "minute 1970-01-01 00:01 has 103 users instead of 100: off by 3.00 %, more than 2 %"),
        (Some(0.005), 99, 100, "minute 1970-01-01 00:01 has 99 users instead of 100: off by 1.00 %, more than 0.5 %"),
        (Some(0.02), 1, 1, ""),
    ] {
        let comparison = compared(within, users, 9, truth);
        let expected: Vec<&str> = [fault].into_iter().filter(|fault| !fault.is_empty()).collect();
        assert_eq!(comparison.faults(), expected);
        assert_eq!((comparison.inside(), comparison.approximate()), (u64::from(fault.is_empty()), 1));
        let error = users.abs_diff(truth) as f64 / truth as f64;
        assert_eq!(comparison.largest_error().and_then(Line::error), Some(error));
    }
}

#[test]
fn all_else_must_be_right() {
    let frames = compared(Some(0.5), 100, 8, 100);
    assert_eq!(frames.faults(), ["minute 1970-01-01 00:01 has 8 frames instead of 9"]);
    let rows = [r#"{"start":60,"users":5,"distinct":"hll"}"#, r#"{"start":120,"users":1,"distinct":"hll"}"#];
    let comparison =
        fold(Repeats::Forbidden, &rows).within(Some(0.9)).compare([60, 180].map(|start| (minute(start), count(5, 5))));
    let faults = [
        "minute 1970-01-01 00:02 is extra: 1 users where there is none",
        "minute 1970-01-01 00:03 is missing: 5 users in truth",
    ];
    assert_eq!(comparison.faults(), faults);
    assert_eq!((comparison.inside(), comparison.windows()), (1, 2));
}

#[test]
fn the_row_of_the_answer_says_whether_it_is_an_estimate() {
    let (sketch, exact) = (r#"{"start":60,"users":5,"distinct":"hll"}"#, r#"{"start":60,"users":6}"#);
    for (rows, approximate) in [([sketch, exact], 0), ([exact, sketch], 1)] {
        assert_eq!(fold(Repeats::Forbidden, &rows).compare([]).approximate(), approximate);
    }
    let mut withdrawn = fold(Repeats::Forbidden, &[sketch]);
    put(&mut withdrawn, 0, 1, "minute:60", None);
    assert_eq!(withdrawn.compare([(minute(60), count(5, 5))]).approximate(), 0);
}

#[test]
fn shares_in_percent() {
    assert_eq!([0.02, 0.005, 0.9, 0.000_001, 0.1234].map(percent), ["2", "0.5", "90", "0.0001", "12.34"]);
}
