//! Records by topic: what `kuu verify` compares by default.

use crate::support::broker::{Mock, rows};
use crate::support::frames::{frames, lines, windows};
use crate::support::kuu::{Kuu, eventually};
use crate::support::start::Start as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn each_topic_has_its_receipt() {
    let mock = Mock::empty();
    for topic in ["a", "b", "of-a", "of-b"] {
        mock.topic(topic, 2);
    }
    ["a", "b"].iter().for_each(|group| mock.group(group));
    let kuu = Kuu::with(&mock.address);
    let all = frames(1_400);
    let first = kuu.file("1.jsonl", lines(&all[..700]));
    let second = kuu.file("2.jsonl", lines(&all[700..]));
    kuu.run(&format!("produce {first} --topic a")).exits(0).says("record: results/produce-a.json");
    kuu.run(&format!("produce {second} --topic b")).exits(0);
    kuu.run(&format!("produce {second} --topic a --append")).exits(0);
    for topic in ["a", "b"] {
        kuu.run(&format!("count --topic {topic} --output of-{topic} --group {topic}")).exits(0);
    }
    // The topic is the one whose frames were counted into this output.
    kuu.run("verify --output of-a")
        .exits(0)
        .says("topic a, output of-a: compared with 1.jsonl (700 frames), 2.jsonl (700 frames), as results/produce-a.json has it")
        .says("ledger: 1,400 read");
    let bytes = |frames: &[Vec<u8>]| frames.iter().map(|frame| frame.len() as u64).sum::<u64>();
    let compared: Vec<u64> = kuu.record("verify").input.iter().map(|source| source.frame_bytes).collect();
    assert_eq!(compared, [bytes(&all[..700]), bytes(&all[700..])]);
    kuu.run("verify --output of-b")
        .exits(0)
        .says("topic b, output of-b: compared with 2.jsonl (700 frames), as results/produce-b.json has it")
        .says("ledger: 700 read");
    // Without a count in these records, the topic is the one that was filled last.
    fs::remove_file(kuu.path("results/count-of-b.json")).unwrap();
    fs::remove_file(kuu.path("results/count.json")).unwrap();
    kuu.forget();
    kuu.run("verify --output of-b").exits(1).says("topic a, output of-b").says("ledger: none");
    kuu.run("verify --output of-b --topic b").exits(0).says("ledger: none");
}

#[test]
fn a_record_of_before_there_were_receipts() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("1.jsonl", lines(&frames(700)));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count").exits(0);
    // Both files are of the last run, and equal; the topic's own file stays.
    kuu.run("verify").exits(0).says("as results/produce-messages.json has it");
    fs::remove_file(kuu.path("results/produce-messages.json")).unwrap();
    fs::remove_file(kuu.path("results/count-output.json")).unwrap();
    kuu.run("verify").exits(0).says("as results/produce.json has it").says("ledger: 700 read");
    // The other file belongs to one topic only.
    mock.topic("other", 1);
    kuu.run("verify --topic other").exits(2).complains("produce-other.json").complains("kuu verify FILE");
}

/// A receipt belongs to a topic, wherever kuu runs.
#[test]
fn a_receipt_is_found_from_another_directory() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(1_400);
    let file = kuu.file("1.jsonl", lines(&all[..700]));
    kuu.run(&format!("produce {file}")).exits(0);
    let mut elsewhere = Kuu::with(&mock.address);
    elsewhere.set("XDG_STATE_HOME", kuu.path("state").to_str().unwrap());
    let more = elsewhere.file("2.jsonl", lines(&all[700..]));
    // It knows what the topic holds already.
    elsewhere.run(&format!("produce {more} --append")).exits(0);
    elsewhere.run("count").exits(0);
    let files = [kuu.path("1.jsonl"), elsewhere.path("2.jsonl")];
    let words = format!("topic messages, output output: compared with {} (700 frames), ", files[0].display());
    elsewhere.run("verify").exits(0).says(&words).says("ledger: 1,400 read");
    kuu.run("verify --results fresh")
        .exits(0)
        .says(&format!("{words}{} (700 frames), as {}", files[1].display(), kuu.path("state/kuu/topics/").display()))
        .says("ledger: 1,400 read");
    // A topic without one.
    mock.topic("other", 1);
    elsewhere.run("verify --topic other --results none").exits(2).complains("kuu verify FILE");
    // A home that cannot be written is no error, and a copy that cannot be read is none.
    elsewhere.set("XDG_STATE_HOME", kuu.path("1.jsonl").to_str().unwrap());
    elsewhere.run(&format!("produce {more} --topic other")).exits(0);
    elsewhere.run("verify --topic messages").exits(0).says(", as results/produce-messages.json has it");
}

/// A topic that was deleted and made anew has the same name, and other frames.
#[test]
#[ignore = "needs Kafka"]
fn a_receipt_of_a_topic_that_is_gone_is_none() {
    let topics = crate::support::topics::Topics::new("anew");
    let kuu = Kuu::with(&topics.address);
    let file = kuu.file("1.jsonl", lines(&frames(700)));
    kuu.run(&format!("produce {file} --topic {}", topics.messages)).exits(0);
    topics.delete(&topics.messages);
    topics.make(&topics.messages, 2, &[]);
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    kuu.run(&format!("verify --topic {} --output {}", topics.messages, topics.output))
        .exits(2)
        .complains("of topic")
        .complains("kuu verify FILE");
}

