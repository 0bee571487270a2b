//! A race for speed: bars with intervals, against the best.

use super::bars::{Bar, Bars};
use super::scale::Scale;
use super::table::{Column, table};
use super::words::{ends, or_dash, plural, short, size, tick, time, whole};
use crate::speed::{RacedEngine, Ranking, SpeedEstimate, SpeedPhase, SpeedRecord, SpeedSample};
use crate::statistics::{RatioEstimate, median};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// The axis ends here: an interval that goes on is cut.
const MOST: f64 = 2.0;

/// The style of a control.
const CONTROL: usize = 7;

const COLUMNS: [Column; 10] = [
    Column::Words("engine"),
    Column::Words("rank"),
    Column::Number("frames/s"),
    Column::Number("95 % interval"),
    Column::Number("against the best"),
    Column::Number("95 % interval"),
    Column::Number("time"),
    Column::Number("CPU µs/frame"),
    Column::Number("broker CPU µs/frame"),
    Column::Number("memory (PSS)"),
];

/// An engine on one input.
struct Raced<'a> {
    of: &'a SpeedEstimate,
    /// How many times as fast as the best it is; none of the best.
    against: Option<RatioEstimate>,
    /// Its speed by that of the best.
    share: f64,
}

/// One picture and one table for each input.
pub(super) fn section(id: &str, record: &SpeedRecord) -> Option<Markup> {
    let inputs: BTreeSet<(SpeedPhase, u64)> = record.estimates.iter().map(|one| (one.phase, one.frames)).collect();
    if inputs.is_empty() {
        return None;
    }
    Some(html! {
        h3 { "Speed" }
        p {
            "Each bar is the speed of an engine as a share of the fastest one's, and its whisker the 95 % interval of that ratio, from rounds in which both ran in turn. "
            "Where a whisker reaches over 1, the two are not told apart. An engine that was wrong once has no bar. "
            "A control is an engine that took part twice: as far as it is from its twin, differences mean nothing."
        }
        div.plots {
            @for (number, (phase, frames)) in inputs.iter().enumerate() {
                (input(&format!("{id}-race-{number}"), record, *phase, *frames))
            }
        }
        (versions(&record.engines))
    })
}

fn input(id: &str, record: &SpeedRecord, phase: SpeedPhase, frames: u64) -> Markup {
    let raced = raced(record, phase, frames);
    let title = match phase {
        SpeedPhase::Cold => format!("Cold: from start to right answer, {}", plural(frames, "frame")),
        SpeedPhase::Steady => "Steady: an input without an end, after the warm-up".to_owned(),
    };
    let widest = raced.iter().filter_map(|one| Some(one.against?.interval.high)).fold(1.0, f64::max);
    let others = || raced.iter().skip(1).filter(|one| !is_control(&one.of.engine));
    let told = others().filter(|one| one.against.is_some_and(|it| it.interval.high < 1.0)).count();
    let sees = format!(
        "{told} of {} other engines are slower than {} beyond their interval. The table has the figures.",
        others().count(),
        raced.first().map_or("the first", |one| &one.of.engine)
    );
    let bars = Bars {
        id: id.to_owned(),
        title: title.clone(),
        sees,
        label: "speed against the best".into(),
        scale: Scale::Linear(0.0, if widest > 1.0 { widest.min(MOST) } else { 1.0 }),
        words: tick,
        bars: raced.iter().enumerate().map(|(number, one)| bar(number, one)).collect(),
    };
    let rows: Vec<Vec<String>> = raced.iter().map(|one| row(one, record)).collect();
    html! {
        figure {
            figcaption { (title) }
            (bars.draw())
            (table(&format!("{title}: figures"), &COLUMNS, &rows))
        }
    }
}

