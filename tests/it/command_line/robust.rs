//! Unusual arguments, streams and brokers: none of them causes a panic.

use crate::support::broker::{Mock, read};
use crate::support::frames::{frame, frames, lines, windows};
use crate::support::kuu::{Kuu, PATIENCE, eventually};
use crate::support::own_broker::OwnBroker;
use crate::support::start::Start as _;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const FULL: &str = "/dev/full";

/// Runs kuu in its directory with these arguments, and with this standard output and standard error.
fn run(kuu: &Kuu, arguments: &[&[u8]], out: Stdio, err: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuu"));
    command.args(arguments.iter().map(|argument| OsStr::from_bytes(argument))).current_dir(kuu.path("."));
    command.stdin(Stdio::null()).stdout(out).stderr(err).start().wait_with_output().unwrap()
}

fn full() -> Stdio {
    File::options().write(true).open(FULL).unwrap().into()
}

#[test]
fn arguments_that_are_no_text() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let all = frames(30);
    kuu.file("a.jsonl", lines(&all));
    let brokers = mock.address.as_bytes();
    for arguments in [
        &[&b"produce"[..], b"a.jsonl", b"--brokers", brokers, b"--results", b"r\xff"][..],
        &[b"count", b"--brokers", brokers, b"--results", b"r\xff"],
        &[b"verify", b"--brokers", brokers, b"--results", b"r\xff"],
        &[b"batch", b"a.jsonl", b"--json", b"--results", b"r\xff"],
    ] {
        let done = run(&kuu, arguments, Stdio::piped(), Stdio::piped());
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!((done.status.code(), err.contains("fault")), (Some(0), false), "{err}");
    }
    assert_eq!(read(&mock.address, "messages").len(), 30);
    let records = kuu.path(".").join(OsStr::from_bytes(b"r\xff"));
    let record = std::fs::read_to_string(records.join("count.json")).unwrap();
    assert!(record.contains("\"r\u{fffd}\""), "{record}");
    // An invalid file name is rejected before any work.
    for command in [&b"produce"[..], b"batch", b"count", b"verify", b"bench"] {
        let done = run(&kuu, &[command, b"a\xff.jsonl"], Stdio::piped(), Stdio::piped());
        assert_eq!(done.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&done.stderr).contains("invalid UTF-8"), "{done:?}");
    }
}

#[test]
fn streams_that_are_full_or_closed() {
    let kuu = Kuu::new();
    let all = frames(30);
    let file = kuu.file("a.jsonl", lines(&all));
    let file = file.as_bytes();
    // An error counts even if it cannot be printed; a message that cannot be printed beside an answer is no error.
    for (arguments, code) in [
        (&[&b"batch"[..], b"nothing.jsonl"][..], 2),
        (&[b"count", b"nothing.jsonl"], 2),
        (&[b"frobnicate"], 2),
        (&[b"batch", file], 0),
        (&[b"count", file], 0),
    ] {
        let done = run(&kuu, arguments, Stdio::piped(), full());
        assert_eq!(done.status.code(), Some(code), "{}", arguments[0].escape_ascii());
        assert_eq!(done.stdout.is_empty(), code == 2);
        // Closed: the shell runs kuu with 2>&-.
        let mut shell = Command::new("bash");
        shell.arg("-c").arg("exec \"$0\" \"$@\" 2>&-").arg(env!("CARGO_BIN_EXE_kuu"));
        shell.args(arguments.iter().map(|argument| OsStr::from_bytes(argument))).current_dir(kuu.path("."));
        assert_eq!(shell.collected().status.code(), Some(code), "{}", arguments[0].escape_ascii());
    }
    // An answer that cannot be printed is an error.
    for arguments in
        [&[&b"batch"[..], file][..], &[b"batch", file, b"--json"], &[b"count", file], &[b"count", file, b"--json"]]
    {
        let done = run(&kuu, arguments, full(), Stdio::piped());
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(2) && err.contains("No space left"), "{err}");
        assert_eq!(run(&kuu, arguments, full(), full()).status.code(), Some(2));
    }
}

#[test]
fn a_table_that_cannot_be_printed() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let all = frames(30);
    kuu.file("a.jsonl", lines(&all));
    let brokers = mock.address.as_bytes();
    for command in [&[&b"produce"[..], b"a.jsonl"][..], &[b"count"], &[b"verify"]] {
        let arguments = [command, &[b"--brokers", brokers]].concat();
        assert_eq!(run(&kuu, &arguments, full(), full()).status.code(), Some(0), "{}", command[0].escape_ascii());
    }
    let done = run(&kuu, &[b"verify", b"--brokers", brokers], full(), Stdio::piped());
    assert_eq!(done.status.code(), Some(0));
    let words = "kuu: standard output cannot be written: No space left on device (os error 28)\n";
    assert_eq!(String::from_utf8_lossy(&done.stderr), words);
    assert_eq!(crate::support::wire::settle(&crate::support::broker::rows(&mock.address, "output")), windows(&all));
}

