//! Rows of other engines that other options would read.

use super::*;

fn in_ms(count: i64) -> Vec<String> {
    (0..count).map(|i| format!(r#"{{"start":{},"users":4}}"#, (1_468_244_340 + i * 60) * 1_000)).collect()
}

fn texts(rows: &[String]) -> Vec<&str> {
    rows.iter().map(String::as_str).collect()
}

const TWENTY: &str = "20 messages are not result rows, as at partition 0, offset 0, where `start` is 1468244340000, which \
                      would be minute 2016-07-11 13:39 in milliseconds: run `kuu verify` again with --start-format ms";

#[test]
fn milliseconds_are_named_once() {
    let comparison = fold(Repeats::Forbidden, &texts(&in_ms(20))).compare([(minute(1_468_244_340), count(4, 4))]);
    breaches(&comparison, &[TWENTY]);
    assert_eq!((comparison.is_misread(), comparison.windows(), comparison.faults().len()), (true, 1, 1));
}

#[test]
fn the_first_one_is_named_whatever_the_order_of_reading() {
    let mut fold = Fold::new(Repeats::Forbidden, None);
    for (i, row) in in_ms(20).iter().enumerate().rev() {
        put(&mut fold, 0, i as i64, "", Some(row));
    }
    breaches(&fold.compare([]), &[TWENTY]);
}

#[test]
fn a_few_such_rows_among_right_ones_are_faults_of_their_own() {
    let rows = [in_ms(1), vec![r#"{"start":60,"users":4}"#.into()]].concat();
    let comparison = fold(Repeats::Forbidden, &texts(&rows)).compare([(minute(60), count(4, 4))]);
    breaches(&comparison, &["partition 0, offset 0: no minute starts at 1468244340000"]);
    assert!(!comparison.is_misread());
    // As long as there is an answer, missing windows are named.
    let rows = [in_ms(2), vec![r#"{"start":60,"users":4}"#.into()]].concat();
    let comparison = fold(Repeats::Forbidden, &texts(&rows)).compare([(minute(60), count(4, 4))]);
    assert_eq!((comparison.misread.len(), comparison.unreadable.len(), comparison.is_misread()), (1, 0, false));
}

#[test]
fn rows_are_read_in_their_format() {
    let format = RowFormat { start_format: Some(TsFormat::Ms), ..RowFormat::default() };
    let mut fold = Fold::new(Repeats::Forbidden, None).of(format);
    put(&mut fold, 0, 0, "", Some(&in_ms(1)[0]));
    let comparison = fold.compare([(minute(1_468_244_340), count(4, 4))]);
    breaches(&comparison, &[]);
    assert_eq!(comparison.faults(), [""; 0]);
}

#[test]
fn members_of_any_name_are_not_kept_without_limit() {
    let rows: Vec<String> = (0..1_000).map(|i| format!(r#"{{"start":60,"n{i}":4}}"#)).collect();
    let comparison = fold(Repeats::Forbidden, &texts(&rows)).compare([]);
    assert_eq!(comparison.misread.len(), 8);
    assert_eq!(comparison.unreadable.len(), 101);
    assert_eq!(comparison.unreadable[100], "892 more messages are not result rows");
}

#[test]
fn another_spelling_of_the_windows_own_key() {
    let mut fold = Fold::new(Repeats::Forbidden, None);
    put(&mut fold, 0, 0, "60s:60", Some(r#"{"unit":"60s","start":60,"users":4}"#));
    breaches(&fold.compare([]), &[]);
}
