//! Programs that end, that do not, and that leave others behind: nothing is left of any. Linux only, as the tests look
//! into /proc.

#![cfg(target_os = "linux")]

use crate::race::processes::Case;
use crate::support::kuu::{PATIENCE, eventually};
use crate::support::start::Start as _;
use kuu::race::supervisor::{EndCause, EndStatus, Ended, Supervised};
use std::fs;
use std::process::Command;
use std::time::Duration;

/// Waits for the end.
#[track_caller]
fn end_of(running: &mut Supervised) -> Ended {
    running.wait(PATIENCE).unwrap().expect("it ends by itself")
}

#[test]
fn one_that_ends_at_once_has_its_status_and_its_last_lines() {
    let case = Case::script("echo one; echo two >&2; echo three >&2; exit 3");
    let mut running = case.start();
    let ended = end_of(&mut running);
    assert_eq!((ended.cause, ended.status, ended.left_behind), (EndCause::Exited, EndStatus::Code(3), 0));
    assert_eq!((running.last_lines(1), running.last_lines(5)), ("three".into(), "two\nthree".into()));
    assert_eq!(running.stop().unwrap(), ended);
    assert_eq!(fs::read_to_string(case.dir.path().join("logs/stdout.log")).unwrap(), "one\n");

    // The second run appends to the logs, and quotes only its own.
    let case = Case { launch: kuu::race::supervisor::Launch { program: vec!["true".into()], ..case.launch }, ..case };
    let mut running = case.start();
    assert_eq!(end_of(&mut running).status, EndStatus::Code(0));
    assert_eq!(running.last_lines(5), "");
}

#[test]
fn one_that_crashes_has_its_signal() {
    let ended = end_of(&mut Case::script("kill -SEGV $$").start());
    assert_eq!((ended.cause, ended.status), (EndCause::Exited, EndStatus::Signal(11)));
    assert_eq!(ended.to_string(), "SIGSEGV");
}

#[test]
fn one_that_cannot_be_started_is_refused() {
    assert!(Case::program(&["no-such-program"]).refusal().contains("no-such-program cannot be started in /"));
    let case = Case::program(&["./count"]);
    fs::write(case.dir.path().join("count"), "#!/bin/sh\n").unwrap();
    assert!(case.refusal().contains("Permission denied"), "{}", case.refusal());
    let mut case = Case::program(&["true"]);
    case.launch.dir = case.dir.path().join("none");
    assert!(case.refusal().ends_with("/none: no such directory"), "{}", case.refusal());
}

#[test]
fn a_program_is_seen_from_its_directory_and_has_its_environment_only() {
    let mut case = Case::program(&["./count", "a b", "$HOME"]);
    let script = "#!/bin/sh\necho \"$1|$2|$TZ|$KUU_GROUP|${KUU_TEST_BROKERS-none}\" > said\n";
    fs::write(case.dir.path().join("count"), script).unwrap();
    Command::new("chmod").arg("+x").arg(case.dir.path().join("count")).ended();
    case.launch.env.insert("KUU_GROUP".into(), "g".into());
    assert_eq!(end_of(&mut case.start()).status, EndStatus::Code(0));
    assert_eq!(case.file("said"), "a b|$HOME|UTC|g|none\n");
}

#[test]
fn what_survives_the_program_is_killed() {
    // One leaves the session, one its parents, too.
    let case = Case::script(
        "setsid sh -c 'echo > one; exec sleep 600' & (setsid sh -c 'sleep 600 & echo > two; wait' &)
         until [ -s one ] && [ -s two ]; do sleep 0.01; done; exit 0",
    );
    let mut running = case.start();
    let ended = end_of(&mut running);
    assert_eq!((ended.cause, ended.status, ended.left_behind), (EndCause::Exited, EndStatus::Code(0), 3));
    assert_eq!(case.alive(), [0; 0]);
    assert_eq!(ended.to_string(), "exit status 0, and left 3 processes behind");
}

