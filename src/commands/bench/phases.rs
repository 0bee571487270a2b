//! The live phase of a bench, and the check of what a phase counted.

use crate::bench::catch_up::BenchTopics;
use crate::bench::embedded::guard;
use crate::bench::live::{self, LiveFigures, LivePlan};
use crate::commands::bench::setup::BenchRun;
use crate::input::truth_of_files;
use crate::kafka::commit::state_topic::State;
use crate::verification::check::{self, Checked};
use anyhow::{Result, bail};
use kuu_core::counter::Config;
use kuu_core::ledger::Ledger;
use kuu_core::repeats::InputRepeats;
use kuu_core::truth::{Extent, Truth};
use kuu_core::verdict::Fold;
use kuu_core::window::Unit;
use std::time::Duration;

/// The load of a live phase.
#[derive(Clone, Copy)]
pub struct StepLoad {
    /// Frames per second.
    pub rate: f64,
    /// Number of frames.
    pub frames: u64,
    /// Number of partitions.
    pub partitions: usize,
    /// Lag below the number of frames in this time is no growth.
    pub harmless_lag: Duration,
}

impl BenchRun<'_> {
    /// The truth about the frames of the files.
    pub fn truth(&self, units: &[Unit]) -> Result<Truth> {
        self.truth_of(u64::MAX, InputRepeats::default(), units)
    }

    /// The truth about so many frames as [`Load::frame`] has them.
    ///
    /// [`Load::frame`]: crate::bench::load::Load::frame
    fn truth_of_step(&self, frames: u64, units: &[Unit]) -> Result<Truth> {
        let (kept, shift_s) = (self.load.kept() as u64, self.load.shift_s());
        let (whole, part) = (frames / kept, frames % kept);
        let first = self.truth_of(kept, InputRepeats { first: 0, count: whole, shift_s }, units)?;
        let last = self.truth_of(part, InputRepeats { first: whole, count: 1, shift_s }, units)?;
        Ok(first.merge(last))
    }

    /// The truth about the first `limit` frames of the files.
    fn truth_of(&self, limit: u64, repeats: InputRepeats, units: &[Unit]) -> Result<Truth> {
        let mut left = limit;
        let names = self.arguments.files.iter().zip(&self.load.sources).map(|(name, source)| {
            let take = source.frames.min(left);
            left -= take;
            (name.as_str(), Extent { limit: Some(take), repeats })
        });
        match truth_of_files::count(names, &self.parser, &Truth::new(units)) {
            (truth, _, None) => Ok(truth),
            (.., Some(error)) => Err(error.into()),
        }
    }

    /// Sends frames at a rate, counts them by seconds, and checks the answer.
    pub fn live(&self, load: StepLoad, config: &Config) -> Result<(LiveFigures, Checked)> {
        let counting = Config { units: vec![Unit::Second], ..config.clone() };
        let truth = self.truth_of_step(load.frames, &counting.units)?;
        let topics =
            BenchTopics { messages: format!("{}-live", self.prefix), output: format!("{}-live-output", self.prefix) };
        let bare = format!("{}-bare", self.prefix);
        self.cluster.create(&topics.messages, load.partitions, 1, &[])?;
        for topic in [&topics.output, &State::topic(self.prefix), &bare] {
            self.cluster.create(topic, 1, 1, &[])?;
        }
        let plan = LivePlan {
            rate: load.rate,
            frames: load.frames,
            harmless_lag: load.harmless_lag,
            parser: self.parser.clone(),
            counting,
            threads: self.threads(),
            compression: self.compression().into(),
            messages: topics.messages.clone(),
            output: topics.output.clone(),
            group: self.prefix.to_owned(),
            bare,
            guarantee: self.arguments.guarantee,
        };
        let bar = self.session.screen.progress("{spinner} {wide_msg}");
        let tell = |what: &str| {
            bar.set_message(what.to_owned());
            bar.tick();
        };
        let outcome = live::measure(&plan, self.load, self.cluster, &self.session.stop, tell);
        bar.finish_and_clear();
        let outcome = outcome?;
        if self.session.stop.interrupted() {
            bail!("interrupted");
        }
        guard(self.cluster, &topics.messages, outcome.frames)?;
        let checked = self.check(&topics, &truth, &outcome.ledger)?;
        Ok((outcome, checked))
    }

    /// Compares what a phase counted with the truth.
    pub fn check(&self, topics: &BenchTopics, truth: &Truth, ledger: &Ledger) -> Result<Checked> {
        self.load.unchanged()?;
        let repeats = check::repeats(self.arguments.guarantee);
        let mut checked = check::check(self.cluster, &topics.output, truth, Fold::new(repeats, None))?;
        check::reconcile(&mut checked, self.cluster, &topics.messages, truth, Some(ledger))?;
        Ok(checked)
    }
}
