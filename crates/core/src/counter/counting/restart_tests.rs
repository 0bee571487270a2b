//! A counter that is stopped at any point and restored from the log of its changes continues as if nothing had
//! happened.

use super::*;
use crate::counter::journal::Change;
use crate::counter::members::Members;
use crate::counter::snapshot::Records;
use crate::counter::watermark::Watermark;
use crate::distinct::Precision;
use crate::window::Unit;
use proptest::prelude::*;

/// One event in the life of a counter.
#[derive(Clone, Debug)]
enum Step {
    Frame {
        partition: usize,
        user: u32,
        ts: i64,
    },
    Malformed,
    Silence(usize),
    FlushLate,
    FlushEarly,
    /// Writes the changes.
    Save,
    /// Saves, and restarts from the log.
    Restart,
    /// Restarts without saving: all frames since the last save are read again.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let frame = (0usize..2, 0u32..40, 0i64..900);
    prop_oneof![
        40 => frame.prop_map(|(partition, user, ts)| Step::Frame { partition, user, ts }),
        2 => Just(Step::Malformed),
        1 => (0usize..2).prop_map(Step::Silence),
        2 => Just(Step::FlushLate),
        1 => Just(Step::FlushEarly),
        3 => Just(Step::Save),
        2 => Just(Step::Restart),
        2 => Just(Step::Crash),
    ]
}

fn apply(counter: &mut Counter, step: &Step) -> Vec<Emission> {
    match step {
        Step::Frame { partition, user, ts } => {
            // Some ids are long, so that the log has many blocks of ids.
            let long = if *user % 16 == 0 { 150_000 } else { 0 };
            let uid = format!("{user}-{}", "x".repeat(long));
            counter.observe(*partition, Ok(Frame { uid: &uid, ts: *ts }));
        }
        Step::Malformed => drop(counter.observe(0, Err(Malformed::NotJson))),
        Step::Silence(partition) => counter.silence(*partition),
        Step::FlushLate => counter.flush_late(),
        Step::FlushEarly => counter.flush_early(),
        Step::Save | Step::Restart | Step::Crash => {}
    }
    counter.drain().collect()
}

fn fold(records: &mut Records, changes: Vec<Change>) {
    for Change { key, value } in changes {
        match value {
            Some(value) => drop(records.insert(key, value)),
            None => drop(records.remove(&key)),
        }
    }
}

fn config(retention: i64, distinct: Distinct) -> Config {
    let every = |seconds| Unit::every(seconds).unwrap();
    let units = vec![Unit::Second, Unit::Minute, Unit::Week, Unit::Month, every(7), every(420), every(432_000)];
    // A low limit, so that some windows are refused; before the first clock starts, the first frames open as many as
    // they can.
    Config { units, distinct, lateness: 5, retention, max_jump: 120, max_open_windows: 20, max_far_users: 30 }
}

