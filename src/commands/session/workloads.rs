//! The files of workloads.

use crate::engine::stop::Stop;
use crate::race::question::Question;
use crate::terminal::complain;
use anyhow::{Context as _, Result, anyhow, bail};
use kuu_core::workload::Workload;
use std::path::{Path, PathBuf};

/// Reads the workload of this name; a name that ends with `.toml` is a file.
///
/// # Errors
/// If there is none, or its file is wrong: the error says where.
pub fn read(directory: &Path, name: &str) -> Result<Workload> {
    let is_file = name.ends_with(".toml");
    if !is_file && name.contains('/') {
        bail!("no workload {name}: a name has no /, and the path of a file ends with .toml");
    }
    let path: PathBuf = if is_file { name.into() } else { directory.join(format!("{name}.toml")) };
    if is_file && path.exists() && !path.is_file() {
        bail!("{name} is no file");
    }
    if !path.exists() {
        let names = names(directory);
        let there = if names.is_empty() { "none at all".to_owned() } else { names.join(" ") };
        bail!(
            "no workload {}: in {} there are {there} (--workloads names another directory)",
            path.display(),
            directory.display()
        );
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut workload = Workload::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    let beside = |file: &mut String| *file = path.with_file_name(&*file).to_string_lossy().into_owned();
    workload.file.as_mut().map(beside);
    Ok(workload)
}

/// Frames of a workload that is checked: the check counts them some fifty times, and keeps them in memory.
const MOST_CHECKED: u64 = 200_000;

/// Checks that a workload, before it is sent or written, shows the mistakes that it is there for.
///
/// # Errors
/// If a target is not told from the right answer or from another mistake, or the frames cannot be made or read.
pub fn check_targets(workload: &Workload, name: &str, stop: &Stop) -> Result<()> {
    if workload.targets.is_empty() {
        return Ok(());
    }
    if workload.file.is_none() && workload.frames.frames > MOST_CHECKED {
        complain(format!(
            "whether workload {name} shows its targets is not checked: it has more than {MOST_CHECKED} frames"
        ));
    } else {
        Question::new(workload, stop).with_context(|| format!("workload {name}"))?;
    }
    Ok(())
}

/// The names that were given, or else those of all workloads in the directory.
///
/// # Errors
/// If there is no workload at all.
pub fn chosen(directory: &Path, given: &[String]) -> Result<Vec<String>> {
    let names = if given.is_empty() { names(directory) } else { given.to_vec() };
    if names.is_empty() {
        bail!("{} has no workload (--workloads names another directory)", directory.display());
    }
    Ok(names)
}

/// The names of all workloads in a directory.
fn names(directory: &Path) -> Vec<String> {
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let name = |file: std::fs::DirEntry| Some(file.file_name().to_str()?.strip_suffix(".toml")?.to_owned());
    let mut names: Vec<String> = files.filter_map(name).collect();
    names.sort_unstable();
    names
}
