//! The options of `kuu completions` and `kuu man`.

use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// `kuu completions`
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// `kuu man`
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// The command whose page is printed [default: kuu itself]
    #[arg(value_name = "COMMAND")]
    pub of: Option<String>,
    /// Write all pages into this directory instead
    #[arg(long, value_name = "DIR", conflicts_with = "of")]
    pub dir: Option<PathBuf>,
}
