//! Wild clocks: they delay no result for long, do not hold back the position, and use only limited memory.

use crate::support::broker::{Mock, committed, read, rows, values};
use crate::support::frames::{MINUTE, frame, lines, windows};
use crate::support::kuu::{Kuu, eventually};
use crate::support::topics::send;
use crate::support::wire::settle;
use rdkafka::ClientConfig;
use rdkafka::producer::BaseProducer;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(15);

fn steady(seconds: i64) -> Vec<Vec<u8>> {
    (0..seconds).map(|second| frame(&format!("user-{}", second % 7), MINUTE + second)).collect()
}

fn with_reason(address: &str, reason: &str) -> usize {
    let of = |headers: &[(String, Vec<u8>)]| headers.iter().any(|it| it.0 == "reason" && it.1 == reason.as_bytes());
    read(address, "dead").iter().filter(|message| of(&message.headers)).count()
}

#[test]
fn a_slow_partition_with_two_clocks_holds_nothing_back_for_long() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let running = kuu.spawn("count --follow --idle 400ms --threads 1");
    running.handles(2);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        // Eight frames in each second of event time in one partition; one frame in the other, from two clocks two hours
        // apart.
        scope.spawn(|| {
            let producer: BaseProducer =
                ClientConfig::new().set("bootstrap.servers", &mock.address).set("linger.ms", "0").create().unwrap();
            for second in (0..).take_while(|_| !done.load(Ordering::Relaxed)) {
                let at = |ts: i64| ("k".to_owned(), frame("a", ts));
                send(&producer, "messages", 0, &vec![at(MINUTE + second); 8]);
                send(&producer, "messages", 1, &[at(MINUTE + second + second % 2 * 7_200)]);
                thread::sleep(Duration::from_millis(20));
            }
        });
        eventually("a result", || rows(&mock.address, "output").iter().any(|row| row.start == MINUTE).then_some(()));
        running.signal("INT");
        let end = running.wait_for(SOON).exits(130);
        end.says("partition 1: its frames do not agree on the time: it is left out of the watermark");
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_frame_years_ahead_takes_no_place_in_the_order() {
    let mock = Mock::new(1);
    mock.topic("ordered", 1);
    mock.topic("dead", 1);
    let kuu = Kuu::with(&mock.address);
    let sound = steady(600);
    let mut all = sound.clone();
    // The first frame of all, one in the middle, and the last one.
    for at in [0, 300, 602] {
        all.insert(at, frame("wild", MINUTE + 300_000_000 + at as i64 * 10_000));
    }
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count --ordered-output ordered --dead-letter dead").exits(0);
    assert!(values(&mock.address, "ordered") == sound, "the others, in order");
    assert_eq!(with_reason(&mock.address, "far_ahead"), 3);
    let ledger = kuu.record("count").ledger().clone();
    assert_eq!((ledger.read, ledger.counted, ledger.out_of_order), (603, 603, 3));
    assert_eq!(settle(&rows(&mock.address, "output")), windows(&all));
    kuu.run("verify").exits(0);
}

#[test]
fn wild_windows_are_limited_and_their_frames_are_letters() {
    let mock = Mock::new(1);
    mock.topic("dead", 1);
    let kuu = Kuu::with(&mock.address);
    let sound = steady(600);
    let wild: Vec<_> = (0..1_200).map(|i| frame("wild", MINUTE + 1_000_000 + i * 7_260)).collect();
    let all = [&sound[..20], &wild, &sound[20..]].concat();
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count --dead-letter dead --max-open-windows 1000")
        .exits(0)
        .says("ledger: 1,800 read = 1,600 counted + 0 malformed + 0 too late + 200 too far");
    let ledger = kuu.record("count").ledger().clone();
    assert_eq!((ledger.read, ledger.counted, ledger.too_far), (1_800, 1_600, 200));
    assert_eq!(with_reason(&mock.address, "too_far"), 200);
    assert_eq!(values(&mock.address, "dead"), wild[1_000..]);
    assert_eq!(settle(&rows(&mock.address, "output")), windows(&[&sound[..], &wild[..1_000]].concat()));
    kuu.run("verify").exits(1).says("200 frames of wild clocks found no place");
    kuu.run("count --max-open-windows 999").exits(2).complains("--max-open-windows");
}

#[test]
fn users_of_wild_windows_are_limited_and_their_frames_are_letters() {
    let mock = Mock::new(1);
    mock.topic("dead", 1);
    let kuu = Kuu::with(&mock.address);
    let sound = steady(600);
    let wild: Vec<_> = (0..1_200).map(|i| frame(&format!("user {i}"), MINUTE + 1_000_000 + i % 60 * 7_260)).collect();
    let all = [&sound[..20], &wild, &sound[20..]].concat();
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count --dead-letter dead --max-far-users 1000")
        .exits(0)
        .says("ledger: 1,800 read = 1,600 counted + 0 malformed + 0 too late + 200 too far");
    assert_eq!(values(&mock.address, "dead"), wild[1_000..]);
    assert_eq!(with_reason(&mock.address, "too_far"), 200);
    assert_eq!(settle(&rows(&mock.address, "output")), windows(&[&sound[..], &wild[..1_000]].concat()));
    kuu.run("verify").exits(1).says("200 frames of wild clocks found no place").says("--max-far-users");
    kuu.run("count --max-far-users 999").exits(2).complains("--max-far-users");
}

#[test]
fn an_interrupt_sends_what_waits_for_its_turn_at_least_once() {
    let mock = Mock::new(1);
    mock.topic("ordered", 1);
    let kuu = Kuu::with(&mock.address);
    let mut all = steady(300);
    all.swap(293, 297);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    let running = kuu.spawn("count --follow --guarantee at-least-once --ordered-output ordered --commit-interval 50ms");
    running.handles(2);
    eventually("the position", || (committed(&mock.address, "kuu", "messages") == [300]).then_some(()));
    running.signal("INT");
    running.wait_for(SOON).exits(130);
    all.swap(293, 297);
    assert!(values(&mock.address, "ordered") == all, "every frame that was read, in order");
}
