//! What a live race measures: how late the results of engines are at a rate, and which rates they sustain.

use crate::latency::{HistogramRecord, LegRecords};
use crate::scorecard::{CellVerdict, Used};
use crate::speed::{FrontierPoint, RacedEngine};
use crate::statistics::Slope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::Display;

/// A window of a live run. Times are microseconds from the moment at which the first frame was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveWindow {
    /// Its start, in Unix seconds of event time.
    pub start: i64,
    /// When the last frame of the window was due.
    pub last_due_us: i64,
    /// When its closing frame was due: from then on every partition had one that is later than its end and the lateness.
    pub closed_due_us: i64,
    /// When the closing frame was sent.
    pub closed_sent_us: i64,
    /// Arrival of the row since which it was right for good; none if it was not.
    pub right_us: Option<i64>,
}

/// Whether an engine kept up with a rate.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "snake_case", deny_unknown_fields)]
pub enum RateVerdict {
    /// It kept up.
    Proven,
    /// It did not.
    Refuted {
        /// What shows that, in words.
        why: String,
    },
    /// The run does not say.
    Undecided {
        /// What is missing, in words.
        why: String,
    },
    /// The generator could not send at this rate.
    GeneratorBehind,
}

/// One run of one engine at one rate.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveSample {
    /// The engine; of one that takes part twice, the second has ` (2)` behind its name.
    pub engine: String,
    /// The round, from 1.
    pub round: u32,
    /// The turn in the round, from 1; of a search for a rate, the number of the probe.
    pub turn: u32,
    /// When the engine was started, RFC 3339 in UTC.
    pub started: String,
    /// Frames per second that were asked for.
    pub rate: f64,
    /// Frames per second that the generator sent.
    pub achieved: f64,
    /// How long frames were sent at that rate, in microseconds, the warm-up included.
    pub sending_us: i64,
    /// The warm-up: windows that closed in it are not measured. In microseconds.
    pub warm_us: i64,
    /// The interval at which rows of this engine come, as it says, in milliseconds; 0 if as soon as they are there.
    pub every_ms: u64,
    /// Whether its latencies count from the closing frame; else, as it writes every change, from the last frame.
    pub from_closing: bool,
    /// Whether its rows were right.
    pub verdict: CellVerdict,
    /// Whether it kept up.
    pub keeps_up: RateVerdict,
    /// The slope of its event-time frontier, in frames per second, if there were enough windows.
    pub slope: Option<Slope>,
    /// Every window that closed after the warm-up and before the end of sending.
    pub windows: Vec<LiveWindow>,
    /// The number of these that were right later than the interval and a second.
    pub late: u64,
    /// Latency by leg; `result` and `end_to_end` only of engines that write results when a window closes.
    pub legs: LegRecords,
    /// From the moment the last frame of a window was due to its right row.
    pub last_frame: Option<HistogramRecord>,
    /// The frontier. Its seconds are from the moment at which the first frame was due.
    pub frontier: Vec<FrontierPoint>,
    /// What the engine used.
    pub used: Used,
}

/// What bounds a rate from above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize, Display)]
#[serde(rename_all = "snake_case")]
pub enum RateLimit {
    /// The engine did not keep up with it.
    #[strum(serialize = "refuted")]
    Refuted,
    /// No run, however long, said whether the engine keeps up with it.
    #[strum(serialize = "undecided")]
    Undecided,
    /// The generator cannot send at it.
    #[strum(serialize = "more than the generator can send here")]
    Generator,
}

/// The rates between which lies the greatest one that an engine sustains, in frames per second.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateBracket {
    /// The engine.
    pub engine: String,
    /// The round, from 1.
    pub round: u32,
    /// The highest rate that is proven.
    pub proven: Option<f64>,
    /// The lowest rate above it that is not.
    pub limit: Option<f64>,
    /// Why not.
    pub limit_is: Option<RateLimit>,
}

/// A live race.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveRecord {
    /// The engines and their versions, in the order of the command line.
    pub engines: Vec<RacedEngine>,
    /// Every run, in the order in which they were made; of a search for a rate, every probe.
    pub samples: Vec<LiveSample>,
    /// The rates that were found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brackets: Vec<RateBracket>,
}

impl LiveSample {
    /// When the latency of a window begins.
    pub fn reference_us(&self, window: &LiveWindow) -> i64 {
        if self.from_closing { window.closed_due_us } else { window.last_due_us }
    }

    /// Whether its figures mean something.
    pub fn is_valid(&self) -> bool {
        self.verdict.is_right() && !matches!(self.keeps_up, RateVerdict::Refuted { .. } | RateVerdict::GeneratorBehind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Histogram;
    use crate::statistics::Interval;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let window = LiveWindow {
            start: 1_767_225_600,
            last_due_us: 1_000,
            closed_due_us: 5_000,
            closed_sent_us: 5_100,
            right_us: Some(9_000),
        };
        let mut histogram = Histogram::default();
        histogram.record(8_000);
        let sample = LiveSample {
            engine: "kuu".into(),
            round: 1,
            turn: 2,
            started: "2026-11-30T00:00:00Z".into(),
            rate: 5_000.0,
            achieved: 4_999.5,
            sending_us: 20_000_000,
            warm_us: 4_000_000,
            every_ms: 1_000,
            from_closing: true,
            verdict: CellVerdict::Exact,
            keeps_up: RateVerdict::Refuted { why: "its lag grew".into() },
            slope: Some(Slope { slope: 5_000.0, interval: Interval { low: 4_990.0, high: 5_010.0 }, samples: 20 }),
            windows: vec![window, LiveWindow { right_us: None, ..window }],
            late: 1,
            legs: LegRecords::default(),
            last_frame: Some((&histogram).try_into().unwrap()),
            frontier: vec![FrontierPoint { seconds: 0.5, frames: 10 }],
            used: Used::default(),
        };
        assert_eq!((sample.reference_us(&window), sample.is_valid()), (5_000, false));
        let other = LiveSample { from_closing: false, keeps_up: RateVerdict::Proven, ..sample.clone() };
        assert_eq!((other.reference_us(&window), other.is_valid()), (1_000, true));
        let bracket = RateBracket {
            engine: "kuu".into(),
            round: 1,
            proven: Some(4_000.0),
            limit: Some(5_000.0),
            limit_is: Some(RateLimit::Refuted),
        };
        let record = LiveRecord { engines: Vec::new(), samples: vec![sample, other], brackets: vec![bracket] };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<LiveRecord>(&text).unwrap(), record);
        assert_eq!(RateLimit::Generator.to_string(), "more than the generator can send here");
    }
}
