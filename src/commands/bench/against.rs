//! `kuu bench --against PROGRAM`: this build and another one in turn, and whether this one is slower.

use crate::cli::BenchArgs;
use crate::commands::bench::runs::{self, LeftOut, RunDone, own_program};
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{Session, print_json};
use crate::terminal::{complain, plural, rate, table};
use anyhow::{Context as _, Result, bail};
use kuu_core::comparison::{BLOCK, FigureComparison, GateFigure, GateVerdict, compare, gate};
use kuu_core::latency::LegRecords;
use kuu_core::record::{Figure, Record};
use kuu_core::statistics::RatioEstimate;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The fewest pairs of runs.
const PAIRS: usize = 6;
/// Options of this command that its runs do not get.
const LEFT_OUT: LeftOut =
    LeftOut { with_value: &["--against", "--threshold", "--max-time", "--baseline"], without: &["--noise"] };

/// Runs that were made so far, and where the next ones go.
struct Course<'a> {
    session: &'a Session,
    /// The programs of a block.
    programs: [PathBuf; BLOCK],
    options: Vec<OsString>,
    directory: PathBuf,
    runs: Vec<Record>,
}

/// Why a course ended without an answer.
enum Stopped {
    Interrupted,
    Wrong,
}

/// Runs this build and another one.
///
/// # Errors
/// If a build cannot run.
pub fn run(arguments: &BenchArgs, other: &Path, session: &Session) -> Result<ExitStatus> {
    if !other.is_file() {
        let other = other.display();
        bail!("--against {other}: there is no such program: name a kuu that is built, or use ./bench.sh --against REV");
    }
    let begun = Instant::now();
    let mut course = Course::new(session, other, "against")?;
    session.screen.say(format!(
        "before: {}; after: this build; {} runs at least, in turn; their records are in {}",
        other.display(),
        2 * PAIRS,
        course.directory.display()
    ));
    let figures = loop {
        if let Some(stopped) = course.block()? {
            return Ok(course.stopped(&stopped));
        }
        if course.runs.len() < 2 * PAIRS {
            continue;
        }
        let figures = gate(&course.runs, arguments.threshold);
        let is_open = figures.iter().any(|figure| figure.verdict == GateVerdict::Undecided);
        if !is_open || begun.elapsed() >= arguments.max_time {
            break figures;
        }
    };
    if session.common.json {
        print_json(&figures)?;
    }
    session.screen.say(format!("\n{}", text(&figures)));
    let (status, sentence) = outcome(&figures, course.runs.len() / 2, arguments.threshold);
    if status == ExitStatus::Regression {
        complain(sentence);
    } else {
        session.screen.say(format!("\n{sentence}"));
    }
    Ok(status)
}

/// Runs this build beside itself: what differs is noise.
///
/// # Errors
/// If it cannot run, or the record cannot be written.
pub fn noise(session: &Session) -> Result<ExitStatus> {
    let own = own_program()?;
    let mut course = Course::new(session, &own, "noise")?;
    session.screen.say(format!("this build beside itself, {} runs", 2 * PAIRS));
    while course.runs.len() < 2 * PAIRS {
        if let Some(stopped) = course.block()? {
            return Ok(course.stopped(&stopped));
        }
    }
    let side = |ends: bool| {
        let of = course.runs.iter().enumerate().filter(|(at, _)| [0, BLOCK - 1].contains(&(at % BLOCK)) == ends);
        of.map(|(_, record)| record.clone()).collect::<Vec<_>>()
    };
    let figures = compare(&side(true), &side(false), 0.0);
    session.screen.say(format!("\n{}", noise_table(&figures)));
    let mut record = course.runs.swap_remove(0);
    record.figures.clear();
    record.latency = LegRecords::default();
    for of in &figures {
        if let Some(value) = of.detectable {
            let name = format!("{}_detectable_share", of.name);
            record.figures.insert(name, Figure { value, ..Figure::default() });
        }
    }
    record.remarks = vec![format!("the least change that {PAIRS} pairs of runs find four times in five")];
    session.print(&record)?;
    let path = session.store(&format!("noise-{}.json", session.begun.compact()), &record)?;
    session.screen.say(format!("record: {}", path.display()));
    Ok(ExitStatus::Fine)
}

