//! The verdict on the rows of a live run, in which some windows are still open at the end.

use crate::race::descriptor::Descriptor;
use crate::race::judge::{faults, keep_answered, right_or_within};
use kuu_core::result::Count;
use kuu_core::scorecard::CellVerdict;
use kuu_core::verdict::{Line, Timeline};
use kuu_core::window::Window;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// How long after a later window was right an earlier one may still be on its way, in microseconds, besides the interval at
/// which rows can be seen.
const ON_ITS_WAY_US: i64 = 2_000_000;

/// What is known of a run whose rows are judged.
pub struct LiveRows<'a> {
    /// The users of all windows, those that are still open included.
    pub truth: BTreeMap<Window, u64>,
    /// The users that each of them may have in the end.
    pub accepted: BTreeMap<Window, RangeInclusive<u64>>,
    /// The windows of which all frames were sent.
    pub closed: &'a BTreeSet<Window>,
    /// When the engine was stopped, on the clock of the timeline, in microseconds.
    pub stopped_us: i64,
    /// The interval at which rows come, in microseconds.
    pub every_us: i64,
}

/// Judges the rows. No window has more users than the engine may count; and a closed one that is not right is wrong if a later one
/// was right some time before the end: what the engine has not come to yet is late, and not wrong.
pub fn judge_rows(engine: &Descriptor, rows: &LiveRows<'_>, timeline: Timeline) -> CellVerdict {
    let times = timeline.times().clone();
    let settled_us = rows.stopped_us - ON_ITS_WAY_US - 2 * rows.every_us;
    let is_settled = |window: &Window| {
        times.get(window).and_then(|times| times.right_us).is_some_and(|right_us| right_us <= settled_us)
    };
    let passed = rows.closed.iter().rev().find(|window| is_settled(window)).copied();
    let truth = rows.truth.iter().map(|(window, users)| (*window, Count { users: *users, frames: None }));
    let mut comparison = timeline.into_fold().compare(truth);
    if let Some(why) = faults(engine, &comparison) {
        return CellVerdict::Wrong { why: vec![why], windows: 0, more: 0, fewer: 0 };
    }
    let users = |count: Option<Count>| count.map_or(0, |count| count.users);
    let may_have = |line: &Line| rows.accepted.get(&line.window).cloned().unwrap_or(0..=0);
    let more = |line: &Line| {
        let is_too_many = users(line.answer) > *may_have(line).end();
        if is_too_many { users(line.answer).saturating_sub(users(line.truth)) } else { 0 }
    };
    let fewer = |line: &Line| {
        let is_due = rows.closed.contains(&line.window) && passed.is_some_and(|passed| line.window < passed);
        if is_due && users(line.answer) < *may_have(line).start() {
            users(line.truth).saturating_sub(users(line.answer))
        } else {
            0
        }
    };
    let off = comparison.lines.iter().map(|line| (more(line), fewer(line)));
    let mut sums = [0; 3];
    for (more, fewer) in off.filter(|(more, fewer)| more + fewer > 0) {
        sums[0] += 1;
        sums[1] += more;
        sums[2] += fewer;
    }
    match sums {
        [0, ..] => {}
        [windows, more, fewer] => {
            let why = if more > 0 { "counts users who are not there" } else { "misses users" };
            return CellVerdict::Wrong { why: vec![why.into()], windows, more, fewer };
        }
    }
    keep_answered(&mut comparison.lines, &rows.accepted);
    right_or_within(engine, &comparison, &times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuu_core::verdict::{Fold, Message, Repeats};
    use kuu_core::window::Unit;

    const ENGINE: &str =
        "name = 'x'\ntitle = 'x'\nlicence = 'MIT'\nrun = ['x']\nlate = 'corrects'\nguarantee = 'none'\n";

    /// The verdict on these rows, a second apart, of five minutes with two users each, of which four are closed.
    fn verdict(rows: &[(i64, u64)], stopped_us: i64) -> CellVerdict {
        verdict_of(ENGINE, 0, rows, stopped_us)
    }

    /// The same of an engine with these claims, which may be off by so many users.
    fn verdict_of(claims: &str, off: u64, rows: &[(i64, u64)], stopped_us: i64) -> CellVerdict {
        let window = |n: i64| Unit::Minute.window(n * 60);
        let truth: BTreeMap<Window, u64> = (0..5).map(|n| (window(n), 2)).collect();
        let accepted: BTreeMap<Window, RangeInclusive<u64>> =
            truth.iter().map(|(window, users)| (*window, users - off..=users + off)).collect();
        let mut timeline = Timeline::new(Fold::new(Repeats::Allowed, None), accepted.clone(), |_| false);
        for (offset, (n, users)) in (0..).zip(rows) {
            let row = format!(r#"{{"start":{},"users":{users}}}"#, n * 60);
            let message = Message { partition: 0, offset, key: b"", value: Some(row.as_bytes()) };
            timeline.take(offset * 1_000_000, &message);
        }
        let closed = (0..4).map(window).collect();
        let engine = Descriptor::parse(claims, "x").unwrap();
        judge_rows(&engine, &LiveRows { truth, accepted, closed: &closed, stopped_us, every_us: 0 }, timeline)
    }

    #[test]
    fn what_is_open_or_not_answered_yet_is_not_wrong() {
        assert_eq!(verdict(&[(0, 2), (1, 2)], 9_000_000), CellVerdict::Exact);
        assert_eq!(verdict(&[(0, 2), (1, 2), (2, 2), (3, 2), (4, 1)], 9_000_000), CellVerdict::Exact);
        // The second row of the first window came 2 s after the first.
        let corrected = CellVerdict::Corrected { windows: 1, latest_us: 2_000_000 };
        assert_eq!(verdict(&[(0, 1), (1, 2), (0, 2)], 9_000_000), corrected);
    }

    #[test]
    fn what_the_engine_went_past_is() {
        let fewer = |windows, fewer| CellVerdict::Wrong { why: vec!["misses users".into()], windows, more: 0, fewer };
        assert_eq!(verdict(&[(0, 1), (2, 2)], 9_000_000), fewer(2, 3));
        // It was stopped too soon to say.
        assert_eq!(verdict(&[(0, 1), (2, 2)], 2_000_000), CellVerdict::Exact);
        let more =
            CellVerdict::Wrong { why: vec!["counts users who are not there".into()], windows: 2, more: 4, fewer: 0 };
        assert_eq!(verdict(&[(4, 3), (7, 3)], 0), more);
    }

    #[test]
    fn an_estimate_may_be_off() {
        let claims = format!("{ENGINE}distinct = 'approximate'\nrsd = 0.05\n");
        let of = |rows: &[(i64, u64)]| verdict_of(&claims, 1, rows, 9_000_000);
        assert_eq!(of(&[(0, 3), (1, 1), (2, 2)]), CellVerdict::WithinPolicy { windows: 2, more: 1, fewer: 1 });
        let wrong = |why: &str, more, fewer| CellVerdict::Wrong { why: vec![why.into()], windows: 1, more, fewer };
        assert_eq!(of(&[(0, 4), (1, 2)]), wrong("counts users who are not there", 2, 0));
        assert_eq!(of(&[(0, 0), (1, 2)]), wrong("misses users", 0, 2));
    }
}
