//! The log on standard error.

use crate::support::broker::Mock;
use crate::support::frames::{frames, lines};
use crate::support::http::ask;
use crate::support::kuu::{Done, Kuu, eventually};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::Value;

/// Every line of standard error, which is one JSON object each.
fn events(done: &Done) -> Vec<Value> {
    done.err.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn a_setback_shows_in_the_log_and_in_the_health() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(7 * 90)));
    kuu.run(&format!("produce {file}")).exits(0);
    // The first commit is refused; the next one starts from nothing, as the first one would have.
    mock.refuse(RDKafkaApiKey::TxnOffsetCommit, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION]);
    let options = "--commit-interval 100ms --idle 200ms --metrics 0 --log-format json --log-level debug";
    let mut running = kuu.spawn(&format!("count --follow {options}"));
    let address = loop {
        let event: Value = serde_json::from_str(&running.complaint()).unwrap();
        let message = event["message"].as_str().unwrap();
        if let Some(address) = message.strip_prefix("metrics: http://") {
            assert_eq!((&event["level"], &event["event"]), (&"INFO".into(), &"output".into()));
            break address.strip_suffix("/metrics").unwrap().to_owned();
        }
    };
    let health = |wanted: u16| {
        eventually("a change of health", || {
            let answer = ask(&address, "GET /health");
            (answer.status == wanted).then_some(answer.body)
        })
    };
    assert!(health(503).starts_with("goes back to the last commit: a transaction was aborted: "));
    assert_eq!(health(200), "fine\n");
    let metrics = ask(&address, "GET /metrics").body;
    assert!(metrics.contains("\nkuu_setbacks_total 1\n") && metrics.contains("\nkuu_frames_total 630\n"), "{metrics}");
    running.signal("TERM");
    let done = running.wait().exits(130);
    let events = events(&done);
    let of = |name: &str| events.iter().filter(|event| event["event"] == *name).collect::<Vec<_>>();
    let setbacks = of("setback");
    assert_eq!(setbacks.len(), 1, "{done}");
    assert_eq!((&setbacks[0]["level"], &setbacks[0]["group"]), (&"WARN".into(), &"kuu".into()));
    let reason = setbacks[0]["reason"].as_str().unwrap();
    assert_eq!(setbacks[0]["message"], format!("goes back to the last commit: {reason}"));
    let commits = of("commit");
    let commit = commits.iter().find(|event| event["frames"] == 630).unwrap();
    assert!(commit["level"] == "DEBUG" && commit["duration_us"].as_u64() > Some(0), "{commit}");
    assert_eq!(commits.iter().map(|event| event["results"].as_u64().unwrap()).sum::<u64>(), 1, "{done}");
}

#[test]
fn levels_and_forms() {
    let mock = Mock::new(1);
    let mut kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(700)));
    kuu.run(&format!("produce {file}")).exits(0);
    assert_eq!(kuu.run("count --guarantee at-least-once").exits(0).err, "");
    // Its own group is no take-over; another instance's is.
    let said = kuu.run("count --guarantee at-least-once --log-level debug").exits(0);
    let said = said.complains("takes group kuu over from ").complains("\ncommitted: 700 frames so far, ");
    assert!(!said.err.contains('{'), "{said}");

    kuu.set("KUU_LOG", "info");
    let done = kuu.run("count --guarantee at-least-once --log-format json --json").exits(0);
    let takes_over = events(&done);
    let takes_over = takes_over.iter().find(|event| event["event"] == "takes_over").unwrap();
    assert!(takes_over["level"] == "INFO" && takes_over["from"].as_str().unwrap().contains(", process "));
    done.document();

    // The error that ends a command is an event too, at any level.
    let done = kuu.run("count --topic missing --log-format json --log-level off").exits(2);
    let error = events(&done).pop().unwrap();
    assert_eq!((&error["level"], &error["event"]), (&"ERROR".into(), &"error".into()));
    assert!(error["message"].as_str().unwrap().starts_with("there is no topic missing"), "{error}");
    kuu.run("count --log-level loud")
        .exits(2)
        .complains("`loud` is no level: write off, error, warn, info, debug or trace");
    kuu.set("KUU_LOG", "loud");
    kuu.run("count").exits(2).complains("kuu: KUU_LOG: `loud` is no level");
}

#[test]
fn lines_of_librdkafka() {
    // Nobody listens at port 9.
    let kuu = Kuu::new();
    let line = "count --timeout 1s -X debug=broker";
    let quiet = kuu.run(line).exits(2);
    assert!(!quiet.err.contains("librdkafka"), "{quiet}");
    kuu.run(&format!("{line} --log-level debug")).exits(2).complains("librdkafka: BROKER: ");
    let done = kuu.run(&format!("{line} --log-level debug --log-format json")).exits(2);
    let events = events(&done);
    let event = events.iter().find(|event| event["facility"] == "BROKER").unwrap();
    assert_eq!((&event["level"], &event["target"]), (&"DEBUG".into(), &"librdkafka".into()));
}

#[test]
fn metrics_need_a_place_and_a_count_that_follows() {
    let kuu = Kuu::new();
    kuu.run("count --metrics 9464").exits(2).complains("--follow");
    kuu.run("count --follow --metrics here")
        .exits(2)
        .complains("write a port, as 9464 (of 127.0.0.1), or ADDRESS:PORT");
}
