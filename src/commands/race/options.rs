//! What every kind of race makes of the command line.

use crate::cli::RaceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{self, Session};
use crate::kafka::admin::Cluster;
use crate::race::engines::Engines;
use crate::race::entrant::Entrant;
use crate::race::input::Task;
use crate::race::pacing::PaceLimit;
use crate::race::samples::{RacePlan, RaceSamples};
use crate::race::setup::RaceSetup;
use anyhow::{Result, bail};
use kuu_core::configuration::{RaceConfig, SpeedConfig};
use kuu_core::record::Source;
use kuu_core::speed::RacedEngine;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

/// Rounds of a race for speed, of a first look, and of one against the clock.
const ROUNDS: u32 = 10;
const QUICK_ROUNDS: u32 = 3;
const LIVE_ROUNDS: u32 = 1;
/// How long an engine may take for one workload, and for one run of a race for speed.
const CELL_DEADLINE: Duration = Duration::from_secs(60);
const SPEED_DEADLINE: Duration = Duration::from_secs(600);

/// The engines of these names, or all.
///
/// # Errors
/// If there is none of such a name, or a descriptor is wrong.
pub fn entrants(arguments: &RaceArgs, names: &[String]) -> Result<Vec<Entrant>> {
    let there = Engines::read(&arguments.engines_dir)?;
    let engines = if names.is_empty() { there.all.iter().collect() } else { there.pick(names)? };
    engines.into_iter().map(Entrant::new).collect()
}

/// How often everything is measured.
pub fn rounds(arguments: &RaceArgs) -> u32 {
    let usual = match (arguments.rate.is_some() || arguments.sustain, arguments.quick) {
        (true, _) => LIVE_ROUNDS,
        (false, true) => QUICK_ROUNDS,
        (false, false) => ROUNDS,
    };
    arguments.rounds.unwrap_or(usual)
}

/// How long an engine may take.
pub fn deadline(arguments: &RaceArgs) -> Duration {
    arguments.deadline.unwrap_or(if arguments.scorecard { CELL_DEADLINE } else { SPEED_DEADLINE })
}

/// The broker of a race that needs Apache Kafka, as the embedded one drops what it cannot hold. `race` says which.
///
/// # Errors
/// If no broker is named, or it cannot be reached.
pub fn kafka(session: &Session, race: &str) -> Result<Cluster> {
    if session.common.brokers.is_none() {
        bail!(
            "{race} needs Apache Kafka, as the embedded broker holds 5 MiB a partition: scripts/kafka.sh start, and then kuu \
             race ... --brokers localhost:9092"
        );
    }
    session::measured(session, "race")
}

/// What all runs of a race share. Its records and directories have names with this stem.
pub fn setup<'a>(arguments: &RaceArgs, session: &Session, cluster: &'a Cluster, stem: &str) -> RaceSetup<'a> {
    let directory = arguments.into.clone().unwrap_or_else(|| session.common.results.join(stem));
    RaceSetup {
        cluster,
        stop: session.stop.clone(),
        directory,
        id: format!("kuu-{stem}-{}", std::process::id()),
        deadline: deadline(arguments),
        memory_bytes: arguments.memory,
        enforces_memory: arguments.enforce_memory,
        restart_broker: arguments.restart_broker.clone(),
        seed: arguments.seed,
        pace: arguments.pace.map(|frames_per_s| PaceLimit { frames_per_s, slowest_frames_per_s: None }),
        options: options(arguments, session),
    }
}

/// The samples in the directory of a race: the file, the engines and these options say which race it is.
///
/// # Errors
/// If the directory has another race, or its files cannot be read or written.
pub fn samples<S: Serialize + DeserializeOwned>(
    arguments: &RaceArgs,
    setup: &RaceSetup<'_>,
    source: &Source,
    engines: Vec<RacedEngine>,
) -> Result<RaceSamples<S>> {
    let options = [
        ("partitions", arguments.partitions.to_string()),
        ("window", arguments.window.to_string()),
        ("lateness", format!("{:?}", arguments.lateness)),
        ("memory", arguments.memory.to_string()),
        ("enforce-memory", arguments.enforce_memory.to_string()),
        ("for", format!("{:?}", arguments.time)),
        ("quick", arguments.quick.to_string()),
        ("rate", format!("{:?}", arguments.rate)),
        ("sustain", arguments.sustain.to_string()),
    ];
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    RaceSamples::open(&setup.directory, &RacePlan { input: source.sha256.clone(), engines, options })
}

/// Says how an interrupted race goes on; `what` is what it has, as in `12 runs`.
pub fn interrupted(session: &Session, setup: &RaceSetup<'_>, what: &str) -> ExitStatus {
    session.screen.say(format!(
        "interrupted after {what}: the same command with --into {} goes on from there",
        setup.directory.display()
    ));
    ExitStatus::Interrupted
}

/// The options of a race, as recorded.
pub fn config(
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
        rounds: rounds(arguments),
        steady_rounds: arguments.steady_rounds,
        quick: arguments.quick,
    };
    RaceConfig {
        engines: engines.iter().map(|engine| engine.name().to_owned()).collect(),
        workloads,
        deadline_us: deadline.as_micros() as u64,
        memory_bytes: arguments.memory,
        enforces_memory: arguments.enforce_memory,
        restart_broker: arguments.restart_broker.clone(),
        seed: arguments.seed,
        speed: task.map(speed),
    }
}

/// The options with which one cell alone is run again, as far as they are not the default ones.
pub fn options(arguments: &RaceArgs, session: &Session) -> String {
    let mut options = String::new();
    let mut add = |option: &str, value: String| options += &format!(" {option} {value}");
    session.common.brokers.iter().for_each(|brokers| add("--brokers", brokers.clone()));
    let others = arguments.engines_dir.iter().filter(|dir| **dir != Path::new("engines"));
    others.for_each(|dir| add("--engines", dir.display().to_string()));
    if arguments.workloads != Path::new("workloads") {
        add("--workloads", arguments.workloads.display().to_string());
    }
    arguments.restart_broker.iter().for_each(|command| add("--restart-broker", format!("'{command}'")));
    add("--memory", arguments.memory.to_string());
    add("--deadline", format!("{}s", deadline(arguments).as_secs_f64()));
    add("--seed", arguments.seed.to_string());
    if arguments.enforce_memory {
        options += " --enforce-memory";
    }
    options
}
