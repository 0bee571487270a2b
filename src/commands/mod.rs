//! One file for each subcommand, which only combines other modules.

pub mod batch;
pub mod bench;
pub mod compare;
pub mod count;
pub mod engines;
pub mod exit_status;
pub mod formats;
pub mod generate;
pub mod keep;
pub mod manual;
pub mod output;
pub mod produce;
pub mod race;
pub mod report;
pub mod results;
mod session;
pub mod verify;

use crate::cli::{Cli, Command};
use crate::kafka::client::refusal::{Interrupted, explained};
use crate::terminal::complain;
use anyhow::Result;
use exit_status::ExitStatus;
use session::Session;

/// Runs the command that the command line names.
///
/// # Errors
/// Errors of usage, input or environment, with exit status 2.
pub fn run(cli: Cli) -> Result<ExitStatus> {
    match cli.command {
        Command::Keep => return keep::run(),
        Command::ListProperties => return manual::properties(),
        _ => {}
    }
    session::log::start(&cli)?;
    session::topics::check(&cli.command)?;
    let session = Session::new(cli.common, cli.command.connects())?;
    let done = match &cli.command {
        Command::Produce(arguments) => produce::run(arguments, &session),
        Command::Count(arguments) => count::run(arguments, &session),
        Command::Verify(arguments) => verify::run(arguments, &session),
        Command::Output(arguments) => output::run(arguments, &session),
        Command::Batch(arguments) => batch::run(arguments, &session),
        Command::Bench(arguments) => bench::run(arguments, &session),
        Command::Generate(arguments) => generate::run(arguments, &session),
        Command::Engines(arguments) => engines::run(arguments, &session),
        Command::Race(arguments) => race::run(arguments, &session),
        Command::Formats(arguments) => formats::run(arguments, &session),
        Command::Compare(arguments) => compare::run(arguments, &session),
        Command::Report(arguments) => report::run(arguments, &session),
        Command::Results(arguments) => results::run(arguments, &session),
        Command::Completions(arguments) => manual::completions(arguments),
        Command::Man(arguments) => manual::man(arguments),
        Command::Keep | Command::ListProperties => Ok(ExitStatus::Fine),
    };
    match done {
        Err(error) if error.is::<Interrupted>() => {
            complain(error);
            Ok(ExitStatus::Interrupted)
        }
        done => done.map_err(|error| explained(error, &session.settings())),
    }
}
