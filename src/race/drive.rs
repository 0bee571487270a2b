//! One run of an engine whose topics are there: it is started, watched, stopped and judged.

use crate::kafka::admin::Cluster;
use crate::kafka::produce::fitting::workload_sender;
use crate::race::awake::wait_until_idle;
use crate::race::claims::OutputFormat;
use crate::race::command_words::Variable;
use crate::race::entrant::Entrant;
use crate::race::incidents::sum;
use crate::race::judge::{Ending, judge, repeats};
use crate::race::observer::OutputObserver;
use crate::race::question::RaceWorkload;
use crate::race::running::{InputTiming, Running};
use crate::race::setup::{CellNames, RaceSetup};
use crate::race::supervisor::{Launch, Supervised};
use crate::race::watching::{Run, wait};
use crate::system::clock::{Time, now_us, steady_us};
use anyhow::{Context as _, Result};
use kuu_core::recovery::{Interruption, Recovery};
use kuu_core::result::RowFormat;
use kuu_core::scorecard::{CellTimes, CellVerdict, RowCounts, Used};
use kuu_core::verdict::{Fold, Timeline};
use kuu_core::window::{Unit, Window};
use kuu_core::workload::Spec;
use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;

/// What came out of a run.
pub struct Driven {
    /// The verdict on its rows and its end.
    pub verdict: CellVerdict,
    /// When the engine was started.
    pub started: Time,
    /// What was seen on `output`.
    pub rows: RowCounts,
    /// When things happened.
    pub times: CellTimes,
    /// What the engine used.
    pub used: Used,
    /// What broke meanwhile, and when.
    pub incidents: Vec<String>,
    /// What that did to the results; none if nothing was to break.
    pub recovery: Option<Recovery>,
    /// What a reader must know.
    pub remarks: Vec<String>,
}

/// An engine that was started, and the observer of its output.
pub struct Launched {
    /// The engine.
    pub supervised: Supervised,
    /// The observer.
    pub observer: OutputObserver,
    /// How the engine was started.
    pub launch: Launch,
    /// How it is started after a crash.
    pub again: Launch,
    /// When it was started.
    pub started: Time,
    /// The same on the clock of [`steady_us`].
    pub started_us: i64,
}

/// Makes the directory of a run anew, with an empty state directory: rows and state of an earlier try go.
///
/// # Errors
/// If it cannot be made.
pub fn make_directory(names: &CellNames) -> Result<()> {
    let _ = fs::remove_dir_all(&names.directory);
    let state = names.directory.join("state");
    fs::create_dir_all(&state).with_context(|| format!("{} cannot be made", state.display()))
}

/// An empty timeline of the rows of an engine, for windows of one unit; see [`Timeline::new`].
pub fn timeline_of(
    engine: &Entrant,
    unit: Unit,
    expected: BTreeMap<Window, RangeInclusive<u64>>,
    is_epilogue: impl Fn(Window) -> bool + Send + 'static,
) -> Timeline {
    let claims = engine.descriptor();
    let fold = Fold::new(repeats(claims), Some(&[unit])).of(RowFormat { unit, ..RowFormat::default() });
    let timeline = Timeline::new(fold, expected, is_epilogue);
    if claims.format == OutputFormat::Debezium { timeline.of_events() } else { timeline }
}

/// Starts the observer, then the engine. `ends` has the end of each partition, if the input has one.
///
/// # Errors
/// If one of them cannot be started.
pub fn launch(
    setup: &RaceSetup<'_>,
    engine: &Entrant,
    spec: &Spec,
    names: &CellNames,
    ends: Option<&[i64]>,
    timeline: Timeline,
) -> Result<Launched> {
    let unit = spec.window.first().copied().unwrap_or(Unit::Minute);
    let mut variables = setup.variables(names, spec, unit, ends)?;
    if let Some(ms) = engine.descriptor().checkpoint_ms {
        variables.insert(Variable::CheckpointMs, ms.to_string());
    }
    let rows = names.directory.join("rows.jsonl");
    let observer = OutputObserver::start(setup.cluster.settings(), &names.output, timeline, &rows)?;
    let claims = engine.descriptor();
    let memory_limit_bytes = setup.enforces_memory.then_some(setup.memory_bytes);
    let of_words = |words| Launch { memory_limit_bytes, ..engine.engine.launch(words, &variables, &names.directory) };
    let (launch, again) = (of_words(&claims.run), of_words(claims.restart()));
    let (started, started_us) = (Time::now(), steady_us());
    let supervised = Supervised::start(&launch)?;
    Ok(Launched { supervised, observer, launch, again, started, started_us })
}

