//! One engine on one workload.

use crate::kafka::admin::Cluster;
use crate::race::entrant::Entrant;
use crate::race::feeding::{deliver, make_topics};
use crate::race::incidents::sum;
use crate::race::judge::{Ending, judge, repeats};
use crate::race::observer::OutputObserver;
use crate::race::question::RaceWorkload;
use crate::race::running::Running;
use crate::race::setup::{CellNames, RaceSetup};
use crate::race::supervisor::Supervised;
use crate::race::watching::{Run, wait};
use crate::system::clock::{Time, now_us, steady_us};
use anyhow::{Context as _, Result};
use kuu_core::result::RowFormat;
use kuu_core::scorecard::{CellRecord, CellTimes, CellVerdict, RowCounts, Used};
use kuu_core::verdict::{Fold, Timeline};
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
    // Rows and state of an earlier try that was interrupted.
    let _ = fs::remove_dir_all(&names.directory);
    let state = names.directory.join("state");
    fs::create_dir_all(&state).with_context(|| format!("{} cannot be made", state.display()))?;
    let mut record = match engine.obstacle(setup.cluster.is_embedded()).or_else(|| broker_obstacle(setup, &of.workload))
    {
        Some(why) => blank(setup, engine, of, CellVerdict::NotRun { why }),
        None => {
            make_topics(setup.cluster, &names, &of.workload)?;
            let record = started(setup, engine, of, &names);
            let cleaned = clean_up(setup.cluster, &names);
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
    let name = engine.name();
    CellRecord {
        engine: name.to_owned(),
        version: engine.version(),
        workload: of.name.clone(),
        verdict,
        again: format!("kuu race --scorecard {name} --workload {}{}", of.given, setup.options),
        started: None,
        rows: RowCounts::default(),
        times: CellTimes::default(),
        used: Used::default(),
        incidents: Vec::new(),
        remarks: Vec::new(),
    }
}

/// Gives the frames, starts the engine, watches it, and judges it.
fn started(setup: &RaceSetup<'_>, engine: &Entrant, of: &RaceWorkload, names: &CellNames) -> Result<CellRecord> {
    let claims = engine.descriptor();
    let is_live = !of.workload.meanwhile.is_empty();
    if !is_live {
        deliver(setup.cluster, &names.input, &of.workload, None, &setup.stop)?;
    }
    let never_ends = is_live || !engine.ends_itself();
    let ends = if never_ends { None } else { Some(ends(setup.cluster, names)?) };
    let variables = setup.variables(names, &of.workload.frames, of.question.unit(), ends.as_deref())?;
    let format = RowFormat { unit: of.question.unit(), ..RowFormat::default() };
    let fold = Fold::new(repeats(claims), Some(&[of.question.unit()])).of(format);
    let timeline = Timeline::new(fold, of.question.accepted(claims), of.question.epilogue_test(never_ends));
    let rows = names.directory.join("rows.jsonl");
    let observer = OutputObserver::start(setup.cluster.settings(), &names.output, timeline, &rows)?;

    let launch = engine.engine.launch(&claims.run, &variables, &names.directory);
    let (started, started_us) = (Time::now(), steady_us());
    let supervised = Supervised::start(&launch)?;
    let again = engine.engine.launch(claims.restart(), &variables, &names.directory);
    let running =
        Running { setup, engine, of, names, observer: &observer, launch: &launch, again: &again, is_live, started_us };
    let begun_s = now_us() / 1_000_000;
    let Run { mut supervised, ending, incidents, used } = wait(&running, supervised)?;
    let stopped_us = steady_us();
    // Measured first, as far as the engine still runs.
    let _ = supervised.usage();
    let ended = supervised.stop()?;
    let used = sum(&used, &supervised.usage());
    let (timeline, aborted) = observer.finish(setup.cluster)?;
    let run = begun_s..=now_us() / 1_000_000;
    let since = |us: Option<i64>| us.map(|us| us - started_us);
    let ended_us = matches!(ending, Ending::Itself(_)).then_some(stopped_us - started_us);
    let times = CellTimes { first_row_us: since(timeline.first_us()), right_us: since(timeline.right_us()), ended_us };
    let remarks = match ended.left_behind {
        0 => Vec::new(),
        n => vec![format!("it left processes behind when it ended, {n} in number: the race killed them")],
    };
    let rows = RowCounts { aborted, ..timeline.counts().clone() };
    let verdict = judge(claims, &of.question, never_ends, timeline, &ending, &run, &supervised.last_lines(1));
    Ok(CellRecord {
        started: Some(started.rfc3339()),
        rows,
        times,
        used,
        incidents,
        remarks,
        ..blank(setup, engine, of, verdict)
    })
}

/// The end of each partition of the input.
fn ends(cluster: &Cluster, names: &CellNames) -> Result<Vec<i64>> {
    Ok(cluster.ranges(&names.input)?.iter().map(|range| range.high).collect())
}

/// Deletes the topics and groups of a cell, those that the engine made included.
fn clean_up(cluster: &Cluster, names: &CellNames) -> Result<()> {
    if cluster.is_embedded() {
        return Ok(());
    }
    let is_ours = |name: &String| name.starts_with(&names.group);
    let topics: Vec<String> = cluster.topics()?.into_iter().filter(is_ours).collect();
    cluster.delete(&topics.iter().map(String::as_str).collect::<Vec<_>>())?;
    for group in cluster.groups()?.into_iter().filter(is_ours) {
        // A member that was killed is in its group until its session is over.
        let _ = cluster.delete_group(&group);
    }
    Ok(())
}
