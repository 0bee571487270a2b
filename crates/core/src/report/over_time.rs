//! Throughput and lag over time.

use super::plot::{Axis, Plot, PlotLine, Point, Stroke};
use super::scale::Scale;
use super::table::{Column, folded};
use super::words::{or_dash, tick, whole};
use crate::race_live::LiveSample;
use crate::record::Record;
use crate::speed::{FrontierPoint, SpeedSample};
use maud::{Markup, html};

/// The time between two samples of lag in a record, in seconds.
const INTERVAL_S: f64 = 0.1;
/// Number of parts of a run whose rates are drawn.
const PARTS: u32 = 24;
/// Number of rows of a table: of more points, it has evenly spread ones.
const ROWS: usize = 25;

/// What stands across where rounds are drawn.
const ROUND: &str = "round";

/// A picture, and what its two axes are.
struct Picture {
    title: &'static str,
    sees: &'static str,
    across: &'static str,
    upwards: &'static str,
    lines: Vec<PlotLine>,
}

/// What a record has of it.
pub(super) fn section(id: &str, record: &Record) -> Option<Markup> {
    let all: Vec<Picture> =
        [rounds(record), counted(record), live_lag(record), sweep_lag(record), steady(record), race_lag(record)]
            .into_iter()
            .flatten()
            .filter(|picture| picture.lines.iter().any(|line| line.points.len() > 1))
            .collect();
    if all.is_empty() {
        return None;
    }
    Some(html! {
        h3 { "Throughput and lag over time" }
        div.plots {
            @for (number, picture) in all.into_iter().enumerate() {
                (draw(&format!("{id}-time-{number}"), picture))
            }
        }
    })
}

fn draw(id: &str, picture: Picture) -> Markup {
    let Picture { title, sees, across, upwards, lines } = picture;
    let all = || lines.iter().flat_map(|line| &line.points);
    let from = all().map(|point| point.x).fold(f64::INFINITY, f64::min);
    let to = all().map(|point| point.x).fold(f64::NEG_INFINITY, f64::max);
    let rows = rows(&lines, across);
    let plot = Plot {
        id: id.to_owned(),
        title: title.to_owned(),
        sees: sees.to_owned(),
        x: Axis {
            label: across.to_owned(),
            scale: Scale::Linear(from, to),
            words: if across == ROUND { whole_tick } else { tick },
        },
        y: Axis { label: upwards.to_owned(), scale: Scale::from_zero(all().map(|point| point.y)), words: tick },
        lines,
    };
    html! {
        figure {
            figcaption { (title) }
            (plot.draw())
            (folded(title, &[Column::Words("line"), Column::Number(across), Column::Number(upwards)], &rows))
        }
    }
}

/// There is no half round.
fn whole_tick(value: f64) -> String {
    if value.fract() == 0.0 { tick(value) } else { String::new() }
}

/// The points of all lines, or evenly spread ones.
fn rows(lines: &[PlotLine], across: &str) -> Vec<Vec<String>> {
    let x = |value: f64| if across == ROUND { whole(value) } else { format!("{value:.1}") };
    let of_line = |line: &PlotLine| {
        let step = line.points.len().div_ceil(ROWS).max(1);
        let row = |point: &Point| vec![line.name.clone(), x(point.x), whole(point.y)];
        line.points.iter().step_by(step).map(row).collect::<Vec<_>>()
    };
    lines.iter().flat_map(of_line).collect()
}

/// The rounds of a bench: each phase, and what it could reach at most.
fn rounds(record: &Record) -> Option<Picture> {
    let mut lines = Vec::new();
    let line = |name: String, samples: &[f64]| {
        let points = (1..).zip(samples).map(|(round, rate)| Point { x: f64::from(round), y: *rate }).collect();
        PlotLine { name, stroke: Stroke::Line, points }
    };
    for phase in ["batch", "produce", "count"] {
        let Some(of) = record.figures.get(&format!("{phase}_frames_per_s")) else { continue };
        lines.push(line(phase.to_owned(), &of.samples));
        if let Some(ceiling) = &of.ceiling {
            lines.push(line(ceiling.name.clone(), &ceiling.samples));
        }
    }
    let sees = "How much a phase and its ceiling changed from round to round.";
    Some(Picture { title: "Throughput by round", sees, across: ROUND, upwards: "frames/s", lines })
}

/// The rate at which the live phase counted, averaged over half a second.
fn counted(record: &Record) -> Option<Picture> {
    let of = record.figures.get("live_counted_frames_per_s")?;
    let points = of.samples.chunks(5).enumerate().map(|(number, rates)| Point {
        x: (number * 5) as f64 * INTERVAL_S,
        y: rates.iter().sum::<f64>() / rates.len() as f64,
    });
    let lines = vec![PlotLine { name: "counted".into(), stroke: Stroke::Line, points: points.collect() }];
    let sees = "The rate at which the live phase counted, each half second.";
    Some(Picture { title: "Live: throughput", sees, across: "seconds", upwards: "frames/s", lines })
}

fn lag_line(name: String, lag: impl Iterator<Item = f64>) -> PlotLine {
    let points = lag.enumerate().map(|(number, lag)| Point { x: number as f64 * INTERVAL_S, y: lag }).collect();
    PlotLine { name, stroke: Stroke::Line, points }
}

