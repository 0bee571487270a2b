//! Engines across, workloads down: every pair in turn, and what came out.

use crate::race::cell::{self, RECORD_FILE};
use crate::race::entrant::Entrant;
use crate::race::pacing::PaceLimit;
use crate::race::question::RaceWorkload;
use crate::race::setup::RaceSetup;
use anyhow::{Context as _, Result};
use console::{Style, style};
use kuu_core::scorecard::{CellRecord, CellVerdict};
use std::fs;
use std::io::ErrorKind;

/// Runs every engine on a workload, and hands over each cell. A cell whose record is in the race's directory is not run
/// again.
///
/// # Errors
/// If a cell cannot be run, or the record of an earlier one cannot be read.
pub fn row(
    setup: &RaceSetup<'_>,
    engines: &[&Entrant],
    of: &RaceWorkload,
    mut take: impl FnMut(CellRecord),
) -> Result<()> {
    for engine in engines {
        let record = match earlier(setup, engine.name(), &of.name)? {
            Some(record) => record,
            None => {
                let run = cell::run(setup, engine, of);
                run.with_context(|| format!("engine {}, workload {}", engine.name(), of.name))?
            }
        };
        take(record);
    }
    Ok(())
}

/// Half of what the slowest of these engines takes of a workload if nothing breaks: the most at which its frames come
/// where something does. `say` gets a line for each engine.
///
/// # Errors
/// As of [`row`].
pub fn pace(
    setup: &RaceSetup<'_>,
    engines: &[&Entrant],
    of: &RaceWorkload,
    say: impl Fn(String),
) -> Result<Option<PaceLimit>> {
    let calm = of.calm();
    let frames = of.workload.expect.read as f64;
    let mut rates = Vec::new();
    row(setup, engines, &calm, |cell| {
        let rate =
            cell.times.right_us.filter(|us| cell.verdict.is_run() && *us > 0).map(|us| frames / (us as f64 / 1e6));
        say(format!(
            "{}: {}: {}",
            calm.name,
            style(&cell.engine).bold(),
            rate.map_or_else(
                || cell.verdict.to_string(),
                |rate| format!("{rate:.0} frames/s from its start to the right answer")
            )
        ));
        rates.extend(rate);
    })?;
    Ok(PaceLimit::of_slowest(rates))
}

/// The cell as an earlier run of this race left it.
fn earlier(setup: &RaceSetup<'_>, engine: &str, workload: &str) -> Result<Option<CellRecord>> {
    let path = setup.names(engine, workload).directory.join(RECORD_FILE);
    match fs::read(&path) {
        Ok(text) => {
            let record: CellRecord = serde_json::from_slice(&text)
                .with_context(|| format!("{} is not the record of a cell: delete it", path.display()))?;
            // What was missing may be there now.
            Ok(Some(record).filter(|record| record.verdict.is_run()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// The matrix: a line for each workload, a column for each engine, coloured where there is a terminal.
pub fn matrix(engines: &[Entrant], cells: &[CellRecord]) -> String {
    let names: Vec<&str> = engines.iter().map(Entrant::name).collect();
    let mut workloads: Vec<&str> = cells.iter().map(|cell| cell.workload.as_str()).collect();
    workloads.dedup();
    let find = |workload: &str, engine: &str| {
        cells.iter().find(|cell| cell.workload == workload && cell.engine == engine).map(|cell| &cell.verdict)
    };
    let short = |verdict: Option<&CellVerdict>| verdict.map_or_else(String::new, CellVerdict::short);
    let first = workloads.iter().map(|name| name.len()).max().unwrap_or(0).max("workload".len());
    let width = |engine: &&str| {
        let cells = workloads.iter().map(|workload| short(find(workload, engine)).len());
        cells.max().unwrap_or(0).max(engine.len())
    };
    let widths: Vec<usize> = names.iter().map(width).collect();
    let mut lines = vec![format!("{:<first$}", "workload")];
    names.iter().zip(&widths).for_each(|(name, width)| lines[0] += &format!("  {name:<width$}"));
    for workload in workloads {
        let mut line = format!("{workload:<first$}");
        for (engine, width) in names.iter().zip(&widths) {
            let verdict = find(workload, engine);
            let cell = format!("{:<width$}", short(verdict));
            line += &format!("  {}", verdict.map_or_else(Style::new, colour).apply_to(cell));
        }
        lines.push(line);
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

fn colour(verdict: &CellVerdict) -> Style {
    match verdict {
        CellVerdict::Exact | CellVerdict::Corrected { .. } => Style::new().green(),
        CellVerdict::WithinPolicy { .. } | CellVerdict::Differs { .. } => Style::new().yellow(),
        CellVerdict::NotRun { .. } => Style::new().dim(),
        _ => Style::new().red(),
    }
}

/// What is said of a cell: who, on what, how it came out; where something broke, what that did in a second line.
pub fn cell_line(cell: &CellRecord) -> String {
    let who = style(&cell.engine).bold();
    let line = format!("{}: {who}: {}", cell.workload, colour(&cell.verdict).apply_to(&cell.verdict));
    cell.recovery.as_ref().map_or_else(|| line.clone(), |recovery| format!("{line}\n    {recovery}"))
}
