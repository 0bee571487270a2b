//! `kuu report`: records as a page, or in the formats of other tools.

use crate::cli::ReportArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{Session, records};
use crate::output::FrameFile;
use crate::terminal::{Screen, plural};
use anyhow::{Context as _, Result, bail};
use kuu_core::export::{ExportFormat, NamedRecord, export, left_out};
use kuu_core::report::page;
use std::fs;
use std::io::{self, ErrorKind, IsTerminal as _};

/// Runs the command.
///
/// # Errors
/// If a record cannot be read, or has nothing that the format can say; if one that is exported is of a wrong answer; or if the
/// file cannot be written.
pub fn run(arguments: &ReportArgs, session: &Session) -> Result<ExitStatus> {
    let is_to_screen = arguments.output == "-";
    let is_json = arguments.export.is_some_and(ExportFormat::is_json);
    if session.common.json && (!is_to_screen || !is_json) {
        bail!("--json: standard output would have no JSON document: leave it out");
    }
    if arguments.export.is_none() && is_to_screen && io::stdout().is_terminal() {
        bail!("a page is for a browser, not for a terminal: name a file, as in -o report.html");
    }
    // A page says first that an answer was wrong; a format of figures has no place for that.
    let read = if arguments.export.is_some() { records::read } else { records::read_any };
    let mut all: Vec<NamedRecord> = Vec::new();
    for given in &arguments.records {
        all.extend(read(given)?);
    }
    if let Some(record) = all.iter().find(|record| is_same_file(&record.name, &arguments.output)) {
        bail!("{} is one of the records, and would be lost: name another file with -o", record.name);
    }
    let text = match arguments.export {
        Some(format) => export(format, &all)?,
        None => page(&all)?,
    };
    if arguments.export.is_some() {
        let aside = Screen { to_stderr: true, ..session.screen };
        for NamedRecord { name, record } in &all {
            left_out(record).iter().for_each(|words| aside.say(format!("kuu: {name}: {words}")));
        }
    }
    write(&arguments.output, &text)?;
    if !is_to_screen {
        let what = arguments.export.map_or_else(|| "page".into(), |format| format.to_string());
        let records = plural(all.len() as u64, "record");
        session.screen.say(format!("{}: {what}, {records}", arguments.output));
    }
    Ok(ExitStatus::Fine)
}

/// Whether two names are of one file that exists.
fn is_same_file(one: &str, other: &str) -> bool {
    let whole = |name: &str| fs::canonicalize(name).ok();
    other != "-" && whole(one).is_some_and(|one| whole(other) == Some(one))
}

fn write(name: &str, text: &str) -> Result<()> {
    let mut file = FrameFile::open(name, true)?;
    match file.write(text.as_bytes()) {
        // A reader that stops early is no error.
        Err(error) if name == "-" && error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.with_context(|| {
            if name == "-" { "standard output cannot be written".into() } else { format!("{name} cannot be written") }
        }),
    }?;
    file.finish()
}
