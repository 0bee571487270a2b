//! `kuu completions`, `kuu man` and `kuu -X list`: what the command line says of itself.

use crate::cli::{Cli, CompletionsArgs, ManArgs};
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::print;
use crate::kafka::client::listing;
use anyhow::{Context as _, Result, bail};
use clap::CommandFactory as _;
use clap_mangen::Man;
use std::fs;
use std::path::Path;

/// Prints the completions of a shell.
///
/// # Errors
/// If standard output cannot be written.
pub fn completions(arguments: &CompletionsArgs) -> Result<ExitStatus> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "kuu", &mut text);
    print(&text)?;
    Ok(ExitStatus::Fine)
}

/// Prints the properties of librdkafka, and what kuu does with each.
///
/// # Errors
/// If standard output cannot be written.
pub fn properties() -> Result<ExitStatus> {
    print(listing::list().as_bytes())?;
    Ok(ExitStatus::Fine)
}

/// Prints a manual page, or writes all.
///
/// # Errors
/// If there is no such command, or the pages cannot be written.
pub fn man(arguments: &ManArgs) -> Result<ExitStatus> {
    let mut cli = Cli::command().disable_help_subcommand(true);
    // Gives subcommands their full names and the options of every command.
    cli.build();
    if let Some(dir) = &arguments.dir {
        write_all(&cli, dir).with_context(|| format!("the pages cannot be written to {}", dir.display()))?;
        return Ok(ExitStatus::Fine);
    }
    let of = match &arguments.of {
        None => cli,
        Some(name) => match cli.find_subcommand(name) {
            Some(command) => command.clone(),
            None => bail!("there is no command {name}: kuu --help lists them"),
        },
    };
    print(&page(of)?)?;
    Ok(ExitStatus::Fine)
}

fn write_all(cli: &clap::Command, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    let shown = cli.get_subcommands();
    for command in shown.chain([cli]) {
        let name = command.get_display_name().unwrap_or(command.get_name());
        fs::write(dir.join(format!("{name}.1")), page(command.clone())?)?;
    }
    Ok(())
}

fn page(of: clap::Command) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(of).render(&mut text)?;
    Ok(text)
}
