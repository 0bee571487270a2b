//! The engines of a directory, and whether they can run.

use super::command_words::{CommandWords, Variable};
use super::descriptor::{Descriptor, VersionProbe};
use super::receipt::{Standing, standing};
use super::source::DESCRIPTOR;
use super::supervisor::{EndStatus, LOG_LIMIT_BYTES, Launch, Supervised};
use crate::system::keeper::{STDERR, STDOUT};
use crate::system::programs;
use anyhow::{Context as _, Result, anyhow, bail};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long an engine may take to print its version.
const VERSION_LIMIT: Duration = Duration::from_secs(60);

/// An engine and its folder.
#[derive(Clone, Debug)]
pub struct Engine {
    /// What it is.
    pub descriptor: Descriptor,
    /// Its folder, from the root.
    pub dir: PathBuf,
}

/// The engines of some directories.
#[derive(Debug, Default)]
pub struct Engines {
    /// Those with a right descriptor, by name.
    pub all: Vec<Engine>,
    /// The others.
    pub faults: Vec<EngineFault>,
}

/// A folder whose descriptor is wrong.
#[derive(Debug)]
pub struct EngineFault {
    /// The name of the folder.
    pub name: String,
    /// What is wrong, with file, line and what is allowed.
    pub words: String,
}

/// Whether an engine can run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Readiness {
    /// It can.
    Ready {
        /// Its version, none if it has no command for it.
        version: Option<String>,
    },
    /// Programs are missing.
    Needs {
        /// Their names.
        programs: Vec<String>,
    },
    /// It has to be built.
    NotBuilt,
    /// Its source or its build commands changed since it was built.
    Changed,
    /// Its version command fails.
    Fails {
        /// How.
        words: String,
    },
}

impl Engines {
    /// Reads the descriptors in all folders of these directories.
    ///
    /// # Errors
    /// If a directory cannot be read, or two have an engine of one name.
    pub fn read(directories: &[PathBuf]) -> Result<Engines> {
        let mut engines = Engines::default();
        for directory in directories {
            let entries = fs::read_dir(directory).with_context(|| {
                format!("{} cannot be read: --engines names the directory of engines", directory.display())
            })?;
            for entry in entries {
                let dir = entry?.path();
                if dir.join(DESCRIPTOR).exists() {
                    engines.take(&dir)?;
                }
            }
        }
        // A variant comes behind the engine of which it is one.
        engines.all.sort_by_key(|engine| {
            let Descriptor { name, variant_of, .. } = &engine.descriptor;
            let family = if variant_of.is_empty() { name } else { variant_of };
            (family.clone(), !variant_of.is_empty(), name.clone())
        });
        engines.faults.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(engines)
    }

    fn take(&mut self, dir: &Path) -> Result<()> {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = dir.join(DESCRIPTOR);
        if let Some(other) = self.all.iter().find(|engine| engine.descriptor.name == name) {
            bail!("{} and {} have the same name: rename one folder", other.dir.display(), dir.display());
        }
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot be read: {error}"));
        match text.and_then(|text| Descriptor::parse(&text, &name)) {
            Ok(descriptor) => {
                let dir = dir.canonicalize().with_context(|| format!("{} cannot be read", dir.display()))?;
                self.all.push(Engine { descriptor, dir });
            }
            Err(words) => self.faults.push(EngineFault { name, words: format!("{}: {words}", path.display()) }),
        }
        Ok(())
    }

    /// The engines of these names, in this order.
    ///
    /// # Errors
    /// If there is none of a name, with those that there are; or if its descriptor is wrong.
    pub fn pick(&self, names: &[String]) -> Result<Vec<&Engine>> {
        names.iter().map(|name| self.get(name)).collect()
    }

    fn get(&self, name: &str) -> Result<&Engine> {
        if let Some(fault) = self.faults.iter().find(|fault| fault.name == name) {
            bail!("{}", fault.words);
        }
        self.all.iter().find(|engine| engine.descriptor.name == name).ok_or_else(|| {
            let names: Vec<_> = self.all.iter().map(|engine| engine.descriptor.name.as_str()).collect();
            let there = if names.is_empty() { "none at all".to_owned() } else { names.join(" ") };
            anyhow!("no engine {name}: there are {there} (--engines names another directory)")
        })
    }
}

