//! `kuu race`: engines on the same frames, and the wrong ones named.

mod live;
mod scorecard;
mod speed;

use crate::cli::RaceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::Session;
use crate::kafka::admin::Cluster;
use crate::race::engines::Engines;
use crate::race::entrant::Entrant;
use crate::race::input::Task;
use crate::race::setup::RaceSetup;
use anyhow::{Result, bail};
use kuu_core::configuration::{RaceConfig, SpeedConfig};
use std::path::Path;
use std::time::Duration;

/// Rounds of a first look.
const QUICK_ROUNDS: u32 = 3;
/// How long an engine may take for one workload, and for one run of a race for speed.
const CELL_DEADLINE: Duration = Duration::from_secs(60);
const SPEED_DEADLINE: Duration = Duration::from_secs(600);

/// Runs the command.
///
/// # Errors
/// If an engine, a workload or a file is unknown, or the broker fails.
pub fn run(arguments: &RaceArgs, session: &Session) -> Result<ExitStatus> {
    if arguments.scorecard {
        return scorecard::run(arguments, session);
    }
    let Some((file, engines)) = arguments.names.split_last() else {
        bail!(
            "name the file with the frames: kuu race [ENGINE]... FILE; or judge engines on workloads: kuu race --scorecard"
        );
    };
    let task = Task {
        file: file.clone(),
        unit: arguments.window,
        partitions: arguments.partitions,
        lateness: u32::try_from(arguments.lateness.as_secs()).unwrap_or(u32::MAX),
    };
    if !Path::new(file).is_file() {
        bail!("{file} is no file: the last argument is the file with the frames (kuu race [ENGINE]... FILE)");
    }
    let engines = entrants(arguments, engines)?;
    if arguments.sustain || arguments.rate.is_some() {
        live::run(arguments, session, &task, &engines)
    } else {
        speed::run(arguments, session, &task, &engines)
    }
}

/// The engines of these names, or all.
fn entrants(arguments: &RaceArgs, names: &[String]) -> Result<Vec<Entrant>> {
    let there = Engines::read(&arguments.engines_dir)?;
    let engines = if names.is_empty() { there.all.iter().collect() } else { there.pick(names)? };
    engines.into_iter().map(Entrant::new).collect()
}

/// How long an engine may take.
fn deadline(arguments: &RaceArgs) -> Duration {
    arguments.deadline.unwrap_or(if arguments.scorecard { CELL_DEADLINE } else { SPEED_DEADLINE })
}

/// What all runs of a race share. Its records and directories have names with this stem.
fn setup<'a>(arguments: &RaceArgs, session: &Session, cluster: &'a Cluster, stem: &str) -> RaceSetup<'a> {
    let directory = arguments.into.clone().unwrap_or_else(|| session.common.results.join(stem));
    RaceSetup {
        cluster,
        stop: session.stop.clone(),
        directory,
        id: format!("kuu-{stem}-{}", std::process::id()),
        deadline: deadline(arguments),
        memory_bytes: arguments.memory,
        restart_broker: arguments.restart_broker.clone(),
        seed: arguments.seed,
        options: options(arguments, session),
    }
}

/// The options of a race, as recorded.
fn config(
    arguments: &RaceArgs,
    engines: &[Entrant],
    deadline: Duration,
    workloads: Vec<String>,
    task: Option<&Task>,
) -> RaceConfig {
    let speed = |task: &Task| SpeedConfig {
        file: task.file.clone(),
        partitions: task.partitions,
        window: task.unit,
        lateness_s: task.lateness,
        rounds: if arguments.quick { QUICK_ROUNDS } else { arguments.rounds },
        quick: arguments.quick,
    };
    RaceConfig {
        engines: engines.iter().map(|engine| engine.name().to_owned()).collect(),
        workloads,
        deadline_us: deadline.as_micros() as u64,
        memory_bytes: arguments.memory,
        restart_broker: arguments.restart_broker.clone(),
        seed: arguments.seed,
        speed: task.map(speed),
    }
}

/// The options with which one cell alone is run again, as far as they are not the default ones.
fn options(arguments: &RaceArgs, session: &Session) -> String {
    let mut options = String::new();
    let mut add = |option: &str, value: String| options += &format!(" {option} {value}");
    session.common.brokers.iter().for_each(|brokers| add("--brokers", brokers.clone()));
    let others = arguments.engines_dir.iter().filter(|dir| **dir != Path::new("engines"));
    others.for_each(|dir| add("--engines", dir.display().to_string()));
    if arguments.workloads != Path::new("workloads") {
        add("--workloads", arguments.workloads.display().to_string());
    }
    arguments.restart_broker.iter().for_each(|command| add("--restart-broker", format!("'{command}'")));
    add("--deadline", format!("{}s", deadline(arguments).as_secs_f64()));
    add("--seed", arguments.seed.to_string());
    options
}
