//! Whatever is killed, whenever: a read_committed reader sees one on-time result a window and then true corrections, the
//! fold of them is the truth, and no frame is lost or counted twice. On real Kafka.
//!
//! The moments are random: their seed is printed, and `KUU_TEST_SEED` repeats it.

use crate::broker::{committed, is_in_transaction, read, rows};
use crate::frames::{MINUTE, frame, frames, lines, windows, windows_by};
use crate::kuu::{Kuu, eventually};
use crate::topics::Topics;
use crate::wire::{Window, settle};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// At least so many kills in one replay.
const KILLS: usize = 24;
const SOON: Duration = Duration::from_secs(60);

/// Random numbers that can be had again.
pub struct Random(u64);

impl Random {
    pub fn new(test: &str) -> Random {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = std::env::var("KUU_TEST_SEED").map_or(now, |seed| seed.parse().expect("KUU_TEST_SEED is no number"));
        eprintln!("{test}: KUU_TEST_SEED={seed}");
        Random(seed | 1)
    }

    /// xorshift64
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    pub fn nap(&mut self, most: Duration) {
        thread::sleep(Duration::from_micros(self.below(most.as_micros() as u64)));
    }
}

/// Frames in a topic of their own, and what must come of them.
pub struct Case {
    pub topics: Topics,
    pub kuu: Kuu,
    file: String,
    pub all: Vec<Vec<u8>>,
}

impl Case {
    pub fn new(test: &str, all: Vec<Vec<u8>>) -> Case {
        let topics = Topics::new(test);
        let kuu = Kuu::with(&topics.address);
        let file = kuu.file("all.jsonl", lines(&all));
        Case { topics, kuu, file, all }
    }

    fn produce(&self) {
        self.kuu.run(&format!("produce {} --topic {} --partitions 4", self.file, self.topics.messages)).exits(0);
    }

    fn produce_more(&mut self, more: Vec<Vec<u8>>) {
        let file = self.kuu.file("more.jsonl", lines(&more));
        self.kuu.run(&format!("produce {file} --append --topic {}", self.topics.messages)).exits(0);
        self.all.extend(more);
        self.file = self.kuu.file("all.jsonl", lines(&self.all));
    }

    pub fn count(&self, options: &str) -> String {
        format!("count {} {options}", self.topics.counting())
    }

    /// What whoever reads the results believes so far.
    pub fn settled(&self) -> Vec<Window> {
        settle(&rows(&self.topics.address, &self.topics.output))
    }

    /// How many frames are committed.
    pub fn position(&self) -> i64 {
        let positions = committed(&self.topics.address, &self.topics.messages, &self.topics.messages);
        positions.into_iter().map(|position| position.max(0)).sum()
    }

    /// Counts what is left, and asserts that everything is there exactly once.
    pub fn settles(&self, options: &str, expected: &[Window]) {
        self.kuu.run(&self.count(options)).exits(0);
        assert_eq!(self.settled(), expected);
        let frames = self.all.len() as u64;
        let ledger = self.kuu.record("count").ledger().clone();
        assert_eq!((ledger.read, ledger.counted, ledger.too_late), (frames, frames, 0));
        assert_eq!(self.position() as u64, frames);
        let (messages, output) = (&self.topics.messages, &self.topics.output);
        self.kuu.run(&format!("verify {} --topic {messages} --output {output}", self.file)).exits(0);
    }
}

/// Kills while a topic is counted, each transaction a few hundred frames.
#[test]
#[ignore = "needs Kafka"]
fn kills_while_catching_up() {
    let mut random = Random::new("kills_while_catching_up");
    let mut case = Case::new("kills", frames(150_000));
    case.produce();
    let (mut runs, mut hit, mut advances, mut before) = (0, 0, 0, 0);
    // However long a start takes here, some runs must get as far as a commit.
    let mut most = Duration::from_millis(700);
    while hit < KILLS || advances < 3 {
        assert!(runs < 3 * KILLS, "of {runs} runs {hit} were killed and {advances} committed anything");
        runs += 1;
        // Once all are counted, the same frames come again, late by hours.
        if before as usize == case.all.len() {
            case.produce_more(case.all.clone());
        }
        let running = case.kuu.spawn(&case.count("--commit-interval 0ms"));
        random.nap(most);
        hit += usize::from(running.kill());
        let now = case.position();
        assert!(now >= before, "the position went back from {before} to {now}");
        match now > before {
            true => advances += 1,
            false => most += Duration::from_millis(50),
        }
        before = now;
        case.settled();
    }
    let all = case.all.len();
    eprintln!("{hit} kills hit a running count, {advances} runs committed, {before} of {all} frames are counted");
    case.settles("", &windows(&case.all));
}

