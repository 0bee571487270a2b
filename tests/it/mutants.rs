//! The mutants: each makes one mistake, which the diagnosis must name on every workload that targets it, and no other.

use crate::support::broker::{Mock, ends, values};
use crate::support::kuu::{Kuu, each, eventually};
use crate::support::start::Start as _;
use crate::support::topics::Topics;
use kuu_core::diagnosis::{Case, UsersByWindow, in_words};
use kuu_core::window::Unit;
use kuu_core::workload::{Mistake, Tier, Workload};
use std::fs;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/workloads");

/// The example that is all mutants.
fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_kuu")).with_file_name("examples").join("mutant");
    assert!(path.exists(), "{} is missing: cargo build --locked --example mutant", path.display());
    path
}

fn workloads() -> Vec<(String, Workload)> {
    let mut all: Vec<(String, Workload)> = fs::read_dir(DIRECTORY)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let workload = Workload::parse(&fs::read_to_string(&path).unwrap()).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), workload)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// A row as a mutant writes it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct MutantRow {
    unit: String,
    start: i64,
    users: u64,
}

/// A workload in a topic, which mutants count.
struct Stage {
    name: String,
    workload: Workload,
    case: Case,
    topics: ManuallyDrop<Topics>,
    kuu: Kuu,
}

