//! What a race for speed measures: every sample, and what they say together.

use crate::scorecard::{CellTimes, CellVerdict, Used};
use crate::statistics::{RatioEstimate, RatioVerdict, SteadyRate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::Display;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize, Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum SpeedPhase {
    /// From the start of an engine to the right answer, on an input of a stated size.
    Cold,
    /// The rate of an engine on an input without an end, after its warm-up.
    Steady,
}

/// What an engine runs on, and when its turn is: no two samples of a race have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleKey {
    /// What is measured.
    pub phase: SpeedPhase,
    /// The number of frames of the input.
    pub frames: u64,
    /// The round, from 1.
    pub round: u32,
    /// The turn in the round, from 1.
    pub turn: u32,
    /// The engine; of one that takes part twice, the second has ` (2)` behind its name.
    pub engine: String,
}

/// What other processes used while an engine ran; none where that is not known.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// Processor time of the broker, in microseconds.
    pub broker_cpu_us: Option<u64>,
    /// Bytes that the broker read, from connections and from files.
    pub broker_read_bytes: Option<u64>,
    /// Bytes that the broker wrote, to connections and to files.
    pub broker_written_bytes: Option<u64>,
    /// Processor time of the race itself, that is of the observer, in microseconds.
    pub observer_cpu_us: u64,
    /// Bytes in the engine's state directory when it had ended.
    pub state_bytes: u64,
}

/// How far an engine was at a time.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontierPoint {
    /// Seconds from the start of the engine.
    pub seconds: f64,
    /// Frames in all windows up to the first one that was not right yet.
    pub frames: u64,
}

/// One run of one engine.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeedSample {
    /// What it ran on, and when.
    pub key: SampleKey,
    /// When it was started, RFC 3339 in UTC.
    pub started: String,
    /// Whether its answer was right.
    pub verdict: CellVerdict,
    /// When things happened, from the start of the engine.
    pub times: CellTimes,
    /// What the engine used.
    pub used: Used,
    /// What was used beside it.
    pub beside: Beside,
    /// Frames that it answered: all of the input in a cold run, else those of the frontier at the end.
    pub answered: u64,
    /// Its rate in frames per second, of a steady run that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<SteadyRate>,
    /// Its frontier, of a steady run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frontier: Vec<FrontierPoint>,
    /// What a reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

impl SpeedSample {
    /// Frames per second: of a cold run from its start to the right answer. None if the answer was not right, or the run
    /// has no rate.
    pub fn speed(&self) -> Option<f64> {
        if !self.verdict.is_right() {
            return None;
        }
        match self.key.phase {
            SpeedPhase::Cold => self.times.right_us.map(|us| self.answered as f64 / (us as f64 / 1e6)),
            SpeedPhase::Steady => self.steady.map(|steady| steady.rate.slope),
        }
    }

    /// Processor time of the engine for a million frames, in seconds; none if it answered no frame.
    pub fn cpu_s_per_million(&self) -> Option<f64> {
        self.us_per_frame(self.used.cpu_us)
    }

    /// The same of the broker, if it is known.
    pub fn broker_cpu_s_per_million(&self) -> Option<f64> {
        self.us_per_frame(self.beside.broker_cpu_us?)
    }

    fn us_per_frame(&self, us: u64) -> Option<f64> {
        (self.answered > 0).then(|| us as f64 / self.answered as f64)
    }
}

/// What all rounds say of one engine on one input.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeedEstimate {
    /// What was measured.
    pub phase: SpeedPhase,
    /// The number of frames of the input.
    pub frames: u64,
    /// The engine.
    pub engine: String,
    /// Frames per second, by round.
    pub speeds: BTreeMap<u32, f64>,
    /// Their geometric mean with its interval, as a ratio to 1 frame per second.
    pub speed: Option<RatioEstimate>,
    /// The ratio of its speed to that of the reference, in turn.
    pub ratio: Option<RatioEstimate>,
    /// What that ratio says, corrected over all engines of the table.
    pub verdict: Option<RatioVerdict>,
    /// Its place, as in `2` or `2-4`.
    pub rank: Option<String>,
}

/// A race for speed.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeedRecord {
    /// The engine to which all others are compared.
    pub reference: String,
    /// The engines and their versions, in the order of the command line.
    pub engines: Vec<RacedEngine>,
    /// Every sample, in the order in which they were taken.
    pub samples: Vec<SpeedSample>,
    /// What they say together; of engines that were right each time.
    pub estimates: Vec<SpeedEstimate>,
}

/// How an engine stands in the tables of a race.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ranking {
    /// It has a place among the others.
    #[default]
    Ranked,
    /// It has figures and no place: it says that it is no rival.
    Unranked,
    /// It estimates, so it stands apart, with its error.
    Approximate,
}

impl Ranking {
    /// Whether it is [`Ranking::Ranked`].
    pub fn is_usual(&self) -> bool {
        *self == Ranking::Ranked
    }
}

/// An engine of a race.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RacedEngine {
    /// Its name in the tables.
    pub name: String,
    /// Its version, if it is known.
    pub version: Option<String>,
    /// How it stands in the tables.
    #[serde(default, skip_serializing_if = "Ranking::is_usual")]
    pub ranking: Ranking,
    /// Why it did not run, if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(phase: SpeedPhase, verdict: CellVerdict) -> SpeedSample {
        SpeedSample {
            key: SampleKey { phase, frames: 1_000, round: 1, turn: 2, engine: "kuu".into() },
            started: "2026-11-30T00:00:00Z".into(),
            verdict,
            times: CellTimes { right_us: Some(2_000_000), ..CellTimes::default() },
            used: Used { cpu_us: 5_000, ..Used::default() },
            beside: Beside { broker_cpu_us: Some(1_000), ..Beside::default() },
            answered: 1_000,
            steady: None,
            frontier: vec![FrontierPoint { seconds: 0.5, frames: 10 }],
            remarks: Vec::new(),
        }
    }

    #[test]
    fn only_what_is_right_has_a_speed() {
        let right = sample(SpeedPhase::Cold, CellVerdict::Exact);
        assert_eq!(right.speed(), Some(500.0));
        assert_eq!((right.cpu_s_per_million(), right.broker_cpu_s_per_million()), (Some(5.0), Some(1.0)));
        let idle = SpeedSample { answered: 0, ..sample(SpeedPhase::Steady, CellVerdict::Exact) };
        assert_eq!((idle.cpu_s_per_million(), idle.broker_cpu_s_per_million()), (None, None));
        assert_eq!(sample(SpeedPhase::Steady, CellVerdict::Exact).speed(), None);
        assert_eq!(sample(SpeedPhase::Cold, CellVerdict::Hung { state: "x".into() }).speed(), None);
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = SpeedRecord {
            reference: "kuu".into(),
            engines: vec![RacedEngine {
                name: "kuu".into(),
                version: None,
                ranking: Ranking::Approximate,
                obstacle: None,
            }],
            samples: vec![sample(SpeedPhase::Cold, CellVerdict::Exact)],
            estimates: Vec::new(),
        };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<SpeedRecord>(&text).unwrap(), record);
    }
}
