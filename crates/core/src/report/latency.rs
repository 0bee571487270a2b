//! Latency by percentile: each further nine is as wide as the one before.

use super::headline::percentiles;
use super::plot::{Axis, Plot, PlotLine, Point, Stroke};
use super::scale::Scale;
use super::table::{Column, table};
use super::words::{count, tick, time, whole};
use crate::export::{LatencyOf, latencies};
use crate::latency::{Histogram, HistogramRecord, Percentile, RecordError, distribution};
use crate::record::Record;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// A curve ends where fewer samples than this lie above it: what follows is hardly more than the maximum.
const ABOVE: f64 = 10.0;

const COLUMNS: [Column; 8] = [
    Column::Words("what"),
    Column::Number("p50"),
    Column::Number("p90"),
    Column::Number("p99"),
    Column::Number("p99.9"),
    Column::Number("max"),
    Column::Number("samples"),
    Column::Number("below zero"),
];

/// What stands in one picture: the legs of a run, or one leg of all engines of a race.
type Pictures = BTreeMap<String, Vec<Curve>>;

/// The values of one line.
pub(super) struct Curve {
    pub name: String,
    pub histogram: Histogram,
}

/// The curves of a record; none if it has no latency that means something.
///
/// # Errors
/// If a histogram is damaged.
pub(super) fn section(id: &str, record: &Record) -> Result<Option<Markup>, RecordError> {
    let pictures = pictures(record)?;
    if pictures.is_empty() {
        return Ok(None);
    }
    let drawn: Vec<Markup> = pictures
        .iter()
        .enumerate()
        .map(|(number, (title, curves))| picture(&format!("{id}-latency-{number}"), title, curves))
        .collect::<Result<_, _>>()?;
    Ok(Some(html! {
        h3 { "Latency" }
        p { "Each upright line leaves a tenth of the values that the one before leaves above it. A curve ends where fewer than ten values are left." }
        div.plots { @for one in &drawn { (one) } }
        @if record.live.is_none() { (legs()) }
    }))
}

fn pictures(record: &Record) -> Result<Pictures, RecordError> {
    let mut all = Pictures::new();
    for of in latencies(record) {
        let LatencyOf { leg, engine, rate, .. } = of;
        let (title, name) = match engine.zip(rate) {
            Some((engine, rate)) => (format!("{leg}, at {} frames/s", whole(rate)), engine),
            None => ("by leg".to_owned(), leg),
        };
        let curves = all.entry(title).or_default();
        let histogram = Histogram::try_from(of.histogram)?;
        match curves.iter_mut().find(|curve| curve.name == name) {
            // All rounds of an engine together.
            Some(curve) => curve.histogram.merge(&histogram),
            None => curves.push(Curve { name: name.to_owned(), histogram }),
        }
    }
    Ok(all)
}

fn picture(id: &str, title: &str, curves: &[Curve]) -> Result<Markup, RecordError> {
    let rows: Vec<Vec<String>> = curves.iter().map(row).collect::<Result<_, _>>()?;
    let title = format!("Latency {title}");
    Ok(html! {
        figure {
            figcaption { (title) }
            (plot(id, &title, curves).draw())
            (table(&format!("{title}: percentiles"), &COLUMNS, &rows))
        }
    })
}

/// The plot of some curves.
pub(super) fn plot(id: &str, title: &str, curves: &[Curve]) -> Plot {
    let lines: Vec<PlotLine> = curves
        .iter()
        .map(|curve| PlotLine { name: curve.name.clone(), stroke: Stroke::Steps, points: points(&curve.histogram) })
        .collect();
    let all = || lines.iter().flat_map(|line| &line.points);
    let widest = all().map(|point| point.x).fold(10.0, f64::max);
    let highest = |line: &&PlotLine| line.points.last().map_or(0.0, |point| point.y);
    let worst = lines.iter().max_by(|a, b| highest(a).total_cmp(&highest(b)));
    let sees = worst.filter(|line| !line.points.is_empty()).map_or_else(
        || "There are too few values for a curve.".to_owned(),
        |line| {
            format!(
                "The curve that ends highest is {}, at {}. The table has the percentiles.",
                line.name,
                time(highest(&line) * 1e3)
            )
        },
    );
    Plot {
        id: id.to_owned(),
        title: title.to_owned(),
        sees,
        x: Axis {
            label: "share of the values that are not above".into(),
            scale: Scale::Logarithmic(1.0, widest),
            words: nines,
        },
        y: Axis { label: "milliseconds".into(), scale: Scale::tenfolds(all().map(|point| point.y)), words: tick },
        lines,
    }
}

/// The curve of a histogram, up to where ten values lie above it.
fn points(histogram: &Histogram) -> Vec<Point> {
    let values = histogram.count() as f64;
    let rows = distribution(histogram).into_iter();
    let known = rows.filter(|row| row.us > 0 && (100.0 - row.percent) / 100.0 * values >= ABOVE);
    known.map(|row| Point { x: 100.0 / (100.0 - row.percent), y: row.us as f64 / 1e3 }).collect()
}

/// One in so many is above it: 10 is 90 %, 1,000 is 99.9 %.
fn nines(one_of: f64) -> String {
    let text = format!("{:.6}", 100.0 - 100.0 / one_of);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn row(curve: &Curve) -> Result<Vec<String>, RecordError> {
    let of = HistogramRecord::try_from(&curve.histogram)?;
    let mut cells = vec![curve.name.clone()];
    cells.extend(percentiles(&of));
    debug_assert_eq!(cells.len(), 1 + Percentile::ALL.len());
    cells.push(of.percentiles.map_or_else(|| "-".into(), |it| time(it.max_us as f64)));
    cells.push(count(of.samples));
    cells.push(count(of.negative));
    Ok(cells)
}

/// What the legs are.
fn legs() -> Markup {
    html! {
        details {
            summary { "What the legs are" }
            dl {
                dt { "schedule" } dd { "from the moment a frame is due to the moment it is sent" }
                dt { "ack" } dd { "from sent to acknowledged by the broker" }
                dt { "transit" } dd { "from sent to read by the counter" }
                dt { "transaction" } dd { "a transaction of one record, beside the load: the broker's part of the result" }
                dt { "result" } dd { "from the earliest moment a result could exist to the moment a reader sees it" }
                dt { "end_to_end" } dd { "from the moment that frame was due to the same" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nines_are_percent() {
        assert_eq!([1.0, 10.0, 100.0, 1e3, 1e5].map(nines), ["0 %", "90 %", "99 %", "99.9 %", "99.999 %"]);
    }

    #[test]
    fn a_curve_ends_with_ten_values_above_it() {
        let mut histogram = Histogram::default();
        (1..=1_000).for_each(|us| histogram.record(us * 100));
        let points = points(&histogram);
        let last = points.last().unwrap();
        assert!(last.x <= 100.0 && last.y >= 97.0 && last.y <= 99.1, "{last:?}");
        assert_eq!(points[0].x, 1.0);
        let mut few = Histogram::default();
        few.record(5);
        assert!(super::points(&few).is_empty());
    }
}
