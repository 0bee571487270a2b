//! Topics, states and records after a crash or a change by a person: a run continues correctly, or says why it cannot.
//! On real Kafka.

use crate::crash::case::{Case, SOON, trickle};
use crate::support::broker::read;
use crate::support::frames::{MINUTE, frame, frames, lines, windows};
use crate::support::kuu::eventually;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A produce that was killed has sent an unknown number of frames: adding to them is refused, and so is verifying them.
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

/// Output topics that are deleted while a count uses them; the tests on Kafka cover the input.
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
            // This broker creates a missing topic on a write: the new topic lacks earlier records.
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

/// Results that were deleted while no count was running.
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
    // Without the state, the frames would be counted again, and every window would have two first answers.
    case.topics.delete(&case.topics.state());
    case.kuu.run(&case.count("")).exits(2).complains("but has no state").complains("--recreate");
    // The same holds for the output of another group: that is allowed, with a warning.
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

/// Results that were deleted after a count was killed after its only commit: its state has no offset of them.
#[test]
#[ignore = "needs Kafka"]
fn an_output_that_was_deleted_after_one_commit() {
    let mut case = Case::new("gone-one", frames(700));
    let dead = format!("{}-dead", case.topics.messages);
    let ordered = format!("{}-ordered", case.topics.messages);
    case.produce();
    let count = case.count(&format!("--dead-letter {dead} --ordered-output {ordered}"));
    let running = case.kuu.spawn(&format!("{count} --follow --idle 100ms --commit-interval 40s"));
    eventually("the only commit", || (case.position() == 700).then_some(()));
    running.kill();
    assert_ne!(case.settled(), []);
    case.produce_more(frames(70));
    for topic in [&case.topics.output, &dead, &ordered] {
        case.topics.delete(topic);
        let words = format!("topic {topic} does not hold the results that were written to it");
        case.kuu.run(&count).exits(2).complains(&words).complains("--recreate");
        case.kuu.run(&format!("{count} --recreate")).exits(0);
    }
    case.settles(&format!("--dead-letter {dead} --ordered-output {ordered}"), &windows(&case.all));
    case.topics.delete(&dead);
    case.topics.delete(&ordered);
}

/// Records that cannot be written: the results are in their topic all the same, and the next run continues.
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
    // Produce reports it before it sends anything.
    let produce = format!("produce {} --topic {}", case.file, case.topics.output.replace("output", "other"));
    case.kuu.run_without_space(&produce).exits(2).complains("results/produce.json cannot be written");
    let other = case.topics.output.replace("output", "other");
    assert_eq!(read(&case.topics.address, &other), []);
    case.topics.delete(&other);
}

/// The state of another count is rejected, with a remedy.
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
        ("--uid user", "it was made without --uid, not with --uid /user"),
        ("--uid-type any", "it was made without --uid-type, not with --uid-type any"),
        ("--ts /at/ts", "it was made without --ts, not with --ts /at/ts"),
        ("--ts-format ms", "it was made without --ts-format, not with --ts-format ms"),
    ] {
        run(options).exits(2).complains(words).complains("--recreate");
    }
    let other = format!("{output}-other");
    case.kuu
        .run(&format!("count --topic {group} --group {group} --output {other}"))
        .exits(2)
        .complains(&format!("it was made with --output {output}, not {other}"));
    case.topics.delete(&other);
    // A record of a future version.
    crate::support::broker::write(
        &case.topics.address,
        &case.topics.state(),
        "source",
        Some(r#"{"format":9,"news":1}"#),
    );
    run("").exits(2).complains("it has format 9, this kuu reads 1").complains("--recreate");
    run("--recreate").exits(0);
    case.settles("", &windows(&case.all));
    // Another topic of the same name.
    case.kuu.run(&format!("produce {} --topic {group} --partitions 4 --recreate", case.file)).exits(0);
    run("").exits(2).complains("the topic was deleted since").complains("--recreate");
    case.settles("--recreate", &windows(&case.all));
    // More frames later: closed windows with new frames are corrected.
    let more: Vec<_> = (0..500).map(|i| frame(&format!("more-{i}"), MINUTE + i)).collect();
    let file = case.kuu.file("more.jsonl", lines(&more));
    case.kuu.run(&format!("produce {file} --append --topic {group}")).exits(0);
    run("").exits(0).says("3,000 frames counted before").says("counted 500 frames");
    assert_eq!(case.settled(), windows(&[&case.all[..], &more].concat()));
    case.kuu.run(&format!("verify --output {output}")).exits(0);
}

/// Evicted windows leave no record in the state.
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
    // There were 47 minutes; the windows that ended a minute before the watermark are evicted.
    assert!(open.len() <= 6 && tombstones >= 2 * 40, "{open:?}, {tombstones} tombstones");
    assert!(open.iter().all(|key| key[7..17].parse::<i64>().unwrap() > last - 240), "{open:?}");
    assert_eq!(case.topics.property(&case.topics.state(), "cleanup.policy").as_deref(), Some("compact"));
}