impl Engine {
    /// The needed programs that are missing.
    pub fn missing(&self) -> Vec<String> {
        self.descriptor.needs.iter().filter(|name| programs::find(name).is_none()).cloned().collect()
    }

    /// Whether it can run. Runs its version command.
    ///
    /// # Errors
    /// If its folder cannot be read.
    pub fn readiness(&self) -> Result<Readiness> {
        let programs = self.missing();
        if !programs.is_empty() {
            return Ok(Readiness::Needs { programs });
        }
        match standing(&self.dir, &self.descriptor)? {
            Standing::NotBuilt => return Ok(Readiness::NotBuilt),
            Standing::Changed => return Ok(Readiness::Changed),
            Standing::Built => {}
        }
        Ok(match self.version() {
            Ok(version) => Readiness::Ready { version },
            Err(error) => Readiness::Fails { words: format!("{error:#}") },
        })
    }

    /// Its version, none if it has no command for it.
    ///
    /// # Errors
    /// If the command fails, or its output has no version.
    pub fn version(&self) -> Result<Option<String>> {
        let Some(VersionProbe { run, regex }) = &self.descriptor.version else { return Ok(None) };
        let logs = tempfile::tempdir().context("a temporary directory cannot be made")?;
        let launch = self.launch(run, &before_a_race()?, logs.path());
        let mut running = Supervised::start(&launch)?;
        let command = launch.program.join(" ");
        let Some(ended) = running.wait(VERSION_LIMIT)? else {
            bail!("`{command}` does not end within {VERSION_LIMIT:?}");
        };
        if ended.status != EndStatus::Code(0) {
            bail!("`{command}`: {ended}\n{}", running.last_lines(5));
        }
        let text = |name| fs::read(logs.path().join(name)).unwrap_or_default();
        let found = [STDOUT, STDERR].iter().find_map(|name| regex.find(&String::from_utf8_lossy(&text(name))));
        let pattern = String::from(regex.clone());
        found.map(Some).with_context(|| format!("`{command}` prints nothing that matches `{pattern}`"))
    }

    /// How one of its commands is started, with these values of the variables and its logs in this directory.
    pub fn launch(&self, words: &CommandWords, values: &BTreeMap<Variable, String>, logs: &Path) -> Launch {
        let mut env = self.descriptor.env.clone();
        env.extend(values.iter().map(|(variable, value)| (variable.name().to_owned(), value.clone())));
        Launch {
            program: words.expand(values),
            dir: self.dir.clone(),
            env,
            logs: logs.to_owned(),
            grace: self.descriptor.stop_grace(),
            log_limit_bytes: LOG_LIMIT_BYTES,
            memory_limit_bytes: None,
        }
    }
}

impl Readiness {
    /// In words for people: the version, or what is to do.
    pub fn words(&self, name: &str) -> String {
        match self {
            Readiness::Ready { version } => version.clone().unwrap_or_else(|| "unknown version".into()),
            Readiness::Needs { programs } => {
                let programs: Vec<_> = programs.iter().map(|program| programs::missing(program)).collect();
                format!("needs {}", programs.join(", "))
            }
            Readiness::NotBuilt => format!("not built: kuu engines build {name}"),
            Readiness::Changed => format!("changed since it was built: kuu engines build {name}"),
            Readiness::Fails { words } => format!("cannot run: {words}"),
        }
    }
}

/// The variables that there are without a race.
///
/// # Errors
/// If the path of this program is unknown, or no text.
pub fn before_a_race() -> Result<BTreeMap<Variable, String>> {
    let own = std::env::current_exe().context("the path of kuu is unknown")?;
    let own = own.into_os_string().into_string().map_err(|path| anyhow!("the path of kuu is no text: {path:?}"))?;
    Ok([(Variable::Program, own)].into())
}
