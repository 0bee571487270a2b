//! `kuu compare`: whether records of one side are better than those of another.

mod sides;
mod tables;

use crate::cli::CompareArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{Session, print_json, records};
use anyhow::{Context as _, Result, bail};
use kuu_core::comparison::{Difference, FigureComparison, compare, differences, sample_kind};
use kuu_core::export::left_out;
use kuu_core::record::Record;
use kuu_core::statistics::RatioVerdict;
use sides::{ComparedSides, NamedSide};
use std::collections::BTreeSet;
use std::fs;
use tables::{Layout, text};

/// The records of one side.
struct Side {
    /// As on the command line.
    given: String,
    records: Vec<Record>,
}

/// Runs the command.
///
/// # Errors
/// If a record cannot be read, is of a wrong answer, or cannot be compared with the others.
pub fn run(arguments: &CompareArgs, session: &Session) -> Result<ExitStatus> {
    let before = Side::read(&arguments.before)?;
    let mut all = Vec::new();
    for given in &arguments.after {
        all.push(compared(arguments, &before, &Side::read(given)?)?);
    }
    if let Some(path) = &arguments.export_markdown {
        let markdown = text(&all, Layout::Markdown);
        fs::write(path, markdown).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    if session.common.json {
        print_json(&all)?;
    }
    session.screen.say(text(&all, Layout::Screen));
    let is_worse = |figure: &FigureComparison| figure.verdict == Some(RatioVerdict::Slower);
    let fell = all.iter().flat_map(|sides| &sides.figures).any(is_worse);
    Ok(if fell { ExitStatus::Regression } else { ExitStatus::Fine })
}

fn compared(arguments: &CompareArgs, before: &Side, after: &Side) -> Result<ComparedSides> {
    let differences = differences(&before.records, &after.records);
    let forbidden: Vec<&Difference> = differences.iter().filter(|difference| difference.forbids).collect();
    if !forbidden.is_empty() && !arguments.across {
        let words: Vec<String> = forbidden
            .iter()
            .map(|Difference { what, before, after, .. }| format!("the {what} was {before}, and then {after}"))
            .collect();
        bail!(
            "{} and {} cannot be compared: {}. --across compares them all the same",
            before.given,
            after.given,
            words.join("; ")
        );
    }
    let figures = compare(&before.records, &after.records, arguments.threshold);
    if figures.is_empty() {
        bail!("{} and {} have no figure in common", before.given, after.given);
    }
    let sample = sample_kind(&before.records, &after.records);
    let left_out = before.records.iter().chain(&after.records).flat_map(left_out).collect::<BTreeSet<_>>();
    let left_out = left_out.into_iter().collect();
    let (before, after) = (before.named(), after.named());
    Ok(ComparedSides { before, after, sample, threshold: arguments.threshold, differences, figures, left_out })
}

impl Side {
    /// Reads the records of names with commas between them, and of patterns.
    fn read(given: &str) -> Result<Side> {
        let mut records = Vec::new();
        for name in given.split(',') {
            records.extend(records::read(name)?.into_iter().map(|found| found.record));
        }
        Ok(Side { given: given.to_owned(), records })
    }

    fn named(&self) -> NamedSide {
        let program = |record: &Record| format!("{} ({})", record.program.version, record.program.git);
        let mut programs: Vec<String> = self.records.iter().map(program).collect();
        programs.sort();
        programs.dedup();
        NamedSide { records: self.given.clone(), runs: self.records.len(), programs }
    }
}
