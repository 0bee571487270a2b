//! What kuu refuses to do, and its messages.

use crate::support::broker::{Mock, read, values};
use crate::support::frames::{FIXTURE, frames, lines};
use crate::support::kuu::{Kuu, PATIENCE};
use std::net::TcpListener;
use std::time::Duration;

#[test]
fn a_topic_that_holds_frames_is_not_filled_again() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(60);
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file} --limit 20")).exits(0);
    kuu.run(&format!("produce {file}"))
        .exits(2)
        .complains("topic messages already holds 20 frames")
        .complains("--append")
        .complains("--recreate");
    assert_eq!(read(&mock.address, "messages").len(), 20);
    // The record still describes the content of the topic.
    assert_eq!(kuu.record("produce").input[0].frames, 20);
    kuu.run("count").exits(0);
    kuu.run("verify").exits(0);
}

#[test]
fn no_broker_is_there() {
    // Not a port that was free a moment ago: the broker of another test may get it, and the frames.
    let kuu = Kuu::new();
    let file = kuu.file("a.jsonl", lines(&frames(3)));
    for command in [format!("produce {file}"), "count".into(), "count --follow".into(), format!("verify {file}")] {
        let done = kuu.run(&format!("{command} --timeout 1s")).exits(2);
        assert!(done.elapsed < Duration::from_secs(10), "{done}");
        assert_eq!(done.out, "");
        done.complains("no Kafka broker answers at 127.0.0.1:9 within 1 s")
            .complains("scripts/kafka.sh start")
            .complains("--brokers HOST:PORT");
    }
    // --brokers overrides the environment.
    kuu.run(&format!("produce {file} --timeout 1s --brokers localhost:1"))
        .exits(2)
        .complains("answers at localhost:1 ");
    kuu.run("count --timeout 1s --brokers no.such.host.invalid:9092").exits(2).complains("no.such.host.invalid:9092");
}

/// A user who interrupts kuu does not have to wait for a broker that may never answer.
#[test]
fn no_broker_is_there_and_the_user_gives_up() {
    let kuu = Kuu::new();
    let file = kuu.file("a.jsonl", lines(&frames(3)));
    for command in [format!("produce {file}"), "count".into(), "count --follow".into(), format!("verify {file}")] {
        let running = kuu.spawn(&format!("{command} --timeout 1d"));
        running.handles(2);
        running.signal("INT");
        running.wait().exits(130).complains("interrupted: no Kafka broker answered at 127.0.0.1:9");
    }
}

#[test]
fn something_listens_but_it_is_no_broker() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let kuu = Kuu::with(&mute.local_addr().unwrap().to_string());
    let file = kuu.file("a.jsonl", lines(&frames(3)));
    let done = kuu.spawn(&format!("produce {file} --timeout 1s")).wait_for(Duration::from_secs(30)).exits(2);
    done.complains("no Kafka broker answers at 127.0.0.1:");
}

#[test]
fn topics_that_are_missing() {
    let mock = Mock::empty();
    let kuu = Kuu::with(&mock.address);
    kuu.run("count").exits(2).complains("there is no topic messages").complains("kuu produce FILE");
    kuu.run("count --topic other").exits(2).complains("there is no topic other");
    let file = kuu.file("a.jsonl", lines(&frames(3)));
    kuu.run("verify").exits(2).complains("produce-messages.json").complains("kuu verify FILE");
    kuu.run(&format!("verify {file}")).exits(2).complains("there is no topic output").complains("kuu count");
    kuu.run(&format!("verify {file} --output other")).exits(2).complains("there is no topic other");
    // Looking up the topics did not create them.
    assert_eq!(crate::support::broker::partitions(&mock.address, "messages"), 0);
    assert_eq!(crate::support::broker::partitions(&mock.address, "output"), 0);
}

