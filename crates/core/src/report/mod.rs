//! Records as one page of HTML that needs nothing else: no network, no script, no font.
//!
//! Plots are SVG in the page. Their colours are classes of its style sheet, so that they follow light and dark; beside
//! each stands a table with the same figures.

mod answer;
mod bars;
mod conditions;
mod headline;
mod latency;
mod live;
mod over_time;
mod plot;
mod race;
mod scale;
mod scorecard;
mod sides;
mod stages;
mod statement;
mod table;
#[cfg(test)]
mod tests;
mod windows;
mod words;

use crate::export::{ExportRefusal, NamedRecord};
use crate::latency::RecordError;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use statement::Statement;
use std::collections::BTreeSet;

const STYLE: &str = include_str!("style.css");
/// Nothing is loaded, nothing is run: not even if a record were to ask for it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// Writes records as a page; it ends with a line end.
///
/// # Errors
/// If a record is there twice, or a histogram is damaged.
pub fn page(records: &[NamedRecord]) -> Result<String, ExportRefusal> {
    let mut names = BTreeSet::new();
    if let Some(twice) = records.iter().find(|record| !names.insert(&record.name)) {
        return Err(ExportRefusal::Twice { record: twice.name.clone() });
    }
    let damaged = |named: &NamedRecord| {
        let record = named.name.clone();
        move |error: RecordError| ExportRefusal::Latency { record, error }
    };
    let mut parts = Vec::new();
    for (number, named) in (1..).zip(records) {
        parts.push(part(number, named).map_err(damaged(named))?);
    }
    let sides = match records.first() {
        Some(first) => sides::section(records).map_err(damaged(first))?,
        None => None,
    };
    Ok(document(records, sides.as_ref(), &parts).into_string() + "\n")
}

fn document(records: &[NamedRecord], sides: Option<&Markup>, parts: &[Markup]) -> Markup {
    let title = match records {
        [one] => format!("kuu {}, {}", one.record.configuration.command(), one.record.written),
        several => format!("kuu: {} records", several.len()),
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { h1 { (title) } }
                main {
                    section {
                        h2 id="verdict" { "Verdict" }
                        @for (number, named) in (1..).zip(records) { (verdict(number, named, records.len() > 1)) }
                    }
                    @if records.len() > 1 { (contents(records, sides.is_some())) }
                    @if let Some(sides) = sides { (sides) }
                    @for part in parts { (part) }
                }
                footer {
                    p { "Made by kuu report " (env!("CARGO_PKG_VERSION")) ". This page loads nothing and runs no script." }
                }
            }
        }
    }
}

fn contents(records: &[NamedRecord], has_sides: bool) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                @if has_sides { li { a href="#sides" { "Side by side" } } }
                @for (number, named) in (1..).zip(records) {
                    li { a href=(format!("#{}", id(number))) { (named.name) } }
                }
            }
        }
    }
}

fn id(number: usize) -> String {
    format!("record-{number}")
}

fn verdict(number: usize, named: &NamedRecord, is_named: bool) -> Markup {
    let record = &named.record;
    let all: Vec<Statement> = answer::answers(record).into_iter().chain(headline::headlines(record)).collect();
    html! {
        @if is_named { h3 { a href=(format!("#{}", id(number))) { (named.name) } } }
        ul.statements {
            @for one in &all {
                li {
                    strong class={ "word " (one.class()) } { (one.word) } " "
                    span { (one.words) }
                    @if !one.details.is_empty() {
                        ul.details { @for words in &one.details { li { (words) } } }
                    }
                }
            }
        }
    }
}

/// All of one record.
fn part(number: usize, named: &NamedRecord) -> Result<Markup, RecordError> {
    let (record, id) = (&named.record, id(number));
    let latency = latency::section(&id, record)?;
    Ok(html! {
        section {
            h2 id=(id) { "kuu " (record.configuration.command()) ", " (record.written) }
            p.quiet { (named.name) }
            @if !record.remarks.is_empty() {
                h3 { "What a reader must know" }
                ul { @for remark in &record.remarks { li { (remark) } } }
            }
            @if let Some(all) = scorecard::section(&id, &record.cells) { (all) }
            @if let Some(all) = record.speed.as_ref().and_then(|speed| race::section(&id, speed)) { (all) }
            @if let Some(live) = &record.live { (live::section(&id, live)) }
            @if let Some(all) = latency { (all) }
            @if let Some(sweep) = &record.sweep { (stages::sweep(sweep)) }
            @if let Some(all) = over_time::section(&id, record) { (all) }
            @if let Some(all) = windows::section(&id, &record.windows) { (all) }
            @if let Some(all) = stages::section(&id, record) { (all) }
            (conditions::section(record))
        }
    })
}
