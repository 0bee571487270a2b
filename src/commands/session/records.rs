//! Records that the command line names.

use crate::record::store;
use anyhow::{Context as _, Result, bail};
use kuu_core::export::NamedRecord;
use std::fs;
use std::path::PathBuf;

/// Reads the records of a name or of a pattern.
///
/// # Errors
/// If there is none, or one cannot be read or is of a wrong answer.
pub fn read(given: &str) -> Result<Vec<NamedRecord>> {
    let all = read_any(given)?;
    if let Some(wrong) = all.iter().find(|it| it.record.verdict.as_ref().is_some_and(|verdict| !verdict.is_right())) {
        bail!("{}: its answer was wrong, and a wrong answer has no speed", wrong.name);
    }
    Ok(all)
}

/// The same, also those of wrong answers.
///
/// # Errors
/// If there is none, or one cannot be read.
pub fn read_any(given: &str) -> Result<Vec<NamedRecord>> {
    let read = |path: PathBuf| {
        let record = store::read(&path)?;
        Ok(NamedRecord { name: path.to_string_lossy().into_owned(), record })
    };
    paths(given)?.into_iter().map(read).collect()
}

/// The files that a name or a pattern means.
fn paths(name: &str) -> Result<Vec<PathBuf>> {
    if fs::exists(name).unwrap_or(false) {
        return Ok(vec![name.into()]);
    }
    let found = glob::glob(name).with_context(|| format!("`{name}` is no file and no pattern of files"))?;
    let paths: Vec<PathBuf> = found.collect::<Result<_, _>>().with_context(|| format!("{name} cannot be read"))?;
    if paths.is_empty() {
        bail!("{name}: there is no such file: name records that kuu wrote, as in 'results/bench-*.json'");
    }
    Ok(paths)
}
