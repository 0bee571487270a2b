//! The serialized types of `results/`, separate from the types in memory.

use crate::configuration::Configuration;
use crate::distinct_record::DistinctRecord;
use crate::formats::FormatRow;
use crate::latency::LegRecords;
use crate::ledger::Ledger;
use crate::load_sweep::SweepRecord;
use crate::race_live::LiveRecord;
use crate::repeats::InputRepeats;
use crate::scorecard::CellRecord;
use crate::speed::SpeedRecord;
use crate::turn::Turn;
use crate::window_record::WindowRecord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the record format: raised when a member changes its meaning or is removed.
pub const FORMAT: u32 = 1;

/// One run of a command: what it did, where, and how fast.
#[derive(Clone, Debug, JsonSchema, Serialize, Deserialize)]
pub struct Record {
    /// [`FORMAT`].
    pub format: u32,
    /// The subcommand, and its configuration in effect.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// When the run began, RFC 3339 in UTC: the time in the file names of records.
    pub written: String,
    /// The program that ran.
    pub program: Program,
    /// The broker, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<Broker>,
    /// The command line, without secrets.
    pub command_line: Vec<String>,
    /// The machine of the run.
    pub machine: Machine,
    /// The inputs, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<Source>,
    /// The topic of the frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
    /// The fate of every frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// Whether the result was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Every figure, by a name that ends in its unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, Figure>,
    /// The stages of `kuu bench` and `kuu formats`, each time that one ran: its place in the list is its slot. The samples of
    /// figures are made of these, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
    /// Latency by leg.
    #[serde(default, skip_serializing_if = "LegRecords::is_empty")]
    pub latency: LegRecords,
    /// The cells of a scorecard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<CellRecord>,
    /// The windows of a result that was compared with the truth; of very many, the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowRecord>,
    /// The samples of a race for speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<SpeedRecord>,
    /// The runs of a live race.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveRecord>,
    /// Latency against load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepRecord>,
    /// Exact sets and sketches side by side, by input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distinct: Vec<DistinctRecord>,
    /// The same frames in several formats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<FormatRow>,
    /// What a reader must know before using the figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

impl Record {
    /// Why the latency of a bench is invalid, if it is.
    pub fn why_no_latency(&self) -> Option<&'static str> {
        let is_not = |name: &str| self.figures.get(name).is_some_and(|figure| figure.value == 0.0);
        if is_not("live_sustained") {
            Some("the load was unsustainable")
        } else if is_not("live_on_schedule") {
            Some("the load generator fell behind its schedule")
        } else {
            None
        }
    }
}

/// The build that ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Program {
    pub version: String,
    pub git: String,
    pub rustc: String,
    pub librdkafka: String,
}

/// The broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Broker {
    /// The kind of a real broker, or `embedded` for the client library's mock. Figures of the two are never compared.
    pub kind: String,
    /// The version, if known: the protocol does not tell it.
    pub version: Option<String>,
    /// The level of the feature `transaction.version`: 2 is that of KIP-890, 0 is none. Unknown for the embedded broker, and
    /// over TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_version: Option<u16>,
    /// Bootstrap servers.
    pub address: String,
}

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_bytes: u64,
    pub kernel: String,
}

/// One input file.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Source {
    /// The path as given; `-` is standard input.
    pub name: String,
    /// The size on disk.
    pub bytes: u64,
    /// SHA-256 of the same bytes, in hexadecimal.
    pub sha256: String,
    /// Number of frames from this file: all, or those up to the limit. Each counts once, however often it was sent.
    pub frames: u64,
    /// Bytes of those frames, without line ends.
    pub frame_bytes: u64,
    /// How often they were sent, and how much later each time; once, if it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<InputRepeats>,
}

/// A topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Topic {
    pub name: String,
    pub partitions: usize,
    /// The id, which another topic of this name does not have; none if the broker has no topic ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The outcome of a comparison with the truth.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether every window is exact and the ledger adds up; never of answers that need not be exact.
    pub exact: bool,
    /// Number of windows of the truth.
    pub windows: u64,
    /// Number of windows that are missing, extra or different.
    pub wrong: u64,
    /// Number of windows whose first answer had the right users. With the next two, these are all windows.
    pub exact_at_first: u64,
    /// Number of windows whose first answer had wrong users.
    #[serde(default)]
    pub corrected: u64,
    /// Number of windows whose first answer is no longer in the topic.
    #[serde(default)]
    pub first_unknown: u64,
    /// Largest difference of a first answer from the truth, in users.
    pub largest_first_error_users: u64,
    /// Sum of those differences over all windows, in users.
    pub total_first_error_users: u64,
    /// How near the answers are, where they need not be exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<WithinRecord>,
    /// The faults, a sentence each.
    pub faults: Vec<String>,
}

impl Verdict {
    /// Whether the answers are what was asked for: exact, or within the bound, and the ledger adds up.
    pub fn is_right(&self) -> bool {
        self.exact || self.within.is_some() && self.faults.is_empty()
    }
}

/// How near answers are that need not be exact. Errors are those of last answers, each a share of the users in truth.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct WithinRecord {
    /// By which share the users of a window may be off.
    pub bound: f64,
    /// Number of windows of the truth that are not off by more.
    pub inside: u64,
    /// The largest error.
    pub largest_error: f64,
    /// The root of the mean square of the errors.
    pub rms_error: f64,
}

/// One measured figure, and the limit of the machine.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Figure {
    /// The median of the samples.
    pub value: f64,
    /// All samples, in the order in which they were taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<f64>,
    /// The ceiling measured in the same run, in the same unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Ceiling>,
}

/// What the same machine reaches without the step in question.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Ceiling {
    /// What was measured.
    pub name: String,
    /// The median of the samples.
    pub value: f64,
    /// All samples, taken in turn with those of the figure.
    pub samples: Vec<f64>,
    /// Median of the ratios of samples taken in turn.
    pub share: f64,
}
