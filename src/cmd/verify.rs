//! `kuu verify`: the results against the truth.

use super::session::{self, Session};
use super::{Status, count, produce, topics};
use crate::cli::Verify;
use crate::core::batch::Truth;
use crate::core::record::{Ledger, Record, Verdict};
use crate::core::verdict::{Comparison, Count, Fold, Line, Row, parse_key};
use crate::core::window::Unit;
use crate::edge::kafka::{Cluster, Range, read_all};
use crate::edge::screen::{self, Screen, difference, plural, table};
use crate::edge::{results, truth};
use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::json;

/// The record of the last run.
const RECORD: &str = "verify.json";
/// The topic that `kuu produce` fills unless told otherwise.
const DEFAULT_TOPIC: &str = "messages";
/// Windows that a table shows when there are many: the wrong ones, then the corrected ones.
const SHOWN: usize = 50;
/// Faults that are named on screen; the record has them all.
const NAMED_FAULTS: usize = 100;

/// Runs the command.
///
/// # Errors
/// If the truth or the results cannot be read.
pub fn run(arguments: &Verify, session: &Session) -> Result<Status> {
    let dir = &session.common.results;
    let produced = results::load(dir, produce::RECORD)?;
    let topic = match (&arguments.topic, &produced) {
        (Some(topic), _) => topic.clone(),
        (None, Some(Record { topic: Some(topic), .. })) => topic.name.clone(),
        _ => DEFAULT_TOPIC.into(),
    };
    topics::verified(&topic, &arguments.output)?;
    let counted = results::load(dir, count::RECORD)?.filter(|record| {
        let names = |key: &str| record.config.get(key).and_then(|value| value.as_str());
        names("topic") == Some(topic.as_str()) && names("output") == Some(arguments.output.as_str())
    });
    let units = units(arguments, counted.as_ref())?;
    // The broker is asked first: the truth may take a while.
    let cluster = Cluster::connect(&session.settings())?;
    let (truth, input) = self::truth(arguments, session, produced.as_ref(), &units)?;

    let mut checked = check(&cluster, &arguments.output, &truth)?;
    let ledger = counted.and_then(|record| record.ledger);
    reconcile(&mut checked, &cluster, &topic, &truth, ledger.as_ref())?;

    show(session.screen, &checked);
    match &ledger {
        Some(ledger) => session.screen.say(session::ledger_line(ledger)),
        None => session
            .screen
            .say("ledger: none, this output was not counted by `kuu count` with records in the same directory"),
    }
    if let Some(late) = ledger.as_ref().map(|ledger| ledger.too_late).filter(|late| *late > 0) {
        let late = plural(late, "frame");
        session.screen.say(format!("{late} came after the retention of their window: `kuu count --retention` sets it"));
    }
    if let Some(far) = ledger.as_ref().map(|ledger| ledger.too_far).filter(|far| *far > 0) {
        let far = plural(far, "frame");
        session
            .screen
            .say(format!("{far} of wild clocks found no window: `kuu count --max-open-windows` sets how many"));
    }
    let mut record = session.record("verify", json!({ "topic": topic, "output": arguments.output }));
    record.broker = Some(session::broker(&cluster));
    record.input = input;
    record.ledger = ledger;
    let exact = checked.verdict.exact;
    record.verdict = Some(checked.verdict);
    let saved = session.save(RECORD, &record);
    let status = if exact { Status::Fine } else { Status::Wrong };
    status.after(saved.map(|path| session.screen.say(format!("record: {}", path.display()))))
}

fn units(arguments: &Verify, counted: Option<&Record>) -> Result<Vec<Unit>> {
    if !arguments.window.is_empty() {
        return Ok(session::units(&arguments.window));
    }
    let recorded = counted.and_then(|record| record.config.get("window")).and_then(|value| value.as_array());
    let Some(recorded) = recorded else { return Ok(vec![Unit::Minute]) };
    let parse =
        |name: &serde_json::Value| name.as_str().unwrap_or_default().parse::<Unit>().map_err(|error| anyhow!(error));
    recorded.iter().map(parse).collect::<Result<Vec<Unit>>>().context("the record of the last count")
}

