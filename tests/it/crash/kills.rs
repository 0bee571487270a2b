//! Kills at random moments: a read_committed reader sees one on-time result for each window and then correct
//! corrections, their fold is the truth, and no frame is lost or counted twice. On real Kafka.
//!
//! The seed of the random moments is printed, and `KUU_TEST_SEED` repeats it.

use crate::support::broker::{is_in_transaction, read};
use crate::support::frames::{MINUTE, frame, frames, windows, windows_by};
use crate::support::kuu::eventually;
use crate::support::wire::Window;
use rdkafka::ClientConfig;
use rdkafka::producer::BaseProducer;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::crash::case::{Case, Random, SOON, trickle};

/// The smallest number of kills in one replay.
const KILLS: usize = 24;

/// Kills while a topic is counted, each transaction a few hundred frames.
#[test]
#[ignore = "needs Kafka"]
fn kills_while_catching_up() {
    let mut random = Random::new("kills_while_catching_up");
    let mut case = Case::new("kills", frames(150_000));
    case.produce();
    let (mut runs, mut hit, mut advances, mut before) = (0, 0, 0, 0);
    // The time to a kill grows until some runs reach a commit, however long a start takes on this machine.
    let mut most = Duration::from_millis(700);
    while hit < KILLS || advances < 3 {
        assert!(runs < 3 * KILLS, "of {runs} runs {hit} were killed and {advances} committed anything");
        runs += 1;
        // Once all frames are counted, the same ones arrive again, hours late.
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

/// Kills right after the start, while a large state is restored, and around the last flush.
#[test]
#[ignore = "needs Kafka"]
fn kills_at_the_start_and_at_the_end() {
    let mut random = Random::new("kills_at_the_start_and_at_the_end");
    // Every frame has another user, for the largest possible state.
    let users = |range: std::ops::Range<usize>| range.map(|i| frame(&format!("user-{i}"), MINUTE + i as i64 / 200));
    let mut case = Case::new("kills-ends", users(0..120_000).collect());
    case.produce();
    // After half of the frames, the state is large.
    let running = case.kuu.spawn(&case.count("--commit-interval 0ms --window minute,year"));
    eventually("half of the frames", || (case.position() > 40_000).then_some(()));
    running.kill();
    for _ in 0..8 {
        let running = case.kuu.spawn(&case.count("--window minute,year"));
        random.nap(Duration::from_millis(20));
        assert!(running.kill(), "nothing starts in 20 ms");
        case.settled();
    }
    // With a long interval there is one commit, at the end: the time of the kills approaches it from both sides.
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
    // Counted frames stay counted.
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
        let options = case.count("--follow --idle 60s --commit-interval 50ms --log-level info");
        let mut first = case.kuu.spawn(&options);
        let takes_over = format!("takes group {} over from ", case.topics.messages);
        for round in 0..3 {
            let before = case.position();
            eventually("a commit", || (case.position() > before).then_some(()));
            let second = case.kuu.spawn(&options);
            let words = format!("another instance of group {} took over", case.topics.messages);
            let ended = first.wait_for(SOON).exits(2).complains(&words);
            assert_eq!(ended.err.contains(&takes_over), round > 0, "{ended}");
            first = second;
        }
        case.settled();
        first.signal("INT");
        first.wait_for(SOON).exits(130).complains(&takes_over);
        done.store(true, Ordering::Relaxed);
    });
    case.settles("", &windows(&case.all));
}

/// A process that is suspended for longer than its transaction may last: alone, it goes back to the last commit and
/// continues; if another one took over meanwhile, it ends.
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
        // A transaction is open for milliseconds only: this suspends the process again and again, until it is in a
        // transaction with records.
        let state = format!("{}-state", case.topics.messages);
        eventually("a process that stands still in a transaction", || {
            running.signal("STOP");
            // A commit under way is complete after this time.
            thread::sleep(Duration::from_millis(200));
            let caught = is_in_transaction(&case.topics.address, &state);
            if !caught {
                running.signal("CONT");
                random.nap(Duration::from_millis(20));
            }
            caught.then_some(())
        });
        // The coordinator checks for expired transactions every 10 s.
        thread::sleep(Duration::from_secs(12));
        running.signal("CONT");
        committed();
        running.signal("INT");
        running.wait_for(SOON).exits(130);
        let remarks = case.kuu.record("count").remarks;
        assert!(remarks.iter().any(|it| it.contains("open for longer than transaction.timeout.ms")), "{remarks:?}");
        case.settled();
        // A zombie is fenced off, with or without an open transaction.
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

/// The ordered output also has every frame once.
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
    assert!(
        crate::support::frames::parse(&sorted).is_sorted_by_key(|frame| frame.ts),
        "the ordered output is not in order"
    );
    let mut seen = [sorted, values(&dead)].concat();
    let mut wanted = case.all.clone();
    seen.sort();
    wanted.sort();
    assert!(seen == wanted, "{} frames came out of {}", seen.len(), wanted.len());
    case.topics.delete(&ordered);
    case.topics.delete(&dead);
}

/// Frames that waited for their turn when the process died wait again, even if the slowest partition is read first.
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
            crate::support::topics::send(
                &producer,
                messages,
                partition,
                &frames.iter().map(messages_of).collect::<Vec<_>>(),
            );
        };
        put(1, &case.all[..1_000]);
        put(0, &slow[0]);
        let dead = format!("{}-dead", case.topics.messages);
        let options = format!("--ordered-output {ordered} --dead-letter {dead} --threads {threads}");
        for restart in 0..3 {
            let running = case.kuu.spawn(&case.count(&format!("{options} --follow --idle 60s --commit-interval 10ms")));
            let wanted = 1_500;
            eventually("the position", || (case.position() == wanted).then_some(()));
            // A few commits later the state covers frames that are read again, and frames that are not yet.
            thread::sleep(Duration::from_millis(100 * restart));
            running.kill();
        }
        put(0, &slow[1]);
        case.kuu.run(&case.count(&options)).exits(0);
        let values: Vec<_> =
            read(&case.topics.address, &ordered).into_iter().map(|message| message.value.unwrap()).collect();
        assert_eq!(read(&case.topics.address, &dead), []);
        assert!(crate::support::frames::parse(&values).is_sorted_by_key(|frame| frame.ts));
        let (mut seen, mut wanted) = (values, case.all.clone());
        seen.sort();
        wanted.sort();
        assert!(seen == wanted, "{} frames came out of {}", seen.len(), wanted.len());
        case.settles(&options, &windows(&case.all));
        case.topics.delete(&ordered);
        case.topics.delete(&dead);
    }
}
