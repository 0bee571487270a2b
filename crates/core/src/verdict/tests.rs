use super::*;
use crate::result::{Count, RowFormat};
use crate::window::{Unit, Window};
use kuu_frame::TsFormat;
use proptest::prelude::*;
use std::collections::BTreeSet;

mod foreign;
mod keys;
mod near;

fn minute(start: i64) -> Window {
    Unit::Minute.window(start)
}

fn count(users: u64, frames: u64) -> Count {
    Count { users, frames: Some(frames) }
}

/// A topic of one partition whose rows are under their windows' keys.
fn fold(repeats: Repeats, values: &[&str]) -> Fold {
    let mut fold = Fold::new(repeats, None);
    for (offset, value) in values.iter().enumerate() {
        put(&mut fold, 0, offset as i64, "", Some(value));
    }
    fold
}

fn put(fold: &mut Fold, partition: i32, offset: i64, key: &str, value: Option<&str>) {
    fold.take(&Message { partition, offset, key: key.as_bytes(), value: value.map(str::as_bytes) });
}

#[track_caller]
fn breaches(comparison: &Comparison, expected: &[&str]) {
    assert_eq!(comparison.breaches().collect::<Vec<_>>(), expected);
}

#[test]
fn the_last_row_wins_and_the_first_is_remembered() {
    let mut fold = fold(
        Repeats::Forbidden,
        &[
            r#"{"start":60,"users":1,"frames":1,"timing":"early"}"#,
            r#"{"start":60,"users":5,"frames":6,"timing":"on_time","revision":0}"#,
            r#"{"start":60,"users":7,"frames":9,"timing":"late","revision":2}"#,
            r#"{"start":120,"users":3}"#,
            r#"{"start":120,"users":4}"#,
            r#"{"start":180,"users":9,"revision":0}"#,
        ],
    );
    put(&mut fold, 0, 6, "minute:180", None);
    let comparison = fold.compare([(minute(60), count(7, 9)), (minute(120), count(4, 4))]);
    assert_eq!(comparison.faults(), [""; 0]);
    breaches(&comparison, &[]);
    assert_eq!(comparison.lines[0].first, Some(count(5, 6)));
    assert_eq!(comparison.lines[0].corrections, 1);
    assert_eq!(comparison.lines[1].first_error(), Some(-1));
    assert_eq!((comparison.windows(), comparison.exact_at_first(), comparison.corrected()), (2, 0, 2));
    assert_eq!(comparison.largest_first_error().map(|line| line.window), Some(minute(60)));
    assert_eq!(comparison.total_first_error(), 3);
}

