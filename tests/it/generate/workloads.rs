//! Every workload: its truth file, `batch`, a count of its file and a count of its topic agree, to the frame.

use crate::support::broker::{Mock, ends, is_in_transaction, rows};
use crate::support::frames::fixture_windows;
use crate::support::kuu::{Kuu, each, eventually};
use crate::support::topics::Topics;
use crate::support::wire::{Ledger, Window, settle};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::mem::ManuallyDrop;

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/workloads");

/// What the tests read of a workload's file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Workload {
    #[serde(skip)]
    name: String,
    tier: String,
    #[serde(default)]
    targets: BTreeSet<String>,
    #[serde(default)]
    file: Option<String>,
    frames: toml::Table,
    #[serde(default)]
    delivery: toml::Table,
    #[serde(default)]
    epilogue: bool,
    expect: Expected,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Expected {
    read: u64,
    counted: u64,
    #[serde(default)]
    malformed: BTreeMap<String, u64>,
    #[serde(default)]
    too_late: u64,
    windows: usize,
}

/// What the tests read of a row of a truth file.
#[derive(Debug, Deserialize)]
struct Row {
    unit: String,
    start: i64,
    users: u64,
    users_min: u64,
    users_max: u64,
    frames: u64,
    counted: Option<Counted>,
}

#[derive(Debug, Deserialize)]
struct Counted {
    users: u64,
    frames: u64,
}

