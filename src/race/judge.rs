//! The verdict on one engine and one workload, from its rows, its end and its claims.

use crate::race::claims::{ClaimedGuarantee, Emits};
use crate::race::descriptor::Descriptor;
use crate::race::question::{Question, is_within};
use crate::race::supervisor::{EndStatus, Ended};
use crate::terminal::{count, plural};
use kuu_core::result::Count;
use kuu_core::scorecard::CellVerdict;
use kuu_core::verdict::{Comparison, Line, Repeats, Timeline, WindowTimes};
use kuu_core::window::Window;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Faults of rows that are named; the others are only counted.
const NAMED_FAULTS: usize = 2;

/// How the run of an engine came to its end.
#[derive(Clone, Debug)]
pub enum Ending {
    /// By itself.
    Itself(Ended),
    /// The race stopped it, as it had answered and nothing more came.
    Stopped,
    /// The race stopped it, as its time was over.
    OutOfTime {
        /// The time that it had, in seconds.
        after_s: u64,
    },
}

/// Whether an engine may write the same result again.
pub fn repeats(engine: &Descriptor) -> Repeats {
    match engine.guarantee {
        ClaimedGuarantee::ExactlyOnce => Repeats::Forbidden,
        ClaimedGuarantee::AtLeastOnce | ClaimedGuarantee::None => Repeats::Allowed,
    }
}

/// Judges an engine: `never_ends` is whether only the race ends it, `timeline` has all rows, `run` the first and
/// the last second of the run, `last_line` is what it
/// printed last.
pub fn judge(
    engine: &Descriptor,
    question: &Question,
    never_ends: bool,
    timeline: Timeline,
    ending: &Ending,
    run: &RangeInclusive<i64>,
    last_line: &str,
) -> CellVerdict {
    let line = || last_line.to_owned();
    let has_rows = timeline.counts().judged > 0;
    let (wrong_now, is_silent) = (timeline.wrong(), timeline.is_silent());
    match ending {
        Ending::Itself(ended) if ended.status == EndStatus::Code(2) && !has_rows => {
            return CellVerdict::Refused { line: line() };
        }
        Ending::Itself(ended) if ended.status != EndStatus::Code(0) => {
            return CellVerdict::Died { status: ended.to_string(), line: line() };
        }
        Ending::Itself(ended) if never_ends => {
            let status = format!("{ended}, though it never ends by itself");
            return CellVerdict::Died { status, line: line() };
        }
        Ending::OutOfTime { after_s } if !never_ends || !has_rows => {
            let state = match (has_rows, wrong_now) {
                (false, _) => format!("no row after {after_s} s"),
                (true, 0) => format!("its answer was right, but it did not end within {after_s} s"),
                (true, wrong) => not_right(wrong, *after_s),
            };
            return CellVerdict::Hung { state };
        }
        _ => {}
    }
    let answered = answered(engine, question, never_ends, timeline, run);
    match (&answered, ending) {
        (CellVerdict::Wrong { .. }, Ending::OutOfTime { after_s }) if is_silent => {
            let state = format!("nothing came after the last interruption: {}", not_right(wrong_now, *after_s));
            CellVerdict::Hung { state }
        }
        (CellVerdict::Wrong { why, .. }, Ending::OutOfTime { after_s }) if why.is_empty() => {
            CellVerdict::Hung { state: not_right(wrong_now, *after_s) }
        }
        (CellVerdict::Wrong { why, windows, more, fewer }, _) if why.is_empty() => {
            CellVerdict::Wrong { why: vec!["unexplained".into()], windows: *windows, more: *more, fewer: *fewer }
        }
        _ => answered,
    }
}

fn not_right(windows: usize, after_s: u64) -> String {
    let verb = if windows == 1 { "was" } else { "were" };
    format!("{} {verb} not right after {after_s} s", plural(windows as u64, "window"))
}

