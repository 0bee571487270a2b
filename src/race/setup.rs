//! What all cells of a race share, and what an engine is told.

use crate::engine::stop::Stop;
use crate::kafka::admin::Cluster;
use crate::race::command_words::Variable;
use crate::race::pacing::PaceLimit;
use anyhow::{Context as _, Result};
use kuu_core::window::Unit;
use kuu_core::workload::Spec;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What all cells of a race share.
pub struct RaceSetup<'a> {
    /// The broker.
    pub cluster: &'a Cluster,
    /// Interrupts the race.
    pub stop: Stop,
    /// The directory of the race, with a directory for each cell.
    pub directory: PathBuf,
    /// A name that no other race has, for topics and groups.
    pub id: String,
    /// How long an engine may take.
    pub deadline: Duration,
    /// The memory that each engine may use, in bytes.
    pub memory_bytes: u64,
    /// Whether an engine that takes more is killed.
    pub enforces_memory: bool,
    /// The command that restarts the broker, where one is known.
    pub restart_broker: Option<String>,
    /// What makes the moments of crashes others.
    pub seed: u64,
    /// The most frames per second of a cell in which something breaks, once it is known.
    pub pace: Option<PaceLimit>,
    /// The options with which one cell alone is run again, besides its engine and workload.
    pub options: String,
}

/// The topics and the group of one cell.
#[derive(Clone, Debug)]
pub struct CellNames {
    /// The topic with the frames.
    pub input: String,
    /// The topic for the results.
    pub output: String,
    /// The consumer group.
    pub group: String,
    /// The directory with its files.
    pub directory: PathBuf,
}

impl RaceSetup<'_> {
    /// The names of a cell.
    pub fn names(&self, engine: &str, workload: &str) -> CellNames {
        let base = format!("{}-{workload}-{engine}", self.id);
        CellNames {
            input: format!("{base}-messages"),
            output: format!("{base}-output"),
            group: base,
            directory: self.directory.join(workload).join(engine),
        }
    }

    /// The variables of an engine. `ends` has the end of each partition, if the input has one.
    ///
    /// # Errors
    /// If the path of this program is unknown.
    pub fn variables(
        &self,
        names: &CellNames,
        spec: &Spec,
        unit: Unit,
        ends: Option<&[i64]>,
    ) -> Result<BTreeMap<Variable, String>> {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let program = std::env::current_exe().context("the path of this program is unknown")?;
        let absolute = std::path::absolute(names.directory.join("state"))?;
        let mut all: BTreeMap<Variable, String> = [
            (Variable::Brokers, self.cluster.settings().brokers.clone()),
            (Variable::Input, names.input.clone()),
            (Variable::Output, names.output.clone()),
            (Variable::Group, names.group.clone()),
            (Variable::StateDir, absolute.display().to_string()),
            (Variable::Partitions, spec.partitions.to_string()),
            (Variable::Window, unit.to_string()),
            (Variable::WindowS, seconds(unit).to_string()),
            (Variable::LatenessS, spec.lateness.to_string()),
            (Variable::RetentionS, spec.retention.to_string()),
            (Variable::IdleMs, "2000".into()),
            (Variable::MemoryBytes, self.memory_bytes.to_string()),
            (Variable::Cpus, cpus.to_string()),
            (Variable::Program, program.display().to_string()),
        ]
        .into();
        if let Some(ends) = ends {
            all.insert(Variable::InputEnd, serde_json::to_string(ends)?);
        }
        Ok(all)
    }
}

/// The length of a window in seconds; of a month or a year that of the longest one.
pub fn seconds(unit: Unit) -> i64 {
    match unit {
        Unit::Month => 31 * 86_400,
        Unit::Year => 366 * 86_400,
        other => {
            let window = other.window(0);
            window.end - window.start
        }
    }
}
