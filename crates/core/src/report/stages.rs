//! Stages against their ceilings, and latency against load.

use super::bars::{Bar, Bars};
use super::headline::percentiles;
use super::over_time::most_lag;
use super::scale::Scale;
use super::table::{Column, table};
use super::words::{figure, tick, whole};
use crate::latency::Leg;
use crate::load_sweep::{SweepEnd, SweepRecord, SweepStep};
use crate::record::{Figure, Record};
use crate::statistics::Interval;
use maud::{Markup, html};

const PHASES: [Column; 5] = [
    Column::Words("phase"),
    Column::Number("frames/s"),
    Column::Words("ceiling"),
    Column::Number("frames/s"),
    Column::Number("share"),
];

const FIGURES: [Column; 4] =
    [Column::Words("figure"), Column::Number("median"), Column::Number("least to greatest"), Column::Number("samples")];

const LOADS: [Column; 8] = [
    Column::Words("frames/s"),
    Column::Words("came out"),
    Column::Number("result p50"),
    Column::Number("p99"),
    Column::Number("end_to_end p50"),
    Column::Number("p99"),
    Column::Number("most lag, frames"),
    Column::Number("results"),
];

/// The phases of a bench beside what the machine allows, and all figures as a table.
pub(super) fn section(id: &str, record: &Record) -> Option<Markup> {
    if record.figures.is_empty() {
        return None;
    }
    let phases: Vec<(&str, &Figure)> = ["batch", "produce", "count"]
        .into_iter()
        .filter_map(|phase| Some((phase, record.figures.get(&format!("{phase}_frames_per_s"))?)))
        .filter(|(_, figure)| figure.ceiling.is_some())
        .collect();
    let rows: Vec<Vec<String>> = record.figures.iter().map(|(name, of)| figure_row(name, of)).collect();
    Some(html! {
        @if !phases.is_empty() {
            h3 { "Stages against their ceilings" }
            p {
                "A ceiling is what this machine does, in the same run, without the step in question. "
                "The share is the median of the quotients of the rounds. It travels between machines; the rates do not."
            }
            div.plots { (against(&format!("{id}-stages"), &phases)) }
        }
        h3 { "Figures" }
        details open[phases.is_empty()] {
            summary { "All figures of the record" }
            (table("All figures of the record", &FIGURES, &rows))
        }
    })
}

fn against(id: &str, phases: &[(&str, &Figure)]) -> Markup {
    let ceilings = || phases.iter().filter_map(|(phase, of)| Some((*phase, *of, of.ceiling.as_ref()?)));
    let bars = ceilings().enumerate().map(|(number, (phase, of, ceiling))| Bar {
        name: format!("{phase} / {}", ceiling.name),
        words: format!("{:.2}", ceiling.share),
        value: ceiling.share,
        interval: spread(of),
        ceiling: Some(1.0),
        style: number,
    });
    let rows: Vec<Vec<String>> = ceilings()
        .map(|(phase, of, ceiling)| {
            vec![
                phase.to_owned(),
                whole(of.value),
                ceiling.name.clone(),
                whole(ceiling.value),
                format!("{:.2}", ceiling.share),
            ]
        })
        .collect();
    let bars: Vec<Bar> = bars.collect();
    let least = bars.iter().min_by(|a, b| a.value.total_cmp(&b.value)).map_or("", |bar| bar.name.as_str());
    let most = bars.iter().flat_map(|bar| [bar.value, bar.interval.map_or(0.0, |it| it.high)]).fold(1.0, f64::max);
    let sees = format!(
        "Each bar is the share of its ceiling that a phase reaches. The furthest below its ceiling is {least}."
    );
    let bars = Bars {
        id: id.to_owned(),
        title: "Share of the ceiling".into(),
        sees,
        label: "share of the ceiling".into(),
        scale: Scale::Linear(0.0, most),
        words: tick,
        bars,
    };
    html! {
        figure {
            figcaption { "Share of the ceiling; the whisker is the least and the greatest round" }
            (bars.draw())
            (table("Phases beside their ceilings", &PHASES, &rows))
        }
    }
}

/// The least and the greatest share of a round.
fn spread(of: &Figure) -> Option<Interval> {
    let ceiling = of.ceiling.as_ref()?;
    let shares = || of.samples.iter().zip(&ceiling.samples).map(|(rate, most)| rate / most);
    let (low, high) = (shares().fold(f64::INFINITY, f64::min), shares().fold(0.0, f64::max));
    (of.samples.len() > 1 && low <= high).then_some(Interval { low, high })
}

fn figure_row(name: &str, of: &Figure) -> Vec<String> {
    let least = of.samples.iter().copied().fold(f64::INFINITY, f64::min);
    let most = of.samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range =
        if of.samples.len() > 1 { format!("{} to {}", figure(name, least), figure(name, most)) } else { "-".into() };
    vec![name.to_owned(), figure(name, of.value), range, of.samples.len().max(1).to_string()]
}

/// Latency against load.
pub(super) fn sweep(of: &SweepRecord) -> Markup {
    let rows: Vec<Vec<String>> = of.steps.iter().map(load_row).collect();
    let end = match of.end {
        SweepEnd::NotSustained => "the count did not keep up with the last rate",
        SweepEnd::Behind => "the generator could not send at the last rate",
        SweepEnd::CatchUpRate => "the last rate is that of the count without a load generator beside it",
        SweepEnd::TooShort | SweepEnd::NoRepeats => "the next rate would be over too soon to say anything",
    };
    html! {
        h3 { "Latency against load" }
        p { "No higher rate follows: " (end) "." }
        (table("Latency against load", &LOADS, &rows))
    }
}

fn load_row(step: &SweepStep) -> Vec<String> {
    let words = match (step.on_schedule, step.sustained) {
        (true, true) => "sustained",
        (true, false) => "NOT sustained",
        (false, _) => "sent too late",
    };
    let mut row = vec![whole(step.asked_frames_per_s), words.to_owned()];
    for leg in [Leg::Result, Leg::EndToEnd] {
        // The latency of a load that was not sustained means nothing.
        let known = step.latency.0.get(&leg).filter(|_| step.is_valid()).map(percentiles);
        let cell = |at: usize| known.as_ref().map_or_else(|| "-".into(), |all| all[at].clone());
        row.extend([cell(0), cell(2)]);
    }
    row.push(most_lag(&step.lag_frames));
    row.push(whole(step.results_rows as f64));
    row
}
