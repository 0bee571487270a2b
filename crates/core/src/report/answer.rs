//! Whether the answers in a record are right.

use super::statement::{Statement, Tone};
use super::words::{count, plural};
use crate::configuration::Configuration;
use crate::export::wrong_engines;
use crate::record::{Record, Verdict};
use crate::scorecard::{CellRecord, CellVerdict};
use crate::speed::RacedEngine;
use crate::verdict::percent;

/// Number of faults that are named; the record has all of them.
const NAMED: usize = 20;

/// The verdicts on the answers.
pub(super) fn answers(record: &Record) -> Vec<Statement> {
    let mut all = Vec::new();
    all.extend(record.verdict.as_ref().map(checked));
    if !record.cells.is_empty() {
        all.push(scorecard(&record.cells));
    }
    if record.speed.is_some() || record.live.is_some() {
        all.push(race(record));
    }
    if all.is_empty() {
        all.extend(unchecked(record));
    }
    all.extend(ledger(record));
    all
}

fn checked(verdict: &Verdict) -> Statement {
    let bound = verdict.within.as_ref().map(|within| format!("within {} %", percent(within.bound)));
    let what = bound.as_deref().unwrap_or("exact");
    if !verdict.is_right() {
        let right = verdict.windows.saturating_sub(verdict.wrong);
        let words = format!("{} of {} {what}", count(right), plural(verdict.windows, "window"));
        let more = verdict.faults.len().saturating_sub(NAMED);
        let more = (more > 0).then(|| format!("... and {} more: the record has them", count(more as u64)));
        let faults = verdict.faults.iter().take(NAMED).cloned().chain(more);
        return Statement::new(Tone::Bad, "WRONG", words).with(faults);
    }
    if let Some(within) = &verdict.within {
        let (inside, windows) = (count(within.inside), plural(verdict.windows, "window"));
        let words = format!("{inside} of {windows}; largest error {:.2} %", 100.0 * within.largest_error);
        return Statement::new(Tone::Good, "within", format!("{} %: {words}", percent(within.bound)));
    }
    let mut words = format!("{} of {} exact", count(verdict.windows), plural(verdict.windows, "window"));
    words += &match (verdict.exact_at_first, verdict.corrected) {
        (first, _) if first == verdict.windows => ", each in its first answer".to_owned(),
        (first, corrected) => format!(
            "; {} in its first answer, {} corrected later; largest first error {}",
            count(first),
            count(corrected),
            plural(verdict.largest_first_error_users, "user")
        ),
    };
    if verdict.first_unknown > 0 {
        words += &format!("; first answer unknown for {}", plural(verdict.first_unknown, "window"));
    }
    Statement::new(Tone::Good, "exact", words)
}

fn scorecard(cells: &[CellRecord]) -> Statement {
    let run = cells.iter().filter(|cell| cell.verdict.is_run()).count();
    let wrong: Vec<&CellRecord> =
        cells.iter().filter(|cell| cell.verdict.is_run() && !cell.verdict.is_right()).collect();
    let left = cells.len() - run;
    let not_run = if left > 0 { format!("; {} not run", count(left as u64)) } else { String::new() };
    if wrong.is_empty() {
        let words = format!("right in each of {}{not_run}", plural(run as u64, "cell"));
        return Statement::new(if run > 0 { Tone::Good } else { Tone::Open }, "scorecard", words);
    }
    let words = format!("{} of {} right{not_run}", count((run - wrong.len()) as u64), plural(run as u64, "cell"));
    let story = |cell: &CellRecord| format!("{} on {}: {}", cell.engine, cell.workload, cell.verdict);
    let more = wrong.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("... and {} more: the scorecard has them", count(more as u64)));
    let named = wrong.into_iter().take(NAMED).map(story).chain(more).collect::<Vec<String>>();
    Statement::new(Tone::Bad, "scorecard", words).with(named)
}

/// Engines that were wrong, with their first verdict, and those that did not run.
fn race(record: &Record) -> Statement {
    let (speed, live) = (record.speed.as_ref(), record.live.as_ref());
    let of_speed = speed.iter().flat_map(|speed| &speed.samples).map(|it| (it.key.engine.as_str(), &it.verdict));
    let of_live = live.iter().flat_map(|live| &live.samples).map(|it| (it.engine.as_str(), &it.verdict));
    let verdicts: Vec<(&str, &CellVerdict)> = of_speed.chain(of_live).collect();
    let wrong = wrong_engines(record);
    let story = |engine: &&str| {
        let first = verdicts.iter().find(|(name, verdict)| name == engine && !verdict.is_right());
        first.map(|(name, verdict)| format!("{name}: {verdict}: it has no time"))
    };
    let engines: &[RacedEngine] = speed.map(|it| &it.engines).or(live.map(|it| &it.engines)).map_or(&[], Vec::as_slice);
    let not_run =
        engines.iter().filter_map(|engine| Some(format!("{}: not run: {}", engine.name, engine.obstacle.as_ref()?)));
    let details: Vec<String> = wrong.iter().filter_map(story).chain(not_run).collect();
    let runs = plural(verdicts.len() as u64, "run");
    if wrong.is_empty() {
        return Statement::new(Tone::Good, "right", format!("each engine was right in each of {runs}")).with(details);
    }
    let names: Vec<&str> = wrong.into_iter().collect();
    Statement::new(Tone::Bad, "WRONG", format!("{} in {runs}", names.join(", "))).with(details)
}

/// Nothing that was compared with the truth.
fn unchecked(record: &Record) -> Option<Statement> {
    let open = |words: &str| Some(Statement::new(Tone::Open, "not checked", words));
    match &record.configuration {
        Configuration::Count(config) if config.options.complete == Some(false) => {
            open("this count has not come to its end: it goes on, or was killed")
        }
        Configuration::Count(_) => open("kuu verify compares this count with the truth"),
        Configuration::Batch(_) => {
            Some(Statement::new(Tone::Open, "truth", "this is the count that others are compared with"))
        }
        _ => None,
    }
}

/// What became of the frames.
fn ledger(record: &Record) -> Option<Statement> {
    let ledger = record.ledger.as_ref()?;
    let mut words = format!(
        "{} read = {} counted + {} malformed + {} too late",
        count(ledger.read),
        count(ledger.counted),
        count(ledger.malformed_total()),
        count(ledger.too_late)
    );
    if ledger.too_far > 0 {
        words += &format!(" + {} too far", count(ledger.too_far));
    }
    let reasons = ledger.reasons().into_iter().map(|(reason, n)| format!("{} {reason}", count(n)));
    let tone = if ledger.balances() { Tone::Open } else { Tone::Bad };
    Some(Statement::new(tone, "ledger", words).with(reasons))
}