/// The engines of an input, the fastest first; those that stand apart come last.
fn raced(record: &SpeedRecord, phase: SpeedPhase, frames: u64) -> Vec<Raced<'_>> {
    let mut all: Vec<&SpeedEstimate> = record
        .estimates
        .iter()
        .filter(|one| (one.phase, one.frames) == (phase, frames) && !one.speeds.is_empty())
        .collect();
    let stands = |one: &SpeedEstimate| {
        let engine = record.engines.iter().find(|engine| engine.name == one.engine);
        is_control(&one.engine) || engine.is_some_and(|engine| engine.ranking != Ranking::Ranked)
    };
    all.sort_by(|a, b| (stands(a), speed(b)).partial_cmp(&(stands(b), speed(a))).unwrap_or(std::cmp::Ordering::Equal));
    let best = all.first().copied();
    let against = |one: &SpeedEstimate| {
        let best = best.filter(|best| best.engine != one.engine)?;
        let rounds = one.speeds.iter().filter_map(|(round, speed)| Some((*speed, *best.speeds.get(round)?)));
        let (own, other): (Vec<f64>, Vec<f64>) = rounds.unzip();
        RatioEstimate::paired(&own, &other).ok()
    };
    let share = |one: &SpeedEstimate| best.map_or(1.0, |best| speed(one) / speed(best));
    all.iter().map(|one| Raced { of: one, against: against(one), share: share(one) }).collect()
}

/// Whether it is an engine's second part in a race, which shows how much of a difference is chance.
fn is_control(engine: &str) -> bool {
    engine.ends_with(" (2)")
}

/// Frames per second: the geometric mean of the rounds, or what there is.
fn speed(one: &SpeedEstimate) -> f64 {
    one.speed.map_or_else(|| median(&one.speeds.values().copied().collect::<Vec<f64>>()), |speed| speed.ratio)
}

fn bar(number: usize, one: &Raced<'_>) -> Bar {
    Bar {
        name: if is_control(&one.of.engine) { format!("{}, control", one.of.engine) } else { one.of.engine.clone() },
        words: format!("{} frames/s", whole(speed(one.of))),
        value: one.against.map_or(one.share, |it| it.ratio),
        interval: one.against.map(|it| it.interval),
        ceiling: None,
        style: if is_control(&one.of.engine) { CONTROL } else { usize::from(number > 0) },
    }
}

fn row(one: &Raced<'_>, record: &SpeedRecord) -> Vec<String> {
    let of = one.of;
    let is_its = |sample: &&SpeedSample| {
        let key = &sample.key;
        (key.phase, key.frames, &key.engine) == (of.phase, of.frames, &of.engine)
    };
    let samples: Vec<&SpeedSample> = record.samples.iter().filter(is_its).collect();
    let of_all = |value: &dyn Fn(&SpeedSample) -> Option<f64>| {
        let values: Vec<f64> = samples.iter().filter_map(|sample| value(sample)).collect();
        (!values.is_empty()).then(|| median(&values))
    };
    let seconds = of_all(&|sample| sample.times.right_us.map(|us| us as f64)).filter(|_| of.phase == SpeedPhase::Cold);
    vec![
        of.engine.clone(),
        or_dash(of.rank.clone()),
        or_dash(of.speed.map(|speed| whole(speed.ratio))),
        or_dash(of.speed.map(|speed| format!("{} to {}", whole(speed.interval.low), whole(speed.interval.high)))),
        match one.against {
            Some(it) => format!("{:.2}", it.ratio),
            None if one.share == 1.0 => "the best".into(),
            None => format!("{:.2}", one.share),
        },
        or_dash(one.against.map(|it| ends(it.interval))),
        or_dash(seconds.map(time)),
        or_dash(of_all(&SpeedSample::cpu_s_per_million).map(short)),
        or_dash(of_all(&SpeedSample::broker_cpu_s_per_million).map(short)),
        or_dash(of_all(&|sample| Some(sample.used.peak_pss_bytes as f64)).map(size)),
    ]
}

/// The engines and their versions.
pub(super) fn versions(engines: &[RacedEngine]) -> Markup {
    let place = |engine: &RacedEngine| match (engine.ranking, &engine.obstacle) {
        (_, Some(why)) => format!("not run: {why}"),
        (Ranking::Ranked, None) => "ranked".to_owned(),
        (Ranking::Unranked, None) => "has no place: it says that it is no rival".to_owned(),
        (Ranking::Approximate, None) => "estimates: it stands apart".to_owned(),
    };
    let rows: Vec<Vec<String>> = engines
        .iter()
        .map(|engine| vec![engine.name.clone(), or_dash(engine.version.clone()), place(engine)])
        .collect();
    let columns = [Column::Words("engine"), Column::Words("version"), Column::Words("place")];
    if rows.is_empty() {
        html! {}
    } else {
        table("Engines", &columns, &rows)
    }
}
