//! `kuu race`: engines on the same frames, and the wrong ones named.

mod live;
mod options;
mod scorecard;
mod speed;

use crate::cli::RaceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::Session;
use crate::race::input::Task;
use anyhow::{Result, bail};
use std::path::Path;

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
    let engines = options::entrants(arguments, engines)?;
    if arguments.sustain || arguments.rate.is_some() {
        live::run(arguments, session, &task, &engines)
    } else if options::rounds(arguments) < 2 {
        bail!("--rounds 1: one round says nothing about chance: at least 2, better 10")
    } else {
        speed::run(arguments, session, &task, &engines)
    }
}
