//! The options of `kuu compare`.

use super::values::percent;
use clap::Args;
use std::path::PathBuf;

/// `kuu compare`
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The records before: several with commas, or a pattern in quotes, as in 'old/*.json'
    #[arg(value_name = "BEFORE")]
    pub before: String,
    /// The records after, the same way; each further one is another side, compared with BEFORE
    #[arg(value_name = "AFTER", required = true)]
    pub after: Vec<String>,
    /// Compare also where inputs, brokers or machines differ
    #[arg(long)]
    pub across: bool,
    /// How much a figure must change to be called better or worse
    #[arg(long, default_value = "5%", value_parser = percent, value_name = "PERCENT")]
    pub threshold: f64,
    /// Write the tables to this file, too, as Markdown
    #[arg(long, value_name = "FILE")]
    pub export_markdown: Option<PathBuf>,
}