/// Counts the files that were named, or those that the last `kuu produce` recorded, which must not have changed since.
fn truth(
    arguments: &Verify,
    session: &Session,
    produced: Option<&Record>,
    units: &[Unit],
) -> Result<(Truth, Vec<crate::core::record::Source>)> {
    let parser = session::parser(arguments.parser);
    if !arguments.files.is_empty() {
        let names = arguments.files.iter().map(|name| (name.as_str(), None));
        return match truth::count(names, parser, units) {
            (truth, sources, None) => Ok((truth, sources)),
            (.., Some(error)) => Err(error.into()),
        };
    }
    let Some(produced) = produced else {
        bail!(
            "{} has no {}: name the files whose frames were counted, as in `kuu verify FILE`",
            session.common.results.display(),
            produce::RECORD
        );
    };
    produce::complete(produced)?;
    if let Some(pipe) = produced.input.iter().find(|source| source.name == "-") {
        bail!(
            "{} frames came from standard input: name files with the same frames, as in `kuu verify FILE`",
            pipe.frames
        );
    }
    let names = produced.input.iter().map(|source| (source.name.as_str(), Some(source.frames)));
    let (truth, sources, error) = truth::count(names, parser, units);
    if let Some(error) = error {
        return Err(error.into());
    }
    for (then, now) in produced.input.iter().zip(&sources) {
        if then.sha256 != now.sha256 {
            bail!(
                "{} is not the file that was produced (its SHA-256 differs): name the right one, as in `kuu verify FILE`",
                now.name
            );
        }
    }
    Ok((truth, sources))
}

/// What a comparison found.
pub struct Checked {
    /// Window by window.
    pub comparison: Comparison,
    /// In all.
    pub verdict: Verdict,
}

/// Folds the rows of `output` and sets them beside the truth.
///
/// # Errors
/// If the topic is missing or cannot be read.
pub fn check(cluster: &Cluster, output: &str, truth: &Truth) -> Result<Checked> {
    let ranges =
        cluster.ranges(output).context("there are no results: run `kuu count`, or name their topic with --output")?;
    let mut fold = Fold::default();
    let mut faults = Vec::new();
    read_all(cluster.settings(), output, &ranges, |row| {
        let read = match row.value {
            Some(value) => Row::parse(value).map(|row| fold.add(row)),
            None => parse_key(row.key).map(|window| fold.remove(window)),
        };
        if let Err(error) = read {
            faults.push(format!("{output}, partition {}, offset {}: {error}", row.partition, row.offset));
        }
        Ok(())
    })?;
    let counts = truth.windows().into_iter();
    let comparison =
        fold.compare(counts.map(|count| (count.window, Count { users: count.users, frames: Some(count.frames) })));
    faults.extend(comparison.faults());
    let wrong = comparison.lines.iter().filter(|line| line.fault().is_some()).count() as u64;
    let verdict = Verdict {
        exact: faults.is_empty(),
        windows: comparison.windows(),
        wrong,
        exact_at_first: comparison.exact_at_first(),
        largest_first_error_users: comparison
            .largest_first_error()
            .and_then(Line::first_error)
            .unwrap_or(0)
            .unsigned_abs(),
        total_first_error_users: comparison.total_first_error(),
        faults,
    };
    Ok(Checked { comparison, verdict })
}

/// Adds what does not add up: truth, topic and ledger must speak of the same frames.
///
/// # Errors
/// If the topic cannot be read.
pub fn reconcile(
    checked: &mut Checked,
    cluster: &Cluster,
    topic: &str,
    truth: &Truth,
    ledger: Option<&Ledger>,
) -> Result<()> {
    let mut faults = Vec::new();
    let read = truth.ledger().read;
    if cluster.partitions(topic)?.is_some() {
        let held = held(cluster, topic, read)?;
        if held != read {
            faults.push(format!("topic {topic} holds {held} frames, the files {read}"));
        }
        if let Some(ledger) = ledger.filter(|ledger| ledger.read != held) {
            faults.push(format!("the ledger has {} frames read, topic {topic} holds {held}", ledger.read));
        }
    }
    let true_ledger = Ledger::from(truth.ledger());
    if let Some(ledger) = ledger.filter(|ledger| ledger.malformed != true_ledger.malformed) {
        let (said, is) = (session::ledger_line(ledger), session::ledger_line(&true_ledger));
        faults.push(format!("the ledger has other malformed frames than the truth: {said}; truth: {is}"));
    }
    if let Some(ledger) = ledger.filter(|ledger| !ledger.balances()) {
        faults.push(format!("the ledger does not balance: {}", session::ledger_line(ledger)));
    }
    checked.verdict.exact &= faults.is_empty();
    checked.verdict.faults.extend(faults);
    Ok(())
}