impl Course<'_> {
    fn new<'a>(session: &'a Session, other: &Path, name: &str) -> Result<Course<'a>> {
        let own = own_program()?;
        // What slows down the machine evenly slows down both alike.
        let programs = [other.to_owned(), own.clone(), own, other.to_owned()];
        let directory = session.common.results.join(format!("{name}-{}", session.begun.compact()));
        Ok(Course { session, programs, options: LEFT_OUT.options(), directory, runs: Vec::new() })
    }

    /// Runs a block; returns why there is no answer, if there is none.
    fn block(&mut self) -> Result<Option<Stopped>> {
        for at in 0..BLOCK {
            let (number, program) = (self.runs.len() + 1, &self.programs[at]);
            let side = if at == 0 || at == BLOCK - 1 { "before" } else { "after" };
            let one = runs::one(program, &self.options, &self.directory.join(format!("{number:02}-{side}")));
            if self.session.stop.interrupted() {
                return Ok(Some(Stopped::Interrupted));
            }
            let RunDone { record, .. } = one.with_context(|| format!("run {number}, of the build {side}"))?;
            if record.verdict.as_ref().is_some_and(|verdict| !verdict.exact) {
                complain(format!("the build {side}, {}, counts wrong: it has no speed", program.display()));
                return Ok(Some(Stopped::Wrong));
            }
            self.session.screen.say(format!("run {number}: {side}: {}", told(&record)));
            self.runs.push(record);
        }
        Ok(None)
    }

    fn stopped(&self, stopped: &Stopped) -> ExitStatus {
        match stopped {
            Stopped::Interrupted => {
                self.session.screen.say("interrupted: no answer");
                ExitStatus::Interrupted
            }
            Stopped::Wrong => ExitStatus::Wrong,
        }
    }
}

fn told(record: &Record) -> String {
    let figure = record.figures.get("count_frames_per_s");
    figure.map_or_else(String::new, |figure| format!("count {} frames/s", rate(figure.value)))
}

fn text(figures: &[GateFigure]) -> String {
    let mut rows =
        vec![["figure", "ratio", "95 %", "", "same build", "95 %", "detectable"].map(str::to_owned).to_vec()];
    for GateFigure { of, control, verdict } in figures {
        let words = match verdict {
            GateVerdict::Slower => "slower",
            GateVerdict::NotSlower => "not slower",
            GateVerdict::Undecided => "undecided",
            GateVerdict::Uneven => "uneven",
        };
        let [ratio, interval] = cells(of.ratio.as_ref());
        let [same, same_interval] = cells(control.as_ref());
        let detectable = of.detectable.map_or_else(|| "-".into(), |share| format!("{:.1} %", share * 100.0));
        rows.push(vec![of.name.clone(), ratio, interval, words.into(), same, same_interval, detectable]);
    }
    table(&rows)
}

fn noise_table(figures: &[FigureComparison]) -> String {
    let mut rows = vec![["figure", "median", "against itself", "95 %", "detectable"].map(str::to_owned).to_vec()];
    for of in figures {
        let [ratio, interval] = cells(of.ratio.as_ref());
        let detectable = of.detectable.map_or_else(|| "-".into(), |share| format!("{:.1} %", share * 100.0));
        rows.push(vec![of.name.clone(), format!("{:.4}", of.medians[0]), ratio, interval, detectable]);
    }
    table(&rows)
}

fn cells(ratio: Option<&RatioEstimate>) -> [String; 2] {
    let Some(RatioEstimate { ratio, interval, .. }) = ratio else { return ["-".into(), "-".into()] };
    [format!("{ratio:.3}"), format!("{:.3} to {:.3}", interval.low, interval.high)]
}

/// The exit status, and why.
fn outcome(figures: &[GateFigure], pairs: usize, threshold: f64) -> (ExitStatus, String) {
    let names = |verdict: GateVerdict| {
        let of = figures.iter().filter(|figure| figure.verdict == verdict);
        of.map(|figure| figure.of.name.as_str()).collect::<Vec<_>>()
    };
    let (slower, uneven, open) =
        (names(GateVerdict::Slower), names(GateVerdict::Uneven), names(GateVerdict::Undecided));
    let (percent, pairs) = (threshold * 100.0, plural(pairs as u64, "pair"));
    if !slower.is_empty() {
        (
            ExitStatus::Regression,
            format!("slower by more than {percent:.1} %, in {pairs} of runs: {}", slower.join(", ")),
        )
    } else if !uneven.is_empty() {
        let uneven = uneven.join(", ");
        (
            ExitStatus::Inconclusive,
            format!("no answer: runs of one and the same build differ in {uneven}: another machine, or another hour"),
        )
    } else if !open.is_empty() {
        let open = open.join(", ");
        (
            ExitStatus::Inconclusive,
            format!(
                "no answer after {pairs} of runs: too much noise in {open}: a longer --max-time, or a greater --threshold"
            ),
        )
    } else {
        (ExitStatus::Fine, format!("not slower by more than {percent:.1} %, in {pairs} of runs"))
    }
}
