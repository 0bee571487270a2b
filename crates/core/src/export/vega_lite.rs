//! A plot as a Vega-Lite 5 specification, with its data.

use super::figures::{FigureSample, measured};
use super::latencies::latencies;
use super::named::{ExportRefusal, NamedRecord};
use crate::latency::{Histogram, distribution};
use crate::scorecard::CellRecord;
use crate::statistics::median;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A sample of a figure, or the median of all.
#[derive(Serialize)]
struct PlottedSample {
    figure: String,
    /// The engine, the command or the record.
    of: String,
    what: &'static str,
    round: Option<u32>,
    begun: Option<String>,
    value: f64,
}

/// `percent` of the values are at most `ms`.
#[derive(Serialize)]
struct CurvePoint {
    leg: &'static str,
    /// The engine and the rate, the command or the record.
    of: String,
    percent: f64,
    /// One value of so many is above it.
    one_of: f64,
    ms: f64,
}

/// What an engine was on a workload.
#[derive(Serialize)]
struct PlottedCell {
    engine: String,
    workload: String,
    verdict: &'static str,
    /// The record.
    of: String,
    words: String,
}

/// The views that the records have data for, one below the other.
pub(super) fn text(records: &[NamedRecord]) -> Result<String, ExportRefusal> {
    let (mut all_samples, mut all_curves, mut all_cells) = (Vec::new(), Vec::new(), Vec::new());
    let several = records.len() > 1;
    for named in records {
        let (samples, curves, cells) = (samples(named, several), curves(named, several)?, cells(named));
        if samples.is_empty() && curves.is_empty() && cells.is_empty() {
            return Err(ExportRefusal::Nothing { record: named.name.clone(), lacks: "no figure to plot" });
        }
        all_samples.extend(samples);
        all_curves.extend(curves);
        all_cells.extend(cells);
    }
    let views = [
        (!all_samples.is_empty()).then(|| sample_view(&all_samples)),
        (!all_curves.is_empty()).then(|| curve_view(&all_curves)),
        (!all_cells.is_empty()).then(|| cell_view(&all_cells)),
    ];
    let names: Vec<&str> = records.iter().map(|named| named.name.as_str()).collect();
    let document = json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": format!("kuu: {}", names.join(", ")),
        "vconcat": views.into_iter().flatten().collect::<Vec<Value>>(),
        "resolve": { "scale": { "color": "independent", "shape": "independent" } },
        "config": { "view": { "stroke": "#ddd" }, "axis": { "labelLimit": 400 } },
    });
    Ok(document.to_string() + "\n")
}

/// Who a sample is of: the engine or else the command, and the record, if there are several.
fn whose(engine: Option<String>, named: &NamedRecord, several: bool) -> String {
    match engine {
        Some(engine) if several => format!("{engine}, {}", named.name),
        Some(engine) => engine,
        None if several => named.name.clone(),
        None => named.record.configuration.command().into(),
    }
}

/// The samples of figures that are better one way: the others are given, or there again in another unit. Latency has curves.
fn samples(named: &NamedRecord, several: bool) -> Vec<PlottedSample> {
    let wanted = measured(&named.record).into_iter().filter(|(_, of)| of.better.is_some());
    let of_figure = wanted.flat_map(|(key, of)| {
        let (figure, who, median) = (key.full_name(), whose(key.engine, named, several), median(&of.values()));
        let plotted = move |what, round, begun, value| {
            let (figure, of) = (figure.clone(), who.clone());
            PlottedSample { figure, of, what, round, begun, value }
        };
        let middle = plotted("median", None, None, median);
        let taken = move |FigureSample { begun, round, value, .. }| plotted("sample", round, Some(begun), value);
        of.samples.into_iter().map(taken).chain([middle])
    });
    of_figure.collect()
}

