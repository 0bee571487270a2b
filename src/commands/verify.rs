//! `kuu verify`: compares the results with the truth.

use crate::cli::VerifyArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::receipts::{self, COUNT, PRODUCE, Receipt};
use crate::commands::session::{self, Session};
use crate::commands::session::{topics, unread};
use crate::input::is_stream;
use crate::input::truth_of_files;
use crate::input::truth_of_workload;
use crate::kafka::admin::Cluster;
use crate::record::store;
use crate::terminal::ledger_line::ledger_line;
use crate::terminal::{Screen, count, plural};
use crate::verification::check::{check, reconcile, repeats};
use crate::verification::verdict_table::{show_verdict, show_windows};
use anyhow::{Result, anyhow, bail};
use kuu_core::configuration::{Configuration, CountConfig, VerifyConfig};
use kuu_core::distinct::Distinct;
use kuu_core::ledger::Ledger;
use kuu_core::record::{Record, Source, Topic};
use kuu_core::truth::{Extent, Truth};
use kuu_core::verdict::{Comparison, Fold};
use kuu_core::window::Unit;
use kuu_core::window_record::WindowRecord;
use kuu_frame::{FrameFormat, Malformed, ParserOptions};

/// The record of the last run.
const RECORD: &str = "verify.json";
/// The default topic of `kuu produce`.
const DEFAULT_TOPIC: &str = "messages";
/// Number of files that are named on screen; the record has all of them.
const NAMED_FILES: usize = 10;

/// Runs the command.
///
/// # Errors
/// If the truth or the results cannot be read.
pub fn run(arguments: &VerifyArgs, session: &Session) -> Result<ExitStatus> {
    // What this directory knows is enough to reject a topic that is named twice.
    let known = receipts::find(session, COUNT, &Topic { name: arguments.output.clone(), ..Topic::default() })?;
    topics::verified(&topic(arguments, session, known.map(|receipt| receipt.record).as_ref())?, &arguments.output)?;
    // Connects to the broker first: counting the truth may take some time.
    let cluster = Cluster::connect(&session.settings())?;
    let counted = receipts::find(session, COUNT, &receipts::topic(&cluster, &arguments.output))?;
    let counted = counted.map(|receipt| receipt.record);
    let topic = topic(arguments, session, counted.as_ref())?;
    topics::verified(&topic, &arguments.output)?;
    let counted = counted.filter(|record| counting(record).is_some_and(|config| config.topic == topic));
    let config = counted.as_ref().and_then(counting);
    let units = units(arguments, config);
    let rows = session::row_format(&arguments.rows, &units)?;
    let produced = receipts::find(session, PRODUCE, &receipts::topic(&cluster, &topic))?;
    let format = config.map(|config| &config.frames).or_else(|| produced_frames(produced.as_ref()));
    let parser = arguments.frames.options_or(format.unwrap_or(&FrameFormat::default()));
    let (truth, input) = self::truth(arguments, session, &topic, produced, &parser, &units)?;
    if let Some(words) = unread::words(truth.ledger(), &parser) {
        bail!(words);
    }

    let guarantee = config.map(|config| config.guarantee).unwrap_or_default();
    let only = (!arguments.window.is_empty()).then_some(&units[..]);
    let fold = Fold::new(repeats(guarantee), only).of(rows).within(arguments.within);
    let mut checked = check(&cluster, &arguments.output, &truth, fold)?;
    if arguments.within.is_none() && checked.comparison.approximate() > 0 {
        bail!(not_exact(arguments, &checked.comparison, config.map(|config| config.distinct)));
    }
    let is_unfinished = counted.as_ref().and_then(counting).and_then(|config| config.complete) == Some(false);
    let ledger = counted.and_then(|record| record.ledger);
    reconcile(&mut checked, &cluster, &topic, &truth, ledger.as_ref())?;

    show_windows(session.screen, &checked);
    say_ledger(session.screen, ledger.as_ref(), is_unfinished);
    let config = in_effect(arguments, topic, parser.format);
    let mut record = session.record(Configuration::Verify, config);
    record.broker = Some(session::broker(&cluster));
    record.input = input;
    record.ledger = ledger;
    record.remarks = checked.remarks.clone();
    record.windows = WindowRecord::of(&checked.comparison);
    record.verdict = Some(checked.verdict.clone());
    // The document has all windows, a file that is read as a whole only so many.
    let windows = checked.comparison.lines.iter().map(WindowRecord::from).collect();
    let printed = session.print(&Record { windows, ..record.clone() });
    let saved = printed.and_then(|()| session.store(RECORD, &record));
    let saved = saved.map(|path| session.screen.say(format!("record: {}", path.display())));
    show_verdict(session.screen, &checked);
    let status = if checked.verdict.is_right() { ExitStatus::Fine } else { ExitStatus::Wrong };
    status.after(saved)
}

