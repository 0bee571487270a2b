//! An engine that takes part in a race.

use crate::race::claims::{Brokers, Ends};
use crate::race::descriptor::Descriptor;
use crate::race::engines::{Engine, Readiness};
use anyhow::Result;

/// An engine that takes part in a race, and whether it can run.
pub struct Entrant {
    /// The engine.
    pub engine: Engine,
    /// Whether it can run.
    pub readiness: Readiness,
}

impl Entrant {
    /// Asks an engine for its version.
    ///
    /// # Errors
    /// If its folder cannot be read.
    pub fn new(engine: &Engine) -> Result<Entrant> {
        Ok(Entrant { readiness: engine.readiness()?, engine: engine.clone() })
    }

    /// What it is.
    pub fn descriptor(&self) -> &Descriptor {
        &self.engine.descriptor
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.descriptor().name
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
            Readiness::Ready { .. } => None,
            other => Some(other.words(self.name())),
        }
    }
}
