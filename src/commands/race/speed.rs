//! `kuu race [ENGINE]... FILE`: how fast engines are, and what that costs.

use crate::cli::RaceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::race::options;
use crate::commands::session::{self, Session, assertions};
use crate::race::entrant::Entrant;
use crate::race::input::Task;
use crate::race::speed::cold::{SpeedSetup, cores};
use crate::race::speed::course::{Course, Happening};
use crate::race::speed::estimates::{of_input, too_few};
use crate::race::speed::field::Field;
use crate::race::speed::tables::{input_table, sample_line, wrong};
use crate::system::server_process::ServerProcess;
use crate::terminal::{count, plural};
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::Configuration;
use kuu_core::speed::{SpeedEstimate, SpeedPhase, SpeedRecord};
use kuu_core::workload::FilePart;
use std::time::Duration;

/// How long a steady run takes from its first row on: usually, and in a first look.
const STEADY: Duration = Duration::from_secs(60);
const QUICK_STEADY: Duration = Duration::from_secs(15);
/// Runs the race.
///
/// # Errors
/// If the file cannot be raced on, or the broker fails.
pub fn run(arguments: &RaceArgs, session: &Session, task: &Task, engines: &[Entrant]) -> Result<ExitStatus> {
    let cluster = options::kafka(session, "a race for speed")?;
    let field = Field::new(engines);
    let Some(reference) = field.reference().map(str::to_owned) else {
        bail!("no engine can run: kuu engines says what is missing");
    };
    let whole = task.input("whole", FilePart::default(), &session.stop)?;
    let stem = format!("race-{}", session.begun.compact());
    let setup = options::setup(arguments, session, &cluster, &stem);
    let source = whole.question.source().cloned().context("the file was not read")?;
    let samples = options::samples(arguments, &setup, &source, field.record())?;
    let broker = ServerProcess::behind(&cluster.settings().brokers);
    let speed = SpeedSetup { race: &setup, broker };
    let rounds = options::rounds(arguments);
    let steady_rounds = arguments.steady_rounds.unwrap_or(rounds).min(rounds);
    let time = arguments.time.unwrap_or(if arguments.quick { QUICK_STEADY } else { STEADY });
    let mut course = Course { speed: &speed, task, field: &field, samples, rounds, steady_rounds, steady: time };
    session.screen.say(format!(
        "race on {}: {}, {}; windows of a {}, {} partitions; Apache Kafka at {}; {} cores, broker included",
        task.file,
        plural(source.frames, "frame"),
        crate::terminal::size(source.frame_bytes),
        task.unit,
        task.partitions,
        cluster.settings().brokers,
        cores()
    ));
    field.absent().into_iter().for_each(|line| session.screen.say(line));
    let bar = session.screen.progress("{spinner} {human_pos} frames  {elapsed}");
    let tell = |happening: Happening<'_>| match happening {
        Happening::Sample(sample) => session.screen.say(sample_line(sample)),
        Happening::Filled(frames) => bar.set_position(frames),
        Happening::Filling(stream) => session.screen.say(format!(
            "steady: an input of {} frames is sent, compression {}",
            count(stream.len()),
            <&str>::from(stream.compression())
        )),
    };
    let done = course.run(&whole, source.frame_bytes / source.frames.max(1), tell);
    bar.finish_and_clear();
    if session.stop.interrupted() {
        let runs = plural(course.samples.all().len() as u64, "run");
        return Ok(options::interrupted(session, &setup, &runs));
    }
    done?;
    let record = finish(session, course, &reference);
    let is_right = record.samples.iter().all(|sample| sample.verdict.is_right());
    let config = options::config(arguments, engines, setup.deadline, Vec::new(), Some(task));
    let mut all = session.record(Configuration::Race, config);
    all.broker = Some(session::broker(&cluster));
    all.input = vec![source];
    all.remarks.extend(first_look(rounds, steady_rounds));
    all.speed = Some(record);
    let fails = assertions::any_fails(&arguments.assertions, &all);
    let saved = session.print(&all).and_then(|()| session.store(&format!("{stem}.json"), &all));
    let saved = saved.context("the race was run, but its record is not written");
    let status = match (is_right, &fails) {
        (false, _) => ExitStatus::Wrong,
        (true, Ok(true)) => ExitStatus::Regression,
        (true, _) => ExitStatus::Fine,
    };
    let saved = saved.map(|path| session.screen.say(format!("record: {}", path.display())));
    status.after(saved.and(fails.map(drop)))
}

/// What is measured in too few rounds for ratios to be published.
fn first_look(rounds: u32, steady_rounds: u32) -> Option<String> {
    let of_steady = |words| format!("steady: {words}");
    too_few(rounds as usize).or_else(|| (steady_rounds > 0).then(|| too_few(steady_rounds as usize))?.map(of_steady))
}

/// Prints the tables, and returns everything.
fn finish(session: &Session, course: Course<'_>, reference: &str) -> SpeedRecord {
    let Course { samples, field, rounds, steady_rounds, .. } = course;
    let mut inputs: Vec<(SpeedPhase, u64)> = Vec::new();
    for sample in samples.all() {
        let input = (sample.key.phase, sample.key.frames);
        if !inputs.contains(&input) {
            inputs.push(input);
        }
    }
    let engines = field.record();
    let mut all: Vec<SpeedEstimate> = Vec::new();
    for (phase, frames) in inputs {
        let estimates = of_input(samples.all(), phase, frames, reference, &engines);
        let what = match phase {
            SpeedPhase::Cold => format!("cold, {} frames: from the start to the right answer", count(frames)),
            SpeedPhase::Steady => "steady: frames per second in the second half of a run".to_owned(),
        };
        let table = input_table(&estimates, samples.all(), reference, &engines);
        session.screen.say(format!("\n{what}\n{table}"));
        all.extend(estimates);
    }
    let without = [wrong(samples.all()), field.absent()].concat();
    if !without.is_empty() {
        session.screen.say(format!("\nwithout figures:\n{}", without.join("\n")));
    }
    if let Some(words) = first_look(rounds, steady_rounds) {
        session.screen.say(format!("\n{words}"));
    }
    SpeedRecord { reference: reference.to_owned(), engines, samples: samples.into_all(), estimates: all }
}
