//! `kuu race --rate N` and `--sustain`: how late results are, and which rate an engine sustains.

use crate::cli::RaceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::race::options;
use crate::commands::session::{self, Session, assertions};
use crate::kafka::admin::Cluster;
use crate::race::entrant::Entrant;
use crate::race::input::Task;
use crate::race::live::bracket::{FIRST, NextProbe, ProbeResult, RateSearch};
use crate::race::live::load::{LiveLoad, MOST_FRAMES};
use crate::race::live::run::{LiveInput, LivePace, LiveTurn, interval, run as run_live};
use crate::race::live::tables::{bracket_line, latency_table, live_line, without_figures};
use crate::race::question::RaceWorkload;
use crate::race::samples::RaceSamples;
use crate::race::setup::RaceSetup;
use crate::race::speed::field::{Field, Starter};
use crate::terminal::{count, plural};
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::Configuration;
use kuu_core::race_live::{LiveRecord, LiveSample, RateBracket, RateVerdict};
use kuu_core::workload::FilePart;
use std::time::Duration;

/// How long frames are sent with --rate, if nothing else is said.
const TIME: Duration = Duration::from_secs(60);
/// The warm-up of a run with --rate: a fifth of its time, at most this.
const WARM: Duration = Duration::from_secs(10);
/// The warm-up and the time of a probe, the same of a first look, and the fewest intervals of rows that one takes.
const PROBE: [Duration; 2] = [Duration::from_secs(4), Duration::from_secs(16)];
const QUICK_PROBE: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(9)];
const PROBE_INTERVALS: u32 = 16;
/// The fewest windows of the first probe.
const PROBE_WINDOWS: f64 = 20.0;

/// Runs the race.
///
/// # Errors
/// If the file cannot be raced on, or the broker fails.
pub fn run(arguments: &RaceArgs, session: &Session, task: &Task, engines: &[Entrant]) -> Result<ExitStatus> {
    let cluster = options::kafka(session, "a live race")?;
    let field = Field::new(engines);
    if field.reference().is_none() {
        bail!("no engine can run: kuu engines says what is missing");
    }
    let of = task.input("live", FilePart { frames: Some(MOST_FRAMES), last_users: false }, &session.stop)?;
    if arguments.sustain {
        check_windows(task, &of)?;
    }
    let load = LiveLoad::read(&of, &task.file, &session.stop)?;
    let stem = format!("race-{}", session.begun.compact());
    let setup = options::setup(arguments, session, &cluster, &stem);
    let input = LiveInput { of: &of, load: &load };
    let source = of.question.source().cloned().context("the file was not read")?;
    let samples = options::samples(arguments, &setup, &source, field.record())?;
    let brackets = Vec::new();
    let mut race = LiveRace { arguments, session, setup: &setup, input: &input, field: &field, samples, brackets };
    race.announce(task, &cluster);
    let done = match arguments.rate {
        Some(rate) => race.latencies(rate),
        None => race.sustain(),
    };
    if session.stop.interrupted() {
        let runs = plural(race.samples.all().len() as u64, "run");
        return Ok(options::interrupted(session, &setup, &runs));
    }
    done?;
    let LiveRace { samples, brackets, .. } = race;
    let record = LiveRecord { engines: field.record(), samples: samples.into_all(), brackets };
    session.screen.say(report(arguments, &record));
    let mut status = status(arguments, &record);
    let config = options::config(arguments, engines, setup.deadline, Vec::new(), Some(task));
    let mut all = session.record(Configuration::Race, config);
    all.broker = Some(session::broker(&cluster));
    all.input = vec![source];
    all.live = Some(record);
    let fails = assertions::any_fails(&arguments.assertions, &all);
    if status == ExitStatus::Fine && matches!(fails, Ok(true)) {
        status = ExitStatus::Regression;
    }
    let saved = session.print(&all).and_then(|()| session.store(&format!("{stem}.json"), &all));
    let saved = saved.context("the race was run, but its record is not written");
    let saved = saved.map(|path| session.screen.say(format!("record: {}", path.display())));
    status.after(saved.and(fails.map(drop)))
}

/// Checks that a probe has enough windows for a slope.
fn check_windows(task: &Task, of: &RaceWorkload) -> Result<()> {
    let windows = of.question.frames();
    let each = windows.values().sum::<u64>() as f64 / windows.len().max(1) as f64;
    let first = PROBE[1].as_secs_f64() * FIRST / each;
    if first < PROBE_WINDOWS {
        bail!(
            "a window of a {} has {each:.0} frames, so that only {first:.0} are over while {} frames/s come for {:?}, and the \
             search for a rate needs {PROBE_WINDOWS}: race with --window second, or on a file with fewer frames per second of \
             event time (kuu generate --rate 1000)",
            task.unit,
            count(FIRST as u64),
            PROBE[1]
        );
    }
    Ok(())
}

/// A race that runs.
struct LiveRace<'a> {
    arguments: &'a RaceArgs,
    session: &'a Session,
    setup: &'a RaceSetup<'a>,
    input: &'a LiveInput<'a>,
    field: &'a Field<'a>,
    samples: RaceSamples<LiveSample>,
    brackets: Vec<RateBracket>,
}

