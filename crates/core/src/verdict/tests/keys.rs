//! Keys, and messages that are not rows.

use super::*;

/// The same key in two partitions is two keys: compaction keeps the last row of a key in each partition.
#[test]
fn a_key_in_two_partitions_is_two_keys() {
    let (sixty, hundred) = (r#"{"start":60,"users":4}"#, r#"{"start":120,"users":4}"#);
    let hour = r#"{"unit":"hour","start":0,"users":9}"#;
    // In any order of reading, a row that is withdrawn in one partition stays in the other.
    for order in [[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]] {
        let mut ones = [Some(sixty), None, Some(sixty)].into_iter();
        let mut fold = Fold::new(Repeats::Forbidden, None);
        for (offset, partition) in order.into_iter().enumerate() {
            let value = if partition == 0 { Some(hundred) } else { ones.next().unwrap() };
            put(&mut fold, partition, offset as i64, "k", value);
        }
        let comparison = fold.compare([(minute(60), count(4, 4)), (minute(120), count(4, 4))]);
        breaches(&comparison, &[]);
        assert_eq!(comparison.faults(), [""; 0], "{order:?}");
    }
    for order in [[0, 1, 1], [1, 0, 1], [1, 1, 0]] {
        let mut ones = [Some(sixty), None].into_iter();
        let mut fold = Fold::new(Repeats::Forbidden, Some(&[Unit::Minute]));
        for (offset, partition) in order.into_iter().enumerate() {
            let value = if partition == 0 { Some(hour) } else { ones.next().unwrap() };
            put(&mut fold, partition, offset as i64, "k", value);
        }
        let comparison = fold.compare([(minute(60), count(4, 4))]);
        assert_eq!(comparison.faults(), ["minute 1970-01-01 00:01 is missing: 4 users in truth"], "{order:?}");
    }
    // If only the other partition has a row of a key, the tombstone is stray.
    for order in [[0, 1], [1, 0]] {
        let mut fold = Fold::new(Repeats::Forbidden, Some(&[Unit::Minute]));
        for partition in order {
            put(&mut fold, partition, 7, "k", (partition == 0).then_some(hour));
        }
        breaches(&fold.compare([]), &["partition 1, offset 7: withdraws the row of a key that has none: `k`"]);
    }
}

#[test]
fn the_last_row_of_a_key_is_withdrawn_where_others_were_under_it() {
    let mut fold = Fold::new(Repeats::Forbidden, None);
    put(&mut fold, 0, 0, "minute:60", Some(r#"{"start":120,"users":4}"#));
    put(&mut fold, 0, 1, "minute:60", Some(r#"{"start":60,"users":4}"#));
    put(&mut fold, 0, 2, "minute:60", None);
    let comparison = fold.compare([(minute(120), count(4, 4))]);
    assert_eq!(comparison.faults(), [""; 0]);
    breaches(
        &comparison,
        &["partition 0, offset 0: minute 1970-01-01 00:02 has the key minute:60, which belongs to another window"],
    );
}

#[test]
fn what_compaction_left_of_an_unknown_key_is_no_fault() {
    for (removed, faults) in
        [(false, &["partition 0, offset 0: withdraws the row of a key that has none: `k`"][..]), (true, &[])]
    {
        let mut fold = Fold::new(Repeats::Forbidden, None);
        put(&mut fold, 0, 0, "k", None);
        if removed {
            fold.rows_were_removed();
        }
        breaches(&fold.compare([]), faults);
    }
}

#[test]
fn of_many_messages_that_are_no_rows_the_first_are_named() {
    let mut fold = Fold::new(Repeats::Forbidden, None);
    for offset in 0..300 {
        put(&mut fold, 1, offset, "", Some("[]"));
        put(&mut fold, 0, offset, &"k".repeat(5_000), None);
    }
    let comparison = fold.compare([]);
    let named: Vec<&String> = comparison.breaches().collect();
    assert_eq!(named.len(), 101);
    assert!(
        named[99].starts_with("partition 0, offset 99: withdraws the row of a key that has none: `kkk"),
        "{}",
        named[99]
    );
    assert!(named[99].len() < 400, "{}", named[99]);
    assert_eq!(named[100], "500 more messages are not result rows");
}

/// A window that is corrected a hundred thousand times, twice: the time grows only with the number of rows.
#[test]
fn repeats_cost_the_same_however_many_there_are() {
    let mut fold = Fold::new(Repeats::Allowed, None);
    for offset in 0..200_000 {
        let revision = offset % 100_000;
        put(
            &mut fold,
            0,
            offset,
            "",
            Some(&format!(r#"{{"start":60,"users":{},"revision":{revision}}}"#, revision + 1)),
        );
    }
    let comparison = fold.compare([(minute(60), count(100_000, 1))]);
    breaches(&comparison, &[]);
    assert_eq!((comparison.corrections(), comparison.repeats()), (99_999, 100_000));
}
