//! `kuu engines`: the engines there are, and what is missing to run them.

use crate::cli::{EnginesAction, EnginesArgs};
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{Session, print_json};
use crate::race::building::{Built, build};
use crate::race::descriptor::Descriptor;
use crate::race::engines::{Engine, Engines, Readiness};
use crate::terminal::complain;
use anyhow::{Result, anyhow};
use serde::Serialize;
use std::thread;

/// Runs the command.
///
/// # Errors
/// If there is no directory of engines, or no engine of a name.
pub fn run(arguments: &EnginesArgs, session: &Session) -> Result<ExitStatus> {
    let engines = Engines::read(&arguments.engines)?;
    match &arguments.action {
        None => list(&engines, session),
        Some(EnginesAction::Build { names }) if names.is_empty() => {
            let can = |engine: &&Engine| engine.missing().is_empty();
            let (can, cannot): (Vec<_>, Vec<_>) = engines.all.iter().partition(can);
            for engine in cannot {
                let name = &engine.descriptor.name;
                let words = Readiness::Needs { programs: engine.missing() }.words(name);
                session.screen.say(format!("{name}: left out, as it {words}"));
            }
            let faults = report_faults(&engines);
            build_all(&can, session, faults)
        }
        Some(EnginesAction::Build { names }) => build_all(&engines.pick(names)?, session, ExitStatus::Fine),
    }
}

/// An engine in the document of --json.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    descriptor: &'a Descriptor,
    dir: &'a str,
    #[serde(flatten)]
    readiness: &'a Readiness,
}

/// The document of --json.
#[derive(Serialize)]
struct Listing<'a> {
    engines: Vec<Listed<'a>>,
    faults: Vec<&'a str>,
}

fn list(engines: &Engines, session: &Session) -> Result<ExitStatus> {
    let all = readiness(&engines.all)?;
    if session.common.json {
        let faults = engines.faults.iter().map(|fault| fault.words.as_str()).collect();
        let engines = engines.all.iter().zip(&all).map(|(engine, readiness)| listed(engine, readiness)).collect();
        print_json(&Listing { engines, faults })?;
    }
    let width = engines.all.iter().map(|engine| engine.descriptor.name.len()).max().unwrap_or(0);
    for (engine, readiness) in engines.all.iter().zip(&all) {
        let Descriptor { name, title, licence, .. } = &engine.descriptor;
        session.screen.say(format!("{name:<width$}  {title}"));
        let licence = if licence.is_empty() { "licence unknown" } else { licence };
        let words = readiness.words(name);
        let lines = words.lines().map(str::to_owned);
        let lines = lines.chain([licence.to_owned(), engine.descriptor.claims()]);
        lines.for_each(|line| session.screen.say(format!("{:<width$}  {line}", "")));
    }
    if engines.all.is_empty() && engines.faults.is_empty() {
        session.screen.say("no engines here: a folder with an engine.toml is one, see docs/engines.md");
    }
    Ok(report_faults(engines))
}

fn listed<'a>(engine: &'a Engine, readiness: &'a Readiness) -> Listed<'a> {
    let Engine { descriptor, dir } = engine;
    Listed { descriptor, dir: dir.to_str().unwrap_or_default(), readiness }
}

/// Whether each can run; their commands run side by side, as most of them wait.
fn readiness(engines: &[Engine]) -> Result<Vec<Readiness>> {
    thread::scope(|scope| {
        let all: Vec<_> = engines.iter().map(|engine| scope.spawn(|| engine.readiness())).collect();
        all.into_iter().map(|one| one.join().map_err(|_| anyhow!("a thread died"))?).collect()
    })
}

fn report_faults(engines: &Engines) -> ExitStatus {
    engines.faults.iter().for_each(|fault| complain(&fault.words));
    if engines.faults.is_empty() { ExitStatus::Fine } else { ExitStatus::Incomplete }
}

fn build_all(engines: &[&Engine], session: &Session, mut status: ExitStatus) -> Result<ExitStatus> {
    for engine in engines {
        let name = &engine.descriptor.name;
        let says = |command: &str| session.screen.say(format!("{name}: {command}"));
        let version = |version: Option<String>| version.unwrap_or_else(|| "unknown version".into());
        match build(engine, says, || session.stop.interrupted()) {
            Ok(Built::Now { version: found }) => session.screen.say(format!("{name}: built, {}", version(found))),
            Ok(Built::Before { version: found }) => {
                session.screen.say(format!("{name}: nothing to do, {}", version(found)));
            }
            Ok(Built::Interrupted) => return Ok(ExitStatus::Interrupted),
            Err(error) => {
                complain(format!("{name}: {error:#}"));
                status = ExitStatus::Incomplete;
            }
        }
    }
    Ok(status)
}
