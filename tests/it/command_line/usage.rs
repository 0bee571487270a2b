//! Arguments that kuu rejects, instead of ignoring them or doing harm.

use crate::support::broker::{Mock, partitions, values};
use crate::support::frames::{frames, lines};
use crate::support::kuu::Kuu;
use crate::support::topics::Topics;
use std::fs;

#[test]
fn one_topic_for_two_things() {
    // kuu rejects them without a broker.
    let kuu = Kuu::new();
    for (line, topic) in [
        ("count --topic a --output a", "a"),
        ("count --output messages", "messages"),
        ("count --output a --dead-letter a", "a"),
        ("count --ordered-output output", "output"),
        ("count --dead-letter a --ordered-output a", "a"),
        ("count --dead-letter messages", "messages"),
        ("count --output kuu-state", "kuu-state"),
        ("count --group g --dead-letter g-state", "g-state"),
        ("count --group g --topic g-state", "g-state"),
        ("count --ordered-output messages --guarantee at-least-once --recreate", "messages"),
        ("verify a.jsonl --topic a --output a", "a"),
        ("verify a.jsonl --output messages", "messages"),
    ] {
        let done = kuu.run(line).exits(2).complains(&format!("topic {topic} is named for two things, "));
        assert_eq!(done.out, "", "{done}");
    }
}

#[test]
fn topics_of_the_brokers_and_names_that_no_topic_has() {
    let kuu = Kuu::new();
    let file = kuu.file("a.jsonl", lines(&frames(3)));
    for line in [
        format!("produce {file} --recreate --topic __consumer_offsets"),
        format!("produce {file} --topic __transaction_state"),
        "count --recreate --output __consumer_offsets".into(),
        "count --dead-letter __a".into(),
        "count --ordered-output __a".into(),
    ] {
        kuu.run(&line).exits(2).complains("topics that start with __ belong to the brokers");
    }
    for line in ["count --output a/b", "count --topic ..", "verify --output a:b"] {
        kuu.run(line).exits(2).complains("a topic's name has 1 to 249 of the characters");
    }
    kuu.run("count --group=").exits(2).complains("--group");
}

#[test]
fn properties_that_kuu_depends_on() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(3)));
    for (property, why) in [
        ("delivery.report.only.error=true", "a frame counts as delivered when that is reported"),
        ("acks=1", "a frame that only one broker has is lost with that broker"),
        ("request.required.acks=0", "a frame that only one broker has is lost with that broker"),
        ("enable.idempotence=false", "must not be there twice"),
        ("enable.auto.commit=true", "kuu itself commits positions, together with their results"),
        ("enable.auto.offset.store=true", "kuu itself commits positions, together with their results"),
        ("auto.offset.reset=earliest", "must end the run, not be skipped"),
        ("isolation.level=read_uncommitted", "records of an aborted transaction must be neither"),
        ("enable.partition.eof=true", "kuu sets it where a reader needs it"),
        ("group.id=a", "the group is named by --group"),
        ("group.instance.id=a", "gives its readers their partitions itself"),
        ("partition.assignment.strategy=range", "gives its readers their partitions itself"),
        ("transactional.id=a", "--group sets it too"),
        ("message.send.max.retries=0", "a short outage of a broker must not lose a frame"),
        ("max.in.flight=5", "in the order of their revisions"),
        ("enable.gapless.guarantee=true", "would fail all that wait behind it"),
        ("partitioner=random", "a key must stay in one partition"),
        ("statistics.interval.ms=0", "lag is taken from the statistics"),
        ("allow.auto.create.topics=true", "asking about a missing topic would create it"),
    ] {
        let config = kuu.file("client.properties", format!("linger.ms=3\n{property}\n"));
        for command in [format!("produce {file}"), "count --guarantee at-least-once".into(), format!("bench {file}")] {
            kuu.run(&format!("{command} -X {property}"))
                .exits(2)
                .complains(&format!("kuu: -X {property} must not be set: "))
                .complains(why);
            kuu.run(&format!("{command} --config {config}"))
                .exits(2)
                .complains(&format!("kuu: client.properties {property} must not be set: "))
                .complains(why);
        }
    }
    assert_eq!(values(&mock.address, "messages").len(), 0);
    // Values that kuu uses anyway, and properties that only tune, are allowed.
    let tuned = "acks=all\nenable.idempotence=true\nenable.auto.commit=false\nfetch.min.bytes=1\n\
                 queued.min.messages=1000\nlinger.ms=3\nsocket.keepalive.enable=true\ncompression.level=1\n\
                 check.crcs=true\nmessage.timeout.ms=30000\nclient.id=mine\n";
    let config = kuu.file("client.properties", tuned);
    kuu.run(&format!("produce {file} --config {config} -X retry.backoff.ms=50")).exits(0);
    kuu.run(&format!("count --config {config} -X transaction.timeout.ms=30000")).exits(0);
    kuu.run(&format!("verify --config {config}")).exits(0);
}

