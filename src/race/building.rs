//! Builds engines, once for each state of their source.

use super::engines::{Engine, Readiness, before_a_race};
use super::receipt::{BuildReceipt, RECEIPT, build_dir};
use super::supervisor::{EndStatus, Supervised};
use crate::system::deadline::Deadline;
use crate::system::keeper::{STDERR, STDOUT, last_lines};
use anyhow::{Context as _, Result, bail};
use std::fs::{self, File};
use std::time::Duration;

/// How long a command of a build may take.
const STEP_LIMIT: Duration = Duration::from_secs(3600);

/// How many lines of each log an error has.
const LINES: usize = 15;

/// The end of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Built {
    /// It is built now.
    Now {
        /// Its version, if it has a command for it.
        version: Option<String>,
    },
    /// It was built before.
    Before {
        /// Its version, if it has a command for it.
        version: Option<String>,
    },
    /// It was interrupted.
    Interrupted,
}

/// Builds an engine, unless it is built and can run. Each command is reported to `says`; `stops` is asked all the time.
///
/// # Errors
/// If programs are missing, a command fails (with its last lines and the place of the whole log), or it does not run then.
pub fn build(engine: &Engine, says: impl Fn(&str), stops: impl Fn() -> bool) -> Result<Built> {
    let readiness = engine.readiness()?;
    match &readiness {
        Readiness::Ready { version } => return Ok(Built::Before { version: version.clone() }),
        Readiness::Needs { .. } => bail!("{}", readiness.words(&engine.descriptor.name)),
        Readiness::Fails { words } if engine.descriptor.build.is_empty() => bail!("{words}"),
        Readiness::Fails { .. } | Readiness::NotBuilt | Readiness::Changed => {}
    }
    let logs = build_dir(&engine.dir);
    fs::create_dir_all(&logs).with_context(|| format!("{} cannot be made", logs.display()))?;
    let _lock = lock(engine)?;
    for name in [RECEIPT, STDOUT, STDERR] {
        let _ = fs::remove_file(logs.join(name));
    }
    let values = before_a_race()?;
    for words in &engine.descriptor.build {
        let launch = engine.launch(words, &values, &logs);
        let command = launch.program.join(" ");
        says(&command);
        let mut running = Supervised::start(&launch)?;
        let mut deadline = Deadline::after(STEP_LIMIT);
        let ended = loop {
            match running.ended()? {
                Some(ended) => break ended,
                None if stops() => {
                    running.stop()?;
                    return Ok(Built::Interrupted);
                }
                None if !deadline.wait() => {
                    running.stop()?;
                    bail!("`{command}` does not end within {STEP_LIMIT:?}{}", output(engine));
                }
                None => {}
            }
        };
        if ended.status != EndStatus::Code(0) {
            bail!("`{command}`: {ended}{}", output(engine));
        }
    }
    let version = engine.version().context("it is built, but cannot run")?;
    BuildReceipt::new(&engine.dir, &engine.descriptor, version.clone())?.write(&engine.dir)?;
    Ok(Built::Now { version })
}

/// Lets nobody else build the engine at the same time.
fn lock(engine: &Engine) -> Result<File> {
    let path = build_dir(&engine.dir).join("lock");
    let file = File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => bail!("another kuu builds it now: wait for it"),
        Err(fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

/// The last lines of both logs, and where they are.
fn output(engine: &Engine) -> String {
    let logs = build_dir(&engine.dir);
    let mut words = String::new();
    for name in [STDOUT, STDERR] {
        let path = logs.join(name);
        let lines = last_lines(&path, 0, LINES);
        if !lines.is_empty() {
            words += &format!("\n--- {}\n{lines}", path.display());
        }
    }
    if words.is_empty() { ", without a word".into() } else { words }
}
