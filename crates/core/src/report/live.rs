//! A live race: who keeps up with a rate, and how late results are.

use super::bars::{Bar, Bars};
use super::race::versions;
use super::scale::Scale;
use super::table::{Column, table};
use super::words::{count, or_dash, tick, whole};
use crate::race_live::{LiveRecord, LiveSample, RateBracket, RateVerdict};
use maud::{Markup, html};

const RUNS: [Column; 6] = [
    Column::Words("engine"),
    Column::Number("round"),
    Column::Number("asked, frames/s"),
    Column::Number("sent, frames/s"),
    Column::Number("late windows"),
    Column::Words("how it came out"),
];

const RATES: [Column; 5] = [
    Column::Words("engine"),
    Column::Number("round"),
    Column::Number("proven, frames/s"),
    Column::Number("not proven, frames/s"),
    Column::Words("why not"),
];

/// The runs, or the rates that were found.
pub(super) fn section(id: &str, record: &LiveRecord) -> Markup {
    let rows: Vec<Vec<String>> = record.samples.iter().map(run).collect();
    html! {
        h3 { "Live race" }
        @if !record.brackets.is_empty() { (brackets(&format!("{id}-rates"), &record.brackets)) }
        details open[record.brackets.is_empty()] {
            summary { (if record.brackets.is_empty() { "Runs" } else { "Probes of the search" }) }
            (table("Runs of the live race", &RUNS, &rows))
        }
        (versions(&record.engines))
    }
}

fn run(sample: &LiveSample) -> Vec<String> {
    let says = match &sample.keeps_up {
        _ if !sample.verdict.is_right() => sample.verdict.to_string(),
        RateVerdict::Proven => "kept up".into(),
        RateVerdict::Refuted { why } => format!("did not keep up: {why}"),
        RateVerdict::Undecided { why } => format!("undecided: {why}"),
        RateVerdict::GeneratorBehind => "the generator was behind".into(),
    };
    let late = format!("{} of {}", count(sample.late), count(sample.windows.len() as u64));
    vec![sample.engine.clone(), sample.round.to_string(), whole(sample.rate), whole(sample.achieved), late, says]
}

fn brackets(id: &str, brackets: &[RateBracket]) -> Markup {
    let most = brackets.iter().flat_map(|it| [it.proven, it.limit]).flatten();
    let bar = |(number, it): (usize, &RateBracket)| Bar {
        name: if it.round > 1 { format!("{}, round {}", it.engine, it.round) } else { it.engine.clone() },
        words: it.proven.map_or_else(|| "none".into(), |rate| format!("{} frames/s", whole(rate))),
        value: it.proven.unwrap_or(0.0),
        interval: None,
        ceiling: it.limit,
        style: usize::from(number > 0),
    };
    let bars = Bars {
        id: id.to_owned(),
        title: "Sustainable rate".into(),
        sees: "Each bar is the highest rate that is proven; its outline ends at the lowest one above it that is not."
            .into(),
        label: "frames/s".into(),
        scale: Scale::from_zero(most),
        words: tick,
        bars: brackets.iter().enumerate().map(bar).collect(),
    };
    let row = |it: &RateBracket| {
        let why = it.limit_is.map(|why| why.to_string());
        vec![
            it.engine.clone(),
            it.round.to_string(),
            or_dash(it.proven.map(whole)),
            or_dash(it.limit.map(whole)),
            or_dash(why),
        ]
    };
    let rows: Vec<Vec<String>> = brackets.iter().map(row).collect();
    html! {
        figure {
            figcaption { "Sustainable rate: the bar is proven, the outline ends at what is not" }
            (bars.draw())
            (table("Rates that were found", &RATES, &rows))
        }
    }
}