fn live_lag(record: &Record) -> Option<Picture> {
    let of = record.figures.get("live_lag_frames")?;
    let lines = vec![lag_line("lag".into(), of.samples.iter().copied())];
    let sees = "Frames that were sent and not yet counted, every tenth of a second.";
    Some(Picture { title: "Live: lag", sees, across: "seconds", upwards: "frames", lines })
}

fn sweep_lag(record: &Record) -> Option<Picture> {
    let steps = &record.sweep.as_ref()?.steps;
    let line =
        |rate: f64, lag: &[u64]| lag_line(format!("{} frames/s", whole(rate)), lag.iter().map(|lag| *lag as f64));
    let lines = steps.iter().map(|step| line(step.asked_frames_per_s, &step.lag_frames)).collect();
    let sees =
        "Frames that were sent and not yet counted, at each rate. Lag that grows is a rate that is not sustained.";
    Some(Picture { title: "Lag at rising rates", sees, across: "seconds", upwards: "frames", lines })
}

/// The rates of steady runs: of each engine, its last round that was right.
fn steady(record: &Record) -> Option<Picture> {
    let race = record.speed.as_ref()?;
    let mut last: Vec<&SpeedSample> = Vec::new();
    for sample in race.samples.iter().filter(|sample| sample.verdict.is_right() && sample.frontier.len() > 2) {
        match last.iter_mut().find(|other| other.key.engine == sample.key.engine) {
            Some(other) => *other = sample,
            None => last.push(sample),
        }
    }
    // As the command line has them: turns are of another order each round.
    last.sort_by_key(|sample| race.engines.iter().position(|engine| engine.name == sample.key.engine));
    let line = |sample: &&SpeedSample| PlotLine {
        name: sample.key.engine.clone(),
        stroke: Stroke::Line,
        points: rates(&sample.frontier),
    };
    let lines = last.iter().map(line).collect();
    let sees = "The rate at which right results came, in the last steady round of each engine.";
    Some(Picture { title: "Steady: throughput", sees, across: "seconds", upwards: "frames/s", lines })
}

/// The rate from the last move of a frontier in each part of a run to that of the next part: it moves by whole windows, many at
/// once with each commit. So a part without a move is no pause, and the first part is only where it begins.
fn rates(frontier: &[FrontierPoint]) -> Vec<Point> {
    let (Some(first), Some(last)) = (frontier.first(), frontier.last()) else { return Vec::new() };
    let part = (last.seconds - first.seconds) / f64::from(PARTS);
    let reached = |number: u32| {
        let until = first.seconds + f64::from(number) * part + 1e-9;
        frontier[frontier.partition_point(|point| point.seconds <= until).max(1) - 1]
    };
    let mut rates = Vec::new();
    let mut from = reached(1);
    for to in (2..=PARTS).map(reached) {
        let seconds = to.seconds - from.seconds;
        if seconds > part / 2.0 {
            rates.push(Point { x: to.seconds, y: (to.frames as f64 - from.frames as f64) / seconds });
            from = to;
        }
    }
    rates
}

/// Frames that were due and not yet in a right result: of each engine, its last run.
fn race_lag(record: &Record) -> Option<Picture> {
    let live = record.live.as_ref().filter(|live| live.brackets.is_empty())?;
    let mut last: Vec<&LiveSample> = Vec::new();
    for sample in live.samples.iter().filter(|sample| sample.verdict.is_right() && sample.frontier.len() > 2) {
        match last.iter_mut().find(|other| other.engine == sample.engine) {
            Some(other) => *other = sample,
            None => last.push(sample),
        }
    }
    let lag = |sample: &LiveSample, point: &FrontierPoint| {
        let due = (point.seconds.min(sample.sending_us as f64 / 1e6) * sample.achieved).max(0.0);
        Point { x: point.seconds, y: (due - point.frames as f64).max(0.0) }
    };
    let line = |sample: &&LiveSample| PlotLine {
        name: sample.engine.clone(),
        stroke: Stroke::Line,
        points: sample.frontier.iter().map(|point| lag(sample, point)).collect(),
    };
    let lines = last.iter().map(line).collect();
    let sees = "Frames that were due and not yet in a right result, when a window became right, in the last run of each engine. \
                At least the frames of the open window are among them.";
    Some(Picture { title: "Live: lag of results", sees, across: "seconds", upwards: "frames", lines })
}

/// The greatest lag of each rate of a sweep, in words.
pub(super) fn most_lag(lag: &[u64]) -> String {
    or_dash(lag.iter().max().map(|lag| whole(*lag as f64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_parts() {
        let frontier: Vec<FrontierPoint> =
            (0..=48).map(|at| FrontierPoint { seconds: f64::from(at) / 2.0, frames: at as u64 * 50 }).collect();
        let rates = rates(&frontier);
        assert_eq!(rates.len(), 23);
        assert!(rates.iter().all(|point| (point.y - 100.0).abs() < 1e-6), "{rates:?}");
        assert_eq!(super::rates(&frontier[..1]), []);
    }

    #[test]
    fn commits_are_no_pauses() {
        // Ten windows with each commit, and a commit less often than a part ends.
        let frontier: Vec<FrontierPoint> = (0..200)
            .map(|at| FrontierPoint { seconds: f64::from(at / 10) * 1.05, frames: at as u64 * 50 + 50 })
            .collect();
        let rates = rates(&frontier);
        assert_eq!(rates.len(), 19);
        assert!(rates.iter().all(|point| (point.y - 500.0 / 1.05).abs() < 1e-6), "{rates:?}");
    }
}