impl Stage {
    fn new((name, workload): (String, Workload), topics: ManuallyDrop<Topics>) -> Stage {
        let case = match &workload.file {
            None => Case::of_made(&workload).unwrap(),
            Some(file) => {
                let mut text = String::new();
                let file = fs::File::open(Path::new(DIRECTORY).join(file)).unwrap();
                std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
                Case::of_lines(&workload, text.lines())
            }
        };
        case.check_targets(&(now()..=now() + 60)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let kuu = Kuu::with(&topics.address);
        Stage { name, workload, case, topics, kuu }
    }

    fn produce(&self) -> String {
        format!("produce --workloads {DIRECTORY} --workload {} --topic {}", self.name, self.topics.messages)
    }

    fn output(&self, mutant: &str) -> String {
        format!("{}-{mutant}", self.topics.output)
    }

    fn spawn(&self, mutant: &str, end: &[i64]) -> Child {
        let units: Vec<String> = self.workload.frames.window.iter().map(Unit::to_string).collect();
        Command::new(program())
            .arg(mutant)
            .env("KUU_BROKERS", &self.topics.address)
            .env("KUU_INPUT", &self.topics.messages)
            .env("KUU_INPUT_END", serde_json::to_string(end).unwrap())
            .env("KUU_OUTPUT", self.output(mutant))
            .env("KUU_WINDOW", units.join(","))
            .env("KUU_STATE_DIR", self.kuu.path(""))
            .stdout(Stdio::null())
            .start()
    }

    /// The diagnosis of a mutant that reads all that the topic has.
    fn diagnosis(&self, mutant: &str) -> String {
        let started = now();
        let status = self.spawn(mutant, &ends(&self.topics.address, &self.topics.messages)).wait().unwrap();
        assert!(status.success(), "{mutant}, {}: {status}", self.name);
        self.words(mutant, started)
    }

    /// Why the rows of a mutant are wrong, in words; nothing if they are right.
    fn words(&self, mutant: &str, started: i64) -> String {
        let rows = values(&self.topics.address, &self.output(mutant));
        let users = rows.iter().map(|row| {
            let row: MutantRow = serde_json::from_slice(row).unwrap();
            (row.unit.parse::<Unit>().unwrap().window(row.start), row.users)
        });
        let answer: UsersByWindow = users.collect();
        if self.case.is_right(&answer) || self.case.accepted(&answer).is_some() {
            return String::new();
        }
        let found = self.case.diagnose(&answer, &(started..=now()));
        let mistakes: Vec<String> = found.iter().map(|diagnosis| diagnosis.mistake.to_string()).collect();
        if mistakes.is_empty() {
            format!("{}: {}", in_words(&found), self.case.size(&answer))
        } else {
            mistakes.join(" or ")
        }
    }

    /// Checks that the mutants of its targets are named, and the one without a mistake is not.
    fn check(&self) {
        self.kuu.run(&self.produce()).exits(0);
        assert_eq!(self.diagnosis("none"), "", "{}", self.name);
        for target in self.workload.targets.iter().filter(|target| **target != Mistake::CountsTwice) {
            assert_eq!(self.diagnosis(&target.to_string()), target.to_string(), "{}", self.name);
        }
    }

    /// Kills the mutant that counts twice in the middle, and starts it again. Returns false if the machine was so busy that
    /// the mutant had read almost everything by its first checkpoint after a third: nothing is left to count twice.
    fn check_crash(&self) -> bool {
        let frames = self.workload.frames.frames;
        let partitions = u64::from(self.workload.frames.partitions);
        let end: Vec<i64> = (0..partitions).map(|_| (frames / partitions) as i64).collect();
        let started = now();
        let producing = self.kuu.spawn(&self.produce());
        let messages = &self.topics.messages;
        let mut mutant = self.spawn("counts-twice", &end);
        let read = || {
            let text = fs::read_to_string(self.kuu.path("checkpoint.json")).ok()?;
            let checkpoint: serde_json::Value = serde_json::from_str(&text).unwrap();
            Some(checkpoint["offsets"].as_array()?.iter().filter_map(serde_json::Value::as_i64).sum::<i64>())
        };
        // Users of the window that is open then come before and after it.
        eventually("a checkpoint in the middle", || (read()? * 3 >= frames as i64).then_some(()));
        mutant.kill().unwrap();
        mutant.wait().unwrap();
        let is_in_time = read().unwrap() * 10 < frames as i64 * 9;
        let done = producing.close().wait();
        assert!([Some(0), Some(5)].contains(&done.code), "{done}");
        assert_eq!(ends(&self.topics.address, messages), end);
        if is_in_time {
            assert!(self.spawn("counts-twice", &end).wait().unwrap().success());
            assert_eq!(self.words("counts-twice", started), Mistake::CountsTwice.to_string(), "{}", self.name);
        }
        is_in_time
    }
}

#[test]
fn each_is_named_on_its_workloads() {
    let mock = Mock::empty();
    let fits = |(_, workload): &(String, Workload)| {
        let delivery = &workload.delivery;
        let is_simple =
            delivery.transactions.is_none() && delivery.max_message_bytes.is_none() && delivery.rate.is_none();
        workload.file.is_none() && is_simple
    };
    let stage = |(name, workload): (String, Workload)| {
        let topics = ManuallyDrop::new(Topics::at(&mock.address, &format!("mutant-{name}")));
        mock.topic(&topics.messages, workload.frames.partitions.into());
        let stage = Stage::new((name, workload), topics);
        let targets = stage.workload.targets.iter().map(Mistake::to_string);
        targets.chain(["none".to_owned()]).for_each(|mutant| mock.topic(&stage.output(&mutant), 1));
        stage
    };
    let all: Vec<Stage> = workloads().into_iter().filter(fits).map(stage).collect();
    assert!(all.len() > 25);
    each(&all, Stage::check);
}

#[test]
fn one_that_counts_twice_after_a_crash() {
    let mock = Mock::empty();
    let (name, workload) = workloads().into_iter().find(|(name, _)| name == "kill").unwrap();
    let topics = ManuallyDrop::new(Topics::at(&mock.address, "mutant-kill"));
    mock.topic(&topics.messages, workload.frames.partitions.into());
    let stage = Stage::new((name, workload), topics);
    mock.topic(&stage.output("counts-twice"), 1);
    assert!(stage.check_crash(), "the machine is too busy");
}

#[test]
#[ignore = "needs Kafka"]
fn each_is_named_on_kafka() {
    for (name, workload) in workloads() {
        let stage = |attempt: u32| {
            let topics = Topics::new(&format!("mutant-{name}-{attempt}"));
            Stage::new((name.clone(), workload.clone()), ManuallyDrop::new(topics))
        };
        if workload.tier == Tier::Fault {
            let is_done = (1..=3).map(stage).any(|stage| {
                stage.topics.make(&stage.topics.messages, stage.workload.frames.partitions.into(), &[]);
                stage.check_crash()
            });
            assert!(is_done, "{name}: the machine is too busy");
        } else {
            stage(1).check();
        }
    }
}
