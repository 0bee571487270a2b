//! The truth beside a stream: JSON lines, a header and then a row for every window.

use super::spec::Spec;
use super::trouble::Trouble;
use crate::ledger::Ledger;
use crate::truth::WindowCount;
use crate::window::{Unit, Window};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

/// Version of the format, and of the bytes that a specification gives.
pub const FORMAT: u32 = 1;

/// What is true of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthFile {
    /// The stream as a whole.
    pub header: Header,
    /// Every window with a frame, by start, shorter ones first.
    pub rows: Vec<TruthRow>,
}

/// The first line of a truth file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// Number of rows that follow.
    pub windows: u64,
    /// How the stream was made.
    pub spec: Spec,
    /// What became of its lines.
    pub totals: Totals,
    /// Frames that were delayed.
    pub delayed: u64,
    /// Every trouble of the specification.
    pub troubles: Vec<TroubleCount>,
}

/// What became of the lines of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Bytes with line ends, before compression.
    pub bytes: u64,
    /// Lines.
    pub lines: u64,
    /// Lines that are not blank.
    pub read: u64,
    /// Frames.
    pub counted: u64,
    /// Lines that are no frames, by reason.
    pub malformed: BTreeMap<String, u64>,
    /// Blank lines.
    pub blank: u64,
    /// Frames whose shortest window had ended before the watermark of their own partition when they came.
    pub late: u64,
    /// Frames of `late` that came after the retention of that window. With one partition, a count of the stream
    /// has as many in its ledger.
    pub too_late: u64,
}

/// How many lines a trouble has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TroubleCount {
    /// The trouble.
    pub trouble: Trouble,
    /// The lines that it made or changed; of a silent or empty partition those that went to another one; of a pause
    /// the pause itself.
    pub lines: u64,
}

/// One window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruthRow {
    /// The unit of the window.
    pub unit: Unit,
    /// Its first second.
    pub start: i64,
    /// Distinct users: the same as `users_max`.
    pub users: u64,
    /// Distinct users of the frames that are not late within their own partition.
    pub users_min: u64,
    /// Distinct users of all frames.
    pub users_max: u64,
    /// All frames.
    pub frames: u64,
    /// What a count with the retention of the specification has, where some frames came after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Kept>,
}

/// What a count has of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Kept {
    pub users: u64,
    pub frames: u64,
}

/// Why a truth file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line is not what it should be.
    #[error("line {line}: {why}")]
    Line {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// A number in the answer that is checked that is not the number of the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What is counted.
    pub what: What,
    /// `users`, `frames`, or a line of the ledger.
    pub number: String,
    /// The number of the truth file.
    pub expected: u64,
    /// The number of the count.
    pub found: u64,
}

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The ledger.
    Ledger,
    /// A window.
    Window(Window),
}

impl TruthFile {
    /// Writes the file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, &self.header)?;
        out.write_all(b"\n")?;
        for row in &self.rows {
            serde_json::to_writer(&mut *out, row)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or is no truth file; the error names the line.
    pub fn read(input: impl BufRead) -> Result<TruthFile, ReadError> {
        let wrong = |line: u64, why: String| ReadError::Line { line, why };
        let mut lines = (1..).zip(input.split(b'\n'));
        let (_, first) = lines.next().ok_or_else(|| wrong(1, "the file is empty".into()))?;
        let header: Header = serde_json::from_slice(&first?)
            .map_err(|error| wrong(1, format!("no header of a truth file: {}", without_place(&error))))?;
        if header.format != FORMAT {
            return Err(wrong(1, format!("format {}, but only {FORMAT} is known", header.format)));
        }
        let mut rows: Vec<TruthRow> = Vec::new();
        for (line, text) in lines {
            let row: TruthRow = serde_json::from_slice(&text?)
                .map_err(|error| wrong(line, format!("no window of a truth file: {}", without_place(&error))))?;
            if !(-3 * 86_400..=kuu_frame::MAX_TS).contains(&row.start) || row.window().start != row.start {
                return Err(wrong(line, format!("no {} starts at {}", row.unit, row.start)));
            }
            if rows.last().is_some_and(|last| last.window() >= row.window()) {
                return Err(wrong(line, "windows are not in order".into()));
            }
            rows.push(row);
        }
        if rows.len() as u64 != header.windows {
            let words = format!("{} windows, but the header says {}", rows.len(), header.windows);
            return Err(wrong(rows.len() as u64 + 2, words));
        }
        Ok(TruthFile { header, rows })
    }

    /// Where a count of the windows of this file's units differs, and its ledger. The count takes every frame, however
    /// late.
    pub fn differences(&self, windows: &[WindowCount], ledger: &Ledger) -> Vec<Difference> {
        let mut all: BTreeMap<Window, [[u64; 2]; 2]> = BTreeMap::new();
        for row in &self.rows {
            all.entry(row.window()).or_default()[0] = [row.users, row.frames];
        }
        for count in windows {
            all.entry(count.window).or_default()[1] = [count.users, count.frames];
        }
        let totals = &self.header.totals;
        let mut reasons: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
        totals.malformed.iter().for_each(|(reason, count)| reasons.entry(reason).or_default()[0] = *count);
        ledger.reasons().iter().for_each(|(reason, count)| reasons.entry(reason).or_default()[1] = *count);
        let lines = [
            ("read", [totals.read, ledger.read]),
            ("counted", [totals.counted, ledger.counted]),
            ("blank", [totals.blank, ledger.blank]),
        ];
        let lines = lines.into_iter().chain(reasons).map(|(name, both)| (What::Ledger, name, both));
        let windows = all.into_iter().flat_map(|(window, [[users, frames], [found_users, found_frames]])| {
            let what = What::Window(window);
            [(what, "users", [users, found_users]), (what, "frames", [frames, found_frames])]
        });
        let difference = |(what, number, [expected, found]): (What, &str, [u64; 2])| {
            (expected != found).then(|| Difference { what, number: number.to_owned(), expected, found })
        };
        lines.chain(windows).filter_map(difference).collect()
    }
}

impl TruthRow {
    /// The window.
    pub fn window(&self) -> Window {
        self.unit.window(self.start)
    }
}

/// The message without the line and column within the line.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}
