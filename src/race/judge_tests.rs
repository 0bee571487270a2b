use super::*;
use crate::engine::stop::Stop;
use crate::race::question::raced;
use crate::race::supervisor::{EndCause, EndStatus};
use kuu_core::diagnosis::{Bounds, Case};
use kuu_core::scorecard::CellVerdict;
use kuu_core::verdict::{Fold, Message};
use kuu_core::workload::Workload;

const LATE: &str = r#"
    why = "Late frames."
    tier = "contract"
    targets = ["drops-late"]
    [frames]
    frames = 600
    frame-bytes = 200
    users = 200
    rate = 2
    seed = 5
    troubles = ["late-beyond=0.05"]
    [expect]
    read = 600
    counted = 600
    windows = 6
"#;

struct Court {
    question: Question,
    truth: Vec<(i64, u64)>,
}

impl Court {
    fn new() -> Court {
        Court::of(&raced(Workload::parse(LATE).unwrap()))
    }

    fn of(workload: &Workload) -> Court {
        let question = Question::new(workload, &Stop::default()).unwrap();
        let truth = question.truth().iter().map(|(window, users)| (window.start, *users)).collect();
        Court { question, truth }
    }

    /// The verdict on these rows of an engine with these claims; one that ends in this way.
    fn verdict_after(&self, claims: &str, rows: &[String], ending: &Ending) -> CellVerdict {
        self.verdict_if_interrupted(claims, rows, None, ending)
    }

    /// The same, if the engine was interrupted before it wrote the row of this number.
    fn verdict_if_interrupted(
        &self,
        claims: &str,
        rows: &[String],
        interrupted: Option<i64>,
        ending: &Ending,
    ) -> CellVerdict {
        let text = format!("name = 'x'\ntitle = 'x'\nrun = ['x']\n{claims}");
        let engine = Descriptor::parse(&text, "x").unwrap();
        let fold = Fold::new(repeats(&engine), None);
        let accepted = self.question.accepted(&engine);
        let never_ends = claims.contains("never");
        let mut timeline = Timeline::new(fold, accepted, self.question.epilogue_test(never_ends));
        interrupted.into_iter().for_each(|row| timeline.await_news(row));
        for (offset, row) in (0..).zip(rows) {
            let message = Message { partition: 0, offset, key: b"", value: Some(row.as_bytes()) };
            timeline.take(offset * 1_000_000, &message);
        }
        judge(&engine, &self.question, never_ends, timeline, ending, &(0..=1), "the last line")
    }

    fn verdict(&self, claims: &str, rows: &[String]) -> CellVerdict {
        self.verdict_after(claims, rows, &ended(EndStatus::Code(0)))
    }

    /// The number of the window with the most users: late frames alone do not make it.
    fn big(&self) -> usize {
        self.truth.iter().enumerate().max_by_key(|(_, (_, users))| *users).unwrap().0
    }

    /// Every window but the big one.
    fn without_big(&self) -> Vec<String> {
        let mut rows = self.rows(0, 0);
        rows.remove(self.big());
        rows
    }

    /// Every window, with so many users less in the one of this number.
    fn rows(&self, but: usize, less: u64) -> Vec<String> {
        let row =
            |(number, (start, users)): (usize, &(i64, u64))| row(*start, users - if number == but { less } else { 0 });
        self.truth.iter().enumerate().map(row).collect()
    }
}

