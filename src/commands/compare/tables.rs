//! Comparisons as tables, for a screen and for Markdown.

use crate::commands::compare::sides::{ComparedSides, NamedSide};
use crate::terminal::{count, plural, table};
use kuu_core::comparison::{Difference, FigureComparison, SampleKind};
use kuu_core::statistics::{MIN_ROUNDS, RatioEstimate, RatioVerdict};

/// How a table is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Screen,
    Markdown,
}

const HEAD: [&str; 7] = ["figure", "before", "after", "ratio", "95 %", "", "detectable"];

/// All comparisons, one below the other.
pub fn text(all: &[ComparedSides], layout: Layout) -> String {
    all.iter().map(|sides| one(sides, layout)).collect::<Vec<_>>().join("\n\n")
}

fn one(sides: &ComparedSides, layout: Layout) -> String {
    let ComparedSides { before, after, sample, threshold, differences, figures, left_out } = sides;
    let side = |name: &str, side: &NamedSide| {
        format!("{name} {}: {}, kuu {}", side.records, plural(side.runs as u64, "run"), side.programs.join(" and "))
    };
    let mut lines = vec![side("before", before), side("after ", after)];
    lines.extend(left_out.iter().cloned());
    lines.extend(differences.iter().map(|it: &Difference| format!("{}: {}, then {}", it.what, it.before, it.after)));
    let rows: Vec<Vec<String>> = figures.iter().map(row).collect();
    let head = HEAD.map(str::to_owned).to_vec();
    let sentences = sentences(*sample, *threshold, figures);
    match layout {
        Layout::Screen => {
            lines.push(String::new());
            lines.push(table(&[vec![head], rows].concat()));
            lines.push(String::new());
            lines.extend(sentences);
            lines.join("\n")
        }
        Layout::Markdown => {
            let line = |cells: &Vec<String>| format!("| {} |", cells.join(" | "));
            let mut body = vec![line(&head), format!("|{}", "---|".repeat(HEAD.len()))];
            body.extend(rows.iter().map(line));
            [lines.join("\n\n"), body.join("\n"), sentences.join("\n\n"), String::new()].join("\n\n")
        }
    }
}

fn row(figure: &FigureComparison) -> Vec<String> {
    let FigureComparison { name, medians, ratio, verdict, detectable, .. } = figure;
    let dash = || "-".to_owned();
    let interval =
        |RatioEstimate { interval, .. }: &RatioEstimate| format!("{} to {}", times(interval.low), times(interval.high));
    vec![
        name.clone(),
        number(medians[0]),
        number(medians[1]),
        ratio.as_ref().map_or_else(dash, |ratio| times(ratio.ratio)),
        ratio.as_ref().map_or_else(dash, interval),
        verdict.map_or_else(|| "too few samples".into(), |verdict| words(verdict).to_owned()),
        detectable.map_or_else(dash, percent),
    ]
}

/// Figures are times and rates, and memory too: nothing of that is faster.
fn words(verdict: RatioVerdict) -> &'static str {
    match verdict {
        RatioVerdict::Faster => "better",
        RatioVerdict::Slower => "worse",
        RatioVerdict::Same => "same",
        RatioVerdict::Undecided => "undecided",
    }
}

/// A ratio.
fn times(ratio: f64) -> String {
    if ratio >= 1_000.0 { count(ratio.round() as u64) } else { format!("{ratio:.3}") }
}

/// A share.
fn percent(share: f64) -> String {
    if share >= 10.0 {
        format!("{} %", count((share * 100.0).round() as u64))
    } else {
        format!("{:.1} %", share * 100.0)
    }
}

/// Four digits, or all of a large number.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 1_000.0 => count(value.round() as u64),
        small if small >= 100.0 => format!("{value:.1}"),
        small if small >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// What the table means.
fn sentences(sample: SampleKind, threshold: f64, figures: &[FigureComparison]) -> Vec<String> {
    let percent = threshold * 100.0;
    let mut all = vec![format!(
        "A ratio above 1 is better, of whatever figure. It is better or worse if its whole interval lies beyond {percent:.1} %, same if it \
         lies within, corrected for {} figures (Holm). `detectable` is the least change that so many samples find four times in five.",
        figures.iter().filter(|figure| figure.ratio.is_some()).count()
    )];
    let rounds = figures.iter().filter_map(|figure| figure.ratio.map(|ratio| ratio.rounds)).min().unwrap_or(0);
    all.push(match sample {
        SampleKind::Round => "Samples are the rounds of single runs: what changes from run to run is in no interval. For a result, \
                              give several runs of each side, made in turn."
            .into(),
        SampleKind::Run => format!(
            "Samples are {rounds} runs a side, which did not take turns: a machine that was slower for a while looks like a slower program."
        ),
        SampleKind::Pair => format!("Samples are {rounds} pairs of runs, which took turns."),
    });
    if sample != SampleKind::Round && rounds < MIN_ROUNDS {
        all.push(format!("A first look: a result needs {MIN_ROUNDS} runs a side."));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        assert_eq!([1.5, 999.9994, 20_141.027].map(times), ["1.500", "999.999", "20,141"]);
        assert_eq!([0.031, 9.9, 93_379.453].map(percent), ["3.1 %", "990.0 %", "9,337,945 %"]);
    }
}
