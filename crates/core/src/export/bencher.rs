//! Bencher Metric Format, as <https://bencher.dev/docs/reference/bencher-metric-format> has it.

use super::named::{ExportRefusal, NamedRecord, pretty};
use super::pooled::pooled;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct BencherMetric {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

/// A benchmark for each figure, with its unit as the measure, whose slug has no underscores.
pub(super) fn text(records: &[NamedRecord]) -> Result<String, ExportRefusal> {
    let mut benchmarks: BTreeMap<String, BTreeMap<String, BencherMetric>> = BTreeMap::new();
    for (key, pool) in pooled(records)? {
        let measure = key.unit.name().replace('_', "-");
        let benchmark = key.engine.map_or_else(|| key.name.clone(), |engine| format!("{engine} {}", key.name));
        let spread = pool.spread();
        let metric = BencherMetric {
            value: pool.value(),
            lower_value: spread.map(|spread| spread.least),
            upper_value: spread.map(|spread| spread.greatest),
        };
        benchmarks.entry(benchmark).or_default().insert(measure, metric);
    }
    pretty(&benchmarks)
}
