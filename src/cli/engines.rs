//! The options of `kuu engines`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `kuu engines`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = false)]
pub struct EnginesArgs {
    /// What to do with them [default: list them]
    #[command(subcommand)]
    pub action: Option<EnginesAction>,
    /// Where engines are, a folder with an engine.toml each; may be repeated
    #[arg(long, global = true, value_name = "DIR", default_value = "engines")]
    pub engines: Vec<PathBuf>,
}

/// What to do with engines.
#[derive(Debug, Subcommand)]
pub enum EnginesAction {
    /// Build engines that are not built, or whose source changed
    Build {
        /// Which ones [default: all whose programs are there]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}
