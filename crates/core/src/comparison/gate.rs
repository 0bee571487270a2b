//! Whether a build is slower than another one, from runs of both in turn.

use super::figures::{FigureComparison, compare_by};
use super::series::series;
use crate::record::Record;
use crate::statistics::{Interval, RatioEstimate, RatioVerdict, verdicts};
use serde::Serialize;

/// Runs of a block: before, after, after, before. What slows down the machine evenly slows down both alike.
pub const BLOCK: usize = 4;

/// The figures of a gate: what a user waits for. The others are parts of these, ceilings, or too unsteady.
const GATED: [&str; 6] = [
    "batch_frames_per_s",
    "count_at_least_once_frames_per_s",
    "count_frames_per_s",
    "latency_result_p50_us",
    "parse_ns_per_frame",
    "produce_frames_per_s",
];

/// What a gate says of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// Its whole interval lies beyond the threshold, on the bad side.
    Slower,
    /// None of its interval does.
    NotSlower,
    /// A part of it does.
    Undecided,
    /// Runs of the same build differ: the machine forbids an answer.
    Uneven,
}

/// One figure of a gate.
#[derive(Clone, Debug, Serialize)]
pub struct GateFigure {
    /// The pairs of both builds.
    pub of: FigureComparison,
    /// Runs of one build beside other runs of the same.
    pub control: Option<RatioEstimate>,
    /// What it says.
    pub verdict: GateVerdict,
}

/// The figures of whole blocks of runs, in the order in which they ran; what is not a whole block at the end is left out.
/// `threshold` as of [`RatioEstimate::verdict`]: 0.05 is 5 %.
pub fn gate(runs: &[Record], threshold: f64) -> Vec<GateFigure> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (number, block) in runs.as_chunks::<BLOCK>().0.iter().enumerate() {
        let [a, b, c, d] = block.each_ref();
        before.extend([a, d].map(Record::clone));
        after.extend([b, c].map(Record::clone));
        // Every second block the other way round: else a machine that slows down looked like a difference.
        let [one, other] = if number % 2 == 0 { [[a, b], [d, c]] } else { [[d, c], [a, b]] };
        first.push(one);
        second.push(other);
    }
    // With the latency of runs that could not keep up, too: it is the slowest of all, and must not be missing here.
    let gated = |record: &Record| {
        let mut all = series(record);
        all.retain(|name, _| GATED.contains(&name.as_str()));
        all
    };
    let figures = compare_by(&before, &after, threshold, gated);
    let controls: Vec<Option<RatioEstimate>> =
        figures.iter().map(|figure| control(&figure.name, &first, &second)).collect();
    let known: Vec<RatioEstimate> = controls.iter().flatten().copied().collect();
    let mut said = verdicts(&known, 0.0).into_iter();
    let mut judge = |(of, control): (FigureComparison, Option<RatioEstimate>)| {
        let is_uneven = control
            .and_then(|_| said.next())
            .is_some_and(|said| matches!(said, RatioVerdict::Faster | RatioVerdict::Slower));
        let verdict = if is_uneven { GateVerdict::Uneven } else { judged(&of, threshold) };
        GateFigure { of, control, verdict }
    };
    figures.into_iter().zip(controls).map(&mut judge).collect()
}

/// The ratio of runs of the same build: both before, and both after.
fn control(name: &str, first: &[[&Record; 2]], second: &[[&Record; 2]]) -> Option<RatioEstimate> {
    let values = |runs: &[[&Record; 2]]| {
        let value = |run: &&Record| series(run).remove(name).map(|series| crate::statistics::median(&series.samples));
        runs.iter().flatten().map(value).collect::<Option<Vec<f64>>>()
    };
    RatioEstimate::paired(&values(first)?, &values(second)?).ok()
}

/// What the interval says, without the control.
fn judged(figure: &FigureComparison, threshold: f64) -> GateVerdict {
    let line = 1.0 / (1.0 + threshold);
    match (figure.verdict, figure.ratio) {
        (Some(RatioVerdict::Slower), _) => GateVerdict::Slower,
        (Some(RatioVerdict::Faster | RatioVerdict::Same), _) => GateVerdict::NotSlower,
        (_, Some(RatioEstimate { interval: Interval { low, .. }, .. })) if low >= line => GateVerdict::NotSlower,
        _ => GateVerdict::Undecided,
    }
}
