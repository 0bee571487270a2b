//! The options of `kuu results`.

use clap::Args;

/// `kuu results`
#[derive(Debug, Args)]
pub struct ResultsArgs {
    /// Delete all but the newest KEEP records of each command whose names carry a time, with what belongs to them
    #[arg(long, value_name = "KEEP", conflicts_with = "schema")]
    pub prune: Option<usize>,
    /// Print the JSON Schema of a record instead
    #[arg(long)]
    pub schema: bool,
}