#[test]
fn options_that_do_nothing() {
    let kuu = Kuu::new();
    let file = kuu.file("a.jsonl", lines(&frames(3)));
    for (option, why) in [
        ("--topic a", "a count of files reads no topic"),
        ("--output a", "the results of files go to standard output"),
        ("--group a", "commits no position and keeps no state"),
        ("--recreate", "keeps no state"),
        ("--follow", "a file is read to its end"),
        ("--follow --idle 1s", "does nothing here"),
        ("--dead-letter a", "writes to no topic"),
        ("--ordered-output a", "writes to no topic"),
        ("--threads 2", "one reader"),
        ("--guarantee at-least-once", "commits nothing"),
        ("--commit-interval 2s", "commits nothing"),
    ] {
        let name = option.split(' ').next().unwrap();
        let done = kuu.run(&format!("count {file} {option}")).exits(2).complains(why);
        let done = done.complains(&format!("{name} does nothing here"));
        assert_eq!(done.out, "", "{done}");
    }
    kuu.run("count --idle 1s").exits(2).complains("--follow");
    // These options have an effect.
    let all = "--lateness 1s --retention 1h --max-jump 1h --early 1s --window second --parser plain --json";
    kuu.run(&format!("count {file} {all}")).exits(0);
    for command in
        [&format!("count {file}"), &format!("batch {file}"), "results", "engines", "generate --frames 1 -o b.jsonl"]
    {
        for (given, option) in [("-b x:1", "--brokers"), ("--config c", "--config"), ("-X linger.ms=3", "-X")] {
            let done = kuu.run(&format!("{command} {given}")).exits(2);
            let done = done.complains(&format!("{option} does nothing here: this command uses no broker"));
            assert_eq!(done.out, "", "{done}");
        }
    }
}

#[test]
fn where_the_brokers_are() {
    let (first, second) = (Mock::new(1), Mock::new(1));
    let file = |kuu: &Kuu| kuu.file("a.jsonl", lines(&frames(3)));
    let held = |mock: &Mock| values(&mock.address, "messages").len();

    // The file of --config overrides the environment.
    let kuu = Kuu::with(&first.address);
    let config = kuu.file("client.properties", format!("bootstrap.servers={}\n", second.address));
    kuu.run(&format!("produce {} --config {config}", file(&kuu))).exits(0);
    assert_eq!((held(&first), held(&second)), (0, 3));
    // A file without brokers leaves the choice to the environment.
    fs::write(kuu.path(&config), "bootstrap.servers=\nlinger.ms=1\n").unwrap();
    kuu.run(&format!("produce {} --config {config}", file(&kuu))).exits(0);
    assert_eq!((held(&first), held(&second)), (3, 3));
    // The option overrides both, under each of its names.
    for (option, frames) in [("--brokers", 6), ("-b", 9), ("--bootstrap-server", 12)] {
        let line = format!("produce {} --append --config {config} {option} {}", file(&kuu), second.address);
        kuu.run(&line).exits(0);
        assert_eq!((held(&first), held(&second)), (3, frames));
    }
    kuu.run("count --brokers=").exits(2).complains("--brokers");
    assert_eq!(partitions(&first.address, "messages"), 1);
}

#[test]
fn an_empty_environment_names_no_broker() {
    let kuu = Kuu::with(" ");
    let done = kuu.run("count --timeout 1s --topic no-such-topic").exits(2);
    // There may be a broker at the default address.
    assert!(done.err.contains("localhost:9092") || done.err.contains("no topic no-such-topic"), "{done}");
}