/// Kills while frames keep coming, and windows of a second close all the time.
#[test]
#[ignore = "needs Kafka"]
fn kills_while_following() {
    let mut random = Random::new("kills_while_following");
    let case = Case::new("kills-live", frames(60_000));
    case.topics.make(&case.topics.messages, 4, &[]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            trickle(&case, Duration::from_millis(2), &done);
        });
        let mut hit = 0;
        for _ in 0..KILLS {
            let options = "--window second,minute --follow --idle 60s --commit-interval 1ms --threads 2";
            let running = case.kuu.spawn(&case.count(options));
            random.nap(Duration::from_millis(1_200));
            hit += usize::from(running.kill());
            case.settled();
        }
        assert_eq!(hit, KILLS);
        done.store(true, Ordering::Relaxed);
    });
    let expected = [windows(&case.all), windows_by("second", &case.all, |ts| ts)].concat();
    case.settles("--window second,minute", &expected);
}

/// Sends the frames a hundred at a time, and without a pause once it is `done`.
fn trickle(case: &Case, pause: Duration, done: &AtomicBool) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &case.topics.address)
        .set("enable.idempotence", "true")
        .create()
        .unwrap();
    for (i, frame) in case.all.iter().enumerate() {
        // By the user, but not as kuu does it: whatever the partition, the answer is the same.
        let uid = serde_json::from_slice::<crate::frames::Frame>(frame).unwrap().uid;
        let partition = uid.bytes().map(i32::from).sum::<i32>() % 4;
        let record = BaseRecord::<str, _>::to(&case.topics.messages).partition(partition).payload(frame);
        assert!(producer.send(record).is_ok());
        if i % 100 == 99 && !done.load(Ordering::Relaxed) {
            producer.poll(Duration::ZERO);
            thread::sleep(pause * 25);
        }
    }
    producer.flush(SOON).unwrap();
}

/// Kills right after the start, while a large state is restored, and around the last flush.
#[test]
#[ignore = "needs Kafka"]
fn kills_at_the_start_and_at_the_end() {
    let mut random = Random::new("kills_at_the_start_and_at_the_end");
    // Every frame is another user: the state is as large as it gets.
    let users = |range: std::ops::Range<usize>| range.map(|i| frame(&format!("user-{i}"), MINUTE + i as i64 / 200));
    let mut case = Case::new("kills-ends", users(0..120_000).collect());
    case.produce();
    // Half of it, then the state is large.
    let running = case.kuu.spawn(&case.count("--commit-interval 0ms --window minute,year"));
    eventually("half of the frames", || (case.position() > 40_000).then_some(()));
    running.kill();
    for _ in 0..8 {
        let running = case.kuu.spawn(&case.count("--window minute,year"));
        random.nap(Duration::from_millis(20));
        assert!(running.kill(), "nothing starts in 20 ms");
        case.settled();
    }
    // With a long interval there is one commit, at the end: the kills close in on it from both sides.
    let (mut hit, mut runs, mut commits) = (0, 0, 0);
    let mut around = Duration::from_millis(300);
    while hit < 12 || commits < 4 {
        let running = case.kuu.spawn(&case.count("--window minute,year --commit-interval 40s"));
        thread::sleep(around.mul_f64(0.8));
        random.nap(around.mul_f64(0.4));
        hit += usize::from(running.kill());
        runs += 1;
        case.settled();
        let counted = case.position() as usize;
        if counted == case.all.len() {
            commits += 1;
            around = around.mul_f64(0.9);
            case.produce_more(users(counted..counted + 10_000).collect());
        } else {
            around = around.mul_f64(1.1);
        }
    }
    eprintln!("{hit} of {runs} kills before the end, {commits} after the commit");
    case.settles("--window minute,year", &expected_with_year(&case.all));
    // What is counted stays counted.
    case.settles("--window minute,year", &expected_with_year(&case.all));
    assert_eq!(case.kuu.record("count").figure("resumed_frames") as usize, case.all.len());
    case.kuu.run(&case.count("--window minute,year")).exits(0).says("frames counted before").says("nothing new");
}

