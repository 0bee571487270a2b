//! The options of `kuu report`.

use super::values::described;
use clap::Args;
use kuu_core::export::ExportFormat;

/// `kuu report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Records that kuu wrote, plain or gzipped; or patterns of their names in quotes, as in 'results/bench-*.json'
    #[arg(value_name = "RECORD", required = true)]
    pub records: Vec<String>,
    /// Write the format of another tool, in place of a page of HTML
    #[arg(long, value_parser = described::<ExportFormat>(), value_name = "FORMAT")]
    pub export: Option<ExportFormat>,
    /// Write to this file, in place of what it holds; - is standard output
    #[arg(long, short, default_value = "-", value_name = "FILE")]
    pub output: String,
}
