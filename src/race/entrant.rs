//! An engine that takes part in a race.

use crate::race::claims::{Brokers, Ends};
use crate::race::descriptor::Descriptor;
use crate::race::engines::{Engine, Readiness};
use anyhow::Result;
use std::time::Duration;

/// An engine that takes part in a race, and whether it can run.
#[derive(Clone)]
pub struct Entrant {
    /// The engine.
    pub engine: Engine,
    /// Whether it can run.
    pub readiness: Readiness,
    /// How often it is told to commit; none: as it does by itself.
    told: Option<ToldCheckpoint>,
}

/// How often an engine is told to commit.
#[derive(Clone)]
struct ToldCheckpoint {
    /// The name of the engine in this race, as in `python.1s`: no engine's own name has a dot.
    name: String,
    /// The interval, as on the command line.
    every: Duration,
    /// Whether the engine says how often it commits, and so listens.
    is_heard: bool,
}

impl Entrant {
    /// Asks an engine for its version.
    ///
    /// # Errors
    /// If its folder cannot be read.
    pub fn new(engine: &Engine) -> Result<Entrant> {
        Ok(Entrant { readiness: engine.readiness()?, engine: engine.clone(), told: None })
    }

    /// The same engine, told to commit this often.
    pub fn committing(&self, every: Duration) -> Entrant {
        let mut told = self.clone();
        let of = &mut told.engine.descriptor;
        let name = format!("{}.{}", of.name, text(every));
        told.told = Some(ToldCheckpoint { name, every, is_heard: of.checkpoint_ms.is_some() });
        of.checkpoint_ms = Some(every.as_millis() as u64);
        told
    }

    /// What the command line has to race this engine again.
    pub fn given(&self) -> String {
        let own = &self.descriptor().name;
        match &self.told {
            Some(told) => format!("{own} --checkpoint {}", text(told.every)),
            None => own.clone(),
        }
    }

    /// What it is.
    pub fn descriptor(&self) -> &Descriptor {
        &self.engine.descriptor
    }

    /// Its name in this race.
    pub fn name(&self) -> &str {
        self.told.as_ref().map_or(&self.descriptor().name, |told| &told.name)
    }

    /// Its version, if it has a command for it.
    pub fn version(&self) -> Option<String> {
        match &self.readiness {
            Readiness::Ready { version } => version.clone(),
            _ => None,
        }
    }

    /// Whether it ends where the input has an end.
    pub fn ends_itself(&self) -> bool {
        self.descriptor().ends == Ends::Itself
    }

    /// Why it cannot run, in words.
    pub fn obstacle(&self, is_embedded: bool) -> Option<String> {
        match &self.readiness {
            Readiness::Ready { .. } if is_embedded && self.descriptor().brokers == Brokers::Kafka => {
                Some("needs Apache Kafka (--brokers)".into())
            }
            Readiness::Ready { .. } => {
                let is_deaf = self.told.as_ref().is_some_and(|told| !told.is_heard);
                is_deaf.then(|| "says no checkpoint_ms, so nobody can tell it another".into())
            }
            other => Some(other.words(&self.descriptor().name)),
        }
    }
}

/// A time as the command line takes it: `1s500ms`.
fn text(time: Duration) -> String {
    humantime::format_duration(time).to_string().replace(' ', "")
}
