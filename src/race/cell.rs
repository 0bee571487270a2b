//! One engine on one workload.

use crate::race::drive::{Driven, clean_up, drive, make_directory};
use crate::race::entrant::Entrant;
use crate::race::feeding::{FeedPace, deliver, make_topics};
use crate::race::question::RaceWorkload;
use crate::race::running::InputTiming;
use crate::race::setup::{CellNames, RaceSetup};
use anyhow::{Context as _, Result};
use kuu_core::scorecard::{CellRecord, CellTimes, CellVerdict, RowCounts, Used};
use kuu_core::workload::Workload;
use std::fs;

/// The file with the record of a cell.
pub const RECORD_FILE: &str = "cell.json";

/// Runs an engine on a workload, and judges it.
///
/// # Errors
/// If the broker fails, the race is interrupted, or files cannot be written: nothing is known of the engine then.
pub fn run(setup: &RaceSetup<'_>, engine: &Entrant, of: &RaceWorkload) -> Result<CellRecord> {
    let names = setup.names(engine.name(), &of.name);
    make_directory(&names)?;
    let mut record = match engine.obstacle(setup.cluster.is_embedded()).or_else(|| broker_obstacle(setup, &of.workload))
    {
        Some(why) => blank(setup, engine, of, CellVerdict::NotRun { why }),
        None => {
            make_topics(setup.cluster, &names, &of.workload)?;
            let record = driven(setup, engine, of, &names);
            let cleaned = clean_up(setup.cluster, &names.group);
            let record = record?;
            cleaned.with_context(|| format!("topics and groups {}... are left", names.group))?;
            record
        }
    };
    record.remarks.sort_unstable();
    let text = serde_json::to_vec_pretty(&record)?;
    let path = names.directory.join(RECORD_FILE);
    fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(record)
}

/// Why this broker cannot have the workload.
fn broker_obstacle(setup: &RaceSetup<'_>, workload: &Workload) -> Option<String> {
    use kuu_core::workload::Action;
    if setup.cluster.is_embedded() && workload.delivery.transactions.is_some() {
        return Some("needs Apache Kafka: the embedded broker has no aborted transactions".into());
    }
    let restarts = workload.meanwhile.iter().any(|incident| incident.action == Action::RestartBroker);
    (restarts && setup.restart_broker.is_none()).then(|| "needs --restart-broker COMMAND".into())
}

/// A record of a cell in which nothing happened.
fn blank(setup: &RaceSetup<'_>, engine: &Entrant, of: &RaceWorkload, verdict: CellVerdict) -> CellRecord {
    let limit = setup.pace.filter(|_| !of.workload.meanwhile.is_empty());
    let pace = limit.map_or_else(String::new, |limit| format!(" --pace {}", limit.frames_per_s));
    CellRecord {
        engine: engine.name().to_owned(),
        version: engine.version(),
        checkpoint_ms: engine.descriptor().checkpoint_ms,
        workload: of.name.clone(),
        verdict,
        again: format!("kuu race --scorecard {} --workload {}{}{pace}", engine.given(), of.given, setup.options),
        started: None,
        rows: RowCounts::default(),
        times: CellTimes::default(),
        used: Used::default(),
        incidents: Vec::new(),
        recovery: None,
        remarks: Vec::new(),
    }
}

/// Gives the frames, and runs the engine.
fn driven(setup: &RaceSetup<'_>, engine: &Entrant, of: &RaceWorkload, names: &CellNames) -> Result<CellRecord> {
    let feed = if of.workload.meanwhile.is_empty() { InputTiming::Before } else { InputTiming::Meanwhile };
    if feed == InputTiming::Before {
        deliver(setup.cluster, &names.input, &of.workload, FeedPace::default(), &setup.stop)?;
    }
    let driven = drive(setup, engine, of, names, feed)?;
    let Driven { verdict, started, rows, times, used, incidents, recovery, remarks } = driven;
    let started = Some(started.rfc3339());
    Ok(CellRecord { started, rows, times, used, incidents, recovery, remarks, ..blank(setup, engine, of, verdict) })
}
