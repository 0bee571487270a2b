//! Samples as CSV (RFC 4180).

use super::figures::{FigureSample, figures};
use super::named::{ExportRefusal, NamedRecord};
use csv::Writer;
use serde::Serialize;

/// A line.
#[derive(Serialize)]
struct SampleLine<'a> {
    record: &'a str,
    begun: &'a str,
    engine: Option<&'a str>,
    figure: &'a str,
    unit: &'a str,
    round: Option<u32>,
    turn: Option<u32>,
    value: f64,
}

/// Every sample of every figure, and of the ceilings.
pub(super) fn text(records: &[NamedRecord]) -> Result<String, ExportRefusal> {
    let mut writer = Writer::from_writer(Vec::new());
    for NamedRecord { name, record } in records {
        let figures = figures(record);
        if figures.is_empty() {
            return Err(ExportRefusal::Nothing { record: name.clone(), lacks: "no figure" });
        }
        for (key, of) in &figures {
            for FigureSample { begun, round, turn, value } in &of.samples {
                writer.serialize(SampleLine {
                    record: name,
                    begun,
                    engine: key.engine.as_deref(),
                    figure: &key.name,
                    unit: key.unit.name(),
                    round: *round,
                    turn: *turn,
                    value: *value,
                })?;
            }
        }
    }
    // A vector takes everything, and what it got was text.
    let bytes = writer.into_inner().unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