#[test]
fn a_produce_that_was_interrupted() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(1_400);
    let file = kuu.file("1.jsonl", lines(&all[..700]));
    let running = kuu.spawn(&format!("produce {file} -"));
    running.handles(2);
    // The file is read, and standard input is silent.
    eventually("the frames of the file", || {
        (crate::support::broker::read(&mock.address, "messages").len() == 700).then_some(())
    });
    running.signal("INT");
    running.wait().exits(130);
    let words = "the last `kuu produce` into topic messages was not finished: it was interrupted after 700 frames";
    kuu.run("verify --output output").exits(2).complains(words).complains("--recreate");
    kuu.run(&format!("produce {file} --append")).exits(2).complains(words);
}

/// No receipt contains the frames of other producers.
#[test]
fn frames_that_no_receipt_names() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(1_400);
    let a = kuu.file("a.jsonl", lines(&all[..700]));
    let b = kuu.file("b.jsonl", lines(&all[700..1_000]));
    let c = kuu.file("c.jsonl", lines(&all[1_000..]));
    kuu.run(&format!("produce {a} --results theirs")).exits(0);
    kuu.forget();
    kuu.run(&format!("produce {b} --append")).exits(0);
    kuu.run(&format!("produce {c} --append")).exits(0);
    kuu.run("count").exits(0);
    let words = "results/produce-messages.json does not have all frames of topic messages: it holds 700 frames of which there \
                 is no receipt: name the files, as in `kuu verify FILE`";
    kuu.run("verify").exits(2).complains(words);
    kuu.run(&format!("verify {a} {b} {c}")).exits(0);
}

/// A count that was killed after its commits has counted more than the record of the previous count says.
#[test]
fn a_count_that_was_killed_has_no_ledger() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(1_400);
    let a = kuu.file("a.jsonl", lines(&all[..700]));
    let b = kuu.file("b.jsonl", lines(&all[700..]));
    kuu.run(&format!("produce {a}")).exits(0);
    kuu.run("count --guarantee at-least-once").exits(0);
    kuu.run(&format!("produce {b} --append")).exits(0);
    let running = kuu.spawn("count --guarantee at-least-once --follow --idle 300ms");
    // The clock closes the last but one window.
    let window = &windows(&all)[2];
    eventually("its results", || {
        let rows = rows(&mock.address, "output");
        rows.iter().any(|row| row.window() == *window).then_some(())
    });
    assert!(running.kill());
    // The last window is open: its result is that of the previous count, or missing; the ledger is not used.
    let done = kuu.run("verify").exits(1);
    assert!(!done.out.contains("the ledger has"), "{done}");
    done.says("ledger: none, the last `kuu count` of this output has not come to its end: it goes on, or was killed");
    kuu.run("count --guarantee at-least-once").exits(0);
    kuu.run("verify").exits(0).says("ledger: 1,400 read");
}

/// Two produce runs that fill one topic at the same time see each other's frames at the end.
#[test]
fn two_produce_into_one_topic() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(300);
    let mut first = kuu.spawn("produce -");
    first.handles(2);
    eventually("the record of the start", || kuu.has_record("produce-messages").then_some(()));
    let file = kuu.file("2.jsonl", lines(&all[100..]));
    kuu.run(&format!("produce {file}")).exits(0);
    first.write(&lines(&all[..100]));
    first.close().wait().exits(0).complains("topic messages also got 200 messages from another producer meanwhile");
    kuu.run("count").exits(0);
    kuu.run("verify")
        .exits(2)
        .complains("it holds 200 frames of which there is no receipt")
        .complains("kuu verify FILE");
    let whole = kuu.file("all.jsonl", lines(&all));
    kuu.run(&format!("verify {whole}")).exits(0);
}

#[test]
fn who_may_read_a_record() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("1.jsonl", lines(&frames(100)));
    let config = kuu.file("client.properties", "client.id=mine\n");
    let mode =
        |name: &str| fs::metadata(kuu.path(&format!("results/{name}.json"))).unwrap().permissions().mode() & 0o777;
    kuu.run(&format!("produce {file}")).exits(0);
    assert_ne!(mode("produce-messages") & 0o400, 0);
    let open = mode("produce-messages");
    for command in [format!("produce {file} --append"), "count".into(), "verify".into()] {
        kuu.run(&format!("{command} --config {config}")).exits(0);
    }
    for name in ["produce", "produce-messages", "count", "count-output", "verify"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    kuu.run("verify").exits(0);
    assert_eq!(mode("verify"), open);
}

#[test]
fn a_record_has_the_time_at_which_its_run_began() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("1.jsonl", lines(&frames(100)));
    let mut running = kuu.spawn("produce -");
    running.handles(2);
    let begun = eventually("the record of the start", || {
        kuu.has_record("produce-messages").then(|| kuu.record("produce-messages").written)
    });
    // Waits until the next second begins.
    eventually("the next second", || (kuu_now() > begun).then_some(()));
    running.write(&fs::read(kuu.path(&file)).unwrap());
    running.close().wait().exits(0);
    assert_eq!(kuu.record("produce-messages").written, begun);
    assert_eq!(kuu.record("produce").written, begun);
}

fn kuu_now() -> String {
    let now = std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).collected();
    String::from_utf8(now.stdout).unwrap().trim().to_owned()
}