/// The verdict on the rows alone; a wrong answer that nothing explains has no reason.
fn answered(
    engine: &Descriptor,
    question: &Question,
    never_ends: bool,
    timeline: Timeline,
    run: &RangeInclusive<i64>,
) -> CellVerdict {
    let times = timeline.times().clone();
    let truth = question.truth().iter().map(|(window, users)| (*window, Count { users: *users, frames: None }));
    let mut comparison = timeline.into_fold().compare(truth);
    let is_epilogue = question.epilogue_test(never_ends);
    comparison.lines.retain(|line| !is_epilogue(line.window));
    let answers: BTreeMap<Window, u64> =
        comparison.lines.iter().filter_map(|line| Some((line.window, line.answer?.users))).collect();
    let faults = faults(engine, &comparison);
    let [windows, more, fewer] = error(&comparison.lines);
    let is_accepted = is_within(&answers, &question.accepted(engine));
    if let Some(faults) = faults {
        return CellVerdict::Wrong { why: vec![faults], windows, more, fewer };
    }
    if is_accepted && question.is_kept(&answers) {
        return right(engine, &comparison, &times);
    }
    if is_accepted {
        return CellVerdict::WithinPolicy { windows, more, fewer };
    }
    match question.named(engine, &answers) {
        Some(answer) => CellVerdict::Differs { answer },
        None => CellVerdict::Wrong { why: question.diagnose(&answers, run), windows, more, fewer },
    }
}

/// Every window has the right answer: since its first row, or only later. Of an engine that emits updates no reader knows
/// which row is the last, so it is never exact.
fn right(engine: &Descriptor, comparison: &Comparison, times: &BTreeMap<Window, WindowTimes>) -> CellVerdict {
    // A window without an answer is one that may have none.
    let was_other =
        |line: &&Line| line.answer.is_some_and(|answer| line.first.is_none_or(|first| first.users != answer.users));
    let late = |line: &Line| {
        let times = times.get(&line.window)?;
        Some(times.right_us? - times.first_us?)
    };
    let corrected: Vec<&Line> = comparison.lines.iter().filter(was_other).collect();
    match corrected.len() as u64 {
        0 if engine.emits == Emits::Final => CellVerdict::Exact,
        windows => {
            let latest_us = corrected.iter().filter_map(|line| late(line)).max().unwrap_or(0);
            CellVerdict::Corrected { windows, latest_us }
        }
    }
}

/// Keeps the windows whose answer is one that they may have in the end: the others are open, or have no answer yet.
pub fn keep_answered(lines: &mut Vec<Line>, accepted: &BTreeMap<Window, RangeInclusive<u64>>) {
    let is_kept = |line: &Line| accepted.get(&line.window)?.contains(&line.answer?.users).then_some(());
    lines.retain(|line| is_kept(line).is_some());
}

/// The verdict where every answer is one that its window may have in the end.
pub fn right_or_within(
    engine: &Descriptor,
    comparison: &Comparison,
    times: &BTreeMap<Window, WindowTimes>,
) -> CellVerdict {
    match error(&comparison.lines) {
        [0, ..] => right(engine, comparison, times),
        [windows, more, fewer] => CellVerdict::WithinPolicy { windows, more, fewer },
    }
}

/// Windows with other users than the truth, and the users more and fewer in all of them.
pub fn error<'a>(lines: impl IntoIterator<Item = &'a Line>) -> [u64; 3] {
    let users = |count: Option<Count>| count.map(|count| count.users);
    let mut sums = [0; 3];
    for line in lines.into_iter().filter(|line| users(line.answer) != users(line.truth)) {
        let (answer, truth) = (users(line.answer).unwrap_or(0), users(line.truth).unwrap_or(0));
        sums[0] += 1;
        sums[1] += answer.saturating_sub(truth);
        sums[2] += truth.saturating_sub(answer);
    }
    sums
}

/// What is wrong with the rows, whatever they say.
pub fn faults(engine: &Descriptor, comparison: &Comparison) -> Option<String> {
    let mut faults: Vec<String> = comparison.breaches().cloned().collect();
    let repeated = comparison.repeats();
    if engine.guarantee == ClaimedGuarantee::ExactlyOnce && engine.emits == Emits::Final && repeated > 0 {
        faults.push(format!("{} rows repeat an answer, though it claims exactly-once", count(repeated)));
    }
    let others = faults.len().saturating_sub(NAMED_FAULTS);
    faults.truncate(NAMED_FAULTS);
    if others > 0 {
        faults.push(format!("{others} more faults of rows"));
    }
    if faults.is_empty() { None } else { Some(faults.join("; ")) }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
