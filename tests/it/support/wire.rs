//! The output formats of kuu, declared again: a member that is renamed, added or removed fails here.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A row of `output`, or a line of `kuu count FILE`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub unit: String,
    pub start: i64,
    pub end: i64,
    pub users: u64,
    pub frames: u64,
    /// Only of sketches.
    pub distinct: Option<String>,
    pub timing: String,
    pub revision: Option<u32>,
    pub emitted_us: i64,
}

impl Row {
    #[track_caller]
    pub fn parse(text: &[u8]) -> Row {
        serde_json::from_slice(text).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(text)))
    }

    pub fn window(&self) -> Window {
        Window { unit: self.unit.clone(), start: self.start, users: self.users, frames: self.frames }
    }

    /// The row without the time at which it was written.
    pub fn timeless(&self) -> Row {
        Row { emitted_us: 0, ..self.clone() }
    }
}

/// A line of `kuu batch`, and the expected result of every way of counting.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub unit: String,
    pub start: i64,
    pub users: u64,
    pub frames: u64,
}

/// Folds rows by window and checks the promises of every run: early results only before the single on-time result;
/// corrections with numbers from 1; and no row with a lower count than the previous one.
#[track_caller]
pub fn settle(rows: &[Row]) -> Vec<Window> {
    let mut windows: BTreeMap<(&str, i64), &Row> = BTreeMap::new();
    for row in rows {
        let before = windows.insert((&row.unit, row.start), row);
        let expected = match before.and_then(|before| before.revision) {
            None if row.timing == "early" => ("early", None),
            None => ("on_time", Some(0)),
            Some(revision) => ("late", Some(revision + 1)),
        };
        assert_eq!((row.timing.as_str(), row.revision), expected, "{row:?} after {before:?}");
        if let Some(before) = before {
            let more = row.frames > before.frames || (before.timing == "early" && row.frames == before.frames);
            assert!(row.users >= before.users && more, "{row:?} after {before:?}");
        }
        assert!(row.emitted_us > 1_600_000_000_000_000, "{row:?}");
        if row.unit == "minute" {
            assert_eq!((row.start % 60, row.end - row.start), (0, 60), "{row:?}");
        }
    }
    windows.into_values().map(Row::window).collect()
}

/// A record in `results/`, or the document of `--json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub format: u32,
    pub command: String,
    pub written: String,
    pub program: Program,
    pub broker: Option<Broker>,
    pub command_line: Vec<String>,
    pub config: BTreeMap<String, serde_json::Value>,
    pub machine: Machine,
    #[serde(default)]
    pub input: Vec<Source>,
    pub topic: Option<Topic>,
    pub ledger: Option<Ledger>,
    pub verdict: Option<Verdict>,
    #[serde(default)]
    pub figures: BTreeMap<String, Figure>,
    #[serde(default)]
    pub turns: Vec<Turn>,
    #[serde(default)]
    pub latency: BTreeMap<String, serde_json::Value>,
    pub sweep: Option<Sweep>,
    #[serde(default)]
    pub distinct: Vec<Sets>,
    #[serde(default)]
    pub remarks: Vec<String>,
    /// Of what was compared with the truth; in the document of `batch` the truth itself.
    #[serde(default)]
    pub windows: Vec<DocumentWindow>,
}

/// A stage in one round of a measurement.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    pub stage: String,
    pub started_us: u64,
    pub took_us: f64,
}

/// A window in a record, or in a document of `--json`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct DocumentWindow {
    pub unit: String,
    pub start: i64,
    pub users: Option<u64>,
    pub frames: Option<u64>,
    pub first_users: Option<u64>,
    pub truth_users: Option<u64>,
    pub truth_frames: Option<u64>,
    pub wrong: Option<Vec<String>>,
}

impl PartialEq<Window> for DocumentWindow {
    fn eq(&self, other: &Window) -> bool {
        let Window { unit, start, users, frames } = other;
        self.unit == *unit && self.start == *start && self.users == Some(*users) && self.frames == Some(*frames)
    }
}

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../../docs/record.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// Checks a record against the schema that is committed.
#[track_caller]
pub fn check_schema(record: &serde_json::Value) {
    let faults: Vec<String> =
        SCHEMA.iter_errors(record).map(|fault| format!("{}: {fault}", fault.instance_path)).collect();
    assert!(faults.is_empty(), "{}\n{record}", faults.join("\n"));
}

impl Record {
    #[track_caller]
    pub fn parse(text: &[u8]) -> Record {
        if let Ok(record) = serde_json::from_slice(text) {
            check_schema(&record);
        }
        serde_json::from_slice(text).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(text)))
    }

    /// The value of a figure, which must exist.
    #[track_caller]
    pub fn figure(&self, name: &str) -> f64 {
        self.figures.get(name).unwrap_or_else(|| panic!("no figure {name} in {self:?}")).value
    }

    /// The ledger, which must exist.
    #[track_caller]
    pub fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().unwrap_or_else(|| panic!("no ledger in {self:?}"))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    pub version: String,
    pub git: String,
    pub rustc: String,
    pub librdkafka: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    pub kind: String,
    #[allow(dead_code)]
    pub version: Option<String>,
    pub transaction_version: Option<u16>,
    pub address: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    #[allow(dead_code)]
    pub cpu: String,
    pub cores: usize,
    pub memory_bytes: u64,
    pub kernel: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
    pub frames: u64,
    pub frame_bytes: u64,
    pub repeats: Option<Repeats>,
}

/// Latency against load.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    pub steps: Vec<SweepStep>,
    pub end: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepStep {
    pub started: String,
    pub asked_frames_per_s: f64,
    pub sent_frames_per_s: f64,
    pub frames: u64,
    pub results_rows: u64,
    pub on_schedule: bool,
    pub sustained: bool,
    pub lag_frames: Vec<u64>,
    pub latency: BTreeMap<String, serde_json::Value>,
}

/// Exact sets and sketches on one input.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Sets {
    pub name: String,
    pub frames: u64,
    pub users: u64,
    pub windows: u64,
    pub window_users: u64,
    pub all_window_users: u64,
    pub parse_ns: Vec<f64>,
    pub ways: Vec<Way>,
    #[serde(default)]
    pub turns: Vec<Turn>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    pub distinct: String,
    pub frame_ns: Vec<f64>,
    pub memory_bytes: u64,
    pub state_bytes: u64,
    pub rms_error: f64,
    pub largest_error: f64,
}

/// How often the frames of a source came.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Repeats {
    pub first: u64,
    pub count: u64,
    pub shift_s: i64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    pub name: String,
    pub partitions: usize,
    pub id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    pub read: u64,
    pub counted: u64,
    pub malformed: BTreeMap<String, u64>,
    pub too_late: u64,
    pub too_far: u64,
    pub blank: u64,
    pub late: u64,
    pub out_of_order: u64,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    pub exact: bool,
    pub windows: u64,
    pub wrong: u64,
    pub exact_at_first: u64,
    pub corrected: u64,
    pub first_unknown: u64,
    pub largest_first_error_users: u64,
    pub total_first_error_users: u64,
    pub within: Option<Within>,
    pub faults: Vec<String>,
}

/// How near answers are that need not be exact.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct Within {
    pub bound: f64,
    pub inside: u64,
    pub largest_error: f64,
    pub rms_error: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    pub value: f64,
    #[serde(default)]
    #[allow(dead_code)]
    pub samples: Vec<f64>,
    #[allow(dead_code)]
    pub ceiling: Option<serde_json::Value>,
}
