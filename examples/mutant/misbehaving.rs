//! Mutants that count right, and behave badly.

use crate::counting::{Counts, Mistake};
use crate::reading::{Output, write};
use crate::{Environment, complain, count};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Their names.
pub const NAMES: [&str; 9] =
    ["garbage-after", "twice", "endless", "forks", "logs", "dies", "silent", "hangs", "refuses"];

/// Runs one of them.
pub fn run(name: &str, environment: &Environment) -> Result<ExitCode, String> {
    if name == "refuses" {
        complain("this input is none that it takes");
        return Ok(ExitCode::from(2));
    }
    let counts: Counts = count(Mistake::None, environment)?;
    let half = counts.iter().take(counts.len() / 2).map(|(window, users)| (window.clone(), *users)).collect();
    match name {
        "silent" | "hangs" => {}
        "dies" => write(environment, &half)?,
        _ => write(environment, &counts)?,
    }
    match name {
        "garbage-after" => garbage(environment, &counts)?,
        "twice" => write(environment, &counts)?,
        "endless" | "hangs" => std::thread::sleep(Duration::MAX),
        // In a group of its own, so that no signal to this one's ends it.
        "forks" => drop(Command::new("sleep").arg("600").process_group(0).spawn().map_err(|error| error.to_string())?),
        "logs" => {
            let (line, mut out) = ("nothing new\n".repeat(5_000), std::io::stdout());
            while out.write_all(line.as_bytes()).is_ok() {}
        }
        "dies" => {
            complain("reading went well");
            complain("it is out of luck");
            return Ok(ExitCode::from(7));
        }
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until an observer has seen that all is right, and writes what is no row, and a wrong one.
fn garbage(environment: &Environment, counts: &Counts) -> Result<(), String> {
    std::thread::sleep(Duration::from_secs(1));
    let output = Output::open(environment)?;
    output.put("garbage", "%&/{")?;
    output.put("garbage", r#"{"start":"soon","users":"some"}"#)?;
    if let Some(((unit, start), users)) = counts.first_key_value() {
        output.row(unit, *start, users + 1)?;
    }
    output.flush()
}
