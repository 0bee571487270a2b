//! A row as kuu writes it, and its key.

use crate::counter::{Emission, Timing};
use crate::window::{Unit, Window};
use kuu_frame::MAX_TS;
use serde::Serialize;

/// Users and frames of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Count {
    /// Distinct users.
    pub users: u64,
    /// Frames; an engine may omit them.
    pub frames: Option<u64>,
}

impl Count {
    /// Whether both have the same users, and the same frames if both have them.
    pub fn agrees(&self, other: &Count) -> bool {
        let frames = self.frames.zip(other.frames).is_none_or(|(ours, theirs)| ours == theirs);
        self.users == other.users && frames
    }
}

/// One row of a topic of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The window.
    pub window: Window,
    /// The users and frames of the window.
    pub count: Count,
    /// The number of the correction.
    pub revision: Option<u32>,
    /// The time of the result relative to the watermark; none if an engine does not give it, or gives it in another
    /// way.
    pub timing: Option<Timing>,
    /// Whether the row says that its users are an estimate, as in `"distinct":"hll"`.
    pub is_approximate: bool,
}

/// A row in the format of kuu.
#[derive(Serialize)]
struct WrittenRow {
    unit: Unit,
    start: i64,
    end: i64,
    users: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distinct: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emitted_us: Option<i64>,
}

impl Row {
    /// Appends the row as one JSON object; `emitted_us` is in microseconds since the Unix epoch.
    pub fn write(&self, emitted_us: i64, out: &mut Vec<u8>) {
        self.write_with(Some(emitted_us), out);
    }

    /// Appends the row as one JSON object, without the time at which it was written.
    pub fn write_timeless(&self, out: &mut Vec<u8>) {
        self.write_with(None, out);
    }

    fn write_with(&self, emitted_us: Option<i64>, out: &mut Vec<u8>) {
        let Row { window: Window { unit, start, end }, count: Count { users, frames }, revision, timing, .. } = *self;
        let (timing, distinct) = (timing.map(Timing::name), self.is_approximate.then_some("hll"));
        let written = WrittenRow { unit, start, end, users, frames, distinct, timing, revision, emitted_us };
        serde_json::to_writer(out, &written).expect("texts and numbers can be written as JSON");
    }

    /// Whether the row says that it is an early result.
    pub fn is_early(&self) -> bool {
        self.timing == Some(Timing::Early)
    }
}

impl From<&Emission> for Row {
    fn from(result: &Emission) -> Row {
        let Emission { window, users, frames, distinct, timing, revision } = *result;
        let (count, is_approximate) = (Count { users, frames: Some(frames) }, distinct.is_approximate());
        Row { window, count, revision, timing: Some(timing), is_approximate }
    }
}

/// Reads the key of a row, as in `minute:1468244340`.
///
/// # Errors
/// What is wrong with the key, in a few words.
pub fn parse_key(key: &[u8]) -> Result<Window, String> {
    let text = std::str::from_utf8(key).map_err(|_| "the key is not UTF-8".to_owned())?;
    let (unit, start) = text.split_once(':').ok_or_else(|| format!("the key `{text}` is not UNIT:START"))?;
    window_at(unit.parse()?, start.parse().map_err(|_| format!("the key `{text}` has no start in Unix seconds"))?)
}

/// The window of `unit` that starts at `start`.
pub(super) fn window_at(unit: Unit, start: i64) -> Result<Window, String> {
    // The week of 1970-01-01 starts three days before it.
    let window = unit.window(start.clamp(-3 * 86_400, MAX_TS));
    if window.start == start { Ok(window) } else { Err(format!("no {unit} starts at {start}")) }
}