/// How many messages the topic holds. Offsets tell, unless markers or compaction took some: then they are counted.
fn held(cluster: &Cluster, topic: &str, expected: u64) -> Result<u64> {
    let ranges = cluster.ranges(topic)?;
    match ranges.iter().map(Range::len).sum::<u64>() {
        offsets if offsets <= expected => Ok(offsets),
        _ => read_all(cluster.settings(), topic, &ranges, |_| Ok(())),
    }
}

/// Shows the table and the verdict.
pub fn show(screen: Screen, checked: &Checked) {
    let Checked { comparison, verdict } = checked;
    screen.say(windows(comparison));
    if verdict.exact {
        screen.say(format!("exact: {}", sentence(comparison, verdict)));
    } else {
        for fault in verdict.faults.iter().take(NAMED_FAULTS) {
            screen.say(format!("wrong: {fault}"));
        }
        if verdict.faults.len() > NAMED_FAULTS {
            screen.say(format!("wrong: ... and {} more, see the record", verdict.faults.len() - NAMED_FAULTS));
        }
        let right = verdict.windows.saturating_sub(
            comparison.lines.iter().filter(|line| line.truth.is_some() && line.fault().is_some()).count() as u64,
        );
        let exact = format!("{} of {} exact", screen::count(right), plural(verdict.windows, "window"));
        let others = verdict.faults.len() as u64 - verdict.wrong.min(verdict.faults.len() as u64);
        screen.say(match others {
            0 => format!("WRONG: {exact}"),
            others => format!("WRONG: {exact}, and {} besides", plural(others, "fault")),
        });
    }
}

/// The table of windows; of many, those worth a look.
fn windows(comparison: &Comparison) -> String {
    let mut rows = vec![["window", "users", "truth", "first answer", "error", "frames"].map(String::from).to_vec()];
    let all = &comparison.lines;
    let few = all.len() <= SHOWN;
    let rank = |line: &&Line| match (line.fault(), line.first_error()) {
        (Some(_), _) => 0,
        (None, Some(error)) if error != 0 => 1,
        _ => 2,
    };
    let mut lines: Vec<&Line> = all.iter().collect();
    if !few {
        lines.sort_by_key(rank);
        lines.truncate(SHOWN);
        lines.retain(|line| rank(line) < 2);
        lines.sort_by_key(|line| line.window);
    }
    let number = |n: Option<u64>| n.map_or_else(|| "-".into(), screen::count);
    for line in &lines {
        let window = match line.window.unit {
            Unit::Hour => format!("{} (hour)", line.window),
            _ => line.window.to_string(),
        };
        rows.push(vec![
            window,
            number(line.answer.map(|answer| answer.users)),
            number(line.truth.map(|truth| truth.users)),
            number(line.first),
            line.first_error().map_or_else(|| "-".into(), difference),
            number(line.truth.and_then(|truth| truth.frames)),
        ]);
    }
    if few {
        return table(&rows);
    }
    let rest = all.len() - lines.len();
    match lines.len() {
        0 => format!("{}, each exact in its first answer", plural(rest as u64, "window")),
        _ => format!("{}\n... and {} more", table(&rows), plural(rest as u64, "window")),
    }
}

fn sentence(comparison: &Comparison, verdict: &Verdict) -> String {
    let windows = format!("{} of {}", screen::count(verdict.windows), plural(verdict.windows, "window"));
    let corrected = comparison.corrected();
    match comparison.largest_first_error() {
        None if corrected == 0 => format!("{windows}, each in its first answer"),
        None => format!("{windows}; {} corrected after the first answer, in frames only", screen::count(corrected)),
        Some(line) => {
            let error = verdict.largest_first_error_users;
            let users = line.truth.map_or(1, |truth| truth.users.max(1));
            format!(
                "{windows}; {} in its first answer, {} corrected by {}; largest first error {} ({:.2} %), {} in all",
                screen::count(verdict.exact_at_first),
                screen::count(corrected),
                plural(comparison.corrections(), "late revision"),
                plural(error, "user"),
                100.0 * error as f64 / users as f64,
                plural(verdict.total_first_error_users, "user"),
            )
        }
    }
}
