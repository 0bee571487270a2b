//! Users per window: as first answered, and as true.

use super::plot::{Axis, Plot, PlotLine, Point, Stroke};
use super::scale::Scale;
use super::table::{Column, table};
use super::words::{count, difference, or_dash, plural, tick};
use crate::window::Unit;
use crate::window_record::WindowRecord;
use maud::{Markup, html};

/// Number of windows in the table; of more, those that are wrong or were corrected come first.
const SHOWN: usize = 60;

const COLUMNS: [Column; 6] = [
    Column::Words("window"),
    Column::Number("users"),
    Column::Number("truth"),
    Column::Number("first answer"),
    Column::Number("error of the first"),
    Column::Number("frames"),
];

/// A picture for each unit, and the table.
pub(super) fn section(id: &str, windows: &[WindowRecord]) -> Option<Markup> {
    if windows.is_empty() {
        return None;
    }
    let mut units: Vec<Unit> = windows.iter().map(|window| window.unit).collect();
    units.sort();
    units.dedup();
    let is_compared = windows.iter().any(|window| window.truth_users.is_some());
    let mut shown: Vec<&WindowRecord> = windows.iter().collect();
    shown.sort_by_key(|window| rank(window, is_compared));
    let rest = shown.len().saturating_sub(SHOWN);
    shown.truncate(SHOWN);
    shown.sort_by_key(|window| window.window());
    let rows: Vec<Vec<String>> = shown.into_iter().map(|window| row(window, is_compared)).collect();
    Some(html! {
        h3 { "Users per window" }
        div.plots {
            @for (number, unit) in units.iter().enumerate() {
                @let own: Vec<&WindowRecord> = windows.iter().filter(|window| window.unit == *unit).collect();
                @if own.len() > 1 { figure { (picture(&format!("{id}-windows-{number}"), *unit, &own)) } }
            }
        }
        (table("Users per window", &COLUMNS, &rows))
        @if rest > 0 { p.quiet { "... and " (plural(rest as u64, "window")) " more, in the record: those with a fault or a correction are named first." } }
    })
}

/// Whether the answer is not the truth, or its rows are at fault; never where nothing was compared.
fn is_wrong(window: &WindowRecord, is_compared: bool) -> bool {
    is_compared && (window.users != window.truth_users || !window.wrong.is_empty())
}

/// Wrong ones first, then those whose first answer was wrong.
fn rank(window: &WindowRecord, is_compared: bool) -> u8 {
    if is_wrong(window, is_compared) {
        0
    } else if window.first_error().is_some_and(|error| error != 0) {
        1
    } else {
        2
    }
}

fn picture(id: &str, unit: Unit, windows: &[&WindowRecord]) -> Markup {
    let first = windows.iter().map(|window| window.start).min().unwrap_or(0);
    let across = |window: &WindowRecord| (window.start - first) as f64 / 60.0;
    let line = |name: &str, stroke: Stroke, users: fn(&WindowRecord) -> Option<u64>| {
        let point = |window: &&WindowRecord| Some(Point { x: across(window), y: users(window)? as f64 });
        PlotLine { name: name.to_owned(), stroke, points: windows.iter().filter_map(point).collect() }
    };
    let mut lines = vec![
        line("truth", Stroke::Steps, |window| window.truth_users),
        line("first answer", Stroke::Dots, |window| window.first_users),
    ];
    lines.retain(|line| !line.points.is_empty());
    if lines.is_empty() {
        lines.push(line("users", Stroke::Steps, |window| window.users));
    }
    let off = windows.iter().filter(|window| window.first_error().is_some_and(|error| error != 0)).count();
    let last = windows.iter().map(|window| across(window)).fold(0.0, f64::max);
    let most = windows
        .iter()
        .flat_map(|window| [window.truth_users, window.first_users, window.users])
        .flatten()
        .map(|users| users as f64);
    let title = format!("Users per {unit}");
    let plot = Plot {
        id: id.to_owned(),
        title: title.clone(),
        sees: format!(
            "{}, of which {off} had other users in their first answer than in truth.",
            plural(windows.len() as u64, "window")
        ),
        x: Axis { label: "minutes of event time".into(), scale: Scale::Linear(0.0, last.max(1.0)), words: tick },
        y: Axis { label: "users".into(), scale: Scale::from_zero(most), words: tick },
        lines,
    };
    html! {
        figcaption { (title) @if plot.lines.len() > 1 { ": the steps are the truth, the dots the first answers" } }
        (plot.draw())
    }
}

fn row(window: &WindowRecord, is_compared: bool) -> Vec<String> {
    let users = |users: Option<u64>| or_dash(users.map(count));
    let wrong = if is_wrong(window, is_compared) { " WRONG" } else { "" };
    vec![
        format!("{}{wrong}", window.window().label()),
        users(window.users),
        users(window.truth_users),
        users(window.first_users),
        or_dash(window.first_error().map(difference)),
        users(window.frames),
    ]
}