fn row(start: i64, users: u64) -> String {
    format!(r#"{{"start":{start},"users":{users}}}"#)
}

fn ended(status: EndStatus) -> Ending {
    Ending::Itself(Ended { cause: EndCause::Exited, status, left_behind: 0, ended_us: 0 })
}

const CORRECTS: &str = "late = 'corrects'";
const ONCE: &str = "late = 'corrects'\nguarantee = 'exactly-once'";

#[test]
fn right_at_once_or_later() {
    let court = Court::new();
    let right = court.rows(0, 0);
    assert_eq!(court.verdict(CORRECTS, &right), CellVerdict::Exact);
    // One window was off first, and is right so many rows later, which come a second apart.
    let big = court.big();
    let latest_us = right.len() as i64 * 1_000_000;
    let early = [court.rows(big, 3), right.clone()].concat();
    assert_eq!(court.verdict(CORRECTS, &early), CellVerdict::Corrected { windows: 1, latest_us });
    let twice = [court.rows(big, 3), court.rows(big, 2), right].concat();
    assert_eq!(court.verdict(CORRECTS, &twice), CellVerdict::Corrected { windows: 1, latest_us: 2 * latest_us });
}

#[test]
fn updates_are_never_exact() {
    let court = Court::new();
    let right = court.rows(0, 0);
    let updates = "late = 'corrects'\nemits = 'updates'";
    assert_eq!(court.verdict(updates, &right), CellVerdict::Corrected { windows: 0, latest_us: 0 });
    let big = court.big();
    let latest_us = right.len() as i64 * 1_000_000;
    let early = [court.rows(big, 3), right].concat();
    assert_eq!(court.verdict(updates, &early), CellVerdict::Corrected { windows: 1, latest_us });
}

#[test]
fn late_frames_may_be_dropped_by_whoever_says_so() {
    let court = Court::new();
    let drops: Vec<String> = court
        .question
        .accepted(&Descriptor::parse("name='x'\ntitle='x'\nrun=['x']\nlate='drops'", "x").unwrap())
        .iter()
        .map(|(window, users)| row(window.start, *users.start()))
        .collect();
    let CellVerdict::WithinPolicy { windows, more: 0, fewer } = court.verdict("late = 'drops'", &drops) else {
        panic!("within policy")
    };
    assert!(windows > 0 && fewer >= windows);
    let CellVerdict::Wrong { why, windows: wrong, more: 0, fewer: missed } = court.verdict(CORRECTS, &drops) else {
        panic!("wrong")
    };
    assert_eq!((wrong, missed), (windows, fewer));
    assert_eq!(why, ["drops frames that come more than 5 s after the end of their window"]);
}

#[test]
fn who_may_drop_late_frames_may_do_so_in_each_dialect() {
    let text =
        LATE.replace("contract", "dialect").replace("targets = [\"drops-late\"]", "accepts = [\"last\", \"reject\"]");
    let text = text.replace("=0.05\"", "=0.05\", \"repeated-uid=0.05\"");
    let workload = raced(Workload::parse(&text).unwrap());
    let court = Court::of(&workload);
    let case = Case::of_made(&workload).unwrap();
    let last = &case.answers()[1];
    assert_eq!(last.words, "the last of two members counts");
    let rows = |users: fn(&Bounds) -> u64| -> Vec<String> {
        last.bounds.iter().map(|(window, bounds)| row(window.start, users(bounds))).collect()
    };
    let (all, kept) = (rows(|bounds| bounds.max), rows(|bounds| bounds.min));
    let differs = |answer: &str| CellVerdict::Differs { answer: answer.into() };
    assert_eq!(court.verdict("late = 'drops'", &all), differs("the last of two members counts"));
    assert_eq!(court.verdict("late = 'drops'", &kept), differs("the last of two members counts, within its policy"));
    let CellVerdict::Wrong { why, .. } = court.verdict(CORRECTS, &kept) else { panic!("wrong") };
    assert_eq!(
        why,
        ["drops frames that come more than 5 s after the end of their window (the last of two members counts)"]
    );
}

#[test]
fn what_is_wrong_has_a_reason() {
    let court = Court::new();
    let right = court.rows(0, 0);
    let short = &right[..right.len() - 1];
    let last = court.truth[right.len() - 1].1;
    let misses = CellVerdict::Wrong { why: vec!["misses the last window".into()], windows: 1, more: 0, fewer: last };
    assert_eq!(court.verdict(CORRECTS, short), misses);
    let unexplained =
        CellVerdict::Wrong { why: vec!["unexplained".into()], windows: 1, more: 0, fewer: court.truth[court.big()].1 };
    assert_eq!(court.verdict(CORRECTS, &court.without_big()), unexplained);
}

#[test]
fn rows_can_be_at_fault_though_the_users_are_right() {
    let court = Court::new();
    let right = court.rows(0, 0);
    let garbage = [right.clone(), vec!["rubbish".to_owned()]].concat();
    let CellVerdict::Wrong { why, windows: 0, .. } = court.verdict(CORRECTS, &garbage) else { panic!("wrong") };
    assert!(why[0].contains(&format!("partition 0, offset {}: not JSON", right.len())), "{why:?}");
    // Everything twice: only who claims exactly-once must not.
    let twice = [right.clone(), right.clone()].concat();
    assert_eq!(court.verdict(CORRECTS, &twice), CellVerdict::Exact);
    let CellVerdict::Wrong { why, windows: 0, .. } = court.verdict(ONCE, &twice) else { panic!("wrong") };
    assert_eq!(why, [format!("{} rows repeat an answer, though it claims exactly-once", right.len())]);
}

#[test]
fn garbage_after_the_right_answer_is_wrong() {
    let court = Court::new();
    let (start, users) = court.truth[court.big()];
    let garbage = [court.rows(0, 0), vec![row(start, 7)]].concat();
    let CellVerdict::Wrong { windows: 1, more: 0, fewer, .. } = court.verdict(CORRECTS, &garbage) else {
        panic!("wrong")
    };
    assert_eq!(fewer, users - 7);
}

#[test]
fn ends_that_are_none() {
    let court = Court::new();
    let right = court.rows(0, 0);
    let line = || "the last line".to_owned();
    let status = |status| court.verdict_after(CORRECTS, &right, &ended(status));
    assert_eq!(status(EndStatus::Code(7)), CellVerdict::Died { status: "exit status 7".into(), line: line() });
    assert_eq!(status(EndStatus::Code(2)), CellVerdict::Died { status: "exit status 2".into(), line: line() });
    let refused = court.verdict_after(CORRECTS, &[], &ended(EndStatus::Code(2)));
    assert_eq!(refused, CellVerdict::Refused { line: line() });
    let never = "late = 'corrects'\nends = 'never'";
    let died = court.verdict_after(never, &right, &ended(EndStatus::Code(0)));
    let status = "exit status 0, though it never ends by itself".to_owned();
    assert_eq!(died, CellVerdict::Died { status, line: line() });

    let late = Ending::OutOfTime { after_s: 60 };
    let hung = |claims, rows: &[String]| court.verdict_after(claims, rows, &late);
    let state = |words: &str| CellVerdict::Hung { state: words.into() };
    assert_eq!(hung(CORRECTS, &[]), state("no row after 60 s"));
    assert_eq!(hung(CORRECTS, &right), state("its answer was right, but it did not end within 60 s"));
    assert_eq!(hung(CORRECTS, &court.without_big()), state("1 window was not right after 60 s"));
    assert_eq!(hung(never, &right), CellVerdict::Exact);
    assert_eq!(hung(never, &court.without_big()), state("1 window was not right after 60 s"));
    assert_eq!(court.verdict_after(never, &right, &Ending::Stopped), CellVerdict::Exact);
    // The window that is missing has a name, unless the engine never came back.
    let short = &right[..right.len() - 1];
    let interrupted = |row| court.verdict_if_interrupted(never, short, Some(row), &late);
    let silent = "nothing came after the last interruption: 1 window was not right after 60 s";
    assert_eq!(interrupted(short.len() as i64), state(silent));
    let CellVerdict::Wrong { why, .. } = interrupted(short.len() as i64 - 1) else { panic!("wrong") };
    assert_eq!(why, ["misses the last window"]);
}
