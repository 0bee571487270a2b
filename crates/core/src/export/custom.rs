//! Results for github-action-benchmark, as `BenchmarkResult` of its `src/extract.ts` has them.

use super::named::{ExportRefusal, NamedRecord, pretty};
use super::pooled::pooled;
use crate::comparison::Better;
use serde::Serialize;

#[derive(Serialize)]
struct CustomResult {
    name: String,
    unit: String,
    value: f64,
    /// Text that stands behind the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

/// The figures that are better this way: a file of this action has one direction.
pub(super) fn text(records: &[NamedRecord], better: Better) -> Result<String, ExportRefusal> {
    let wanted = pooled(records)?.into_iter().filter(|(_, pool)| pool.better == better);
    let results: Vec<CustomResult> = wanted
        .map(|(key, pool)| {
            let samples = pool.values.len();
            CustomResult {
                name: key.engine.iter().cloned().chain([key.full_name()]).collect::<Vec<_>>().join(" "),
                unit: key.unit.name().replace("_per_", "/"),
                value: pool.value(),
                range: pool.spread().map(|spread| format!("{} to {}", spread.least, spread.greatest)),
                extra: format!("{samples} sample{}", if samples == 1 { "" } else { "s" }),
            }
        })
        .collect();
    // The action refuses an empty list.
    if let (true, Some(first)) = (results.is_empty(), records.first()) {
        let lacks = match better {
            Better::More => "no figure of which more is better",
            Better::Less => "no figure of which less is better",
        };
        return Err(ExportRefusal::Nothing { record: first.name.clone(), lacks });
    }
    pretty(&results)
}