#[test]
fn stop_lets_it_end_in_order() {
    let case = Case::script("trap 'echo bye >&2; exit 7' TERM; echo > ready; while :; do sleep 0.01; done");
    let mut running = case.start();
    case.file("ready");
    assert_eq!(running.ended().unwrap(), None);
    let ended = running.stop().unwrap();
    assert_eq!((ended.cause, ended.status), (EndCause::Stopped, EndStatus::Code(7)));
    assert_eq!(running.last_lines(1), "bye");
}

#[test]
fn stop_waits_for_children_that_need_longer_than_the_first_process() {
    let slow = "trap 'sleep 0.5; echo > last; exit 0' TERM; echo > ready; while :; do sleep 0.01; done";
    let case = Case::script(&format!("sh -c \"{slow}\" & wait"));
    let mut running = case.start();
    case.file("ready");
    let ended = running.stop().unwrap();
    assert_eq!((ended.cause, ended.status), (EndCause::Stopped, EndStatus::Signal(15)));
    assert_eq!(fs::read_to_string(case.dir.path().join("last")).unwrap(), "\n");
    assert_eq!(case.alive(), [0; 0]);
}

#[test]
fn one_that_ignores_sigterm_is_killed_after_its_grace() {
    let mut case = Case::script("trap '' TERM; echo > ready; while :; do sleep 0.01; done");
    case.launch.grace = Duration::from_millis(200);
    let mut running = case.start();
    case.file("ready");
    let ended = running.stop().unwrap();
    assert_eq!((ended.cause, ended.status), (EndCause::Forced, EndStatus::Signal(9)));
    assert_eq!(ended.to_string(), "did not end after SIGTERM, so killed: SIGKILL");
    assert_eq!(case.alive(), [0; 0]);
}

#[test]
fn kill_hits_the_whole_tree_and_so_does_drop() {
    let tree = "trap '' TERM; for i in 1 2 3; do setsid sh -c 'sleep 600 & wait' & done; echo > ready; wait";
    for kill in [true, false] {
        let case = Case::script(tree);
        let mut running = case.start();
        case.file("ready");
        eventually("seven processes", || (case.alive().len() == 7).then_some(()));
        if kill {
            let ended = running.kill().unwrap();
            assert_eq!((ended.cause, ended.status, ended.left_behind), (EndCause::Killed, EndStatus::Signal(9), 0));
            assert_eq!(case.alive(), [0; 0]);
        }
        drop(running);
        assert_eq!(case.alive(), [0; 0]);
    }
}

#[test]
fn one_that_fills_its_quota_of_log_is_killed() {
    for script in ["yes", "yes >&2", "setsid yes & wait"] {
        let case = Case::script(script);
        let mut running = case.start();
        let ended = end_of(&mut running);
        assert_eq!((ended.cause, ended.status), (EndCause::LogLimit, EndStatus::Signal(9)), "{script}");
        assert_eq!(ended.to_string(), "fills its quota of log, so killed: SIGKILL");
        let length = |name: &str| fs::metadata(case.launch.logs.join(name)).unwrap().len();
        assert_eq!(length("stdout.log") + length("stderr.log"), case.launch.log_limit_bytes);
        assert_eq!(running.last_lines(1), "y");
        assert_eq!(case.alive(), [0; 0]);
    }
}

/// `tail` keeps all that has no end of line.
#[test]
fn one_that_takes_more_memory_than_it_may_is_killed() {
    let limit = 64_000_000;
    for (megabytes, cause) in [(4, EndCause::Exited), (256, EndCause::MemoryLimit)] {
        let mut case =
            Case::script(&format!("(head -c {megabytes}000000 /dev/zero; sleep 1) | tail -n 1 >/dev/null & wait"));
        case.launch.memory_limit_bytes = Some(limit);
        let mut running = case.start();
        let ended = end_of(&mut running);
        assert_eq!(ended.cause, cause, "{megabytes}");
        assert_eq!(running.usage().peak_pss_bytes > limit, cause == EndCause::MemoryLimit);
        assert_eq!(case.alive(), [0; 0]);
        if cause == EndCause::MemoryLimit {
            assert_eq!(ended.to_string(), "takes more memory than it may, so killed: SIGKILL");
        }
    }
}

