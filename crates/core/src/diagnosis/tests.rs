//! The right answers, the mistakes, and what is not told apart.

use super::*;
use crate::window::{Unit, Window};
use crate::workload::{Answer, GeneratedBlock, Generator, Mistake, Oracle, TruthFile, Workload};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::LazyLock;

/// When the engines of these tests run.
const RUN: RangeInclusive<i64> = 1_790_000_000..=1_790_000_050;

fn workload(name: &str) -> Workload {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../workloads/{name}.toml"));
    Workload::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn case(name: &str) -> Case {
    Case::of_made(&workload(name)).unwrap()
}

/// The workloads of the repository whose frames are made.
fn workloads() -> Vec<(String, Workload)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workloads");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names: BTreeSet<String> = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let all = names.into_iter().map(|name| (name.clone(), workload(&name)));
    let all: Vec<_> = all.filter(|(_, workload)| workload.file.is_none()).collect();
    assert!(all.len() > 30);
    all
}

fn truth(workload: &Workload) -> TruthFile {
    let (generator, mut block) = (Generator::new(&workload.frames).unwrap(), GeneratedBlock::default());
    let mut oracle = Oracle::new(&workload.frames);
    for number in 0..generator.blocks() {
        generator.fill(number, &mut block);
        oracle.take(&block);
    }
    oracle.finish()
}

fn most(case: &Case) -> UsersByWindow {
    case.bounds().iter().map(|(window, bounds)| (*window, bounds.max)).collect()
}

