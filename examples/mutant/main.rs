//! A tiny engine that makes one mistake, named by its argument; `none` makes none. Only the tests of `kuu race` run it.
//!
//! It reads `KUU_INPUT` of `KUU_BROKERS` up to the offsets of `KUU_INPUT_END` (a JSON array, by partition), counts users
//! per window, and writes one row a window to `KUU_OUTPUT`. Without `KUU_INPUT_END` it reads to the end that the topic
//! has when it comes there; `none` and `counts-twice` go on then. It shares no code with the diagnosis, which must name
//! its mistake.

mod counting;
mod following;
mod misbehaving;
mod reading;
mod sketch;
mod streaming;

use counting::{Counts, Mistake};
use reading::{Input, Isolation};
use std::io::{Write, stderr};
use std::process::ExitCode;

/// What the environment says.
pub struct Environment {
    pub brokers: String,
    pub input: String,
    pub output: String,
    /// The offsets after the last messages, by partition.
    pub end: Option<Vec<i64>>,
    /// The units of the windows.
    pub units: Vec<String>,
    pub state: Option<String>,
}

impl Environment {
    fn read() -> Result<Environment, String> {
        let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
        let end = std::env::var("KUU_INPUT_END").ok().filter(|text| !text.is_empty());
        let end = end.map(|text| serde_json::from_str(&text).map_err(|error| format!("KUU_INPUT_END: {error}")));
        Ok(Environment {
            brokers: variable("KUU_BROKERS")?,
            input: variable("KUU_INPUT")?,
            output: variable("KUU_OUTPUT")?,
            end: end.transpose()?,
            units: variable("KUU_WINDOW").unwrap_or("minute".into()).split(',').map(str::to_owned).collect(),
            state: variable("KUU_STATE_DIR").ok(),
        })
    }
}

/// Writes a line to standard error.
pub fn complain(words: &str) {
    _ = writeln!(stderr(), "mutant: {words}");
}

fn main() -> ExitCode {
    let name = std::env::args_os().nth(1).and_then(|name| name.into_string().ok()).unwrap_or_default();
    match Environment::read().and_then(|environment| run(&name, &environment)) {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str, environment: &Environment) -> Result<ExitCode, String> {
    if misbehaving::NAMES.contains(&name) {
        return misbehaving::run(name, environment);
    }
    if let Some(pace) = streaming::Pace::of(name, environment.end.is_none()) {
        return streaming::run(&pace, environment).map(|()| ExitCode::SUCCESS);
    }
    let mistake = Mistake::of(name).ok_or_else(|| format!("no mutant `{name}`"))?;
    if environment.end.is_none() && mistake == Mistake::CountsTwice {
        let checkpoint = checkpoint(mistake, environment);
        return following::run(environment, checkpoint.as_deref()).map(|()| ExitCode::SUCCESS);
    }
    let counts = count(mistake, environment)?;
    reading::write(environment, &counts).map(|()| ExitCode::SUCCESS)
}

/// The file of what an engine keeps that makes this mistake, if it keeps anything.
fn checkpoint(mistake: Mistake, environment: &Environment) -> Option<String> {
    let folder = environment.state.as_ref().filter(|_| mistake == Mistake::CountsTwice)?;
    Some(format!("{folder}/checkpoint.json"))
}

/// The rows of an engine that makes this mistake.
fn count(mistake: Mistake, environment: &Environment) -> Result<Counts, String> {
    let isolation = if mistake == Mistake::CountsAborted { Isolation::Uncommitted } else { Isolation::Committed };
    let state = checkpoint(mistake, environment);
    let saved = state.as_ref().map(|path| counting::Checkpoint::load(path)).unwrap_or_default();
    let mut input = Input::open(environment, isolation, &saved.offsets)?;
    let mut messages = Vec::new();
    while let Some(message) = input.next()? {
        messages.extend(message);
        if let Some(path) = &state
            && input.is_time_for_a_checkpoint()
        {
            counting::Checkpoint::of(&saved, &messages, &environment.units, input.offsets()).save(path)?;
        }
    }
    messages.sort_by_key(|message: &reading::Message| (message.partition, message.offset));
    let mut counts = counting::count(mistake, &messages, &environment.units);
    // What was counted before the crash is added: it knows no users any more.
    saved.totals.into_iter().for_each(|(window, users)| *counts.entry(window).or_default() += users);
    Ok(counts)
}
