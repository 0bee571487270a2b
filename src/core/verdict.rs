//! Results against the truth: fold the rows of an output topic, compare window by window.

use super::frame::MAX_TS;
use super::window::{Unit, Window};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Users and frames of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Distinct users.
    pub users: u64,
    /// Frames; an engine may leave them out.
    pub frames: Option<u64>,
}

/// One row of an output topic, of whatever engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which window.
    pub window: Window,
    /// What it says.
    pub count: Count,
    /// Which correction it is.
    pub revision: Option<u32>,
    /// Whether it calls itself early.
    pub early: bool,
}

#[derive(Deserialize)]
struct Wire {
    unit: Option<String>,
    start: Start,
    users: u64,
    frames: Option<u64>,
    revision: Option<u32>,
    timing: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Start {
    Seconds(i64),
    Text(String),
}

impl Row {
    /// Reads a row: `start` (Unix seconds or RFC 3339) and `users`; `unit` (minute if left out), `frames`,
    /// `revision` and `timing` are optional, other members are ignored.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn parse(value: &[u8]) -> Result<Row, String> {
        let wire: Wire = serde_json::from_slice(value).map_err(|e| match e.classify() {
            serde_json::error::Category::Data => format!("no result row: {e}"),
            _ => format!("not JSON: {e}"),
        })?;
        let unit = wire.unit.as_deref().map_or(Ok(Unit::Minute), str::parse)?;
        let start = match wire.start {
            Start::Seconds(start) => start,
            Start::Text(text) => seconds(&text)?,
        };
        Ok(Row {
            window: window_at(unit, start)?,
            count: Count { users: wire.users, frames: wire.frames },
            revision: wire.revision,
            early: wire.timing.as_deref() == Some("early"),
        })
    }
}

/// Reads the key of a row, as in `minute:1468244340`.
///
/// # Errors
/// What is wrong with it, in a few words.
pub fn parse_key(key: &[u8]) -> Result<Window, String> {
    let text = std::str::from_utf8(key).map_err(|_| "the key is not UTF-8".to_owned())?;
    let (unit, start) = text.split_once(':').ok_or_else(|| format!("the key `{text}` is not UNIT:START"))?;
    window_at(unit.parse()?, start.parse().map_err(|_| format!("the key `{text}` has no start in Unix seconds"))?)
}

fn window_at(unit: Unit, start: i64) -> Result<Window, String> {
    // The week of 1970-01-01 starts three days before it.
    let window = unit.window(start.clamp(-3 * 86_400, MAX_TS));
    if window.start == start { Ok(window) } else { Err(format!("no {unit} starts at {start}")) }
}

fn seconds(text: &str) -> Result<i64, String> {
    let wrong = |e: jiff::Error| format!("start `{text}` is not RFC 3339: {e}");
    // Timestamps end a day before the year 9999 does, plain dates do not.
    let (whole, nanoseconds) = match text.strip_suffix(['Z', 'z']) {
        Some(utc) => {
            let time: jiff::civil::DateTime = utc.parse().map_err(wrong)?;
            let since = time.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
            (since.as_secs(), since.subsec_nanos())
        }
        None => {
            let time: jiff::Timestamp = text.parse().map_err(wrong)?;
            (time.as_second(), time.subsec_nanosecond())
        }
    };
    if nanoseconds == 0 { Ok(whole) } else { Err(format!("start `{text}` is no whole second")) }
}

/// What the rows of one window say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Folded {
    count: Count,
    first: Option<u64>,
    revision: Option<u32>,
    corrections: u64,
}

/// The rows of an output topic folded by window: the last one wins.
#[derive(Debug, Default)]
pub struct Fold {
    windows: BTreeMap<Window, Folded>,
    /// Rows that were folded.
    pub rows: u64,
}

impl Fold {
    /// Takes the next row of the topic. A row without revision is a correction of the one before; revision 0
    /// starts anew (a later run counted again); a revision that came out of order is passed over.
    pub fn add(&mut self, row: Row) {
        self.rows += 1;
        let first = (!row.early).then_some(row.count.users);
        let anew = Folded { count: row.count, first, revision: row.revision, corrections: 0 };
        let Some(known) = self.windows.get_mut(&row.window) else {
            self.windows.insert(row.window, anew);
            return;
        };
        if row.revision == Some(0) {
            *known = anew;
        } else if row.early || row.revision >= known.revision {
            let corrects = known.first.is_some() && !row.early;
            known.count = row.count;
            known.first = known.first.or(first);
            known.revision = row.revision.or(known.revision);
            known.corrections += u64::from(corrects);
        }
    }

