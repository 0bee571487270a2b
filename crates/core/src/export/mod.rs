//! Records in the formats of other tools.

mod bencher;
mod custom;
mod figures;
mod hyperfine;
mod latencies;
mod left_out;
mod named;
mod open_metrics;
mod pooled;
mod table;
#[cfg(test)]
mod tests;
mod vega_lite;

use crate::comparison::Better;
pub(crate) use latencies::{LatencyOf, latencies};
pub use left_out::left_out;
pub(crate) use left_out::wrong_engines;
pub use named::{ExportRefusal, NamedRecord};
use std::collections::BTreeSet;
use strum::{Display, EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// A format of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumMessage, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum ExportFormat {
    /// Bencher Metric Format (bencher.dev): each figure with its least and greatest sample
    Bencher,
    /// Figures for github-action-benchmark of which more is better (its tool customBiggerIsBetter)
    CustomBigger,
    /// Figures for github-action-benchmark of which less is better (its tool customSmallerIsBetter)
    CustomSmaller,
    /// As hyperfine --export-json: times of phases, and of cold runs of engines
    Hyperfine,
    /// OpenMetrics 1.0 text, with the time at which each run began
    #[strum(serialize = "openmetrics")]
    OpenMetrics,
    /// All samples, one a line
    Csv,
    /// A Vega-Lite 5 plot with its data: samples, latency by percentile, scorecards
    VegaLite,
}

impl ExportFormat {
    /// Whether a document of this format is JSON.
    pub fn is_json(self) -> bool {
        !matches!(self, ExportFormat::OpenMetrics | ExportFormat::Csv)
    }
}

/// Writes records in a format; the text ends with a line end. Their answers are taken to be right.
///
/// # Errors
/// If a record is there twice, is damaged, or has nothing that the format can say; or if a format with one value for each
/// figure is asked for records that cannot be compared.
pub fn export(format: ExportFormat, records: &[NamedRecord]) -> Result<String, ExportRefusal> {
    let mut names = BTreeSet::new();
    if let Some(twice) = records.iter().find(|record| !names.insert(&record.name)) {
        return Err(ExportRefusal::Twice { record: twice.name.clone() });
    }
    match format {
        ExportFormat::Bencher => bencher::text(records),
        ExportFormat::CustomBigger => custom::text(records, Better::More),
        ExportFormat::CustomSmaller => custom::text(records, Better::Less),
        ExportFormat::Hyperfine => hyperfine::text(records),
        ExportFormat::OpenMetrics => open_metrics::text(records),
        ExportFormat::Csv => table::text(records),
        ExportFormat::VegaLite => vega_lite::text(records),
    }
}