/// A curve for each leg; of a live race for each engine and rate, all rounds together.
fn curves(named: &NamedRecord, several: bool) -> Result<Vec<CurvePoint>, ExportRefusal> {
    let mut all: BTreeMap<(&'static str, String), Histogram> = BTreeMap::new();
    for of in latencies(&named.record) {
        let read = Histogram::try_from(of.histogram);
        let histogram = read.map_err(|error| ExportRefusal::Latency { record: named.name.clone(), error })?;
        let engine = of.engine.zip(of.rate).map(|(engine, rate)| format!("{engine}, {rate} frames/s"));
        all.entry((of.leg, whose(engine, named, several))).or_default().merge(&histogram);
    }
    let mut points = Vec::new();
    for ((leg, of), histogram) in &all {
        // A logarithmic axis has no place for 100 %, nor for no time at all.
        let rows = distribution(histogram).into_iter().filter(|row| row.percent < 100.0 && row.us > 0);
        points.extend(rows.map(|row| CurvePoint {
            leg,
            of: of.clone(),
            percent: row.percent,
            one_of: 100.0 / (100.0 - row.percent),
            ms: row.us as f64 / 1e3,
        }));
    }
    Ok(points)
}

fn cells(named: &NamedRecord) -> Vec<PlottedCell> {
    let cell = |cell: &CellRecord| PlottedCell {
        engine: cell.engine.clone(),
        workload: cell.workload.clone(),
        verdict: (&cell.verdict).into(),
        of: named.name.clone(),
        words: cell.verdict.to_string(),
    };
    named.record.cells.iter().map(cell).collect()
}

/// What is shown of a mark under the pointer.
fn fields(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({ "field": name })).collect()
}

/// Points for samples, a line for their median, each figure on an axis of its own.
fn sample_view(samples: &[PlottedSample]) -> Value {
    let kinds = ["sample", "median"];
    let shapes = ["circle", "M0,-1.5V1.5"];
    json!({
        "data": { "values": samples },
        "facet": { "field": "figure", "type": "nominal", "title": null },
        "columns": 2,
        "spec": {
            "width": 320,
            "mark": { "type": "point", "opacity": 0.7 },
            "encoding": {
                "x": {
                    "field": "value",
                    "type": "quantitative",
                    "title": null,
                    "scale": { "zero": false },
                    "axis": { "labelExpr": "format(datum.value, datum.value < 1000 ? '.4~r' : '.4~s')" },
                },
                "y": { "field": "of", "type": "nominal", "title": null },
                "shape": { "field": "what", "type": "nominal", "title": null, "scale": { "domain": kinds, "range": shapes } },
                "color": { "field": "what", "type": "nominal", "title": null, "scale": { "domain": kinds } },
                "tooltip": fields(&["of", "what", "value", "round", "begun"]),
            },
        },
        "resolve": { "scale": { "x": "independent", "y": "independent" } },
    })
}

/// Latency by percentile: each further nine is as wide as the one before.
fn curve_view(points: &[CurvePoint]) -> Value {
    json!({
        "data": { "values": points },
        "facet": { "field": "of", "type": "nominal", "title": null },
        "columns": 2,
        "spec": {
            "width": 320,
            "mark": { "type": "line", "interpolate": "step-after" },
            "encoding": {
                "x": {
                    "field": "one_of",
                    "type": "quantitative",
                    "title": "share of the values that are not above, %",
                    "scale": { "type": "log" },
                    "axis": {
                        "values": [1, 2, 10, 100, 1_000, 10_000, 100_000],
                        "labelExpr": "format(100 - 100 / datum.value, '.6~r')",
                    },
                },
                "y": { "field": "ms", "type": "quantitative", "title": "ms", "scale": { "type": "log" } },
                "color": { "field": "leg", "type": "nominal" },
                "tooltip": fields(&["leg", "percent", "ms"]),
            },
        },
    })
}

/// Engines across, workloads down.
fn cell_view(cells: &[PlottedCell]) -> Value {
    json!({
        "data": { "values": cells },
        "facet": { "field": "of", "type": "nominal", "title": null },
        "columns": 1,
        "spec": {
            "mark": { "type": "rect", "stroke": "white" },
            "encoding": {
                "x": { "field": "engine", "type": "nominal", "title": null, "axis": { "orient": "top" } },
                "y": { "field": "workload", "type": "nominal", "title": null },
                "color": { "field": "verdict", "type": "nominal" },
                "tooltip": fields(&["engine", "workload", "words"]),
            },
        },
    })
}
