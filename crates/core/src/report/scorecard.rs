//! The scorecard: engines across, workloads down, and the story of each cell.

use super::words::{plural, size, time};
use crate::recovery::Recovery;
use crate::scorecard::{CellRecord, CellVerdict};
use maud::{Markup, html};

/// The matrix, and below it what happened in each cell.
pub(super) fn section(id: &str, cells: &[CellRecord]) -> Option<Markup> {
    if cells.is_empty() {
        return None;
    }
    let workloads = once(cells.iter().map(|cell| &cell.workload));
    Some(html! {
        h3 { "Scorecard" }
        p { "Engines stand across, workloads down. Each cell leads to its story." }
        (matrix(id, cells, &workloads))
        h4 { "What happened in each cell" }
        p { "Open where an engine was not right. A link of the matrix opens the others." }
        @for workload in &workloads {
            @let of = cells.iter().enumerate().filter(|(_, cell)| cell.workload == *workload);
            details open[of.clone().any(|(_, cell)| !cell.verdict.is_right())] {
                summary { (workload) }
                @for (number, cell) in of { (story(&cell_id(id, number), cell)) }
            }
        }
    })
}

/// Names in the order in which they come first, each once.
fn once<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if !all.contains(&name.as_str()) {
            all.push(name);
        }
    }
    all
}

fn cell_id(id: &str, number: usize) -> String {
    format!("{id}-cell-{number}")
}

fn matrix(id: &str, cells: &[CellRecord], workloads: &[&str]) -> Markup {
    let engines = once(cells.iter().map(|cell| &cell.engine));
    let find = |workload: &str, engine: &str| {
        cells.iter().enumerate().find(|(_, cell)| (cell.workload.as_str(), cell.engine.as_str()) == (workload, engine))
    };
    html! {
        div.scroll role="group" tabindex="0" aria-label="Verdicts by workload and engine" {
            table.matrix {
                caption { "Verdicts by workload and engine" }
                thead {
                    tr {
                        th scope="col" { "workload" }
                        @for engine in &engines { th scope="col" { (engine) } }
                    }
                }
                tbody {
                    @for workload in workloads {
                        tr {
                            th scope="row" { (workload) }
                            @for engine in &engines {
                                @match find(workload, engine) {
                                    Some((number, cell)) => {
                                        td class=(class(&cell.verdict)) {
                                            a href=(format!("#{}", cell_id(id, number))) { (cell.verdict.short()) }
                                        }
                                    }
                                    None => { td { "-" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn class(verdict: &CellVerdict) -> &'static str {
    match verdict {
        CellVerdict::Exact => "good",
        CellVerdict::NotRun { .. } => "open",
        other if other.is_right() => "fair",
        _ => "bad",
    }
}

fn story(id: &str, cell: &CellRecord) -> Markup {
    html! {
        div.story id=(id) {
            p {
                strong { (cell.engine) }
                @if let Some(version) = &cell.version { " " span.quiet { (version) } }
                ": " span class=(class(&cell.verdict)) { (cell.verdict.to_string()) }
            }
            @let facts = facts(cell);
            @if !facts.is_empty() { p.quiet { (facts.join("; ")) } }
            @if let Some(recovery) = &cell.recovery { p.quiet { (recovered(recovery)) } }
            @for words in cell.incidents.iter().chain(&cell.remarks) { p.quiet { (words) } }
            @if !cell.again.is_empty() { p.quiet { "Again: " code { (cell.again) } } }
        }
    }
}

/// When things happened, and what the engine used.
fn facts(cell: &CellRecord) -> Vec<String> {
    if !cell.verdict.is_run() {
        return Vec::new();
    }
    let at = |us: Option<i64>, what: &str| us.map(|us| format!("{what} after {}", time(us as f64)));
    let mut all: Vec<String> =
        at(cell.times.first_row_us, "first row").into_iter().chain(at(cell.times.right_us, "right")).collect();
    all.push(plural(cell.rows.judged, "row"));
    if cell.rows.repeats > 0 {
        all.push(plural(cell.rows.repeats, "repeated row"));
    }
    if cell.rows.aborted > 0 {
        all.push(format!("{} of aborted transactions", plural(cell.rows.aborted, "message")));
    }
    all.push(format!("{} of processor time", time(cell.used.cpu_us as f64)));
    all.push(format!("{} at most", size(cell.used.peak_pss_bytes as f64)));
    all.extend(cell.checkpoint_ms.map(|ms| format!("commits every {}", time(ms as f64 * 1e3))));
    all
}

fn recovered(of: &Recovery) -> String {
    let news: Vec<String> =
        of.interruptions.iter().filter_map(|it| it.news_us.map(|news| time((news - it.back_us) as f64))).collect();
    let again = if news.is_empty() {
        "nothing new came after them".into()
    } else {
        format!("going on after {}", news.join(", "))
    };
    format!(
        "{}, {again}; {} lost, {} with repeated rows, {} again",
        plural(of.interruptions.len() as u64, "interruption"),
        plural(of.lost_windows, "window"),
        plural(of.repeated_windows, "window"),
        plural(of.repeated_firsts, "first answer"),
    )
}
