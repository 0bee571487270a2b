//! `kuu race [ENGINE]... FILE`: how fast engines are, and what that costs.

use crate::cli::RaceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{self, Session};
use crate::kafka::admin::Cluster;
use crate::race::entrant::Entrant;
use crate::race::input::{Task, fill};
use crate::race::speed::cold::{self, SpeedSetup, TopicInput, cores};
use crate::race::speed::estimates::{of_input, too_few};
use crate::race::speed::field::Field;
use crate::race::speed::quiet::read_through;
use crate::race::speed::samples::{RacePlan, Samples};
use crate::race::speed::steady;
use crate::race::speed::stream::Stream;
use crate::race::speed::tables::{input_table, others, sample_line};
use crate::system::server_process::ServerProcess;
use crate::terminal::{count, plural};
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::Configuration;
use kuu_core::speed::{SampleKey, SpeedEstimate, SpeedPhase, SpeedRecord};
use kuu_core::workload::FilePart;
use std::time::Duration;

/// The parts of the file on which engines race: a sixteenth, a quarter, and the whole.
const SIZES: [u64; 3] = [16, 4, 1];
/// How long a steady run takes from its first row on: usually, and in a first look.
const STEADY: Duration = Duration::from_secs(60);
const QUICK_STEADY: Duration = Duration::from_secs(15);
/// A steady input has more frames than the fastest engine takes by its cold rate: warm, it is faster.
const SPARE: f64 = 1.6;

/// Runs the race.
///
/// # Errors
/// If the file cannot be raced on, or the broker fails.
pub fn run(arguments: &RaceArgs, session: &Session, task: &Task, engines: &[Entrant]) -> Result<ExitStatus> {
    let cluster = kafka(session)?;
    let field = Field::new(engines);
    let Some(reference) = field.reference().map(str::to_owned) else {
        bail!("no engine can run: kuu engines says what is missing");
    };
    let whole = task.input("whole", FilePart::default(), &session.stop)?;
    let stem = format!("race-{}", session.begun.compact());
    let setup = super::setup(arguments, session, &cluster, &stem);
    let source = whole.question.source().cloned().context("the file was not read")?;
    let plan = RacePlan { input: source.sha256.clone(), engines: field.record(), options: plan_options(arguments) };
    let samples = Samples::open(&setup.directory, &plan)?;
    let broker = ServerProcess::behind(&cluster.settings().brokers);
    let speed = SpeedSetup { race: &setup, broker };
    let rounds = if arguments.quick { super::QUICK_ROUNDS } else { arguments.rounds };
    let mut race = SpeedRace { arguments, session, task, field: &field, speed: &speed, samples, rounds };
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
    let done = race.cold(source.frames).and_then(|()| race.steady(&whole, source.frame_bytes / source.frames.max(1)));
    if session.stop.interrupted() {
        session.screen.say(format!(
            "interrupted after {}: the same command with --into {} goes on from there",
            plural(race.samples.all().len() as u64, "run"),
            setup.directory.display()
        ));
        return Ok(ExitStatus::Interrupted);
    }
    done?;
    let record = race.finish(&reference);
    let is_right = record.samples.iter().all(|sample| sample.verdict.is_right());
    let config = super::config(arguments, engines, setup.deadline, Vec::new(), Some(task));
    let rounds = config.speed.as_ref().map_or(0, |speed| speed.rounds);
    let mut all = session.record(Configuration::Race, config);
    all.broker = Some(session::broker(&cluster));
    all.input = vec![source];
    all.remarks.extend(too_few(rounds as usize));
    all.speed = Some(record);
    let saved = session.print(&all).and_then(|()| session.store(&format!("{stem}.json"), &all));
    let saved = saved.context("the race was run, but its record is not written");
    let status = if is_right { ExitStatus::Fine } else { ExitStatus::Wrong };
    status.after(saved.map(|path| session.screen.say(format!("record: {}", path.display()))))
}

/// The broker: the embedded one drops what it cannot hold.
fn kafka(session: &Session) -> Result<Cluster> {
    let cluster = session::measured(session, "race")?;
    if cluster.is_embedded() {
        bail!(
            "a race for speed needs Apache Kafka, as the embedded broker holds 5 MiB a partition: scripts/kafka.sh start, \
             and then kuu race ... --brokers localhost:9092"
        );
    }
    Ok(cluster)
}

/// The options without which samples cannot be compared.
fn plan_options(arguments: &RaceArgs) -> std::collections::BTreeMap<String, String> {
    let options = [
        ("partitions", arguments.partitions.to_string()),
        ("window", arguments.window.to_string()),
        ("lateness", format!("{:?}", arguments.lateness)),
        ("memory", arguments.memory.to_string()),
        ("quick", arguments.quick.to_string()),
    ];
    options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A race that runs.
struct SpeedRace<'a> {
    arguments: &'a RaceArgs,
    session: &'a Session,
    task: &'a Task,
    field: &'a Field<'a>,
    speed: &'a SpeedSetup<'a>,
    samples: Samples,
    rounds: u32,
}

