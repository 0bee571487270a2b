//! Records side by side.

use super::latency::{Curve, plot};
use super::table::{Column, table};
use super::words::{ends, figure, or_dash};
use crate::comparison::{Better, FigureComparison, compare, differences, sound_series};
use crate::export::NamedRecord;
use crate::latency::{Histogram, Leg, RecordError};
use crate::statistics::{RatioVerdict, median};
use maud::{Markup, html};
use std::slice::from_ref;

/// A change of less than this is none: as `kuu compare` has it.
const THRESHOLD: f64 = 0.05;
/// The legs whose curves of two records are drawn.
const LEGS: [Leg; 2] = [Leg::Result, Leg::EndToEnd];

const COLUMNS: [Column; 6] = [
    Column::Words("figure"),
    Column::Number("first"),
    Column::Number("second"),
    Column::Number("times as good"),
    Column::Number("95 % interval"),
    Column::Words("says"),
];

/// Two records compared; of more, the medians of the figures that all have. None of one record, or without such a figure.
///
/// # Errors
/// If a histogram is damaged.
pub(super) fn section(records: &[NamedRecord]) -> Result<Option<Markup>, RecordError> {
    match records {
        [first, second] => two(first, second),
        [_, _, _, ..] => Ok(several(records)),
        _ => Ok(None),
    }
}

fn two(first: &NamedRecord, second: &NamedRecord) -> Result<Option<Markup>, RecordError> {
    let (before, after) = (from_ref(&first.record), from_ref(&second.record));
    let figures = compare(before, after, THRESHOLD);
    let curves = curves(first, second)?;
    if figures.is_empty() {
        return Ok(None);
    }
    let rows: Vec<Vec<String>> = figures.iter().map(row).collect();
    let differences = differences(before, after);
    let forbids = differences.iter().any(|difference| difference.forbids);
    let names = [Column::Words("what"), Column::Words("first"), Column::Words("second")];
    let other: Vec<Vec<String>> = differences.into_iter().map(|it| vec![it.what, it.before, it.after]).collect();
    Ok(Some(html! {
        section {
            h2 id="sides" { "Side by side" }
            dl.pair {
                dt { "first" } dd { (first.name) ", " (first.record.written) }
                dt { "second" } dd { (second.name) ", " (second.record.written) }
            }
            @if forbids {
                p.bad { "These two were not measured under the same conditions: figures mean little beside each other." }
            }
            @if !other.is_empty() { (table("What was not the same", &names, &other)) }
            div.plots {
                @for (number, (leg, curves)) in curves.iter().enumerate() {
                    @let title = format!("Latency of {leg}");
                    figure { figcaption { (title) } (plot(&format!("sides-{number}"), &title, curves).draw()) }
                }
            }
            p {
                "Above 1 the second is better, whatever the figure. The interval is of rounds of one run each: what changes from run to run is in no interval. "
                "kuu compare takes several runs of each side."
            }
            (table("Figures of both records", &COLUMNS, &rows))
        }
    }))
}

/// Latency of both, where both have it and it means something.
fn curves(first: &NamedRecord, second: &NamedRecord) -> Result<Vec<(Leg, Vec<Curve>)>, RecordError> {
    let mut all = Vec::new();
    for leg in LEGS {
        let mut curves = Vec::new();
        for (name, of) in [("first", first), ("second", second)] {
            if let Some(histogram) = of.record.latency.0.get(&leg).filter(|_| of.record.why_no_latency().is_none()) {
                curves.push(Curve { name: name.to_owned(), histogram: Histogram::try_from(histogram)? });
            }
        }
        if curves.len() == 2 {
            all.push((leg, curves));
        }
    }
    Ok(all)
}

fn row(of: &FigureComparison) -> Vec<String> {
    let better = match of.better {
        Better::More => "more is better",
        Better::Less => "less is better",
    };
    let says = match of.verdict {
        Some(RatioVerdict::Faster) => "better",
        Some(RatioVerdict::Slower) => "WORSE",
        Some(RatioVerdict::Same) => "same",
        Some(RatioVerdict::Undecided) => "undecided",
        None => "too few samples",
    };
    // Of single samples there is a ratio, and no interval.
    let plain = match of.better {
        Better::More => of.medians[1] / of.medians[0],
        Better::Less => of.medians[0] / of.medians[1],
    };
    let ratio = of.ratio.map_or(plain, |ratio| ratio.ratio);
    vec![
        format!("{} ({better})", of.name),
        figure(&of.name, of.medians[0]),
        figure(&of.name, of.medians[1]),
        or_dash(ratio.is_finite().then(|| format!("{ratio:.2}"))),
        or_dash(of.ratio.map(|ratio| ends(ratio.interval))),
        says.to_owned(),
    ]
}

/// The medians of the figures that all records have.
fn several(records: &[NamedRecord]) -> Option<Markup> {
    let all: Vec<_> = records.iter().map(|named| sound_series(&named.record)).collect();
    let names: Vec<&String> = all[0].keys().filter(|name| all.iter().all(|of| of.contains_key(*name))).collect();
    if names.is_empty() {
        return None;
    }
    Some(html! {
        section {
            h2 id="sides" { "Side by side" }
            p { "Medians of the figures that all records have. Two records at a time are compared with intervals." }
            div.scroll role="group" tabindex="0" aria-label="Figures of all records" {
                table {
                    caption { "Figures of all records" }
                    thead {
                        tr {
                            th scope="col" { "figure" }
                            @for named in records { th.number scope="col" { (named.name) } }
                        }
                    }
                    tbody {
                        @for name in names {
                            tr {
                                th scope="row" { (name) }
                                @for of in &all { td.number { (figure(name, median(&of[name].samples))) } }
                            }
                        }
                    }
                }
            }
        }
    })
}