fn expected_with_year(all: &[Vec<u8>]) -> Vec<Window> {
    // 2016-01-01 00:00:00 UTC.
    [windows(all), windows_by("year", all, |_| 1_451_606_400)].concat()
}

#[test]
#[ignore = "needs Kafka"]
fn a_second_instance_takes_over() {
    let case = Case::new("second", frames(60_000));
    case.topics.make(&case.topics.messages, 4, &[]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| trickle(&case, Duration::from_millis(2), &done));
        let options = case.count("--follow --idle 60s --commit-interval 50ms");
        let mut first = case.kuu.spawn(&options);
        for _ in 0..3 {
            let before = case.position();
            eventually("a commit", || (case.position() > before).then_some(()));
            let second = case.kuu.spawn(&options);
            let words = format!("another instance of group {} took over", case.topics.messages);
            first.wait_for(SOON).exits(2).complains(&words);
            first = second;
        }
        case.settled();
        first.signal("INT");
        first.wait_for(SOON).exits(130);
        done.store(true, Ordering::Relaxed);
    });
    case.settles("", &windows(&case.all));
}

/// A process that stands still for longer than its transaction may last: alone, it goes back to the last commit and on;
/// if another one took over meanwhile, it ends.
#[test]
#[ignore = "needs Kafka"]
fn a_process_that_stands_still() {
    let mut random = Random::new("a_process_that_stands_still");
    let case = Case::new("still", frames(60_000));
    case.topics.make(&case.topics.messages, 4, &[]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| trickle(&case, Duration::from_millis(6), &done));
        let options = "--early 20ms --commit-interval 0ms -X transaction.timeout.ms=2000";
        let options = case.count(&format!("--follow --idle 60s {options}"));
        let committed = || {
            let before = case.position();
            eventually("a commit", || (case.position() > before).then_some(()));
        };
        let running = case.kuu.spawn(&options);
        committed();
        // A transaction is open for milliseconds: again, until it stands still in one that has written.
        let state = format!("{}-state", case.topics.messages);
        eventually("a process that stands still in a transaction", || {
            running.signal("STOP");
            // What is being committed is committed by then.
            thread::sleep(Duration::from_millis(200));
            let caught = is_in_transaction(&case.topics.address, &state);
            if !caught {
                running.signal("CONT");
                random.nap(Duration::from_millis(20));
            }
            caught.then_some(())
        });
        // The coordinator looks for such transactions every 10 s.
        thread::sleep(Duration::from_secs(12));
        running.signal("CONT");
        committed();
        running.signal("INT");
        running.wait_for(SOON).exits(130);
        let remarks = case.kuu.record("count").remarks;
        assert!(remarks.iter().any(|it| it.contains("open for longer than transaction.timeout.ms")), "{remarks:?}");
        case.settled();
        // A zombie is fenced off, whether it had a transaction open or not.
        let zombie = case.kuu.spawn(&options);
        committed();
        zombie.signal("STOP");
        let other = case.kuu.spawn(&options);
        committed();
        zombie.signal("CONT");
        let words = format!("another instance of group {} took over", case.topics.messages);
        zombie.wait_for(SOON).exits(2).complains(&words).complains(&format!("process {}, since ", other.id()));
        committed();
        other.signal("INT");
        other.wait_for(SOON).exits(130);
        done.store(true, Ordering::Relaxed);
    });
    case.settles("", &windows(&case.all));
}