impl SpeedRace<'_> {
    /// All cold runs: in each round every engine on every size.
    fn cold(&mut self, frames: u64) -> Result<()> {
        let mut inputs: Vec<(u64, Option<TopicInput>)> = SIZES.iter().map(|part| (frames / part, None)).collect();
        inputs.retain(|(frames, _)| *frames > 0);
        inputs.dedup_by_key(|(frames, _)| *frames);
        let done = self.cold_rounds(&mut inputs);
        let topics: Vec<&str> = inputs.iter().filter_map(|(_, input)| Some(input.as_ref()?.topic.as_str())).collect();
        let deleted = self.speed.race.cluster.delete(&topics);
        done.and(deleted)
    }

    fn cold_rounds(&mut self, inputs: &mut [(u64, Option<TopicInput>)]) -> Result<()> {
        for round in 1..=self.rounds {
            for (frames, input) in inputs.iter_mut() {
                let mut is_read = false;
                for (turn, starter) in self.field.turns(round) {
                    let engine = starter.name.clone();
                    let key = SampleKey { phase: SpeedPhase::Cold, frames: *frames, round, turn, engine };
                    if self.samples.has(&key)
                        || starter.obstacle.is_some()
                        || self.samples.wrong(&starter.name).is_some()
                    {
                        continue;
                    }
                    let input = match input {
                        Some(input) => input,
                        None => input.insert(self.topic_input(*frames)?),
                    };
                    if !is_read {
                        read_through(self.speed.race.cluster, &input.topic)?;
                        is_read = true;
                    }
                    let sample = cold::run(self.speed, input, starter, key)
                        .with_context(|| format!("engine {}", starter.name))?;
                    self.session.screen.say(sample_line(&sample));
                    self.samples.add(sample)?;
                }
            }
        }
        Ok(())
    }

    /// A topic with the first frames of the file.
    fn topic_input(&self, frames: u64) -> Result<TopicInput> {
        let part = FilePart { frames: Some(frames), last_users: true };
        let of = self.task.input(&frames.to_string(), part, &self.session.stop)?;
        let topic = format!("{}-{frames}-messages", self.speed.race.id);
        fill(self.speed.race.cluster, &topic, &of, &self.session.stop)?;
        Ok(TopicInput { topic, of })
    }

    /// All steady runs, on one input that no engine comes to the end of.
    fn steady(&mut self, whole: &crate::race::question::RaceWorkload, frame_bytes: u64) -> Result<()> {
        let time = if self.arguments.quick { QUICK_STEADY } else { STEADY };
        let cold = self.samples.all().iter().filter(|sample| sample.key.phase == SpeedPhase::Cold);
        let fastest = cold.filter_map(|sample| sample.speed()).fold(0.0, f64::max);
        let stream = Stream::new(whole, &self.task.file, (fastest * SPARE * time.as_secs_f64()) as u64)?;
        let topic = format!("{}-steady-messages", self.speed.race.id);
        let done = self.steady_rounds(&stream, &topic, frame_bytes, time);
        let deleted = self.speed.race.cluster.delete(&[&topic]);
        done.and(deleted)
    }

    fn steady_rounds(&mut self, stream: &Stream<'_>, topic: &str, frame_bytes: u64, time: Duration) -> Result<()> {
        let mut is_there = false;
        for round in 1..=self.rounds {
            for (turn, starter) in self.field.turns(round) {
                let key = SampleKey { phase: SpeedPhase::Steady, frames: 0, round, turn, engine: starter.name.clone() };
                if self.samples.has(&key) || starter.obstacle.is_some() || self.samples.wrong(&starter.name).is_some() {
                    continue;
                }
                if !is_there {
                    self.fill_stream(stream, topic, frame_bytes)?;
                    is_there = true;
                }
                let sample = steady::run(self.speed, stream, topic, starter, key, time)
                    .with_context(|| format!("engine {}", starter.name))?;
                self.session.screen.say(sample_line(&sample));
                self.samples.add(sample)?;
            }
        }
        Ok(())
    }

    fn fill_stream(&self, stream: &Stream<'_>, topic: &str, frame_bytes: u64) -> Result<()> {
        let compression = stream.compression(frame_bytes);
        self.session.screen.say(format!(
            "steady: an input of {} frames is sent, compression {}",
            count(stream.len()),
            <&str>::from(compression)
        ));
        let bar = self.session.screen.bar(stream.len(), "{spinner} {pos} of {len} frames  {elapsed}");
        let stop = &self.session.stop;
        let filled = stream.fill(self.speed.race.cluster, topic, compression, stop, |sent| bar.set_position(sent));
        bar.finish_and_clear();
        filled
    }

    /// Prints the tables, and returns everything.
    fn finish(self, reference: &str) -> SpeedRecord {
        let mut inputs: Vec<(SpeedPhase, u64)> = Vec::new();
        for sample in self.samples.all() {
            let input = (sample.key.phase, sample.key.frames);
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        }
        let mut all: Vec<SpeedEstimate> = Vec::new();
        for (phase, frames) in inputs {
            let estimates = of_input(self.samples.all(), phase, frames, reference);
            let what = match phase {
                SpeedPhase::Cold => format!("cold, {} frames: from the start to the right answer", count(frames)),
                SpeedPhase::Steady => "steady: frames per second in the second half of a run".to_owned(),
            };
            let table = input_table(&estimates, self.samples.all(), reference);
            self.session.screen.say(format!("\n{what}\n{table}"));
            all.extend(estimates);
        }
        let obstacle = |engine: &kuu_core::speed::RacedEngine| Some((engine.name.clone(), engine.obstacle.clone()?));
        let obstacles: Vec<(String, String)> = self.field.record().iter().filter_map(obstacle).collect();
        let others = others(self.samples.all(), &obstacles);
        if !others.is_empty() {
            self.session.screen.say(format!("\nwithout figures:\n{}", others.join("\n")));
        }
        if let Some(words) = too_few(self.rounds as usize) {
            self.session.screen.say(format!("\n{words}"));
        }
        let engines = self.field.record();
        SpeedRecord { reference: reference.to_owned(), engines, samples: self.samples.into_all(), estimates: all }
    }
}
