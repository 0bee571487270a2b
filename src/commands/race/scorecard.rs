//! `kuu race --scorecard`: every engine on every workload, and the wrong ones named.

use crate::cli::{CheckpointInterval, RaceArgs};
use crate::commands::exit_status::ExitStatus;
use crate::commands::race::options;
use crate::commands::session::{self, Session, workloads};
use crate::kafka::admin::Cluster;
use crate::race::entrant::Entrant;
use crate::race::question::{Question, RaceWorkload, raced};
use crate::race::scorecard::{cell_line, matrix, pace, row};
use crate::terminal::plural;
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::Configuration;
use kuu_core::scorecard::CellRecord;
use kuu_core::workload::Workload;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Runs the command.
///
/// # Errors
/// If an engine or a workload is unknown, or the broker fails.
pub fn run(arguments: &RaceArgs, session: &Session) -> Result<ExitStatus> {
    let engines = columns(&options::entrants(arguments, &arguments.names)?, &arguments.checkpoint)?;
    let names = workloads::chosen(&arguments.workloads, &arguments.workload)?;
    let all = chosen(arguments, &names)?;
    let cluster = session::measured(session, "race")?;
    let stem = format!("race-{}", session.begun.compact());
    let mut setup = options::setup(arguments, session, &cluster, &stem);
    let started = Instant::now();
    let (mut cells, mut is_paced) = (Vec::new(), setup.pace.is_some());
    for ChosenWorkload { name, given, workload } in all {
        let question = Question::new(&workload, &session.stop).with_context(|| format!("workload {given}"))?;
        let of = RaceWorkload { name, given, workload, question: question.into() };
        // Where nothing breaks, a second interval would show nothing.
        let each = if of.workload.meanwhile.is_empty() { arguments.checkpoint.len() } else { 1 };
        let raced: Vec<&Entrant> = engines.iter().step_by(each).collect();
        let paced = if of.workload.meanwhile.is_empty() || is_paced {
            Ok(())
        } else {
            is_paced = true;
            pace(&setup, &raced, &of, |line| session.screen.say(line)).map(|limit| setup.pace = limit)
        };
        let done = paced.and_then(|()| {
            row(&setup, &raced, &of, |cell| {
                session.screen.say(cell_line(&cell));
                cells.push(cell);
            })
        });
        if session.stop.interrupted() {
            return Ok(options::interrupted(session, &setup, &plural(cells.len() as u64, "cell")));
        }
        done?;
    }
    session.screen.say(format!("\n{}", matrix(&engines, &cells)));
    let took = started.elapsed().as_secs();
    session.screen.say(format!(
        "\n{} in {took} s: rows, logs and commands in {}",
        plural(cells.len() as u64, "cell"),
        setup.directory.display()
    ));
    store(arguments, session, &cluster, &engines, names, cells, &stem)
}

/// The engines of the table: each with each interval in turn.
fn columns(engines: &[Entrant], intervals: &[CheckpointInterval]) -> Result<Vec<Entrant>> {
    if (1..intervals.len()).any(|at| intervals[..at].contains(&intervals[at])) {
        bail!("--checkpoint names an interval twice");
    }
    let with = |engine: &Entrant, interval: &CheckpointInterval| match interval {
        CheckpointInterval::Own => engine.clone(),
        CheckpointInterval::Every(every) => engine.committing(*every),
    };
    Ok(engines.iter().flat_map(|engine| intervals.iter().map(move |interval| with(engine, interval))).collect())
}

/// A workload of the command line.
struct ChosenWorkload {
    /// Its name, as topics and directories have it.
    name: String,
    /// As it was given: its name, or a file.
    given: String,
    workload: Workload,
}

/// The workloads that were given.
fn chosen(arguments: &RaceArgs, all: &[String]) -> Result<Vec<ChosenWorkload>> {
    let mut chosen: Vec<ChosenWorkload> = Vec::new();
    for given in all {
        let stem = Path::new(given).file_stem();
        let name = stem.map_or_else(|| given.clone(), |stem| stem.to_string_lossy().into_owned());
        if let Some(other) = chosen.iter().find(|other| other.name == name) {
            bail!(
                "workloads {} and {given} are both called {name}, and a race has one directory and one topic for a name: \
                 rename a file, or race them one after the other",
                other.given
            );
        }
        let workload = raced(workloads::read(&arguments.workloads, given)?);
        chosen.push(ChosenWorkload { name, given: given.clone(), workload });
    }
    Ok(chosen)
}

/// Writes the record of the race; the exit status is that of the worst cell.
fn store(
    arguments: &RaceArgs,
    session: &Session,
    cluster: &Cluster,
    engines: &[Entrant],
    workloads: Vec<String>,
    cells: Vec<CellRecord>,
    stem: &str,
) -> Result<ExitStatus> {
    let config = options::config(arguments, engines, options::deadline(arguments), workloads, None);
    let is_right = cells.iter().all(|cell| cell.verdict.is_right() || !cell.verdict.is_run());
    let mut record = session.record(Configuration::Race, config);
    record.broker = Some(session::broker(cluster));
    record.cells = cells;
    let saved: Result<PathBuf> = session
        .print(&record)
        .and_then(|()| session.store(&format!("{stem}.json"), &record))
        .context("the race was run, but its record is not written");
    let status = if is_right { ExitStatus::Fine } else { ExitStatus::Wrong };
    status.after(saved.map(|path| session.screen.say(format!("record: {}", path.display()))))
}