/// Why rows of sketches are not compared as exact ones, and what to do.
fn not_exact(arguments: &VerifyArgs, comparison: &Comparison, distinct: Option<Distinct>) -> String {
    let (windows, output) = (plural(comparison.approximate(), "window"), &arguments.output);
    let known = match distinct {
        Some(Distinct::Hll(precision)) => format!(
            " (the standard error of {} is {:.2} %)",
            Distinct::Hll(precision),
            100.0 * precision.standard_error()
        ),
        _ => String::new(),
    };
    format!(
        "topic {output}: the rows of {windows} say \"distinct\":\"hll\": their users are estimates, and not exact{known}: say how \
         far off they may be, as in `kuu verify --within 2%`, or count again with `kuu count --distinct exact --recreate`"
    )
}

/// Says what the last count of the output did with the frames, if there is a record of it.
fn say_ledger(screen: Screen, ledger: Option<&Ledger>, is_unfinished: bool) {
    match ledger {
        Some(ledger) => screen.say(ledger_line(ledger)),
        None if is_unfinished => screen.say(
            "ledger: none, the last `kuu count` of this output has not come to its end: it goes on, or was killed; `kuu count` \
             goes on from there",
        ),
        None => screen.say("ledger: none, there is no record of a `kuu count` of this output"),
    }
    if let Some(late) = ledger.map(|ledger| ledger.too_late).filter(|late| *late > 0) {
        let late = plural(late, "frame");
        screen.say(format!("{late} came after the retention of their window: `kuu count --retention` sets it"));
    }
    if let Some(far) = ledger.map(|ledger| ledger.too_far).filter(|far| *far > 0) {
        let far = plural(far, "frame");
        screen.say(format!(
            "{far} of wild clocks found no place: `kuu count` sets it with --max-open-windows, --max-far-users"
        ));
    }
}

fn in_effect(arguments: &VerifyArgs, topic: String, frames: FrameFormat) -> VerifyConfig {
    VerifyConfig {
        topic,
        output: arguments.output.clone(),
        frames,
        start_field: arguments.rows.start_field.clone(),
        users_field: arguments.rows.users_field.clone(),
        start_format: arguments.rows.start_format,
        within: arguments.within,
    }
}

/// The topic of the frames: the named one, or the one that was counted into this output, or the one that was filled
/// last.
fn topic(arguments: &VerifyArgs, session: &Session, counted: Option<&Record>) -> Result<String> {
    if let Some(topic) = &arguments.topic {
        return Ok(topic.clone());
    }
    if let Some(topic) = counted.and_then(counting).map(|config| &config.topic) {
        return Ok(topic.clone());
    }
    Ok(receipts::last_topic(session, PRODUCE)?.unwrap_or_else(|| DEFAULT_TOPIC.into()))
}

/// Where the frames of the topic have their members, as its receipt says.
fn produced_frames(receipt: Option<&Receipt>) -> Option<&FrameFormat> {
    receipt.and_then(|receipt| receipt.record.configuration.produce()).map(|config| &config.frames)
}

fn counting(record: &Record) -> Option<&CountConfig> {
    record.configuration.count()
}

/// The units to check: the given ones, or those that were counted, or minutes.
fn units(arguments: &VerifyArgs, counted: Option<&CountConfig>) -> Vec<Unit> {
    match counted {
        _ if !arguments.window.is_empty() => session::units(&arguments.window),
        Some(config) if !config.window.is_empty() => config.window.clone(),
        _ => vec![Unit::Minute],
    }
}

