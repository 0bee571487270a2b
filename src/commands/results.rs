//! `kuu results`: the records in a directory, and their schema.

use crate::cli::ResultsArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{Session, print_json};
use crate::record::store;
use crate::terminal::{Screen, complain, plural, rate, table};
use anyhow::{Context as _, Result};
use kuu_core::record::{Record, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A record of the list.
#[derive(Serialize)]
struct ListedRecord {
    file: String,
    /// When the run began, RFC 3339 in UTC.
    written: String,
    command: String,
    /// Version and revision of kuu.
    program: String,
    /// Whether the answer was right; none if the command judges no answer.
    exact: Option<bool>,
    /// Whether it did not have to be exact.
    within: bool,
    /// Frames per second of the main step, if the record has one.
    frames_per_s: Option<f64>,
}

/// Runs the command.
///
/// # Errors
/// If the directory cannot be read, or a record cannot be deleted.
pub fn run(arguments: &ResultsArgs, session: &Session) -> Result<ExitStatus> {
    if arguments.schema {
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(Record))?;
        // It is the answer, also with --json and --quiet.
        Screen { to_stderr: false, quiet: false }.say(schema);
        return Ok(ExitStatus::Fine);
    }
    let directory = &session.common.results;
    let files = files(directory)?;
    if let Some(keep) = arguments.prune {
        return prune(directory, &files, keep, session);
    }
    let mut status = ExitStatus::Fine;
    let mut all = Vec::new();
    for path in &files {
        match store::read(path) {
            Ok(record) => all.push(listed(path, &record)),
            Err(error) => {
                complain(format!("{error:#}"));
                status = ExitStatus::Incomplete;
            }
        }
    }
    all.sort_by(|one, other| one.written.cmp(&other.written));
    if session.common.json {
        print_json(&all)?;
    }
    if all.is_empty() {
        session.screen.say(format!("{} has no record", directory.display()));
    } else {
        session.screen.say(text(&all));
    }
    Ok(status)
}

/// The files that are records by their names, in order.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("{} cannot be read: name a directory of records with --results", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        // The baseline of the gate is no record of a run.
        if path.is_file() && (name.ends_with(".json") || name.ends_with(".json.gz")) && name != "baseline.json" {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn listed(path: &Path, record: &Record) -> ListedRecord {
    let command = record.configuration.command();
    let figure = [format!("{command}_frames_per_s"), "count_frames_per_s".into()];
    ListedRecord {
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        written: record.written.clone(),
        command: command.into(),
        program: format!("{} ({})", record.program.version, record.program.git),
        exact: record.verdict.as_ref().map(Verdict::is_right),
        within: record.verdict.as_ref().is_some_and(|verdict| verdict.within.is_some()),
        frames_per_s: figure.iter().find_map(|name| record.figures.get(name)).map(|figure| figure.value),
    }
}

fn text(all: &[ListedRecord]) -> String {
    let mut rows = vec![["record", "begun", "command", "kuu", "answer", "frames/s"].map(str::to_owned).to_vec()];
    for ListedRecord { file, written, command, program, exact, within, frames_per_s } in all {
        let answer = match exact {
            Some(true) if *within => "within",
            Some(true) => "exact",
            Some(false) => "wrong",
            None => "-",
        };
        let speed = frames_per_s.map_or_else(|| "-".into(), rate);
        rows.push(vec![file.clone(), written.clone(), command.clone(), program.clone(), answer.into(), speed]);
    }
    table(&rows)
}

/// Deletes old records. Receipts of topics have no time in their names: they stay.
fn prune(directory: &Path, files: &[PathBuf], keep: usize, session: &Session) -> Result<ExitStatus> {
    let mut by_command: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in files {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
        if let Some((command, _)) = stem.split_once('-').filter(|(_, time)| is_time(time)) {
            by_command.entry(command).or_default().push(stem);
        }
    }
    let mut deleted = 0;
    for stems in by_command.values_mut() {
        stems.sort_unstable();
        for stem in &stems[..stems.len().saturating_sub(keep)] {
            delete(directory, stem)?;
            deleted += 1;
        }
    }
    session.screen.say(format!("{} deleted", plural(deleted, "record")));
    Ok(ExitStatus::Fine)
}

/// Whether this is a time as in names: `20261130T101500Z`.
fn is_time(text: &str) -> bool {
    let shape = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
    text.bytes().map(shape).eq(*b"00000000T000000Z")
}

/// Deletes a record, and what has its name: histograms, and the directory of a race.
fn delete(directory: &Path, stem: &str) -> Result<()> {
    let cannot = || format!("{} cannot be deleted", directory.join(stem).display());
    for entry in fs::read_dir(directory).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if name == stem && path.is_dir() {
            fs::remove_dir_all(&path).with_context(cannot)?;
        } else if name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.')) {
            fs::remove_file(&path).with_context(cannot)?;
        }
    }
    Ok(())
}
