//! A cold run: from the start of an engine to the right answer.

use crate::race::claims::{Emits, Ends};
use crate::race::drive::{Driven, clean_up, drive, make_directory};
use crate::race::feeding::make_output;
use crate::race::input::fill;
use crate::race::question::RaceWorkload;
use crate::race::running::InputTiming;
use crate::race::setup::{CellNames, RaceSetup};
use crate::race::speed::beside::{BesideMeter, observer_remark};
use crate::race::speed::field::Starter;
use crate::race::speed::quiet::settle;
use crate::system::clock::steady_us;
use crate::system::server_process::ServerProcess;
use anyhow::Result;
use kuu_core::speed::{SampleKey, SpeedSample};

/// An input in a topic that several runs read.
pub struct TopicInput {
    /// The topic.
    pub topic: String,
    /// Its frames, and the answer to them.
    pub of: RaceWorkload,
}

/// What all runs of a race for speed share.
pub struct SpeedSetup<'a> {
    /// What all runs of a race share.
    pub race: &'a RaceSetup<'a>,
    /// The broker's process, if it runs on this machine.
    pub broker: Option<ServerProcess>,
}

impl SpeedSetup<'_> {
    /// The names of a run that reads this topic.
    pub fn names(&self, key: &SampleKey, engine: &str, input: String) -> CellNames {
        let SampleKey { phase, frames, round, turn, .. } = key;
        let run = format!("{phase}-{frames}-{round}-{turn}");
        let base = format!("{}-{run}-{engine}", self.race.id);
        let directory = self.race.directory.join(run).join(engine);
        CellNames { input, output: format!("{base}-output"), group: base, directory }
    }
}

/// Runs an engine on an input.
///
/// # Errors
/// If the broker fails, or the race is interrupted.
pub fn run(speed: &SpeedSetup<'_>, input: &TopicInput, starter: &Starter<'_>, key: SampleKey) -> Result<SpeedSample> {
    let (setup, engine) = (speed.race, starter.engine);
    let claims = engine.descriptor();
    let needs_epilogue = claims.ends == Ends::Never && claims.emits == Emits::Final;
    let mut names = speed.names(&key, engine.name(), input.topic.clone());
    make_directory(&names)?;
    make_output(setup.cluster, &names.output)?;
    if needs_epilogue {
        // What follows the data stays in the topic: no other engine gets it.
        names.input = format!("{}-messages", names.group);
        fill(setup.cluster, &names.input, &input.of, &setup.stop)?;
    }
    settle(speed.broker.as_ref(), &setup.stop);
    let (meter, begun_us) = (BesideMeter::begin(speed.broker.as_ref()), steady_us());
    let feed = if needs_epilogue { InputTiming::Followed } else { InputTiming::Shared };
    let driven = drive(setup, engine, &input.of, &names, feed);
    let beside = meter.end(&names.directory.join("state"));
    let cleaned = clean_up(setup.cluster, &names.group);
    let Driven { verdict, started, times, used, mut remarks, .. } = driven?;
    cleaned?;
    remarks.extend(observer_remark(&beside, steady_us() - begun_us, cores()));
    let answered = input.of.question.frames().values().sum();
    let started = started.rfc3339();
    Ok(SpeedSample {
        key,
        started,
        verdict,
        times,
        used,
        beside,
        answered,
        steady: None,
        frontier: Vec::new(),
        remarks,
    })
}

/// The number of processors.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
