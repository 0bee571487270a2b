//! `kuu batch`: prints the truth as JSON lines.

use crate::cli::BatchArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{self, Session, figure, print_json, unread};
use crate::input::truth_of_files;
use crate::terminal::ledger_line::ledger_line;
use crate::terminal::{Screen, complain, count, plural, rate, table, time};
use anyhow::{Context, Result, anyhow, bail};
use kuu_core::configuration::{BatchConfig, Configuration};
use kuu_core::distinct::Distinct;
use kuu_core::truth::{Extent, Truth};
use kuu_core::workload::{Difference, TruthFile, What};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Write};
use std::path::Path;
use std::time::Instant;

/// Runs the command.
///
/// # Errors
/// If the truth cannot be printed.
pub fn run(arguments: &BatchArgs, session: &Session) -> Result<ExitStatus> {
    let started = Instant::now();
    if arguments.sketches && arguments.distinct == Distinct::Exact {
        bail!("--sketches: an exact count has none: add --distinct hll");
    }
    let expected = arguments.check.as_deref().map(read).transpose()?;
    let units = match &expected {
        Some(expected) => expected.header.spec.window.clone(),
        None => arguments.windows.window.clone(),
    };
    let units = session::units(&units);
    let names = arguments.files.iter().map(|name| (name.as_str(), Extent::default()));
    let parser = arguments.frames.options();
    let empty = Truth::new(&units).by(arguments.distinct);
    let (truth, sources, error) = truth_of_files::count(names, &parser, &empty);
    let elapsed = started.elapsed();
    if let Some(death) = error.as_ref().filter(|error| error.is_death()) {
        bail!("{death}");
    }

    let frames = truth.ledger().read;
    let per_s = frames as f64 / elapsed.as_secs_f64().max(1e-9);
    let ledger = truth.ledger().clone();
    let differences = expected.as_ref().map(|expected| expected.differences(&truth.windows(), &ledger));
    let screen = Screen { to_stderr: true, ..session.screen };
    if session.common.json {
        let config = BatchConfig { window: units, distinct: arguments.distinct, frames: parser.format.clone() };
        let mut record = session.record(Configuration::Batch, config);
        record.input = sources;
        record.figures.insert("batch_frames_per_s".into(), figure(per_s));
        record.ledger = Some(ledger);
        let mut document = serde_json::to_value(&record)?;
        let windows = rows(&truth, arguments.sketches).map(|row| row.parse());
        document["windows"] = windows.collect::<Result<Vec<serde_json::Value>, _>>()?.into();
        if let Some(differences) = &differences {
            document["differences"] = differences.iter().map(as_json).collect();
        }
        print_json(&document)?;
    } else if !screen.quiet {
        let is_printed = differences.is_none();
        let lines = rows(&truth, arguments.sketches).filter(|_| is_printed).map(|row| row + "\n").collect::<String>();
        match std::io::stdout().write_all(lines.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            written => written.context("the truth cannot be written to standard output")?,
        }
        screen.say(ledger_line(&ledger));
        screen.say(format!("{} in {}: {} frames/s", plural(frames, "frame"), time(elapsed), rate(per_s)));
    }
    // A stream of nothing but damage may be what the truth file has.
    let is_right = differences.as_ref().is_some_and(Vec::is_empty);
    let unread = unread::words(truth.ledger(), &parser).filter(|_| !is_right);
    // Freeing a set of users for each window takes longer than the end of the process.
    std::mem::forget(truth);
    if let Some(words) = error.map(|error| error.to_string()).or(unread) {
        complain(words);
        return Ok(ExitStatus::Incomplete);
    }
    Ok(match (&expected, differences) {
        (Some(expected), Some(differences)) => compared(session, expected, &differences),
        _ => ExitStatus::Fine,
    })
}

/// The windows, a line of JSON each.
fn rows(truth: &Truth, sketches: bool) -> impl Iterator<Item = String> {
    truth.windows().into_iter().map(move |count| {
        let row = count.to_string();
        match truth.sketch(&count.window).filter(|_| sketches) {
            Some(sketch) => format!("{}, \"sketch\": \"{}\"}}", row.trim_end_matches('}'), sketch.to_base64()),
            None => row,
        }
    })
}

/// Reads a truth file.
fn read(path: &Path) -> Result<TruthFile> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("{name} cannot be read"))?;
    TruthFile::read(BufReader::new(file)).map_err(|error| anyhow!("{name}, {error}"))
}

/// Prints the outcome of a comparison with a truth file: the answer itself, where there is no JSON document.
fn compared(session: &Session, expected: &TruthFile, differences: &[Difference]) -> ExitStatus {
    let windows = plural(expected.header.windows, "window");
    if differences.is_empty() {
        session.screen.say(format!("as in the truth file: {windows}, {}", plural(expected.header.totals.read, "line")));
        return ExitStatus::Fine;
    }
    let mut rows = vec![["", "", "expected", "found"].map(str::to_owned).to_vec()];
    rows.extend(differences.iter().map(|difference| {
        let (expected, found) = (count(difference.expected), count(difference.found));
        vec![about(difference.what), difference.number.clone(), expected, found]
    }));
    session.screen.say(table(&rows));
    complain(format!("wrong: {} from the truth file of {windows}", plural(differences.len() as u64, "difference")));
    ExitStatus::Wrong
}

fn about(what: What) -> String {
    match what {
        What::Ledger => "ledger".into(),
        What::Window(window) => format!("{} {window}", window.unit),
    }
}

fn as_json(difference: &Difference) -> serde_json::Value {
    let Difference { what, number, expected, found } = difference;
    let what = match what {
        What::Ledger => "ledger".to_owned(),
        What::Window(window) => window.key(),
    };
    serde_json::json!({"what": what, "number": number, "expected": expected, "found": found})
}