/// Counts the named files, or those in the topic's receipt, which must not have changed since.
fn truth(
    arguments: &VerifyArgs,
    session: &Session,
    topic: &str,
    produced: Option<Receipt>,
    parser: &ParserOptions,
    units: &[Unit],
) -> Result<(Truth, Vec<Source>)> {
    if !arguments.files.is_empty() {
        let names = arguments.files.iter().map(|name| (name.as_str(), Extent::default()));
        let (truth, sources, error) = truth_of_files::count(names, parser, &Truth::new(units));
        if let Some(error) = error {
            return Err(error.into());
        }
        session.screen.say(compared(arguments, topic, &sources, None));
        return Ok((truth, sources));
    }
    let Some(Receipt { path, record: produced }) = produced else {
        bail!(
            "there is no receipt of topic {topic}, neither {} nor one of this user elsewhere: name the files whose frames were \
             counted, as in `kuu verify FILE`",
            session.common.results.join(store::name_of(PRODUCE, topic)).display()
        );
    };
    receipts::complete(&produced)?;
    if receipts::unlisted(&produced) > 0 {
        bail!(
            "{} does not have all frames of topic {topic}: it holds {} of which there is no receipt: name the files, as in \
             `kuu verify FILE`",
            path.display(),
            plural(receipts::unlisted(&produced), "frame")
        );
    }
    let tombstones = produced.figures.get("tombstones").map_or(0, |figure| figure.value as u64);
    let workload = produced.configuration.produce().and_then(|config| config.workload.as_ref());
    if let Some(workload) = workload.filter(|workload| workload.file.is_none()) {
        let truth =
            truth_of_workload::count(workload, tombstones, parser, units).map_err(|error| anyhow!("{error}"))?;
        session.screen.say(compared(arguments, topic, &produced.input, Some(&path.display().to_string())));
        return Ok((truth, produced.input));
    }
    if let Some(Source { name, frames, .. }) = produced.input.iter().find(|source| is_stream(&source.name)) {
        let name = if name == "-" { "standard input" } else { name };
        bail!(
            "{} came from {name}: name files with the same frames, as in `kuu verify FILE`",
            plural(*frames, "frame")
        );
    }
    let extent = |source: &Source| Extent { limit: Some(source.frames), repeats: source.repeats.unwrap_or_default() };
    let names = produced.input.iter().map(|source| (source.name.as_str(), extent(source)));
    let (mut truth, sources, error) = truth_of_files::count(names, parser, &Truth::new(units));
    if let Some(error) = error {
        return Err(error.into());
    }
    // A message without a value is no JSON.
    (0..tombstones).for_each(|_| truth.add(Err(Malformed::NotJson)));
    for (then, now) in produced.input.iter().zip(&sources) {
        if then.sha256 != now.sha256 {
            bail!(
                "{} is not the file that was produced (its SHA-256 differs): name the right one, as in `kuu verify FILE`",
                now.name
            );
        }
    }
    session.screen.say(compared(arguments, topic, &sources, Some(&path.display().to_string())));
    Ok((truth, sources))
}

/// The topics and files of the comparison.
fn compared(arguments: &VerifyArgs, topic: &str, sources: &[Source], receipt: Option<&str>) -> String {
    let name = |source: &Source| {
        let times = source.repeats.map(|repeats| repeats.count).filter(|times| *times > 1);
        let times = times.map_or_else(String::new, |times| format!(", {} times", count(times)));
        format!("{} ({}{times})", source.name, plural(source.frames, "frame"))
    };
    let mut names: Vec<String> = sources.iter().take(NAMED_FILES).map(name).collect();
    if sources.len() > NAMED_FILES {
        names.push(format!("{} more", count((sources.len() - NAMED_FILES) as u64)));
    }
    let named = receipt.map_or_else(String::new, |file| format!(", as {file} has it"));
    format!("topic {topic}, output {}: compared with {}{named}", arguments.output, names.join(", "))
}