#[test]
fn a_paused_tree_stands_still_and_can_be_stopped() {
    let case = Case::script("setsid sh -c 'while :; do :; done' & echo > ready; while :; do :; done");
    let mut running = case.start();
    case.file("ready");
    eventually("two processes", || (case.alive().len() == 2).then_some(()));
    let states = || -> Vec<char> {
        let state = |id: &i32| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
            stat[stat.rfind(')').unwrap() + 2..].chars().next().unwrap()
        };
        case.alive().iter().map(state).collect()
    };
    running.pause().unwrap();
    eventually("both are stopped", || (states() == ['T', 'T']).then_some(()));
    assert_eq!(running.ended().unwrap(), None);
    running.resume().unwrap();
    eventually("both run", || (states() == ['R', 'R']).then_some(()));
    running.pause().unwrap();
    assert_eq!(running.stop().unwrap().status, EndStatus::Signal(15));
    assert_eq!(case.alive(), [0; 0]);
}

#[test]
fn figures_are_those_of_the_whole_tree() {
    // `times` prints what the shell itself and its children took, of which most is in children of children.
    let case = Case::script(". ./burn; sh -c 'sh ./burn; . ./burn'; times > took; echo >> took");
    let burn = "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done\n";
    fs::write(case.dir.path().join("burn"), burn).unwrap();
    let mut running = case.start();
    assert_eq!(end_of(&mut running).status, EndStatus::Code(0));
    let seconds = |text: &str| {
        let (minutes, seconds) = text.split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.trim_end_matches('s').parse::<f64>().unwrap()
    };
    let took: f64 = case.file("took").split_whitespace().map(seconds).sum();
    let cpu = running.usage().cpu_us as f64 / 1e6;
    assert!((cpu / took - 1.0).abs() < 0.05 + 0.05 / took, "{cpu} s, of which the script saw {took}");
}

#[test]
fn memory_of_several_processes_adds_up() {
    // `tail` holds what it may have to print.
    let hold = "(head -c 40000000 /dev/zero; cat wait) | tail -c 40000000 > /dev/null";
    let case = Case::script(&format!("mkfifo wait; {hold} & {hold} & echo > ready; wait"));
    let mut running = case.start();
    case.file("ready");
    eventually("both hold 40 MB", || (running.usage().resident_bytes > 80_000_000).then_some(()));
    // What is due every 100 ms comes, too.
    eventually("shared pages count once", || (running.usage().peak_pss_bytes > 80_000_000).then_some(()));
    let before = running.usage();
    running.kill().unwrap();
    let after = running.usage();
    assert_eq!(after.resident_bytes, 0);
    assert!(after.peak_resident_bytes >= before.peak_resident_bytes && after.cpu_us >= before.cpu_us);
    assert!((80_000_000..110_000_000).contains(&after.peak_resident_bytes), "{after:?}");
    assert!((80_000_000..100_000_000).contains(&after.peak_pss_bytes), "{after:?}");
}

#[test]
fn if_the_keeper_is_killed_so_is_the_group() {
    let case = Case::script("sleep 600 & echo > ready; wait");
    let mut running = case.start();
    case.file("ready");
    let stat = fs::read_to_string(format!("/proc/{}/stat", running.id())).unwrap();
    let keeper = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    assert!(Command::new("kill").args(["-9", &keeper]).ended().success());
    let error = running.ended().unwrap_err().to_string();
    assert!(error.contains("the process that watches the engine died"), "{error}");
    eventually("all are gone", || case.alive().is_empty().then_some(()));
    assert!(running.stop().is_err());
}
