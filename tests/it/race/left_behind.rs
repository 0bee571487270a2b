//! Nothing is left of an engine's processes when kuu itself ends, however it ends.

#![cfg(target_os = "linux")]

use crate::race::processes::{MARK, marked};
use crate::support::kuu::{Kuu, Running, eventually};
use std::fs;

/// A kuu that builds an engine, of which four processes run in three sessions and ignore SIGTERM.
fn building(kuu: &Kuu) -> Running {
    let engine = kuu.path("engines/slow");
    fs::create_dir_all(&engine).unwrap();
    let mark = engine.to_str().unwrap();
    let descriptor = format!(
        "name = \"slow\"\ntitle = \"Slow\"\nrun = [\"true\"]\nbuild = [[\"sh\", \"build.sh\"]]\nstop_grace_s = 1\n\
         env = {{ {MARK} = \"{mark}\" }}\n"
    );
    fs::write(engine.join("engine.toml"), descriptor).unwrap();
    let script = "trap '' TERM INT
        setsid sh -c 'trap \"\" TERM; sleep 600' &
        (setsid sleep 600 &)
        while :; do sleep 0.05; done";
    fs::write(engine.join("build.sh"), script).unwrap();
    let running = kuu.spawn("engines build slow").close();
    eventually("four processes", || (marked(&engine).len() >= 4).then_some(()));
    running
}

fn are_gone(kuu: &Kuu) {
    eventually("all are gone", || marked(&kuu.path("engines/slow")).is_empty().then_some(()));
}

#[test]
fn when_kuu_is_killed() {
    let kuu = Kuu::new();
    let running = building(&kuu);
    running.signal("KILL");
    assert_eq!(running.wait().code, None);
    are_gone(&kuu);
}

#[test]
fn when_kuu_is_interrupted() {
    let kuu = Kuu::new();
    let running = building(&kuu);
    running.signal("INT");
    running.wait().exits(130);
    assert_eq!(marked(&kuu.path("engines/slow")), [0; 0]);
}

#[test]
fn when_kuu_is_interrupted_twice() {
    let kuu = Kuu::new();
    let mut running = building(&kuu);
    running.signal("INT");
    // The first signal may be handled already.
    eventually("kuu ends", || {
        if running.is_running() {
            running.signal("INT");
        }
        (!running.is_running()).then_some(())
    });
    running.wait().exits(130);
    are_gone(&kuu);
}