/// The ordered output, too, has every frame once.
#[test]
#[ignore = "needs Kafka"]
fn kills_with_an_ordered_output() {
    let mut random = Random::new("kills_with_an_ordered_output");
    let case = Case::new("kills-order", frames(150_000));
    case.produce();
    let (ordered, dead) = (format!("{}-ordered", case.topics.messages), format!("{}-dead", case.topics.messages));
    let options = format!("--ordered-output {ordered} --dead-letter {dead}");
    for _ in 0..12 {
        let running = case.kuu.spawn(&case.count(&format!("{options} --commit-interval 0ms")));
        random.nap(Duration::from_millis(900));
        running.kill();
    }
    case.settles(&options, &windows(&case.all));
    let values = |topic: &str| -> Vec<Vec<u8>> {
        read(&case.topics.address, topic).into_iter().map(|message| message.value.unwrap()).collect()
    };
    let sorted = values(&ordered);
    assert!(crate::frames::parse(&sorted).is_sorted_by_key(|frame| frame.ts), "the ordered output is not in order");
    let mut seen = [sorted, values(&dead)].concat();
    let mut wanted = case.all.clone();
    seen.sort();
    wanted.sort();
    assert!(seen == wanted, "{} frames came out of {}", seen.len(), wanted.len());
    case.topics.delete(&ordered);
    case.topics.delete(&dead);
}

/// Frames that waited for their turn when the process died wait again, even where the slowest partition goes on first.
#[test]
#[ignore = "needs Kafka"]
fn what_the_ordered_output_held_back_comes_again() {
    for threads in [1, 2] {
        let of = |partition: i64, seconds: std::ops::Range<i64>| -> Vec<Vec<u8>> {
            seconds.map(|second| frame(&format!("{partition}-{second}"), MINUTE + second)).collect()
        };
        let slow = [of(0, 0..500), of(0, 500..1_000)];
        let all = [&of(1, 0..1_000)[..], &slow[0], &slow[1]].concat();
        let case = Case::new(&format!("held-{threads}"), all);
        let (messages, ordered) = (&case.topics.messages, format!("{}-ordered", case.topics.messages));
        case.topics.make(messages, 2, &[]);
        let producer: BaseProducer =
            ClientConfig::new().set("bootstrap.servers", &case.topics.address).create().unwrap();
        let put = |partition: i32, frames: &[Vec<u8>]| {
            let messages_of = |frame: &Vec<u8>| ("k".to_owned(), frame.clone());
            crate::topics::send(&producer, messages, partition, &frames.iter().map(messages_of).collect::<Vec<_>>());
        };
        put(1, &case.all[..1_000]);
        put(0, &slow[0]);
        let dead = format!("{}-dead", case.topics.messages);
        let options = format!("--ordered-output {ordered} --dead-letter {dead} --threads {threads}");
        for restart in 0..3 {
            let running = case.kuu.spawn(&case.count(&format!("{options} --follow --idle 60s --commit-interval 10ms")));
            let wanted = 1_500;
            eventually("the position", || (case.position() == wanted).then_some(()));
            // Some commits more, so that what was read again, or not yet, is committed too.
            thread::sleep(Duration::from_millis(100 * restart));
            running.kill();
        }
        put(0, &slow[1]);
        case.kuu.run(&case.count(&options)).exits(0);
        let values: Vec<_> =
            read(&case.topics.address, &ordered).into_iter().map(|message| message.value.unwrap()).collect();
        assert_eq!(read(&case.topics.address, &dead), []);
        assert!(crate::frames::parse(&values).is_sorted_by_key(|frame| frame.ts));
        let (mut seen, mut wanted) = (values, case.all.clone());
        seen.sort();
        wanted.sort();
        assert!(seen == wanted, "{} frames came out of {}", seen.len(), wanted.len());
        case.settles(&options, &windows(&case.all));
        case.topics.delete(&ordered);
        case.topics.delete(&dead);
    }
}