/// Runs an engine on a workload.
///
/// # Errors
/// If the broker fails, the race is interrupted, or files cannot be written.
pub fn drive(
    setup: &RaceSetup<'_>,
    engine: &Entrant,
    of: &RaceWorkload,
    names: &CellNames,
    feed: InputTiming,
) -> Result<Driven> {
    let claims = engine.descriptor();
    let never_ends = feed == InputTiming::Meanwhile || !engine.ends_itself();
    let ends = if never_ends { None } else { Some(ends(setup.cluster, names)?) };
    let question = &of.question;
    let timeline = timeline_of(engine, question.unit(), question.accepted(claims), question.epilogue_test(never_ends));
    let begun_s = now_us() / 1_000_000;
    // Before the engine: a producer takes 500 ms and more to be ready, and its first frames would come too late, in a burst.
    let sender = match feed {
        InputTiming::Meanwhile => Some(workload_sender(setup.cluster, &names.input, &of.workload)?),
        _ => None,
    };
    let launched = launch(setup, engine, &of.workload.frames, names, ends.as_deref(), timeline)?;
    let Launched { mut supervised, observer, launch, again, started, started_us } = launched;
    if feed == InputTiming::Meanwhile && !of.workload.meanwhile.is_empty() {
        wait_until_idle(&mut supervised, &setup.stop)?;
    }
    let sending_from_us = steady_us();
    let running = Running {
        setup,
        engine,
        of,
        names,
        observer: &observer,
        launch: &launch,
        again: &again,
        feed,
        started_us,
        sending_from_us,
    };
    let Run { mut supervised, ending, incidents, interruptions, used } = wait(&running, supervised, sender)?;
    let stopped_us = steady_us();
    let rate = running.rate().filter(|_| !of.workload.meanwhile.is_empty());
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
    let interruptions = with_news(interruptions, &timeline, started_us);
    let recovery = rate.map(|frames_per_s| Recovery {
        seed: setup.seed,
        frames_per_s,
        slowest_frames_per_s: setup.pace.and_then(|limit| limit.slowest_frames_per_s),
        sending_from_us: sending_from_us - started_us,
        interruptions,
        lost_windows: timeline.lost(),
        repeated_windows: timeline.repeated_windows(),
        repeated_firsts: timeline.repeated_firsts(),
    });
    let rows = RowCounts { aborted, ..timeline.counts().clone() };
    let verdict = judge(claims, &of.question, never_ends, timeline, &ending, &run, &supervised.last_lines(1));
    Ok(Driven { verdict, started, rows, times, used, incidents, recovery, remarks })
}

/// The interruptions, with the news that came after them.
fn with_news(mut interruptions: Vec<Interruption>, timeline: &Timeline, started_us: i64) -> Vec<Interruption> {
    for (interruption, news_us) in interruptions.iter_mut().zip(timeline.news_us()) {
        interruption.news_us = news_us.map(|us| us - started_us);
    }
    interruptions
}

/// The end of each partition of the input.
///
/// # Errors
/// If the broker does not say.
pub fn ends(cluster: &Cluster, names: &CellNames) -> Result<Vec<i64>> {
    Ok(cluster.ranges(&names.input)?.iter().map(|range| range.high).collect())
}

/// Deletes the topics of a run whose names begin with that of its group, those that the engine made included, and its
/// groups.
///
/// # Errors
/// If the broker refuses.
pub fn clean_up(cluster: &Cluster, group: &str) -> Result<()> {
    if cluster.is_embedded() {
        return Ok(());
    }
    let is_ours = |name: &String| name.starts_with(group);
    let topics: Vec<String> = cluster.topics()?.into_iter().filter(is_ours).collect();
    cluster.delete(&topics.iter().map(String::as_str).collect::<Vec<_>>())?;
    for group in cluster.groups()?.into_iter().filter(is_ours) {
        // A member that was killed is in its group until its session is over.
        let _ = cluster.delete_group(&group);
    }
    Ok(())
}