    /// Takes a row without a value: the window's result is withdrawn.
    pub fn remove(&mut self, window: Window) {
        self.rows += 1;
        self.windows.remove(&window);
    }

    /// Sets the folded rows beside the truth, which must be of the given units.
    pub fn compare(self, truth: impl IntoIterator<Item = (Window, Count)>) -> Comparison {
        let mut lines: BTreeMap<Window, Line> = BTreeMap::new();
        for (window, count) in truth {
            lines.insert(window, Line { window, truth: Some(count), answer: None, first: None, corrections: 0 });
        }
        for (window, folded) in self.windows {
            let line =
                lines.entry(window).or_insert(Line { window, truth: None, answer: None, first: None, corrections: 0 });
            line.answer = Some(folded.count);
            line.first = folded.first;
            line.corrections = folded.corrections;
        }
        Comparison { lines: lines.into_values().collect() }
    }
}

/// One window in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which window.
    pub window: Window,
    /// The exact count, none if no frame names this window.
    pub truth: Option<Count>,
    /// The final answer, none if there is no row.
    pub answer: Option<Count>,
    /// Users of the first answer at or after the watermark.
    pub first: Option<u64>,
    /// Rows that corrected it.
    pub corrections: u64,
}

impl Line {
    /// What is wrong with the window, in words.
    pub fn fault(&self) -> Option<String> {
        let Line { window, .. } = self;
        let unit = window.unit;
        match (self.truth, self.answer) {
            (Some(truth), None) => Some(format!("{unit} {window} is missing: {} users in truth", truth.users)),
            (None, Some(answer)) => {
                Some(format!("{unit} {window} is extra: {} users where there is none", answer.users))
            }
            (Some(truth), Some(answer)) if truth.users != answer.users => {
                Some(format!("{unit} {window} has {} users instead of {}", answer.users, truth.users))
            }
            (Some(truth), Some(answer)) => match (truth.frames, answer.frames) {
                (Some(true_frames), Some(frames)) if true_frames != frames => {
                    Some(format!("{unit} {window} has {frames} frames instead of {true_frames}"))
                }
                _ => None,
            },
            (None, None) => None,
        }
    }

    /// The first answer less the truth, in users.
    pub fn first_error(&self) -> Option<i64> {
        Some(self.first? as i64 - self.truth?.users as i64)
    }
}

/// Every window of the results and of the truth, side by side, in the order of a table.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The windows.
    pub lines: Vec<Line>,
}

impl Comparison {
    /// What is wrong, a sentence a window.
    pub fn faults(&self) -> Vec<String> {
        self.lines.iter().filter_map(Line::fault).collect()
    }

    /// Windows of the truth.
    pub fn windows(&self) -> u64 {
        self.lines.iter().filter(|line| line.truth.is_some()).count() as u64
    }

    /// Windows whose first answer was exact.
    pub fn exact_at_first(&self) -> u64 {
        self.lines.iter().filter(|line| line.first_error() == Some(0)).count() as u64
    }

    /// Windows that some row corrected.
    pub fn corrected(&self) -> u64 {
        self.lines.iter().filter(|line| line.corrections > 0).count() as u64
    }

    /// Rows that corrected a first answer.
    pub fn corrections(&self) -> u64 {
        self.lines.iter().map(|line| line.corrections).sum()
    }

    /// The window whose first answer was furthest from the truth, if one was off.
    pub fn largest_first_error(&self) -> Option<&Line> {
        let off = self.lines.iter().filter(|line| line.first_error().is_some_and(|error| error != 0));
        off.max_by_key(|line| line.first_error().map(i64::unsigned_abs))
    }

    /// Sum of the distances of the first answers from the truth, in users.
    pub fn total_first_error(&self) -> u64 {
        self.lines.iter().filter_map(Line::first_error).map(i64::unsigned_abs).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        Row::parse(text.as_bytes()).unwrap()
    }

    fn minute(start: i64) -> Window {
        Unit::Minute.window(start)
    }

    fn count(users: u64, frames: u64) -> Count {
        Count { users, frames: Some(frames) }
    }