fn check(steps: &[Step], retention: i64, distinct: Distinct) -> Result<(), TestCaseError> {
    let mut plain = Counter::new(config(retention, distinct), 2);
    let mut kept = Counter::new(config(retention, distinct), 2);
    kept.keep_state();
    let mut records = Records::new();
    let mut since = Vec::new();
    let (mut expected, mut committed, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for step in steps {
        // A restart forgets which partitions are silent, so the uninterrupted run must forget it too.
        if matches!(step, Step::Restart | Step::Crash) {
            plain.clocks = plain.clocks.clone().awake();
        }
        expected.extend(apply(&mut plain, step));
        open.extend(apply(&mut kept, step));
        since.push(step.clone());
        if matches!(step, Step::Save | Step::Restart) {
            fold(&mut records, kept.changes());
            committed.append(&mut open);
            since.clear();
        }
        if matches!(step, Step::Restart | Step::Crash) {
            kept = Counter::restore(config(retention, distinct), 2, &records).unwrap();
            open.clear();
            for step in &since {
                // An earlier crash forgot the silence as well.
                if matches!(step, Step::Crash) {
                    kept.clocks = kept.clocks.clone().awake();
                }
                open.extend(apply(&mut kept, step));
            }
        }
    }
    for (counter, results) in [(&mut plain, &mut expected), (&mut kept, &mut open)] {
        counter.finish();
        results.extend(counter.drain());
    }
    committed.append(&mut open);
    prop_assert_eq!(committed, expected);
    prop_assert_eq!(kept.ledger(), plain.ledger());
    prop_assert_eq!(kept.users(), plain.users());
    fold(&mut records, kept.changes());
    let restored = Counter::restore(config(retention, distinct), 2, &records).unwrap();
    prop_assert_eq!((restored.pending(), restored.closed.len()), (0, plain.closed.len()));
    prop_assert_eq!(&restored.clocks, &plain.clocks.clone().awake());
    // The log keeps nothing of evicted windows.
    let windows = records.keys().filter(|key| key.contains(':') && !key.contains('/')).count();
    prop_assert_eq!(windows, plain.closed.len());
    let chunks = records.keys().filter(|key| key.contains(':') && key.contains('/')).count();
    let many = plain.lanes.iter().flat_map(Lane::windows).filter(|(_, open)| !matches!(open.users, Members::Few(_)));
    prop_assert_eq!(chunks, many.count(), "40 users are one chunk, or one sketch");
    prop_assert_eq!(restored.far, plain.far);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_restart_changes_nothing(
        steps in prop::collection::vec(step(), 0..300),
        retention in prop::sample::select(&[0i64, 60, 86_400][..]),
    ) {
        check(&steps, retention, Distinct::Exact)?;
    }

    #[test]
    fn nor_does_it_change_sketches(
        steps in prop::collection::vec(step(), 0..200),
        retention in prop::sample::select(&[0i64, 60, 86_400][..]),
        precision in prop::sample::select(&[4u8, 5, 14][..]),
    ) {
        check(&steps, retention, Distinct::Hll(Precision::new(precision).unwrap()))?;
    }
}

fn saved(users: u32) -> (Counter, Records) {
    let mut counter = Counter::new(Config::default(), 1);
    counter.keep_state();
    for user in 0..users {
        counter.observe(0, Ok(Frame { uid: &format!("u{user}"), ts: 100 }));
    }
    let mut records = Records::new();
    fold(&mut records, counter.changes());
    (counter, records)
}

#[test]
fn large_windows_are_written_in_parts() {
    let (mut counter, mut records) = saved(200_000);
    let keys = |prefix: &str| records.keys().filter(|key| key.starts_with(prefix)).cloned().collect::<Vec<_>>();
    assert_eq!(keys("minute:"), ["minute:60", "minute:60/0", "minute:60/1", "minute:60/2", "minute:60/3"]);
    assert_eq!(keys("users/").len(), 200_000usize.div_ceil(1024));
    counter.observe(0, Ok(Frame { uid: "u0", ts: 101 }));
    counter.observe(0, Ok(Frame { uid: "new", ts: 101 }));
    let changes = counter.changes();
    let changed: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(changed, ["users/199680", "minute:60/3", "minute:60", "counter"], "what did not change is not written");
    fold(&mut records, changes);
    assert!(counter.changes().is_empty(), "nothing was observed since");
    let mut restored = Counter::restore(Config::default(), 1, &records).unwrap();
    assert_eq!((restored.users(), restored.ledger().read), (Some(200_001), 200_002));
    restored.finish();
    let result = restored.drain().next().unwrap();
    assert_eq!((result.users, result.frames, result.revision), (200_001, 200_002, Some(0)));
}

#[test]
fn no_records_are_a_new_counter() {
    let restored = Counter::restore(Config::default(), 3, &Records::new()).unwrap();
    assert_eq!((restored.users(), restored.watermark(), restored.ledger().read), (Some(0), None, 0));
}

#[test]
fn partitions_that_were_added_hold_the_watermark_back_until_they_speak() {
    let (_, records) = saved(100);
    let mut restored = Counter::restore(Config::default(), 2, &records).unwrap();
    restored.observe(0, Ok(Frame { uid: "u1", ts: 200 }));
    assert_eq!((restored.watermark(), restored.pending()), (Some(95), 2));
    restored.silence(1);
    assert_eq!((restored.watermark(), restored.pending()), (Some(195), 1));
}

#[test]
fn a_state_of_the_first_format_is_read() {
    let mut records = Records::new();
    for (key, value) in [
        (
            "counter",
            r#"{"clocks":{"clocks":[{"now":100,"silent":true,"candidate":100,"agreeing":0}],"lateness":5,"max_jump":3600,
            "overall":95},"ledger":{"read":9,"counted":8,"malformed":{"bad_ts":1},"too_late":0,"blank":0,"late":0,
            "out_of_order":0},"users":1,"windows":1}"#,
        ),
        ("minute:60", r#"{"end":120,"users":1,"frames":8,"revision":null,"changed":true}"#),
        ("users/0", r#"["u"]"#),
    ] {
        records.insert(key.into(), value.into());
    }
    let mut users = Vec::new();
    [0u32].into_iter().collect::<roaring::RoaringBitmap>().serialize_into(&mut users).unwrap();
    records.insert("minute:60/0".into(), users);
    let mut restored = Counter::restore(Config::default(), 1, &records).unwrap();
    assert_eq!((restored.watermark(), restored.clocks().of(0)), (Some(95), Watermark::At(95)));
    restored.finish();
    let result = restored.drain().next().unwrap();
    assert_eq!((result.users, result.frames, result.revision, result.window.end), (1, 8, Some(0), 120));
}

#[test]
fn damage_is_named() {
    let (_, records) = saved(3_000);
    let spoil = |key: &str, value: Option<&[u8]>| {
        let mut records = records.clone();
        match value {
            Some(value) => drop(records.insert(key.into(), value.into())),
            None => drop(records.remove(key).unwrap()),
        }
        Counter::restore(Config::default(), 1, &records).err().map(|error| error.to_string()).unwrap()
    };
    let lost = "the record `counter` is damaged: it counts 3000 users and 1 windows, but ";
    assert_eq!(spoil("minute:60", None), format!("{lost}3000 and 0 are there"));
    assert_eq!(spoil("users/2048", None), format!("{lost}2048 and 1 are there"));
    assert_eq!(spoil("minute:60/0", None), "the record `minute:60` is damaged: 0 users instead of 3000");
    let follow = "is damaged: its users do not follow those before it";
    assert_eq!(spoil("users/1024", None), format!("the record `users/2048` {follow}"));
    assert_eq!(spoil("users/1024", Some(b"[\"u1\"]")), format!("the record `users/1024` {follow}"));
    assert_eq!(spoil("users/x", Some(b"[]")), "the record `users/x` is damaged: its key has no number");
    assert_eq!(
        spoil("minute:x", Some(&records["minute:60"])),
        "the record `minute:x` is damaged: its key has no start"
    );
    assert!(spoil("minute:60/0", Some(b"rubbish")).starts_with("the record `minute:60/0` is damaged: "));
    assert!(spoil("counter", Some(b"{}")).starts_with("the record `counter` is damaged: missing field"));
    let none = Counter::restore(Config::default(), 0, &records).err().map(|error| error.why).unwrap();
    assert_eq!(none, "it counts 1 partitions instead of 0");
}

/// A counter of sketches with so many users in a window, and its records.
fn sketched(precision: u8, users: u32) -> (Config, Counter, Records) {
    let distinct = Distinct::Hll(Precision::new(precision).unwrap());
    let config = Config { units: vec![Unit::Minute, Unit::Hour], distinct, ..Config::default() };
    let mut counter = Counter::new(config.clone(), 1);
    counter.keep_state();
    for user in 0..users {
        counter.observe(0, Ok(Frame { uid: &format!("u{user}"), ts: 100 }));
    }
    let mut records = Records::new();
    fold(&mut records, counter.changes());
    (config, counter, records)
}

#[test]
fn large_sketches_are_written_in_pieces() {
    let (config, mut counter, records) = sketched(21, 300_000);
    let keys: Vec<&str> = records.keys().map(String::as_str).filter(|key| key.starts_with("minute:")).collect();
    // 40 bytes before the registers.
    assert_eq!(
        keys,
        ["minute:60", "minute:60/0", "minute:60/1", "minute:60/2", "minute:60/3", "minute:60/4"],
        "2 MiB and 40 bytes"
    );
    assert!(!records.keys().any(|key| key.starts_with("users/")), "no ids are kept");
    let mut restored = Counter::restore(config, 1, &records).unwrap();
    for counter in [&mut restored, &mut counter] {
        counter.observe(0, Ok(Frame { uid: "new", ts: 101 }));
        counter.finish();
    }
    let results: Vec<Emission> = counter.drain().collect();
    assert_eq!(restored.drain().collect::<Vec<_>>(), results);
    let minute = results[0].users;
    assert!((299_000..301_000).contains(&minute) && results[1].users == minute, "an hour is the union of its minutes");
}

#[test]
fn damaged_sketches_are_named() {
    let (config, _, records) = sketched(14, 20_000);
    let spoil = |key: &str, value: Option<Vec<u8>>| {
        let mut records = records.clone();
        match value {
            Some(value) => drop(records.insert(key.into(), value)),
            None => drop(records.remove(key)),
        }
        Counter::restore(config.clone(), 1, &records).err().map(|error| error.to_string()).unwrap()
    };
    let minute = "the record `minute:60` is damaged:";
    assert_eq!(spoil("minute:60/0", None), format!("{minute} a sketch of 0 bytes instead of 16424"));
    assert!(spoil("minute:60/0", Some(vec![0; 16_424])).starts_with(minute));
    let other = Config { distinct: Distinct::Hll(Precision::new(12).unwrap()), ..config.clone() };
    let why = |config: Config| Counter::restore(config, 1, &records).err().unwrap().why;
    assert_eq!(why(other), "it is a sketch of precision 14 and type Hll8");
    assert_eq!(why(Config { distinct: Distinct::Exact, ..config.clone() }), "a sketch instead of a set of users");
    let (_, exact) = saved(20);
    let sketches = Config { units: vec![Unit::Minute], ..config.clone() };
    let why = Counter::restore(sketches, 1, &exact).err().unwrap().why;
    assert_eq!(why, "a set of users instead of a sketch");
}