/// A produce that was killed has sent nobody knows how much: adding to that is refused, and so is verifying it.
#[test]
#[ignore = "needs Kafka"]
fn a_produce_that_is_killed() {
    let case = Case::new("kill-produce", frames(5_000));
    let messages = &case.topics.messages;
    let mut running = case.kuu.spawn(&format!("produce - --topic {messages}"));
    running.write(&lines(&case.all));
    eventually("some frames", || (!read(&case.topics.address, messages).is_empty()).then_some(()));
    assert!(running.kill());
    let words = format!("the last `kuu produce` into topic {messages} was killed");
    let append = format!("produce --append {} --topic {messages}", case.file);
    case.kuu.run(&append).exits(2).complains(&words).complains("--recreate");
    case.kuu.run(&case.count("")).exits(0);
    case.kuu.run(&format!("verify --output {}", case.topics.output)).exits(2).complains(&words);
    case.kuu.run(&format!("produce --recreate {} --topic {messages}", case.file)).exits(0);
    case.settles("--recreate", &windows(&case.all));
    case.kuu.run(&format!("verify --output {}", case.topics.output)).exits(0);
    case.kuu.run(&append).exits(0);
}

/// What is written to goes away while it is in use; for the topic that is read see the tests on Kafka.
#[test]
#[ignore = "needs Kafka"]
fn topics_that_are_deleted_underneath() {
    for which in ["output", "state"] {
        let case = Case::new(&format!("gone-{which}"), frames(30_000));
        case.topics.make(&case.topics.messages, 4, &[]);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| trickle(&case, Duration::from_millis(4), &done));
            let options = "--follow --idle 60s --commit-interval 100ms -X transaction.timeout.ms=5000";
            let running = case.kuu.spawn(&case.count(options));
            eventually("results", || (case.settled().len() > 1).then_some(()));
            let topic = if which == "output" { case.topics.output.clone() } else { case.topics.state() };
            case.topics.delete(&topic);
            // This broker makes a topic that is missing when something is written to it: what is in it then is not all.
            let words = match which {
                "output" => "what it held is lost: `kuu count --recreate`",
                _ => "was deleted",
            };
            let ended = running.wait_for(SOON).exits(2).complains(&format!("topic {topic} "));
            ended.complains("was deleted").complains(words);
            done.store(true, Ordering::Relaxed);
        });
        case.settles("--recreate", &windows(&case.all));
    }
}

/// Results that were deleted while nobody counted.
#[test]
#[ignore = "needs Kafka"]
fn an_output_that_was_deleted_in_between() {
    let case = Case::new("gone-between", frames(3_000));
    case.produce();
    case.settles("", &windows(&case.all));
    case.topics.delete(&case.topics.output);
    let words = format!("topic {} does not hold the results that were written to it", case.topics.output);
    case.kuu.run(&case.count("")).exits(2).complains(&words).complains("--recreate");
    case.settles("--recreate", &windows(&case.all));
    // Without the state, the frames would be counted anew, and every window had two first answers.
    case.topics.delete(&case.topics.state());
    case.kuu.run(&case.count("")).exits(2).complains("but has no state").complains("--recreate");
    // So they would in the output of another group: that is allowed, and said.
    let other = format!("count --topic {} --output {}", case.topics.messages, case.topics.output);
    let words = format!("topic {} already holds results", case.topics.output);
    let group = case.topics.messages.replace("messages", "other");
    case.kuu.run(&format!("{other} --group {group}")).exits(0).complains(&words);
    case.kuu
        .run(&format!("verify {} --output {} --topic {}", case.file, case.topics.output, case.topics.messages))
        .exits(1)
        .says("has a second revision 0");
    case.topics.delete(&format!("{group}-state"));
    case.settles("--recreate", &windows(&case.all));
}

