//! `kuu batch`: prints the truth as JSON lines.

use crate::cli::BatchArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{self, Session, figure, print_json, unread};
use crate::input::truth_of_files;
use crate::terminal::ledger_line::ledger_line;
use crate::terminal::{Screen, complain, plural, rate, time};
use anyhow::{Context, Result, bail};
use kuu_core::configuration::{BatchConfig, Configuration};
use std::io::{ErrorKind, Write};
use std::time::Instant;

/// Runs the command.
///
/// # Errors
/// If the truth cannot be printed.
pub fn run(arguments: &BatchArgs, session: &Session) -> Result<ExitStatus> {
    let started = Instant::now();
    let units = session::units(&arguments.windows.window);
    let names = arguments.files.iter().map(|name| (name.as_str(), None));
    let parser = arguments.frames.options();
    let (truth, sources, error) = truth_of_files::count(names, &parser, &units);
    let elapsed = started.elapsed();
    if let Some(death) = error.as_ref().filter(|error| error.is_death()) {
        bail!("{death}");
    }

    let frames = truth.ledger().read;
    let per_s = frames as f64 / elapsed.as_secs_f64().max(1e-9);
    let ledger = truth.ledger().clone();
    let screen = Screen { to_stderr: true, ..session.screen };
    if session.common.json {
        let mut record =
            session.record(Configuration::Batch, BatchConfig { window: units, frames: parser.format.clone() });
        record.input = sources;
        record.figures.insert("batch_frames_per_s".into(), figure(per_s));
        record.ledger = Some(ledger);
        let mut document = serde_json::to_value(&record)?;
        let windows = truth
            .windows()
            .iter()
            .map(|count| count.to_string().parse())
            .collect::<Result<Vec<serde_json::Value>, _>>()?;
        document["windows"] = windows.into();
        print_json(&document)?;
    } else if !screen.quiet {
        let lines: String = truth.windows().iter().map(|count| format!("{count}\n")).collect();
        match std::io::stdout().write_all(lines.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            written => written.context("the truth cannot be written to standard output")?,
        }
        screen.say(ledger_line(&ledger));
        screen.say(format!("{} in {}: {} frames/s", plural(frames, "frame"), time(elapsed), rate(per_s)));
    }
    let unread = unread::words(truth.ledger(), &parser);
    // Freeing a set of users for each window takes longer than the end of the process.
    std::mem::forget(truth);
    Ok(match (error, unread) {
        (None, None) => ExitStatus::Fine,
        (Some(error), _) => {
            complain(error);
            ExitStatus::Incomplete
        }
        (None, Some(words)) => {
            complain(words);
            ExitStatus::Incomplete
        }
    })
}