#[test]
fn usage() {
    let kuu = Kuu::new();
    for (line, words) in [
        ("", "Usage"),
        ("frobnicate", "frobnicate"),
        ("produce", "FILE"),
        ("batch", "FILE"),
        ("produce a.jsonl --partitions 0", "--partitions"),
        ("produce a.jsonl --partitions many", "--partitions"),
        ("produce a.jsonl --compression rar", "rar"),
        ("produce a.jsonl --append --recreate", "--recreate"),
        ("produce a.jsonl -X acks", "KEY=VALUE"),
        (
            "count --window fortnight",
            "no unit `fortnight`: use second, minute, hour, day, week, month or year, or a whole",
        ),
        ("count --window 0s", "no unit `0s`: a window lasts 1s at least"),
        ("batch a.jsonl --window -5s", "no unit `-5s`: use second, minute"),
        ("bench --window 1.5s", "no unit `1.5s`: use second, minute"),
        ("count --window 10", "10 of what? Write 10s, 10min, 10h or 10d"),
        ("count --window minute,99999999999d", "a window lasts 10000d at most"),
        ("count --parser slow", "slow"),
        ("count --threads 0", "--threads"),
        ("count --lateness 1500ms", "whole seconds"),
        ("count --timeout soon", "soon"),
        ("verify --window minute,fortnight", "fortnight"),
        ("--quiet", "Usage"),
    ] {
        let done = kuu.run(line).exits(2).complains(words);
        assert_eq!(done.out, "", "{line}");
    }
    for line in ["--help", "help", "produce --help", "count --help", "verify --help", "batch --help", "--version"] {
        let done = kuu.run(line).exits(0);
        assert!(done.err.is_empty() && !done.out.is_empty(), "{done}");
    }
    kuu.run("--version").exits(0).says("kuu 0.");
    kuu.run("--help").exits(0).says("Exit status: 0 fine; 1 the answer is wrong; 2 usage");
}

#[test]
fn a_property_that_librdkafka_does_not_know() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(3)));
    for command in [format!("produce {file}"), "count".into(), format!("verify {file}")] {
        kuu.run(&format!("{command} -X no.such.thing=1")).exits(2).complains("-X").complains("no.such.thing");
    }
    assert_eq!(values(&mock.address, "messages").len(), 0);
}

#[test]
fn records_that_cannot_be_written_or_read() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(30)));
    kuu.file("taken", "a file, no directory");
    // kuu refuses before it sends anything: the content of a topic must be on record.
    kuu.run(&format!("produce {file} --results taken")).exits(2).complains("taken/produce.json").complains("--results");
    assert_eq!(read(&mock.address, "messages").len(), 0);
    kuu.run(&format!("produce {file} --results elsewhere/deep")).exits(0);
    assert_eq!(read(&mock.address, "messages").len(), 30);
    kuu.run("count --results elsewhere/deep").exits(0);
    assert!(kuu.path("elsewhere/deep/count.json").exists() && !kuu.has_record("count"));

    std::fs::create_dir(kuu.path("results")).unwrap();
    kuu.file("results/produce.json", "{");
    kuu.run("verify").exits(2).complains("results/produce.json").complains("delete it");
    kuu.file("results/produce.json", "");
    kuu.run("verify").exits(2).complains("results/produce.json");
}

#[test]
fn a_record_of_another_format() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(30)));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count").exits(0);
    kuu.tamper("produce", |record| record["format"] = 99.into());
    kuu.run("verify").exits(2).complains("format 99");
}

#[test]
fn a_broker_that_goes_away_for_good() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(400);
    let mut running = kuu.spawn("produce - -X message.timeout.ms=3000");
    running.write(&lines(&all[..250]));
    crate::support::kuu::eventually("the first frames", || {
        (read(&mock.address, "messages").len() == 250).then_some(())
    });
    mock.down();
    running.write(&lines(&all[250..]));
    let done = running.close().wait_for(PATIENCE).exits(2);
    let done = done
        .complains("400 frames read, 250 delivered")
        .complains("was not delivered: not acknowledged in time, so the topic may have it or not: is the broker up?");
    let named = |line: &str| -> Option<u64> { line.split_once(", line ")?.1.split_once(' ')?.0.parse().ok() };
    let named: Vec<u64> = done.err.lines().filter_map(named).collect();
    assert!(!named.is_empty() && named.iter().all(|line| (251..=400).contains(line)), "{done}");
    let record = kuu.record("produce");
    assert_eq!((record.figure("read_frames"), record.figure("delivered_frames")), (400.0, 250.0));
    mock.up();
    assert_eq!(read(&mock.address, "messages").len(), 250);
    // A broker that was only suspended may have the frames.
    let words = "topic messages may have 150 frames or not, which it did not acknowledge in time";
    let file = kuu.file("rest.jsonl", lines(&all[250..]));
    kuu.run(&format!("produce {file} --append")).exits(2).complains(words).complains("--recreate");
    kuu.run("verify").exits(2).complains(words);
    assert_eq!(read(&mock.address, "messages").len(), 250);
}

#[test]
fn an_output_topic_that_cannot_be_made() {
    let mock = Mock::empty();
    mock.topic("messages", 1);
    let kuu = Kuu::with(&mock.address);
    kuu.run(&format!("produce {FIXTURE} --limit 10")).exits(0);
    // The mock creates no topics; a real broker may forbid it.
    kuu.run("count --timeout 2s").exits(2).complains("output");
}
