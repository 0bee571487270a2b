//! What each round of catch-up measures.

use crate::bench::timing::Timing;
use anyhow::Result;
use kuu_core::ledger::Ledger;
use kuu_core::statistics;
use kuu_frame::ParserKind;
use std::collections::BTreeMap;
use std::ops::Index;
use std::time::Instant;
use strum::{IntoStaticStr, VariantArray};

/// A part of catch-up that is measured alone. Tables show its name, and records name their figures by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Stage {
    /// Reading and inflating the files, without further work.
    Inflate,
    /// Parsing the frames in memory with the fast parser.
    #[strum(serialize = "parse")]
    ParseFast,
    /// The same with the plain parser.
    #[strum(serialize = "parse, plain")]
    ParsePlain,
    /// Counting these parsed frames: look up the user, find the window, add the user to its set.
    #[strum(serialize = "intern, window, set")]
    Observe,
    /// Sending the same frames from memory, scaled to all frames of the input.
    #[strum(serialize = "raw send")]
    RawSend,
    /// Reading a topic, from the first frame to the last, without parsing.
    #[strum(serialize = "raw read")]
    RawRead,
    /// Counting the truth from the files.
    Batch,
    /// Sending the files to a topic, until all frames are acknowledged.
    Produce,
    /// Counting a topic, from the first frame until the last result is acknowledged.
    Count,
    /// The same at least once, if `count` is exactly once.
    #[strum(serialize = "at least once")]
    CountAtLeastOnce,
}

impl Stage {
    /// The steps of the processing of a frame, in the order of their table.
    pub const STEPS: [Stage; 6] =
        [Stage::Inflate, Stage::ParseFast, Stage::ParsePlain, Stage::Observe, Stage::RawSend, Stage::RawRead];

    /// The phases: the stages with a ceiling, each with that.
    pub fn phases() -> impl Iterator<Item = (Stage, Stage)> {
        Stage::VARIANTS.iter().filter_map(|stage| Some((*stage, stage.ceiling()?)))
    }

    /// The parsing of this parser.
    pub fn parse(parser: ParserKind) -> Stage {
        match parser {
            ParserKind::Fast => Stage::ParseFast,
            ParserKind::Plain => Stage::ParsePlain,
        }
    }

    /// The name, as tables show it.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The name, as the figures of a record begin.
    pub fn key(self) -> String {
        self.name().replace(", ", "_").replace(' ', "_")
    }

    /// What the same machine does without the work of this stage.
    pub fn ceiling(self) -> Option<Stage> {
        match self {
            Stage::Batch => Some(Stage::Inflate),
            Stage::Produce => Some(Stage::RawSend),
            Stage::Count => Some(Stage::RawRead),
            _ => None,
        }
    }

    /// Whether it processes only the frames that are kept in memory.
    pub fn is_of_kept(self) -> bool {
        matches!(self, Stage::ParseFast | Stage::ParsePlain | Stage::Observe)
    }
}

/// The durations of each stage in seconds, by round, and the fate of the frames.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    seconds: BTreeMap<Stage, Vec<f64>>,
    /// When each began, and how long it took, in the order in which they ran.
    order: Vec<(Stage, Timing)>,
    /// The ledger of the last count.
    pub ledger: Ledger,
}

impl Samples {
    /// Runs a stage in a round, and adds the seconds that it says it took.
    ///
    /// # Errors
    /// If the stage fails.
    pub fn time(&mut self, stage: Stage, work: impl FnOnce() -> Result<f64>) -> Result<()> {
        let started = Instant::now();
        let seconds = work()?;
        self.seconds.entry(stage).or_default().push(seconds);
        self.order.push((stage, Timing { started, seconds }));
        Ok(())
    }

    /// Every stage of every round, in the order in which they ran.
    pub fn timings(&self) -> impl Iterator<Item = (String, Timing)> {
        self.order.iter().map(|(stage, timing)| (stage.key(), *timing))
    }

    /// The speed of a stage relative to another one, its ceiling: the ceiling's time divided by that of the stage.
    pub fn share(&self, stage: Stage, ceiling: Stage) -> f64 {
        statistics::share(&self[ceiling], &self[stage])
    }
}

impl Index<Stage> for Samples {
    type Output = [f64];

    fn index(&self, stage: Stage) -> &[f64] {
        self.seconds.get(&stage).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_keep_the_names_of_their_figures() {
        let keys: Vec<String> = Stage::VARIANTS.iter().map(|stage| stage.key()).collect();
        let steps = ["inflate", "parse", "parse_plain", "intern_window_set", "raw_send", "raw_read"];
        assert_eq!(keys, [&steps[..], &["batch", "produce", "count", "at_least_once"]].concat());
        assert_eq!(Stage::STEPS.map(Stage::key), steps);
    }

    #[test]
    fn a_share_is_the_time_of_the_ceiling_by_that_of_the_stage() {
        let mut samples = Samples::default();
        for (stage, seconds) in [(Stage::Batch, 4.0), (Stage::Inflate, 3.0), (Stage::Batch, 2.0), (Stage::Inflate, 2.0)]
        {
            samples.time(stage, || Ok(seconds)).unwrap();
        }
        assert_eq!((&samples[Stage::Batch], &samples[Stage::Count]), (&[4.0, 2.0][..], &[][..]));
        let timings: Vec<(String, Timing)> = samples.timings().collect();
        let took: Vec<(&str, f64)> = timings.iter().map(|(stage, timing)| (stage.as_str(), timing.seconds)).collect();
        assert_eq!(took, [("batch", 4.0), ("inflate", 3.0), ("batch", 2.0), ("inflate", 2.0)]);
        assert!(timings.is_sorted_by_key(|(_, timing)| timing.started), "{timings:?}");
        let shares: Vec<f64> = Stage::phases().map(|(stage, ceiling)| samples.share(stage, ceiling)).collect();
        assert_eq!(shares, [0.875, 0.0, 0.0]);
    }
}