fn workloads() -> Vec<Workload> {
    let mut all: Vec<Workload> = fs::read_dir(DIRECTORY)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let workload: Workload = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            Workload { name: path.file_stem().unwrap().to_str().unwrap().into(), ..workload }
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

impl Workload {
    /// The windows that a count has: as the truth file says, or as an independent program counted the fixture.
    fn windows(&self, kuu: &Kuu) -> Vec<Window> {
        if self.file.is_some() {
            return sorted(fixture_windows());
        }
        let text = fs::read_to_string(kuu.path("frames.jsonl.truth.jsonl")).unwrap();
        let rows: Vec<Row> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut windows = Vec::new();
        for Row { unit, start, users, users_min, users_max, frames, counted } in rows {
            assert!(users_min <= users_max && users == users_max);
            let Counted { users, frames } = counted.unwrap_or(Counted { users, frames });
            if frames > 0 {
                windows.push(Window { unit, start, users, frames });
            }
        }
        assert_eq!(windows.len(), self.expect.windows, "{}", self.name);
        sorted(windows)
    }

    fn units(&self) -> String {
        match self.frames.get("window").and_then(toml::Value::as_array) {
            Some(units) => units.iter().map(|unit| unit.as_str().unwrap()).collect::<Vec<_>>().join(","),
            None => "minute".into(),
        }
    }

    /// Whether a broker that knows neither transactions nor large messages, and keeps 5 MiB a partition, is enough.
    fn is_for_any_broker(&self) -> bool {
        self.file.is_none()
            && !self.delivery.contains_key("transactions")
            && !self.delivery.contains_key("max-message-bytes")
    }

    /// Asserts that a ledger is the expected one; a file has no messages without a value.
    #[track_caller]
    fn check(&self, ledger: &Ledger, tombstones: u64, epilogue: u64) {
        let mut malformed = self.expect.malformed.clone();
        let left_out =
            malformed.values().sum::<u64>() - (self.expect.read - self.expect.counted - self.expect.too_late);
        assert_eq!(left_out, 0, "{}: its own numbers do not add up", self.name);
        if tombstones > 0 {
            *malformed.entry("not_json".into()).or_default() -= tombstones;
            malformed.retain(|_, count| *count > 0);
        }
        let expected =
            (self.expect.read - tombstones + epilogue, self.expect.counted + epilogue, malformed, self.expect.too_late);
        let found = (ledger.read, ledger.counted, ledger.malformed.clone(), ledger.too_late);
        assert_eq!(found, expected, "{}", self.name);
    }

    /// Makes the file, and compares `batch` and a count of it, with both parsers.
    fn of_file(&self, kuu: &Kuu) {
        let Workload { name, .. } = self;
        let generate = format!("generate --workloads {DIRECTORY} --workload {name} -o frames.jsonl --force");
        if let Some(file) = &self.file {
            // Other tests count it.
            kuu.run(&generate)
                .exits(2)
                .complains(&format!("those of {DIRECTORY}/{file}: there is nothing to generate"));
            return;
        }
        kuu.run(&generate).exits(0);
        let windows = self.windows(kuu);
        let tombstones = self.tombstones();
        let count = format!("count frames.jsonl --window {}", self.units());
        for parser in ["fast", "plain"] {
            kuu.run(&format!("batch frames.jsonl --check frames.jsonl.truth.jsonl --parser {parser}")).exits(0);
            let found = settle(&kuu.run(&format!("{count} --parser {parser}")).exits(0).rows());
            assert_eq!(sorted(found), windows, "{name}, {parser}");
        }
        self.check(kuu.run(&format!("{count} --json")).exits(0).document().ledger(), tombstones, 0);
    }

    /// Delivers the workload, and compares a count of its topic.
    fn of_topic(&self, kuu: &Kuu, topics: &Topics, parser: &str) {
        let Workload { name, .. } = self;
        let (messages, output) = (&topics.messages, &topics.output);
        let done = kuu.run(&format!("produce --workloads {DIRECTORY} --workload {name} --topic {messages}"));
        // A busy machine may be late.
        let has_rate = self.delivery.contains_key("rate");
        assert!(done.code == Some(0) || (has_rate && done.code == Some(5)), "{done}");
        assert_eq!(done.out.contains("on schedule") || done.out.contains("behind its schedule"), has_rate, "{done}");
        kuu.run(&format!("count {} --window {} --parser {parser}", topics.counting(), self.units())).exits(0);
        let windows = self.windows(kuu);
        let mut found = settle(&rows(&topics.address, output));
        if self.epilogue {
            let last = windows.last().unwrap().start;
            found.retain(|window| window.start <= last);
        }
        assert_eq!(sorted(found), windows, "{name}");
        let partitions = self.frames["partitions"].as_integer().unwrap() as u64;
        let epilogue = if self.epilogue { 3 * partitions * 64.max(1_000_u64.div_ceil(partitions)) } else { 0 };
        self.check(kuu.record("count").ledger(), 0, epilogue);
        // What the retention cut off is not in the truth.
        let status = if self.expect.too_late == 0 { 0 } else { 1 };
        kuu.run(&format!("verify --topic {messages} --output {output}")).exits(status);
    }

    fn tombstones(&self) -> u64 {
        let share = self.delivery.get("tombstones").and_then(toml::Value::as_float).unwrap_or(0.0);
        (self.frames["frames"].as_integer().unwrap() as f64 * share) as u64
    }
}

fn sorted(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort_by(|a, b| (&a.unit, a.start).cmp(&(&b.unit, b.start)));
    windows
}

#[test]
fn every_mistake_is_the_target_of_two() {
    let all = workloads();
    assert!(all.len() >= 20);
    let mistakes: BTreeMap<&str, usize> =
        all.iter().flat_map(|workload| &workload.targets).fold(BTreeMap::new(), |mut counts, mistake| {
            *counts.entry(mistake.as_str()).or_default() += 1;
            counts
        });
    assert_eq!(mistakes.len(), 11, "{mistakes:?}");
    assert!(mistakes.values().all(|count| *count >= 2), "{mistakes:?}");
    let tiers: BTreeSet<&str> = all.iter().map(|workload| workload.tier.as_str()).collect();
    assert_eq!(tiers, ["contract", "dialect", "fault"].into());
}

#[test]
fn on_files_and_on_the_embedded_broker() {
    let mock = Mock::empty();
    let made = |workload: Workload| {
        // The embedded broker deletes no topics.
        let topics = ManuallyDrop::new(Topics::at(&mock.address, &workload.name));
        mock.topic(&topics.output, 1);
        mock.topic(&topics.messages, workload.frames["partitions"].as_integer().unwrap() as i32);
        mock.group(&topics.messages);
        (workload, topics)
    };
    let all: Vec<_> = workloads().into_iter().map(made).collect();
    each(&all, |(workload, topics)| {
        let kuu = Kuu::with(&topics.address);
        workload.of_file(&kuu);
        if workload.is_for_any_broker() {
            workload.of_topic(&kuu, topics, "fast");
        }
    });
}

#[test]
#[ignore = "needs Kafka"]
fn on_kafka() {
    for workload in workloads() {
        let topics = Topics::new(&workload.name);
        let kuu = Kuu::with(&topics.address);
        if workload.file.is_none() {
            let name = &workload.name;
            kuu.run(&format!("generate --workloads {DIRECTORY} --workload {name} -o frames.jsonl")).exits(0);
        }
        workload.of_topic(&kuu, &topics, "plain");
    }
}

#[test]
fn a_file_that_is_wrong_is_refused() {
    let kuu = Kuu::new();
    let run = |name: &str| kuu.run(&format!("generate --workload {name} --workloads . -o a.jsonl")).exits(2);
    run("a").complains("no workload ./a.toml: in . there are none at all");
    let text = fs::read_to_string(format!("{DIRECTORY}/late.toml")).unwrap();
    kuu.file("a.toml", text.replace("users = ", "useres = "));
    run("a").complains("a.toml: TOML parse error at line 8, column 1").complains("unknown field `useres`");
    kuu.file("a.toml", text.replace("late-beyond=0.03", "late-beyond=3"));
    run("a").complains("a share is a number from 0 to 1");
    run("b").complains("in . there are a (--workloads");
    kuu.run("generate --workload a --frames 7 -o a.jsonl").exits(2).complains("--frames");
    kuu.run("produce --workload a a.jsonl").exits(2).complains("cannot be used with");
    run("../a").complains("no workload ../a: a name has no /");
    fs::create_dir(kuu.path("c.toml")).unwrap();
    run("c.toml").complains("c.toml is no file");
}

/// With an address at which no broker answers: the workload is refused before anything is sent.
#[test]
fn one_that_does_not_show_its_target_is_refused() {
    let kuu = Kuu::new();
    let text = fs::read_to_string(format!("{DIRECTORY}/small-frames.toml")).unwrap();
    kuu.file("a.toml", text.replace("adds-partitions", "counts-aborted"));
    for command in ["generate --workload a.toml -o a.jsonl", "produce --workload a.toml"] {
        kuu.run(command).exits(2).complains("workload a.toml: targets: counts-aborted gives the right answer here");
    }
    assert!(!kuu.path("a.jsonl").exists());
}

#[test]
fn into_a_topic_that_must_not_be_filled() {
    let mock = Mock::empty();
    let topics = ManuallyDrop::new(Topics::at(&mock.address, "filled"));
    let kuu = Kuu::with(&mock.address);
    let produce =
        |name: &str| kuu.run(&format!("produce --workloads {DIRECTORY} --workload {name} --topic {}", topics.messages));
    mock.topic(&topics.messages, 4);
    produce("late-keyed").exits(0);
    let done = produce("late-keyed").exits(2).complains("already holds 3,000 frames: --recreate deletes the topic");
    assert!(!done.err.contains("--append"), "{}", done.err);

    // Frames of files after those of a workload, which no file has.
    let more = kuu.file("more.jsonl", "{\"uid\":\"a\",\"ts\":1}\n");
    kuu.run(&format!("produce {more} --append --topic {}", topics.messages)).exits(0);
    let verify = format!("verify --topic {} --output {}", topics.messages, topics.output);
    kuu.run(&verify).exits(2).complains("it holds 3,000 frames of which there is no receipt");
}

#[test]
fn interrupted_without_a_broker() {
    let mock = Mock::empty();
    let topics = ManuallyDrop::new(Topics::at(&mock.address, "interrupted"));
    let kuu = Kuu::with(&mock.address);
    let text = fs::read_to_string(format!("{DIRECTORY}/small-frames.toml")).unwrap();
    kuu.file("long.toml", text.replacen("frames = 6000", "frames = 100000000", 1));
    mock.topic(&topics.messages, 4);
    let running = kuu.spawn(&format!("produce --workload long.toml --topic {}", topics.messages));
    eventually("frames", || ends(&mock.address, &topics.messages).iter().any(|end| *end > 0).then_some(()));
    mock.down();
    running.signal("INT");
    running.wait().exits(130);
    mock.up();
    let verify = format!("verify --topic {} --output {}", topics.messages, topics.output);
    kuu.run(&verify).exits(2).complains("was not finished: it was interrupted after");
}

#[test]
#[ignore = "needs Kafka"]
fn interrupted_in_a_transaction() {
    let topics = Topics::new("interrupted-transaction");
    let kuu = Kuu::with(&topics.address);
    let text = fs::read_to_string(format!("{DIRECTORY}/aborted.toml")).unwrap();
    kuu.file("long.toml", text.replacen("frames = 6000", "frames = 100000000", 1));
    topics.make(&topics.messages, 4, &[]);
    let running = kuu.spawn(&format!("produce --workload long.toml --topic {}", topics.messages));
    eventually("frames", || ends(&topics.address, &topics.messages).iter().any(|end| *end > 0).then_some(()));
    running.signal("INT");
    running.wait().exits(130);
    assert!(!is_in_transaction(&topics.address, &topics.messages));
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    let sent = kuu.record("produce").figures["read_frames"].value as u64;
    assert_eq!(kuu.record("count").ledger().counted, sent);
    let verify = format!("verify --topic {} --output {}", topics.messages, topics.output);
    kuu.run(&verify).exits(2).complains("was not finished: it was interrupted after");
}