impl LiveRace<'_> {
    fn announce(&self, task: &Task, cluster: &Cluster) {
        let what = match self.arguments.rate {
            Some(rate) => {
                let warm = warm_up(time(self.arguments));
                format!(
                    "live: {} frames/s for {:?}, the first {warm:?} are warm-up",
                    count(rate as u64),
                    time(self.arguments)
                )
            }
            None => "sustainable rate".into(),
        };
        self.session.screen.say(format!(
            "{what}; {}, windows of a {}, {} partitions; Apache Kafka at {}",
            task.file,
            task.unit,
            task.partitions,
            cluster.settings().brokers
        ));
        self.field.absent().into_iter().for_each(|line| self.session.screen.say(line));
    }

    /// Every engine at one rate, in each round.
    fn latencies(&mut self, rate: f64) -> Result<()> {
        let time = time(self.arguments);
        let pace = LivePace { rate, warm: warm_up(time), time, has_acks: true };
        for round in 1..=options::rounds(self.arguments) {
            for (turn, starter) in self.field.turns(round) {
                if starter.obstacle.is_none() && !self.is_wrong(starter) {
                    self.one(starter, &LiveTurn { round, turn }, &pace)?;
                }
            }
        }
        Ok(())
    }

    /// The greatest rate of every engine, in each round.
    fn sustain(&mut self) -> Result<()> {
        for round in 1..=options::rounds(self.arguments) {
            for (_, starter) in self.field.turns(round) {
                if starter.obstacle.is_none() && !self.is_wrong(starter) {
                    self.bracket(starter, round)?;
                }
            }
        }
        Ok(())
    }

    fn bracket(&mut self, starter: &Starter<'_>, round: u32) -> Result<()> {
        let mut search = RateSearch::default();
        let mut probe = 0;
        while let Some(next) = search.next() {
            probe += 1;
            let pace = self.probe(starter, next);
            let sample = self.one(starter, &LiveTurn { round, turn: probe }, &pace)?;
            if !sample.verdict.is_right() {
                return Ok(());
            }
            search.take(ProbeResult::of(&sample));
        }
        let bracket = RateBracket {
            engine: starter.name.clone(),
            round,
            proven: search.proven,
            limit: search.limit.map(|limit| limit.0),
            limit_is: search.limit.map(|limit| limit.1),
        };
        self.session.screen.say(bracket_line(&bracket));
        self.brackets.push(bracket);
        Ok(())
    }

    fn probe(&self, starter: &Starter<'_>, NextProbe { rate, is_longer }: NextProbe) -> LivePace {
        let [warm, time] = if self.arguments.quick { QUICK_PROBE } else { PROBE };
        let time = time.max(interval(starter.engine.descriptor()) * PROBE_INTERVALS);
        let time = if is_longer { 2 * time } else { time };
        LivePace { rate, warm, time: warm + time, has_acks: false }
    }

    /// One run, or what it gave before the race was interrupted.
    fn one(&mut self, starter: &Starter<'_>, turn: &LiveTurn, pace: &LivePace) -> Result<LiveSample> {
        let is_this = |it: &&LiveSample| (&it.engine, it.round, it.turn) == (&starter.name, turn.round, turn.turn);
        if let Some(taken) = self.samples.all().iter().find(is_this) {
            return Ok(taken.clone());
        }
        let sample = run_live(self.setup, self.input, starter, turn, pace)
            .with_context(|| format!("engine {}", starter.name))?;
        self.session.screen.say(live_line(&sample));
        self.samples.add(sample.clone())?;
        Ok(sample)
    }

    /// An engine that was wrong once has no figures: it is not run again.
    fn is_wrong(&self, starter: &Starter<'_>) -> bool {
        self.samples.all().iter().any(|sample| sample.engine == starter.name && !sample.verdict.is_right())
    }
}

/// How long frames are sent.
fn time(arguments: &RaceArgs) -> Duration {
    arguments.time.unwrap_or(TIME)
}

fn warm_up(time: Duration) -> Duration {
    (time / 5).min(WARM)
}

/// What is printed at the end.
fn report(arguments: &RaceArgs, record: &LiveRecord) -> String {
    let mut text = match arguments.rate {
        Some(_) => format!("\n{}", latency_table(record)),
        None => {
            // An engine that was wrong in a later round has no figures.
            let is_right = |bracket: &&RateBracket| {
                record.samples.iter().all(|sample| sample.engine != bracket.engine || sample.verdict.is_right())
            };
            let lines: Vec<String> = record.brackets.iter().filter(is_right).map(bracket_line).collect();
            format!("\n{}", lines.join("\n"))
        }
    };
    let others = without_figures(record);
    if !others.is_empty() {
        text += &format!("\n---\nwithout figures:\n{}", others.join("\n"));
    }
    text
}

/// A wrong engine says more than a generator that was behind, and that more than an engine that did not keep up.
fn status(arguments: &RaceArgs, record: &LiveRecord) -> ExitStatus {
    let any = |is: &dyn Fn(&LiveSample) -> bool| record.samples.iter().any(is);
    if any(&|sample| !sample.verdict.is_right()) {
        ExitStatus::Wrong
    } else if arguments.rate.is_none() {
        ExitStatus::Fine
    } else if any(&|sample| sample.keeps_up == RateVerdict::GeneratorBehind) {
        ExitStatus::Behind
    } else if any(&|sample| !sample.is_valid()) {
        ExitStatus::Inconclusive
    } else {
        ExitStatus::Fine
    }
}
