//! Dying threads: whichever thread dies, the run ends with an error, and no result that depends on it is final.

use crate::support::broker::{Mock, committed, read, rows};
use crate::support::frames::{frames, lines};
use crate::support::kuu::{Done, Kuu, each};

/// Fills a topic, then runs the command and lets the thread die in it.
fn dies(thread: &str, command: &str) -> (Mock, Done) {
    let mock = Mock::new(2);
    let mut kuu = Kuu::with(&mock.address);
    let file = kuu.file("a.jsonl", lines(&frames(1_000)));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.plant_panic(thread);
    let done = kuu.run(command).complains(&format!("kuu: thread {thread} died, which is a fault of kuu"));
    assert_eq!(done.code, Some(2), "{done}");
    (mock, done)
}

#[test]
fn a_reader() {
    let cases = [("reader-0", ""), ("reader-1", "--threads 2"), ("reader-0", "--follow --idle 100ms")];
    each(&cases, |(thread, options)| {
        // The other reader may deliver frames for a while: with a long interval, no commit covers these before the run
        // ends.
        let options = format!("--commit-interval 40s {options}");
        let (mock, _) = dies(thread, &format!("count {options}"));
        assert_eq!(rows(&mock.address, "output"), []);
        let source = |message: &crate::support::broker::Message| message.key.as_deref() == Some(b"source");
        assert!(!read(&mock.address, "kuu-state").iter().any(source));
        let (mock, _) = dies(thread, &format!("count --guarantee at-least-once {options}"));
        assert_eq!(rows(&mock.address, "output"), []);
        assert!(committed(&mock.address, "kuu", "messages").iter().all(|position| *position <= 0));
    });
}

/// The guard checks that the topics are the same before a transaction is committed.
#[test]
fn the_guard() {
    // The embedded broker shows uncommitted records too: `crash_topics` checks the rows.
    dies("guard", "count");
}

/// The positions are part of each transaction.
#[test]
fn the_offsets() {
    dies("offsets", "count");
}

#[test]
fn the_committer() {
    let (mock, _) = dies("committer", "count --guarantee at-least-once");
    assert_eq!(rows(&mock.address, "output"), []);
    assert_eq!(committed(&mock.address, "kuu", "messages"), [-1, -1]);
}

/// The watcher checks the topic while it is followed.
#[test]
fn the_watcher() {
    dies("watcher", "count --follow");
}

#[test]
fn the_parser_of_a_file() {
    let mut kuu = Kuu::new();
    let file = kuu.file("a.jsonl", lines(&frames(1_000)));
    kuu.plant_panic("parser");
    let done = kuu.run(&format!("count {file}")).complains("kuu: thread parser died");
    // The end of the file would have closed the open window.
    let open = frames(1_000).len() as i64 / 7 / 60 * 60 + crate::support::frames::MINUTE;
    assert_eq!(done.code, Some(2), "{done}");
    assert!(done.rows().iter().all(|row| row.start < open), "{done}");
}