#[test]
#[ignore = "needs Kafka"]
fn the_state_of_a_group_is_no_topic_to_write_to() {
    let topics = Topics::new("state");
    let kuu = Kuu::with(&topics.address);
    let file = kuu.file("a.jsonl", lines(&frames(30)));
    kuu.run(&format!("produce {file} --topic {}", topics.messages)).exits(0);
    kuu.run(&format!("count {}", topics.counting())).exits(0);
    let state = topics.state();
    let ends = crate::support::broker::ends(&topics.address, &state);
    let words = format!("topic {state} holds the state of group {}, which would be lost", topics.messages);
    for line in [
        format!("produce {file} --recreate --topic {state}"),
        format!("produce {file} --append --topic {state}"),
        format!("count --topic {} --group other --recreate --output {state}", topics.messages),
        format!(
            "count --topic {} --group other --recreate --output {} --dead-letter {state}",
            topics.messages, topics.output
        ),
    ] {
        kuu.run(&line).exits(2).complains(&words);
    }
    assert_eq!(crate::support::broker::ends(&topics.address, &state), ends);
}

#[test]
fn a_group_that_cannot_name_a_topic() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(30)));
    kuu.run(&format!("produce {file}")).exits(0);
    for group in ["a/b", "é", &"g".repeat(244)] {
        let words =
            format!("--group '{group}' cannot name the topic of its state, GROUP-state: a topic's name has 1 to 249");
        kuu.run(&format!("count --group {group}")).exits(2).complains(&words);
    }
    // At least once there is no state topic.
    kuu.run("count --guarantee at-least-once --group a/b").exits(0);
}

#[test]
fn properties_without_an_end() {
    for name in ["/dev/zero", "/dev/urandom"] {
        Kuu::new().run(&format!("verify --config {name}")).exits(2).complains(&format!("{name} has more than 1 MiB"));
    }
}

/// A topic that cannot be created again is not deleted.
#[test]
#[ignore = "needs Kafka"]
fn a_topic_that_cannot_be_made_anew_is_kept() {
    let topics = Topics::new("anew");
    let kuu = Kuu::with(&topics.address);
    let file = kuu.file("a.jsonl", lines(&frames(30)));
    let produce = format!("produce {file} --topic {}", topics.messages);
    kuu.run(&produce).exits(0);
    let words = format!("topic {} is left as it is, as it cannot be made anew", topics.messages);
    for options in ["--replication-factor 1000", "--partitions 65535"] {
        kuu.run(&format!("{produce} --recreate {options}")).exits(2).complains(&words);
        assert_eq!(values(&topics.address, &topics.messages).len(), 30, "{options}");
    }
    // The topic is still there with all frames.
    kuu.run(&format!("count {} --timeout 2h", topics.counting())).exits(0);
    kuu.run(&format!("verify --topic {} --output {}", topics.messages, topics.output)).exits(0);
    kuu.run(&format!("{produce} --recreate --timeout 2h")).exits(0);
}

/// The names that Kafka's own tools have for the same options.
#[test]
fn names_of_other_tools() {
    let mock = Mock::new(1);
    let kuu = Kuu::bare();
    let file = kuu.file("frames.jsonl", "{\"uid\":\"a\",\"ts\":60}\n{\"uid\":\"b\",\"ts\":61}\n");
    kuu.file("own.properties", "linger.ms=7\n");
    let there = format!("--bootstrap-server {} --command-config own.properties", mock.address);
    kuu.run(&format!("produce {file} -t messages {there}")).exits(0);
    let to = format!("-t messages --output-topic output {there}");
    let counted = kuu.run(&format!("count {to} --command-property queuing.strategy=fifo --json")).exits(0);
    let record: serde_json::Value = serde_json::from_str(&counted.out).unwrap();
    assert_eq!(record["config"]["-X linger.ms"], "7", "{counted}");
    assert_eq!(record["config"]["-X queuing.strategy"], "fifo", "{counted}");
    kuu.run(&format!("verify {to}")).exits(0).says("exact: 1 of 1 window");
}
