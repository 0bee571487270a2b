//! Compares two sides, figure by figure.

use super::series::{Better, Series, sound_series};
use crate::record::Record;
use crate::statistics::{RatioEstimate, RatioVerdict, median, verdicts};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What one sample of a comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SampleKind {
    /// A round of a run: what changes from run to run is in no interval.
    Round,
    /// A run: its median.
    Run,
    /// Two runs, one of each side, one right after the other.
    Pair,
}

/// One figure on both sides.
#[derive(Clone, Debug, Serialize)]
pub struct FigureComparison {
    /// Its name, which ends in its unit.
    pub name: String,
    /// Which way it is better.
    pub better: Better,
    /// The samples before.
    pub before: Vec<f64>,
    /// The samples after.
    pub after: Vec<f64>,
    /// The medians of both.
    pub medians: [f64; 2],
    /// How many times as good it is after as before: above 1 is better, of whatever figure. None if there are too few samples.
    pub ratio: Option<RatioEstimate>,
    /// What the ratio says beyond the threshold, corrected for the number of figures.
    pub verdict: Option<RatioVerdict>,
    /// The least change that was found four times in five with so many samples of this noise; 0.03 is 3 %.
    pub detectable: Option<f64>,
}

/// What a sample of these two sides is: runs, as soon as both have two of them; and pairs of runs, if both sides have as many
/// and took turns.
pub fn sample_kind(before: &[Record], after: &[Record]) -> SampleKind {
    if before.len() < 2 || after.len() < 2 {
        return SampleKind::Round;
    }
    let side = |records: &[Record], is_after: bool| {
        records.iter().map(|record| (record.written.clone(), is_after)).collect::<Vec<_>>()
    };
    let mut all = [side(before, false), side(after, true)].concat();
    all.sort();
    let takes_turns = before.len() == after.len() && all.chunks(2).all(|pair| pair[0].1 != pair[1].1);
    if takes_turns { SampleKind::Pair } else { SampleKind::Run }
}

/// Compares every sound figure that all records have. `threshold` is that of [`RatioEstimate::verdict`]: 0.05 is 5 %.
pub fn compare(before: &[Record], after: &[Record], threshold: f64) -> Vec<FigureComparison> {
    compare_by(before, after, threshold, sound_series)
}

/// The same, of the figures that `series` gives: each further one makes the others harder to decide.
pub(super) fn compare_by(
    before: &[Record],
    after: &[Record],
    threshold: f64,
    series: impl Fn(&Record) -> BTreeMap<String, Series>,
) -> Vec<FigureComparison> {
    let kind = sample_kind(before, after);
    let (left, right) = (side(before, kind, &series), side(after, kind, &series));
    let names: BTreeSet<&String> = left.keys().filter(|name| right.contains_key(*name)).collect();
    let figure = |name: &String| {
        let (before, after) = (&left[name], &right[name]);
        FigureComparison {
            name: name.clone(),
            better: before.better,
            before: before.samples.clone(),
            after: after.samples.clone(),
            medians: [median(&before.samples), median(&after.samples)],
            ratio: ratio(kind, before, after),
            verdict: None,
            detectable: None,
        }
    };
    let mut figures: Vec<FigureComparison> = names.into_iter().map(figure).collect();
    let ratios: Vec<RatioEstimate> = figures.iter().filter_map(|figure| figure.ratio).collect();
    let said = ratios.iter().zip(verdicts(&ratios, threshold));
    for (figure, (ratio, verdict)) in figures.iter_mut().filter(|figure| figure.ratio.is_some()).zip(said) {
        figure.verdict = Some(verdict);
        figure.detectable = Some(ratio.detectable(ratio.rounds));
    }
    figures
}

/// The figures that all records of a side have, each with a sample of every run, or of every round. Runs are in order of time.
fn side(
    records: &[Record],
    kind: SampleKind,
    series: impl Fn(&Record) -> BTreeMap<String, Series>,
) -> BTreeMap<String, Series> {
    let mut records: Vec<&Record> = records.iter().collect();
    records.sort_by(|one, other| one.written.cmp(&other.written));
    let mut all: BTreeMap<String, (usize, Series)> = BTreeMap::new();
    for record in &records {
        for (name, Series { better, samples }) in series(record) {
            let samples = if kind == SampleKind::Round { samples } else { vec![median(&samples)] };
            let (runs, of) = all.entry(name).or_insert_with(|| (0, Series { better, samples: Vec::new() }));
            *runs += 1;
            of.samples.extend(samples);
        }
    }
    all.into_iter().filter(|(_, (runs, _))| *runs == records.len()).map(|(name, (_, series))| (name, series)).collect()
}

/// The ratio; none if a side has fewer than two samples, or one that is not above 0.
fn ratio(kind: SampleKind, before: &Series, after: &Series) -> Option<RatioEstimate> {
    let (samples, reference) = match before.better {
        Better::More => (&after.samples, &before.samples),
        Better::Less => (&before.samples, &after.samples),
    };
    match kind {
        SampleKind::Pair => RatioEstimate::paired(samples, reference).ok(),
        SampleKind::Run | SampleKind::Round => RatioEstimate::unpaired(samples, reference).ok(),
    }
}