/// Records that cannot be written: the results are in their topic all the same, and the next run goes on.
#[test]
#[ignore = "needs Kafka"]
fn records_that_cannot_be_written() {
    let case = Case::new("records", frames(3_000));
    case.produce();
    // As on a full disk: no file may have any bytes.
    let full = case.kuu.run_without_space(&case.count(""));
    full.exits(2).complains("results/count.json cannot be written").complains("--results");
    assert_eq!(case.settled(), windows(&case.all));
    let file = case.kuu.file("a-file", "");
    case.kuu.run(&case.count(&format!("--results {file}"))).exits(2).complains("a-file/count.json cannot be written");
    case.settles("", &windows(&case.all));
    // Produce says so before it sends anything.
    let produce = format!("produce {} --topic {}", case.file, case.topics.output.replace("output", "other"));
    case.kuu.run_without_space(&produce).exits(2).complains("results/produce.json cannot be written");
    let other = case.topics.output.replace("output", "other");
    assert_eq!(read(&case.topics.address, &other), []);
    case.topics.delete(&other);
}

/// A state that is not of this count is refused, and says how to go on.
#[test]
#[ignore = "needs Kafka"]
fn other_settings_and_other_topics() {
    let case = Case::new("settings", frames(3_000));
    case.produce();
    let run = |options: &str| case.kuu.run(&case.count(options));
    run("").exits(0);
    let (group, output) = (&case.topics.messages, &case.topics.output);
    for (options, words) in [
        ("--window hour", "it was made with --window minute, not hour"),
        ("--lateness 6s", "it was made with --lateness 5s, not 6s"),
        ("--retention 2d", "it was made with --retention 86400s, not 172800s"),
        ("--max-jump 2h", "it was made with --max-jump 3600s, not 7200s"),
    ] {
        run(options).exits(2).complains(words).complains("--recreate");
    }
    let other = format!("{output}-other");
    case.kuu
        .run(&format!("count --topic {group} --group {group} --output {other}"))
        .exits(2)
        .complains(&format!("it was made with --output {output}, not {other}"));
    case.topics.delete(&other);
    // Written by a version that does not exist yet.
    crate::broker::write(&case.topics.address, &case.topics.state(), "source", Some(r#"{"format":9,"news":1}"#));
    run("").exits(2).complains("it has format 9, this kuu reads 1").complains("--recreate");
    run("--recreate").exits(0);
    case.settles("", &windows(&case.all));
    // Another topic of the same name.
    case.kuu.run(&format!("produce {} --topic {group} --partitions 4 --recreate", case.file)).exits(0);
    run("").exits(2).complains("the topic was deleted since").complains("--recreate");
    case.settles("--recreate", &windows(&case.all));
    // More frames later: those closed windows that get some are corrected.
    let more: Vec<_> = (0..500).map(|i| frame(&format!("more-{i}"), MINUTE + i)).collect();
    let file = case.kuu.file("more.jsonl", lines(&more));
    case.kuu.run(&format!("produce {file} --append --topic {group}")).exits(0);
    run("").exits(0).says("3,000 frames counted before").says("counted 500 frames");
    assert_eq!(case.settled(), windows(&[&case.all[..], &more].concat()));
    case.kuu.run(&format!("verify --output {output}")).exits(0);
}

/// Windows that are evicted leave nothing behind in the state.
#[test]
#[ignore = "needs Kafka"]
fn evicted_windows_are_deleted_from_the_state() {
    let case = Case::new("evicted", frames(20_000));
    case.produce();
    case.settles("--retention 60s --commit-interval 0ms", &windows(&case.all));
    let mut state = std::collections::BTreeMap::new();
    let mut tombstones = 0;
    for message in read(&case.topics.address, &case.topics.state()) {
        let key = String::from_utf8(message.key.unwrap()).unwrap();
        match message.value {
            Some(value) => drop(state.insert(key, value)),
            None => {
                tombstones += 1;
                state.remove(&key);
            }
        }
    }
    let last = MINUTE + 20_000 / 7;
    let open: Vec<&String> = state.keys().filter(|key| key.starts_with("minute:")).collect();
    // 47 minutes were seen; those that ended a minute before the watermark are gone.
    assert!(open.len() <= 6 && tombstones >= 2 * 40, "{open:?}, {tombstones} tombstones");
    assert!(open.iter().all(|key| key[7..17].parse::<i64>().unwrap() > last - 240), "{open:?}");
    assert_eq!(case.topics.property(&case.topics.state(), "cleanup.policy").as_deref(), Some("compact"));
}
