//! Windows in the format of a record.

use crate::verdict::{Comparison, Line};
use crate::window::{Unit, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The number of windows in a record: a stream of seconds has too many for a file that is read as a whole.
pub const MOST_WINDOWS: usize = 10_000;

/// A window: as it was first answered, in the end, and in truth. Users and frames are missing where they are not known.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WindowRecord {
    /// Its length.
    pub unit: Unit,
    /// Its first second, in Unix seconds of event time.
    pub start: i64,
    /// Users of the first answer at or after the watermark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_users: Option<u64>,
    /// Users of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// Frames of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<u64>,
    /// Users in truth; none if no frame belongs to the window, or nothing was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth_users: Option<u64>,
    /// Frames in truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth_frames: Option<u64>,
    /// What is wrong with the answer and its rows, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<String>,
}

impl WindowRecord {
    /// The window.
    pub fn window(&self) -> Window {
        self.unit.window(self.start)
    }

    /// The users of the first answer minus those in truth.
    pub fn first_error(&self) -> Option<i64> {
        Some(self.first_users? as i64 - self.truth_users? as i64)
    }

    /// The windows of a comparison, in its order: at most [`MOST_WINDOWS`].
    pub fn of(comparison: &Comparison) -> Vec<WindowRecord> {
        comparison.lines.iter().take(MOST_WINDOWS).map(WindowRecord::from).collect()
    }
}

impl From<&Line> for WindowRecord {
    fn from(line: &Line) -> WindowRecord {
        WindowRecord {
            unit: line.window.unit,
            start: line.window.start,
            first_users: line.first.map(|first| first.users),
            users: line.answer.map(|answer| answer.users),
            frames: line.answer.and_then(|answer| answer.frames),
            truth_users: line.truth.map(|truth| truth.users),
            truth_frames: line.truth.and_then(|truth| truth.frames),
            wrong: line.fault().into_iter().chain(line.breaches.iter().cloned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Count;

    #[test]
    fn a_window_is_recorded_as_it_was_compared() {
        let count = |users| Some(Count { users, frames: Some(9) });
        let window = Unit::Minute.window(1_468_244_340);
        let right = Line { truth: count(5), answer: count(5), first: count(3), ..Line::new(window) };
        let missing = Line { truth: count(2), breaches: vec!["x".into()], ..Line::new(window) };
        let comparison = Comparison { lines: vec![right, missing], ..Comparison::default() };
        let records = WindowRecord::of(&comparison);
        assert_eq!((records[0].window(), records[0].first_error(), records[1].first_error()), (window, Some(-2), None));
        let json = serde_json::to_value(&records).unwrap();
        let expected = serde_json::json!([
            { "unit": "minute", "start": 1_468_244_340, "first_users": 3, "users": 5, "frames": 9, "truth_users": 5, "truth_frames": 9 },
            { "unit": "minute", "start": 1_468_244_340, "truth_users": 2, "truth_frames": 9,
                "wrong": ["minute 2016-07-11 13:39 is missing: 2 users in truth", "x"] }
        ]);
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<Vec<WindowRecord>>(json).unwrap(), records);
    }
}
