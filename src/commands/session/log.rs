//! The log, as the command line and the environment want it.

use crate::cli::{Cli, Command, LOG_VARIABLE, LogFormat, log_level};
use crate::terminal::log;
use anyhow::{Result, anyhow};
use tracing::level_filters::LevelFilter;

/// Starts the log of this process.
///
/// # Errors
/// If the environment names a level that does not exist.
pub fn start(cli: &Cli) -> Result<()> {
    let arguments = &cli.common.log;
    let asked = arguments.log_level.map_or_else(environment, |level| Ok(Some(level)))?;
    let is_json = arguments.log_format == LogFormat::Json;
    let follows = matches!(&cli.command, Command::Count(count) if count.follow);
    let usual = match (cli.common.quiet, is_json, follows) {
        (true, _, _) => LevelFilter::ERROR,
        (_, true, _) => LevelFilter::INFO,
        // Who follows may wait for days until the summary has them.
        (_, _, true) => LevelFilter::WARN,
        _ => LevelFilter::ERROR,
    };
    log::start(is_json, asked.unwrap_or(usual), asked.unwrap_or(LevelFilter::OFF));
    Ok(())
}

/// The level in `KUU_LOG`; an empty value counts as unset.
fn environment() -> Result<Option<LevelFilter>> {
    let Some(level) = std::env::var_os(LOG_VARIABLE).filter(|level| !level.is_empty()) else { return Ok(None) };
    log_level(level.to_string_lossy().trim()).map(Some).map_err(|why| anyhow!("{LOG_VARIABLE}: {why}"))
}
