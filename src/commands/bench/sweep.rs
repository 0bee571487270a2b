//! `kuu bench --sweep`: live phases at rising rates.

use crate::bench::leftovers;
use crate::bench::sweep::{self, LEAST, harmless_lag};
use crate::commands::bench::phases::StepLoad;
use crate::commands::bench::setup::{BenchRun, LIVE_RATIO};
use crate::kafka::admin::Cluster;
use crate::system::clock::Time;
use crate::terminal::rate;
use crate::verification::check::Checked;
use anyhow::Result;
use kuu_core::counter::Config;
use kuu_core::load_sweep::{SweepEnd, SweepRecord, SweepStep};

/// The most bytes of frames that the embedded broker gets in a step: it holds them in memory.
const EMBEDDED_BYTES: f64 = 512e6;

impl BenchRun<'_> {
    /// Measures the latency at rising rates up to `most`; or returns the check of a step that counted wrong.
    pub fn sweep(&self, most: f64, config: &Config) -> Result<Result<SweepRecord, Checked>> {
        let rates = sweep::rates(most);
        let seconds = self.arguments.live_seconds.as_secs_f64().max(1e-3);
        let most_frames =
            if self.cluster.is_embedded() { (EMBEDDED_BYTES / self.bytes_a_frame()) as u64 } else { u64::MAX };
        let frames = |rate: f64| self.load.at_most((rate * seconds).ceil() as u64).clamp(1, most_frames);
        // One number for all steps, so that only the rate differs.
        let largest = rates.iter().map(|rate| frames(*rate)).max().unwrap_or(1);
        let partitions = self.partitions_for(largest, LIVE_RATIO);
        let mut swept = SweepRecord { steps: Vec::new(), end: SweepEnd::CatchUpRate };
        for rate in rates {
            let frames = frames(rate);
            let lasts = frames as f64 / rate;
            if lasts < LEAST.as_secs_f64().min(seconds) * 0.99 {
                swept.end = if frames < most_frames { SweepEnd::NoRepeats } else { SweepEnd::TooShort };
                break;
            }
            let load = StepLoad { rate, frames, partitions, harmless_lag: harmless_lag(lasts) };
            let (step, checked) = self.step(swept.steps.len() + 1, load, config)?;
            if !checked.verdict.exact {
                return Ok(Err(checked));
            }
            let (is_on_schedule, is_sustained) = (step.on_schedule, step.sustained);
            swept.steps.push(step);
            if !is_on_schedule || !is_sustained {
                swept.end = if is_on_schedule { SweepEnd::NotSustained } else { SweepEnd::Behind };
                break;
            }
        }
        Ok(Ok(swept))
    }

    /// One live phase, with topics of its own; on an embedded broker of its own, as that never forgets a topic.
    fn step(&self, number: usize, load: StepLoad, config: &Config) -> Result<(SweepStep, Checked)> {
        let own = self.cluster.is_embedded().then(|| Cluster::embedded(&self.session.settings())).transpose()?;
        let cluster = own.as_ref().unwrap_or(self.cluster);
        let prefix = format!("{}-sweep-{number}", self.prefix);
        let run = BenchRun { cluster, prefix: &prefix, parser: self.parser.clone(), ..*self };
        let started = Time::now().rfc3339();
        let (live, checked) = run.live(load, config)?;
        if !self.arguments.keep {
            leftovers::delete(cluster, &prefix)?;
        }
        self.session.screen.say(format!(
            "live, {} frames/s: {}",
            rate(load.rate),
            sweep::words(live.on_schedule, live.sustained)
        ));
        let step = sweep::step(started, load.rate, &live)?;
        Ok((step, checked))
    }
}