#[test]
fn the_truth_of_every_workload_and_its_targets() {
    let mut wrong = Vec::new();
    for (name, workload) in workloads() {
        let (case, rows) = (Case::of_made(&workload).unwrap(), truth(&workload).rows);
        assert_eq!(case.bounds().len(), rows.len(), "{name}");
        for row in &rows {
            let kept = row.counted.map_or(row.users, |kept| kept.users);
            let expected = Bounds { min: row.users_min, kept, max: row.users_max };
            assert_eq!(case.bounds()[&row.window()], expected, "{name}, {}", row.window());
        }
        let counted = rows.iter().map(|row| (row.window(), row.counted.map_or(row.users, |kept| kept.users)));
        for right in [most(&case), counted.collect()] {
            assert_eq!((case.diagnose(&right, &RUN), case.size(&right)), (Vec::new(), ErrorSize::default()));
        }
        wrong.extend(case.check_targets(&RUN).err().map(|error| format!("{name}: {error}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_mistake_is_called() {
    for (name, mistake, words) in [
        ("late", Mistake::DropsLate, "drops frames that come more than 5 s after the end of their window"),
        ("partition-ahead", Mistake::GreatestWatermark, "takes the greatest watermark of the partitions"),
        ("future-middle", Mistake::FutureStamp, "drops what comes after a stamp in the future"),
        ("last-window", Mistake::MissesLastWindow, "misses the last window"),
        ("aborted-small", Mistake::CountsAborted, "counts aborted frames"),
        ("kill", Mistake::CountsTwice, "counts twice after a crash"),
        ("kill", Mistake::LosesFrames, "loses frames after a fault"),
        ("unkeyed", Mistake::AddsPartitions, "adds up the users of the partitions"),
        ("hot-users", Mistake::Approximates, "approximates"),
        ("edges", Mistake::ShiftsTimeZone, "shifts by -12 h"),
        ("plain", Mistake::WallClock, "takes the time of the machine for event time"),
        ("tombstones", Mistake::CountsDamaged, "counts damaged frames: no value (at 1970)"),
    ] {
        let case = case(name);
        let answer = case.example(mistake, &RUN).unwrap();
        let found = case.diagnose(&answer, &RUN);
        assert_eq!((in_words(&found), found[0].mistake), (words.to_owned(), mistake), "{name}");
    }
}

#[test]
fn a_sketch_errs_in_both_directions() {
    let case = case("hot-users");
    let off = |is_more: fn(usize) -> bool| -> UsersByWindow {
        let of = |number, users: u64| if is_more(number) { users + 2 } else { users - 2 };
        most(&case).into_iter().enumerate().map(|(number, (window, users))| (window, of(number, users))).collect()
    };
    assert_eq!(most(&case).len(), 8);
    assert_eq!(in_words(&case.diagnose(&off(|number| number == 3), &RUN)), "approximates");
    assert_eq!(case.diagnose(&off(|_| true), &RUN), []);
}

/// A case of the lines of a file, in one partition.
fn of_lines(lines: &[&str]) -> Case {
    of_tier("contract", lines)
}

fn of_tier(tier: &str, lines: &[&str]) -> Case {
    let accepts = if tier == "dialect" { "accepts = ['first', 'last', 'reject']" } else { "" };
    let text = format!(
        "why = 'x'\ntier = '{tier}'\n{accepts}\nfile = 'x'\n[frames]\n[expect]\nread = 1\ncounted = 1\nwindows = 1"
    );
    Case::of_lines(&Workload::parse(&text).unwrap(), lines)
}

fn minutes(counts: &[(i64, u64)]) -> UsersByWindow {
    counts.iter().map(|(start, users)| (Unit::Minute.window(*start), *users)).collect()
}

#[test]
fn damage_that_counts() {
    for (line, at, words) in [
        (r#"{"uid":null,"ts":60}"#, 60, "the uid null"),
        (r#"{"ts":60}"#, 60, "no uid"),
        (r#"{"uid":"","ts":60}"#, 60, "an empty uid"),
        (r#"{"uid":17,"ts":60}"#, 60, "a number or bool as uid"),
        (r#"{"uid":["b"],"ts":60}"#, 60, "an array or object as uid"),
        (r#"{"uid":"\ud83d","ts":60}"#, 60, "half a surrogate pair in the uid"),
        (r#"{"uid":"b"}"#, 0, "no ts or null"),
        (r#"{"uid":"b","ts":""}"#, 0, "an empty ts"),
        (r#"{"uid":"b","ts":60.5}"#, 60, "a ts with a fraction or exponent"),
        (r#"{"uid":"b","ts":-1}"#, -60, "a ts before 1970 or after 9999"),
        (r#"{"uid":"b","ts":"+60"}"#, 60, "a ts that is another kind of number, as \"+1\" or true"),
        (r#"{"uid":"b","ts":"1970-01-01T00:01:00Z"}"#, 60, "a date as ts"),
        (r#"{"uid":"b","ts":60,"c":"#, 60, "text that is no JSON"),
        (r#"{"uid":"b","ts":60}{"uid":"c","ts":600}"#, 60, "text after the frame"),
        (r#"[{"uid":"b","ts":60}]"#, 60, "no object"),
    ] {
        let case = of_lines(&[r#"{"uid":"a","ts":60}"#, line]);
        assert_eq!(most(&case), minutes(&[(60, 1)]), "{line}");
        let mut answer = minutes(&[(60, 1)]);
        let window =
            if at == -60 { Window { unit: Unit::Minute, start: -60, end: 0 } } else { Unit::Minute.window(at) };
        *answer.entry(window).or_default() += 1;
        assert_eq!(in_words(&case.diagnose(&answer, &RUN)), format!("counts damaged frames: {words}"), "{line}");
    }
    let both = of_lines(&[r#"{"uid":"a","ts":60}"#, r#"{"uid":"b","ts":60}{"uid":"c","ts":600}"#]);
    let words = in_words(&both.diagnose(&minutes(&[(60, 2), (600, 1)]), &RUN));
    assert_eq!(words, "counts damaged frames: text after the frame; a second frame in the line");
}

#[test]
fn late_frames() {
    let frame = |uid: &str, ts: i64| format!(r#"{{"uid":"{uid}","ts":{ts}}}"#);
    let lines = [frame("a", 0), frame("b", 66), frame("c", 50), frame("d", 59), frame("e", 130), frame("f", 120)];
    let case = of_lines(&lines.each_ref().map(String::as_str));
    let words = |counts: &[(i64, u64)]| in_words(&case.diagnose(&minutes(counts), &RUN));
    let bounds = |start: i64| case.bounds()[&Unit::Minute.window(start)];
    assert_eq!([bounds(0), bounds(60)].map(|bounds| (bounds.min, bounds.kept, bounds.max)), [(1, 3, 3), (1, 1, 1)]);
    assert!(case.is_right(&minutes(&[(0, 3), (60, 1), (120, 2)])));
    assert_eq!(
        words(&[(0, 1), (60, 1), (120, 2)]),
        "drops frames that come more than 5 s after the end of their window"
    );
    assert_eq!(words(&[(0, 1), (60, 1), (120, 1)]), "drops frames later than 5 s");
    assert_eq!(words(&[(0, 2), (60, 1), (120, 2)]), "drops frames later than 10 s");
    assert_eq!(words(&[(0, 3), (60, 1)]), "misses the last window");
    assert_eq!(words(&[(0, 4), (60, 1), (120, 2)]), "unexplained");
    assert_eq!(words(&[(7_200, 3), (7_260, 1), (7_320, 2)]), "shifts by +2 h");
    assert_eq!(words(&[(20_700, 3), (20_760, 1), (20_820, 2)]), "shifts by +5 h 45 min");
    assert_eq!(case.size(&minutes(&[(0, 1), (60, 2), (600, 7)])).to_string(), "+8 and -4 users in 4 windows");
}

#[test]
fn sizes_in_words() {
    for ((more, fewer, windows), words) in [
        ((312, 0, 12), "+312 users in 12 windows"),
        ((0, 1, 1), "-1 user in 1 window"),
        ((2_000, 31, 1_200), "+2,000 and -31 users in 1,200 windows"),
    ] {
        assert_eq!(ErrorSize { more, fewer, windows }.to_string(), words);
    }
}

#[test]
fn answers_to_dialects() {
    let words = |name: &str| {
        let case = case(name);
        assert_eq!(case.answers()[0].users(), most(&case), "{name}: the first one is kuu's");
        let all = case.answers().iter().map(|accepted| (accepted.answer, accepted.words.clone()));
        all.collect::<Vec<_>>()
    };
    let named = |answer: Answer, words: &str| (answer, words.to_owned());
    assert_eq!(
        words("text-stamps"),
        [named(Answer::Take, "a ts as text counts"), named(Answer::Reject, "a ts as text does not count")]
    );
    assert_eq!(
        words("deep"),
        [named(Answer::Take, "1,000 levels count"), named(Answer::Reject, "1,000 levels do not count")]
    );
    assert_eq!(words("duplicates"), [named(Answer::First, "a frame that comes twice changes nothing")]);
    assert_eq!(words("escapes").len(), 4);
    let repeated = words("repeated-keys");
    assert_eq!(repeated[0], named(Answer::Reject, "a frame with two members of one name does not count"));
    assert!(repeated.contains(&named(Answer::Last, "the last of two members counts")), "{repeated:?}");
    assert!(repeated.contains(&named(Answer::First, "the first of two members counts")), "{repeated:?}");
    assert!(case("late").answers().is_empty());
}

#[test]
fn a_mistake_in_another_dialect() {
    let case = of_tier(
        "dialect",
        &[
            r#"{"uid":"a","ts":0}"#,
            r#"{"uid":"b","uid":"c","ts":10}"#,
            r#"{"uid":"d","ts":66}"#,
            r#"{"uid":"d","ts":70,"ts":2}"#,
            r#"{"ts":71,"uid":"e","uid":"f"}"#,
            r#"{"uid":"g","ts":130}"#,
        ],
    );
    let answer = |counts: [u64; 3]| minutes(&[(0, counts[0]), (60, counts[1]), (120, counts[2])]);
    for (users, accepted) in [([1, 1, 1], Answer::Reject), ([2, 2, 1], Answer::First), ([3, 2, 1], Answer::Last)] {
        assert_eq!(case.accepted(&answer(users)).map(|accepted| accepted.answer), Some(accepted));
        assert_eq!(case.size(&answer(users)), ErrorSize::default());
    }
    for (users, words, size) in [
        ([3, 2, 0], "misses the last window (the last of two members counts)", "-1 user in 1 window"),
        ([2, 2, 0], "misses the last window (the first of two members counts)", "-1 user in 1 window"),
        ([1, 1, 0], "misses the last window", "-1 user in 1 window"),
        ([1, 2, 1], "reads two members of a frame and no more, even if both have one name", "+1 user in 1 window"),
        ([5, 2, 1], "unexplained", "+2 users in 1 window"),
    ] {
        let found = case.diagnose(&answer(users), &RUN);
        assert_eq!((in_words(&found).as_str(), case.size(&answer(users)).to_string().as_str()), (words, size));
        assert!(found.iter().all(|it| it.is_exact));
    }
}

#[test]
fn a_sketch_in_another_dialect() {
    let case = case("repeated-keys");
    let last = case.answers().iter().find(|accepted| accepted.words == "the last of two members counts").unwrap();
    let off = |(number, (window, users)): (usize, (&Window, &u64))| {
        let error = if *users > 100 { 20 } else { 0 };
        (*window, if number % 2 == 0 { users + error } else { users - error })
    };
    let answer: UsersByWindow = last.users().iter().enumerate().map(off).collect();
    assert_eq!(in_words(&case.diagnose(&answer, &RUN)), "approximates (in another dialect)");
}

#[test]
fn a_rejected_text_stamp_counted_by_hand() {
    let (workload, case) = (workload("text-stamps"), case("text-stamps"));
    let (generator, mut block) = (Generator::new(&workload.frames).unwrap(), GeneratedBlock::default());
    generator.fill(0, &mut block);
    assert_eq!(generator.blocks(), 1);
    let mut users: BTreeMap<Window, BTreeSet<u32>> = BTreeMap::new();
    for line in block.lines() {
        let crate::workload::Meant::Frame { user, ts, .. } = line.meant else { panic!("all are frames") };
        if !String::from_utf8_lossy(line.bytes).contains(&format!(r#""ts":"{ts}""#)) {
            users.entry(Unit::Minute.window(ts)).or_default().insert(user);
        }
    }
    let users: UsersByWindow = users.into_iter().map(|(window, users)| (window, users.len() as u64)).collect();
    assert_eq!(case.accepted(&users).map(|accepted| accepted.answer), Some(Answer::Reject));
    assert!(!case.is_right(&users) && case.diagnose(&users, &RUN).is_empty());
}

#[test]
fn a_workload_that_does_not_show_its_target_is_refused() {
    let check = |name: &str, target| {
        let workload = Workload { targets: vec![target], ..workload(name) };
        Case::of_made(&workload).unwrap().check_targets(&RUN).unwrap_err()
    };
    assert_eq!(check("late-keyed", Mistake::AddsPartitions), "targets: adds-partitions gives the right answer here");
    assert_eq!(check("small-frames", Mistake::CountsAborted), "targets: counts-aborted gives the right answer here");
    assert_eq!(
        check("plain", Mistake::MissesLastWindow),
        "targets: misses-last-window does not show where an epilogue closes the last window"
    );
}

static SMALL: LazyLock<Case> = LazyLock::new(|| case("small-frames"));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn an_error_of_no_mistake_is_unexplained(at in 0..7_usize, more in 1..400_u64) {
        let mut answer = most(&SMALL);
        let window = *answer.keys().nth(at).unwrap();
        *answer.entry(window).or_default() += more;
        prop_assert_eq!(in_words(&SMALL.diagnose(&answer, &RUN)), "unexplained");
        // What is missing from a window that is closed may have come after a watermark that was too high.
        *answer.entry(window).or_default() -= more + 1;
        let found = SMALL.diagnose(&answer, &RUN);
        prop_assert_eq!(found.iter().map(|it| (it.mistake, it.is_exact)).collect::<Vec<_>>(), [(Mistake::GreatestWatermark, false)]);
    }
}
