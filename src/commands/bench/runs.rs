//! Runs of `kuu bench` that another one starts: each is a process, so that one leaves nothing to the next.

use anyhow::{Context as _, Result, anyhow};
use kuu_core::record::Record;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Options of this command that its runs do not get, besides those for output.
pub struct LeftOut {
    /// Those with a value.
    pub with_value: &'static [&'static str],
    /// Those without.
    pub without: &'static [&'static str],
}

/// Each run writes its record into a directory of its own, and prints it.
const OUTPUT: LeftOut = LeftOut { with_value: &["--results"], without: &["--json", "--quiet", "-q"] };

impl LeftOut {
    /// The options of this process that its runs get.
    pub fn options(&self) -> Vec<OsString> {
        self.of(std::env::args_os().skip(1))
    }

    fn of(&self, mut arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
        let mut options = Vec::new();
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy();
            let is_value = |name: &&str| text.strip_prefix(*name).is_some_and(|rest| rest.starts_with('='));
            let with_value = || self.with_value.iter().chain(OUTPUT.with_value);
            if with_value().any(|name| *name == text) {
                arguments.next();
            } else if !with_value().any(is_value)
                && !self.without.iter().chain(OUTPUT.without).any(|name| *name == text)
            {
                options.push(argument);
            }
        }
        options
    }
}

/// The path of this program.
///
/// # Errors
/// If the system does not know it.
pub fn own_program() -> Result<PathBuf> {
    std::env::current_exe().context("the path of this program is unknown")
}

/// A run that has ended with a record.
pub struct RunDone {
    /// The record.
    pub record: Record,
    /// The exit status, none if a signal ended it.
    pub code: Option<i32>,
    /// What it complained about last, if it did.
    pub complaint: Option<String>,
}

/// One run of a build; its record is in `directory`.
///
/// # Errors
/// If it cannot run, or ends without a record.
pub fn one(program: &Path, options: &[OsString], directory: &Path) -> Result<RunDone> {
    fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    let mut command = Command::new(program);
    command.args(options).args(["--json", "--quiet", "--results"]).arg(directory).stdin(Stdio::null());
    let done = command.output().with_context(|| format!("{} cannot be run", program.display()))?;
    let words = String::from_utf8_lossy(&done.stderr);
    let complaint = words.lines().rfind(|line| !line.is_empty()).map(str::to_owned);
    match serde_json::from_slice(&done.stdout) {
        Ok(record) => Ok(RunDone { record, code: done.status.code(), complaint }),
        Err(_) => {
            let last = complaint.unwrap_or_else(|| "it says nothing".into());
            Err(anyhow!("{} ended without a record ({}): {last}", program.display(), done.status))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_left_out_with_their_values() {
        let left_out = LeftOut { with_value: &["--threads"], without: &["--noise"] };
        let options = |line: &str| {
            let words = left_out.of(line.split(' ').map(OsString::from));
            words.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(options("bench f --threads 1,2 -q --noise --rounds 3"), "bench f --rounds 3");
        assert_eq!(
            options("bench --threads=1,2 f --threads-of x --results=r --results r2 --json"),
            "bench f --threads-of x"
        );
    }
}