#[test]
fn the_last_row_is_the_answer_whatever_its_revision_says() {
    for (values, breach) in [
        (
            [r#"{"start":60,"users":7,"revision":0}"#, r#"{"start":60,"users":9}"#],
            "has a row without revision after revision 0",
        ),
        (
            [r#"{"start":60,"users":7,"revision":2}"#, r#"{"start":60,"users":9,"revision":1}"#],
            "has revision 1 after revision 2: revisions must rise",
        ),
        ([r#"{"start":60,"users":7,"revision":1}"#, r#"{"start":60,"users":9,"revision":1}"#], "has revision 1 twice"),
        (
            [r#"{"start":60,"users":7,"revision":0}"#, r#"{"start":60,"users":9,"revision":0}"#],
            "has a second revision 0, after revision 0: exactly once there is one",
        ),
        (
            [r#"{"start":60,"users":7,"revision":3}"#, r#"{"start":60,"users":9,"revision":0}"#],
            "has a second revision 0, after revision 3: exactly once there is one",
        ),
    ] {
        // The first answer was right and the last one is wrong; and the other way round.
        for (truth, faults) in [(7, vec!["minute 1970-01-01 00:01 has 9 users instead of 7"]), (9, vec![])] {
            let comparison = fold(Repeats::Forbidden, &values).compare([(minute(60), count(truth, 1))]);
            assert_eq!(comparison.faults(), faults);
            breaches(&comparison, &[&format!("partition 0, offset 1: minute 1970-01-01 00:01 {breach}")]);
        }
    }
}

#[test]
fn a_count_at_least_once_may_begin_again() {
    let values = [
        r#"{"start":60,"users":5,"revision":0}"#,
        r#"{"start":60,"users":6,"revision":1}"#,
        r#"{"start":60,"users":1,"timing":"early"}"#,
        r#"{"start":60,"users":8,"revision":0}"#,
    ];
    let comparison = fold(Repeats::Allowed, &values).compare([(minute(60), count(8, 8))]);
    assert_eq!(comparison.faults(), [""; 0]);
    breaches(&comparison, &[]);
    // The first row stays the first answer.
    assert_eq!((comparison.exact_at_first(), comparison.corrected(), comparison.corrections()), (0, 1, 1));
    assert_eq!(comparison.repeats(), 1);

    let values = [
        r#"{"start":60,"users":5,"revision":0}"#,
        r#"{"start":60,"users":6,"revision":1}"#,
        r#"{"start":60,"users":7,"revision":2}"#,
        r#"{"start":60,"users":6,"revision":1}"#,
        r#"{"start":60,"users":7,"revision":2}"#,
        r#"{"start":60,"users":6,"revision":2}"#,
    ];
    let comparison = fold(Repeats::Allowed, &values[..5]).compare([(minute(60), count(7, 7))]);
    breaches(&comparison, &[]);
    assert_eq!((comparison.corrections(), comparison.repeats()), (2, 2));
    // The same revision with another count is no repetition.
    let comparison = fold(Repeats::Allowed, &values).compare([(minute(60), count(7, 7))]);
    breaches(&comparison, &["partition 0, offset 5: minute 1970-01-01 00:01 has revision 2 twice"]);
    assert_eq!(comparison.faults(), ["minute 1970-01-01 00:01 has 6 users instead of 7"]);
    // A run that repeats only some of the rows leaves an older answer behind.
    let comparison = fold(Repeats::Allowed, &values[..4]).compare([(minute(60), count(7, 7))]);
    assert_eq!(comparison.faults(), ["minute 1970-01-01 00:01 has 6 users instead of 7"]);
}

#[test]
fn what_is_not_in_the_topic_is_unknown() {
    let truth = || [60, 120, 180, 240, 300].map(|start| (minute(start), count(5, 5)));
    let values = [
        r#"{"start":60,"users":5,"frames":5,"revision":0}"#,
        // A compacted key: only the last row is left.
        r#"{"start":120,"users":5,"frames":5,"revision":2}"#,
        // A window with early rows only.
        r#"{"start":180,"users":5,"timing":"early"}"#,
        r#"{"start":240,"users":5}"#,
        // A window whose first answer had wrong frames.
        r#"{"start":300,"users":5,"frames":4,"revision":0}"#,
        r#"{"start":300,"users":5,"frames":5,"revision":1}"#,
    ];
    let known =
        |comparison: &Comparison| (comparison.exact_at_first(), comparison.corrected(), comparison.first_unknown());
    let comparison = fold(Repeats::Forbidden, &values).compare(truth());
    assert_eq!(comparison.faults(), [""; 0]);
    assert_eq!(known(&comparison), (3, 0, 2));
    assert_eq!((comparison.off_in_frames(), comparison.is_each_first()), (1, false));
    // If rows were removed, a row without revision may have been a later one,
    let mut removed = fold(Repeats::Forbidden, &values);
    removed.rows_were_removed();
    assert_eq!(known(&removed.compare(truth())), (2, 0, 3));
    // and a revision 0 may have been the second one.
    let mut removed = fold(Repeats::Allowed, &values);
    removed.rows_were_removed();
    assert_eq!(known(&removed.compare(truth())), (0, 0, 5));
    // A window that was withdrawn and written again had another first answer.
    let mut withdrawn = fold(Repeats::Forbidden, &values[..1]);
    put(&mut withdrawn, 0, 6, "minute:60", None);
    put(&mut withdrawn, 0, 7, "minute:60", Some(values[0]));
    let comparison = withdrawn.compare([(minute(60), count(5, 5))]);
    breaches(&comparison, &[]);
    assert_eq!(known(&comparison), (0, 0, 1));
}

#[test]
fn a_row_that_is_repeated_corrects_nothing() {
    let row = r#"{"start":60,"users":5}"#;
    let comparison = fold(Repeats::Forbidden, &[row, row, row]).compare([(minute(60), count(5, 5))]);
    assert_eq!((comparison.exact_at_first(), comparison.corrected()), (1, 0));
    assert_eq!((comparison.corrections(), comparison.repeats()), (0, 2));
}

#[test]
fn partitions_have_no_order() {
    let row = |users: u64| format!(r#"{{"start":60,"users":{users}}}"#);
    for order in [[0, 2], [2, 0]] {
        let mut fold = Fold::new(Repeats::Forbidden, None);
        for partition in order {
            put(&mut fold, partition, 7, "", Some(&row(3 + partition as u64)));
        }
        let comparison = fold.compare([(minute(60), count(3, 3))]);
        breaches(&comparison, &["minute 1970-01-01 00:01 has rows in partitions 0 and 2, which have no order"]);
        assert_eq!(comparison.faults(), [""; 0]);
    }
}

#[test]
fn keys_that_name_windows_name_their_own() {
    let mut fold = Fold::new(Repeats::Forbidden, None);
    put(&mut fold, 0, 0, "minute:60", Some(r#"{"start":60,"users":5}"#));
    put(&mut fold, 0, 1, "minute:60", Some(r#"{"start":120,"users":5}"#));
    let comparison = fold.compare([(minute(60), count(5, 5)), (minute(120), count(5, 5))]);
    breaches(
        &comparison,
        &["partition 0, offset 1: minute 1970-01-01 00:02 has the key minute:60, which belongs to another window"],
    );
}

#[test]
fn answers_change_under_one_key() {
    let breach = "has another answer under another key: a reader by key has both";
    for (rows, at) in [
        (&[("a", 4), ("a", 5)][..], None),
        // The same answer twice does no harm,
        (&[("a", 5), ("b", 5)], None),
        // but if it changes, one of the two keys has the old answer.
        (&[("a", 5), ("b", 5), ("b", 6)], Some(2)),
        (&[("a", 5), ("b", 5), ("a", 6)], Some(2)),
        (&[("a", 4), ("b", 6)], Some(1)),
        (&[("", 4), ("b", 6)], Some(1)),
    ] {
        let mut fold = Fold::new(Repeats::Forbidden, None);
        for (offset, (key, users)) in rows.iter().enumerate() {
            put(&mut fold, 0, offset as i64, key, Some(&format!(r#"{{"start":60,"users":{users}}}"#)));
        }
        let comparison = fold.compare([]);
        let expected = at.map(|at| format!("partition 0, offset {at}: minute 1970-01-01 00:01 {breach}"));
        assert_eq!(comparison.breaches().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>(), "{rows:?}");
    }
}

#[test]
fn a_row_without_a_value_withdraws_the_last_row_of_its_key() {
    let mut fold = Fold::new(Repeats::Forbidden, None);
    put(&mut fold, 0, 0, "{\"start\":60}", Some(r#"{"start":60,"users":4}"#));
    put(&mut fold, 0, 1, "{\"start\":120}", Some(r#"{"start":120,"users":4}"#));
    put(&mut fold, 0, 2, "{\"start\":120}", None);
    put(&mut fold, 0, 3, "minute:180", None);
    put(&mut fold, 0, 4, "who knows", None);
    put(&mut fold, 0, 5, "", None);
    let comparison = fold.compare([(minute(60), count(4, 4))]);
    assert_eq!(comparison.faults(), [""; 0]);
    breaches(
        &comparison,
        &[
            "partition 0, offset 4: withdraws the row of a key that has none: `who knows`",
            "partition 0, offset 5: it has neither key nor value",
        ],
    );
}

#[test]
fn other_units_are_left_out_where_some_are_named() {
    let mut fold = Fold::new(Repeats::Forbidden, Some(&[Unit::Minute]));
    put(&mut fold, 0, 0, "", Some(r#"{"start":0,"users":4}"#));
    put(&mut fold, 0, 1, "", Some(r#"{"unit":"hour","start":0,"users":4}"#));
    put(&mut fold, 0, 2, "", Some(r#"{"unit":"day","start":0,"users":4}"#));
    put(&mut fold, 0, 3, "hour:0", None);
    let comparison = fold.compare([(minute(0), count(4, 4))]);
    assert_eq!(comparison.faults(), [""; 0]);
    assert_eq!((comparison.lines.len(), comparison.left_out), (1, 3));
}

#[test]
fn what_is_withdrawn_of_another_unit_is_left_out() {
    let mut fold = Fold::new(Repeats::Forbidden, Some(&[Unit::Minute]));
    put(&mut fold, 0, 0, "0", Some(r#"{"start":0,"users":4}"#));
    put(&mut fold, 0, 1, "0", Some(r#"{"unit":"hour","start":0,"users":4}"#));
    put(&mut fold, 0, 2, "0", None);
    let comparison = fold.compare([(minute(0), count(4, 4))]);
    assert_eq!((comparison.faults(), comparison.left_out), (vec![], 2));
}

#[test]
fn every_kind_of_fault_is_named() {
    let fold = fold(
        Repeats::Forbidden,
        &[
            r#"{"start":60,"users":5,"frames":5}"#,
            r#"{"start":120,"users":5,"frames":4}"#,
            r#"{"start":240,"users":1,"frames":1}"#,
        ],
    );
    let truth = [(minute(60), count(4, 5)), (minute(120), count(5, 5)), (minute(180), count(2, 2))];
    assert_eq!(
        fold.compare(truth).faults(),
        [
            "minute 1970-01-01 00:01 has 5 users instead of 4",
            "minute 1970-01-01 00:02 has 4 frames instead of 5",
            "minute 1970-01-01 00:03 is missing: 2 users in truth",
            "minute 1970-01-01 00:04 is extra: 1 users where there is none",
        ]
    );
}

/// A message of a topic whose rows are under their windows' keys.
#[derive(Clone, Debug)]
struct Written {
    partition: i32,
    start: i64,
    /// `None`: the row is withdrawn.
    row: Option<Numbered>,
}

#[derive(Clone, Copy, Debug)]
struct Numbered {
    users: u64,
    revision: Option<u32>,
    early: bool,
}

fn written() -> impl Strategy<Value = Written> {
    let revision = prop_oneof![3 => (0..4u32).prop_map(Some), 1 => Just(None)];
    let numbered = (1..4u64, revision, prop::bool::weighted(0.1)).prop_map(|(users, revision, early)| Numbered {
        users,
        revision,
        early,
    });
    let row = prop_oneof![9 => numbered.prop_map(Some), 1 => Just(None)];
    (prop_oneof![9 => Just(0), 1 => 1..3], 0..3i64, row).prop_map(|(partition, minute, row)| Written {
        partition,
        start: 60 * minute,
        row,
    })
}

fn folded<'a>(topic: impl IntoIterator<Item = &'a Written>, repeats: Repeats) -> Comparison {
    let mut fold = Fold::new(repeats, None);
    for (offset, written) in topic.into_iter().enumerate() {
        let value = written.row.map(|Numbered { users, revision, early }| {
            let timing = if early { "early" } else { "late" };
            serde_json::json!({ "start": written.start, "users": users, "revision": revision, "timing": timing })
                .to_string()
        });
        put(&mut fold, written.partition, offset as i64, &format!("minute:{}", written.start), value.as_deref());
    }
    fold.compare([0, 60].map(|start| (minute(start), count(2, 2))))
}

/// The rules of `docs/verify.md`, applied to all messages of one window at once.
fn model(messages: &[&Written]) -> (Option<u64>, Option<u64>, bool) {
    let lowest = messages.iter().map(|written| written.partition).min().unwrap_or(0);
    let rows: Vec<Option<Numbered>> =
        messages.iter().filter(|written| written.partition == lowest).map(|written| written.row).collect();
    let answer = rows.last().copied().flatten().map(|row| row.users);
    let first = rows.iter().flatten().find(|row| !row.early).filter(|row| row.revision.unwrap_or(0) == 0);
    let first = first.filter(|_| rows.iter().all(Option::is_some)).map(|row| row.users);
    let ordered = rows.split(Option::is_none).all(|life| {
        let revisions: Vec<Option<u32>> = life.iter().flatten().map(|row| row.revision).collect();
        let numbered = revisions.iter().skip_while(|revision| revision.is_none());
        numbered.clone().all(Option::is_some) && numbered.collect::<Vec<_>>().is_sorted_by(|one, next| one < next)
    });
    let partitions: BTreeSet<i32> = messages.iter().map(|written| written.partition).collect();
    (answer, first, ordered && partitions.len() <= 1)
}

proptest! {
    #[test]
    fn a_fold_is_what_the_rules_say(topic in prop::collection::vec(written(), 0..24)) {
        let comparison = folded(&topic, Repeats::Forbidden);
        let sums = comparison.exact_at_first() + comparison.corrected() + comparison.first_unknown();
        prop_assert_eq!((sums, comparison.windows()), (2, 2));
        for start in [0, 60, 120] {
            let messages: Vec<&Written> = topic.iter().filter(|written| written.start == start).collect();
            let (answer, first, ordered) = model(&messages);
            let line = comparison.lines.iter().find(|line| line.window.start == start);
            prop_assert_eq!(line.and_then(|line| line.answer).map(|count| count.users), answer);
            if answer.is_some() {
                prop_assert_eq!(line.and_then(|line| line.first).map(|count| count.users), first);
            }
            prop_assert_eq!(line.is_none_or(|line| line.breaches.is_empty()), ordered, "{:?}", line);
        }
    }

    #[test]
    fn the_order_of_partitions_does_not_matter(topic in prop::collection::vec(written(), 0..24)) {
        // Offsets belong to the whole topic here: only the order in which a reader sees the messages changes.
        let by_partition = |back: i32| {
            let mut sorted: Vec<&Written> = topic.iter().collect();
            sorted.sort_by_key(|written| written.partition * back);
            let comparison = folded(sorted, Repeats::Forbidden);
            let strip = |line: &Line| Line { breaches: vec![line.breaches.len().to_string()], ..line.clone() };
            comparison.lines.iter().map(strip).collect::<Vec<_>>()
        };
        prop_assert_eq!(by_partition(1), by_partition(-1));
    }

    /// A run that was killed, and then another run with the same answers.
    #[test]
    fn a_run_that_is_repeated_is_in_order(users in prop::collection::vec(1..9u64, 1..6), killed in 0..6usize) {
        let row = |(revision, users): (usize, &u64)| Written {
            partition: 0,
            start: 0,
            row: Some(Numbered { users: *users, revision: Some(revision as u32), early: false }),
        };
        let run: Vec<Written> = users.iter().enumerate().map(row).collect();
        let twice: Vec<&Written> = run.iter().take(killed).chain(&run).collect();
        let comparison = folded(twice.iter().copied(), Repeats::Allowed);
        prop_assert_eq!(comparison.breaches().count(), 0);
        prop_assert_eq!(comparison.lines[0].answer.map(|count| count.users), users.last().copied());
        prop_assert_eq!(comparison.lines[0].first.map(|count| count.users), users.first().copied());
        let strict = folded(twice, Repeats::Forbidden);
        prop_assert_eq!(strict.breaches().count() > 0, killed > 0);
    }
}