    #[test]
    fn rows_of_any_engine() {
        let plain = row(r#"{"start":1468244340,"users":7}"#);
        assert_eq!(plain.window, minute(1_468_244_340));
        assert_eq!(plain.count, Count { users: 7, frames: None });
        for start in ["2016-07-11T13:39:00Z", "2016-07-11T15:39:00+02:00", "2016-07-11T13:39:00.000Z"] {
            assert_eq!(row(&format!(r#"{{"start":"{start}","users":7,"by":"another"}}"#)), plain);
        }
        assert_eq!(row(r#"{"unit":"year","start":"9999-01-01T00:00:00Z","users":1}"#).window.end, MAX_TS + 1);
        assert_eq!(row(r#"{"unit":"minute","start":"9999-12-31T23:59:00Z","users":1}"#).window.end, MAX_TS + 1);
        assert_eq!(row(r#"{"unit":"week","start":-259200,"users":1}"#).window.start, -259_200);
    }

    #[test]
    fn rows_that_are_none() {
        for (text, says) in [
            ("", "not JSON"),
            ("{", "not JSON"),
            ("[]", "no result row"),
            (r#"{"start":60}"#, "missing field `users`"),
            (r#"{"start":60,"users":-1}"#, "no result row"),
            (r#"{"start":61,"users":1}"#, "no minute starts at 61"),
            (r#"{"start":"yesterday","users":1}"#, "is not RFC 3339"),
            (r#"{"start":"2016-07-11T13:39:00.5Z","users":1}"#, "no whole second"),
            (r#"{"unit":"fortnight","start":60,"users":1}"#, "no unit `fortnight`"),
            (r#"{"start":-9223372036854775808,"users":1}"#, "no minute starts at"),
        ] {
            let error = Row::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn keys() {
        assert_eq!(parse_key(b"minute:1468244340"), Ok(minute(1_468_244_340)));
        for key in ["", "minute", "minute:x", "minute:61", "eon:0"] {
            assert!(parse_key(key.as_bytes()).is_err(), "{key}");
        }
    }

    #[test]
    fn the_last_row_wins_and_the_first_is_remembered() {
        let mut fold = Fold::default();
        for text in [
            r#"{"start":60,"users":1,"frames":1,"timing":"early"}"#,
            r#"{"start":60,"users":5,"frames":6,"timing":"on_time","revision":0}"#,
            r#"{"start":60,"users":7,"frames":9,"timing":"late","revision":2}"#,
            r#"{"start":60,"users":6,"frames":8,"timing":"late","revision":1}"#,
            r#"{"start":120,"users":3}"#,
            r#"{"start":120,"users":4}"#,
            r#"{"start":180,"users":9,"revision":0}"#,
        ] {
            fold.add(row(text));
        }
        fold.remove(minute(180));
        let comparison = fold.compare([(minute(60), count(7, 9)), (minute(120), count(4, 4))]);
        assert_eq!(comparison.faults(), [""; 0]);
        assert_eq!(comparison.lines[0].first, Some(5));
        assert_eq!(comparison.lines[0].corrections, 1);
        assert_eq!(comparison.lines[1].first_error(), Some(-1));
        assert_eq!((comparison.windows(), comparison.exact_at_first(), comparison.corrected()), (2, 0, 2));
        assert_eq!(comparison.largest_first_error().map(|line| line.window), Some(minute(60)));
        assert_eq!(comparison.total_first_error(), 3);
    }

    #[test]
    fn a_second_run_starts_anew() {
        let mut fold = Fold::default();
        for text in [
            r#"{"start":60,"users":5,"revision":0}"#,
            r#"{"start":60,"users":6,"revision":1}"#,
            r#"{"start":60,"users":8,"revision":0}"#,
        ] {
            fold.add(row(text));
        }
        let comparison = fold.compare([(minute(60), count(8, 8))]);
        assert_eq!(comparison.faults(), [""; 0]);
        assert_eq!((comparison.exact_at_first(), comparison.corrections()), (1, 0));
    }

    #[test]
    fn every_kind_of_fault_is_named() {
        let mut fold = Fold::default();
        fold.add(row(r#"{"start":60,"users":5,"frames":5}"#));
        fold.add(row(r#"{"start":120,"users":5,"frames":4}"#));
        fold.add(row(r#"{"start":240,"users":1,"frames":1}"#));
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
}