#[test]
fn waiting_has_bounds() {
    let kuu = Kuu::new();
    kuu.run("count --timeout 584542046090years").exits(2).complains("--timeout").complains("24 days at most");
    kuu.run("count --timeout 25d").exits(2).complains("24 days at most");
}

#[test]
fn commits_that_are_too_rare() {
    let mock = Mock::empty();
    let kuu = Kuu::with(&mock.address);
    kuu.run("count --commit-interval 70s")
        .exits(2)
        .complains("--commit-interval 1m 10s is too long")
        .complains("transaction.timeout.ms, which is 1m")
        .complains("-X transaction.timeout.ms=87501");
    kuu.run("count --commit-interval 900ms -X transaction.timeout.ms=1000").exits(2).complains("at least every 800ms");
    // Without transactions there is no limit.
    kuu.run("count --commit-interval 70s --guarantee at-least-once").exits(2).complains("there is no topic messages");
    kuu.run("count --commit-interval 70s -X transaction.timeout.ms=90000").exits(2).complains("no topic messages");
}

#[test]
fn ctrl_c_while_the_broker_is_away() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    let all = frames(400);
    let mut running = kuu.spawn("produce -");
    running.write(&lines(&all[..250]));
    eventually("the first frames", || (read(&mock.address, "messages").len() == 250).then_some(()));
    mock.down();
    let (rest, before) = (lines(&all[250..]), running.bytes_read());
    running.write(&rest);
    running.handles(2);
    eventually("the rest of the frames", || (running.bytes_read() >= before + rest.len() as u64).then_some(()));
    // No output shows that the producer has the frames.
    std::thread::sleep(Duration::from_millis(300));
    running.signal("INT");
    let done = running.wait_for(Duration::from_secs(60)).exits(130);
    let done = done.complains("250 frames acknowledged").complains("topic messages may have the other ");
    assert!(!done.err.contains("was not delivered"), "{done}");
    mock.up();
    assert_eq!(read(&mock.address, "messages").len(), 250);
}

#[test]
fn a_frame_that_does_not_fit_into_the_queue() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let long = frame(&"x".repeat(3_000), 1);
    let file = kuu.file("a.jsonl", lines(&[&frames(5)[..], &[long], &frames(4)].concat()));
    kuu.run(&format!("produce {file} -X queue.buffering.max.kbytes=2"))
        .exits(2)
        .complains(
            "a.jsonl, line 6 was not delivered: larger than what may wait to be sent (queue.buffering.max.kbytes)",
        )
        .complains("10 frames read, 9 delivered");
    assert_eq!(read(&mock.address, "messages").len(), 9);
}

#[test]
fn a_broker_that_does_not_tell_an_offset() {
    use rdkafka::types::RDKafkaApiKey::Produce;
    use rdkafka::types::RDKafkaRespErr::{
        RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER as DUPLICATE, RD_KAFKA_RESP_ERR_NO_ERROR as FINE,
    };
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(60)));
    kuu.run(&format!("produce {file}")).exits(0);
    // The broker answers with an offset only for the owner's record: for the next ones it says that it has them
    // already, without an offset.
    mock.refuse(Produce, &[FINE, DUPLICATE, DUPLICATE]);
    kuu.run("count").exits(0);
}

#[test]
#[ignore = "starts a Kafka of its own"]
fn a_controller_is_no_broker() {
    let broker = OwnBroker::start();
    let address = broker.address();
    let (host, port) = address.rsplit_once(':').unwrap();
    let controller = format!("{host}:{}", port.parse::<u16>().unwrap() + 1);
    let kuu = Kuu::with(&controller);
    // The broker refuses immediately, so there are more retries than any number can be doubled.
    for command in ["count", "verify", "produce a.jsonl"] {
        kuu.file("a.jsonl", lines(&frames(3)));
        let done = kuu.spawn(&format!("{command} --timeout 10s")).wait_for(PATIENCE).exits(2);
        assert!(done.err.contains(&format!("no Kafka broker answers at {controller} within 10 s")), "{done}");
    }
}

#[test]
#[ignore = "starts a Kafka of its own"]
fn too_few_files_may_be_open() {
    let broker = OwnBroker::start();
    let kuu = Kuu::with(&broker.address());
    let file = kuu.file("a.jsonl", lines(&frames(60)));
    kuu.run(&format!("produce {file}")).exits(0);
    let limited = |most: u32| {
        let mut shell = Command::new("bash");
        shell.arg("-c").arg(format!("ulimit -n {most}; exec \"$0\" \"$@\"")).arg(env!("CARGO_BIN_EXE_kuu"));
        shell.args(["count", "--recreate", "--brokers", &broker.address()]).current_dir(kuu.path("."));
        shell.collected()
    };
    for most in [12, 16, 20] {
        let started = std::time::Instant::now();
        let done = limited(most);
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{err}");
        assert!(err.contains("ulimit -n 1024") && started.elapsed() < PATIENCE, "{most}: {err}");
    }
}
