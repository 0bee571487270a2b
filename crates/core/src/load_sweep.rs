//! Latency against load: live phases at rising rates, in the format of a record.

use crate::latency::LegRecords;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumMessage, IntoStaticStr};

/// Live phases at rising rates, up to the first that is not sustained.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct SweepRecord {
    /// The rates, from the lowest.
    pub steps: Vec<SweepStep>,
    /// Why no higher rate follows.
    pub end: SweepEnd,
}

/// The live phase at one rate.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct SweepStep {
    /// When it began, RFC 3339 in UTC.
    pub started: String,
    /// Frames per second that were due.
    pub asked_frames_per_s: f64,
    /// Frames per second that were sent.
    pub sent_frames_per_s: f64,
    /// Number of frames: those of the input, again and again, each time later in event time.
    pub frames: u64,
    /// Number of results.
    pub results_rows: u64,
    /// Whether the generator held its schedule.
    pub on_schedule: bool,
    /// Whether the count kept up: otherwise latency means nothing.
    pub sustained: bool,
    /// Frames that were sent and not yet counted, every 100 ms.
    pub lag_frames: Vec<u64>,
    /// Latency by leg.
    pub latency: LegRecords,
}

/// Why a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize, IntoStaticStr, EnumMessage)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SweepEnd {
    /// The count did not keep up with the last rate.
    NotSustained,
    /// The generator could not send at the last rate.
    Behind,
    /// The last rate is that of the count without a load generator beside it.
    CatchUpRate,
    /// The next rate would not last long enough to say anything: the embedded broker holds too few frames.
    TooShort,
    /// The next rate would not last long enough to say anything: the input has too few frames, and its timestamps do not
    /// allow repeats.
    NoRepeats,
}

impl SweepStep {
    /// Whether the latency of this rate means something.
    pub fn is_valid(&self) -> bool {
        self.on_schedule && self.sustained
    }
}

impl SweepRecord {
    /// The highest rate that was sustained, in frames per second; none if the first one was not.
    pub fn sustained(&self) -> Option<f64> {
        self.steps.iter().rfind(|step| step.is_valid()).map(|step| step.asked_frames_per_s)
    }
}
