use super::*;
use kuu_frame::ParserKind;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Returns its texts as blocks, and its errors.
struct Given(VecDeque<Result<String, &'static str>>);

impl Blocks for Given {
    type Error = &'static str;

    fn next_block(&mut self, block: &mut Block) -> Result<bool, &'static str> {
        *block = Block::default();
        match self.0.pop_front() {
            Some(Ok(text)) => *block = Block::new(text.into_bytes(), 1),
            Some(Err(error)) => return Err(error),
            None => return Ok(false),
        }
        Ok(true)
    }
}

fn given<const N: usize>(blocks: [Result<&str, &'static str>; N]) -> Given {
    Given(blocks.into_iter().map(|block| block.map(str::to_owned)).collect())
}

fn frame(uid: &str, ts: i64) -> String {
    format!("{{\"uid\":\"{uid}\",\"ts\":{ts}}}\n")
}

fn print(truth: &Truth) -> Vec<String> {
    truth.windows().iter().map(WindowCount::to_string).collect()
}

#[test]
fn windows_and_ledger() {
    let text = [
        &frame("a", 59),
        " \r\n",
        &frame("b", 0),
        &frame(r"\u0061", 1),
        &frame("a", 60),
        "{\"ts\":1}\n",
        "nonsense\n",
        "[]\n",
        "{\"uid\":\"\",\"ts\":1}\n",
        "{\"uid\":\"a\"}\n",
        "{\"uid\":\"a\",\"uid\":\"a\",\"ts\":1}\n",
        "{\"uid\":\"a\",\"ts\":-1}\n",
        "\n",
        "{\"uid\":\"c\",\"ts\":3600}",
    ]
    .concat();
    for kind in [ParserKind::Fast, ParserKind::Plain] {
        let (truth, error) =
            count(given([Ok(&text), Ok("\u{fe}\n")]), &kind.into(), &Truth::new(&[Unit::Hour, Unit::Minute]), None);
        assert_eq!(error, None);
        assert_eq!(
            print(&truth),
            [
                r#"{"unit": "minute", "start": 0, "users": 2, "frames": 3}"#,
                r#"{"unit": "hour", "start": 0, "users": 2, "frames": 4}"#,
                r#"{"unit": "minute", "start": 60, "users": 1, "frames": 1}"#,
                r#"{"unit": "minute", "start": 3600, "users": 1, "frames": 1}"#,
                r#"{"unit": "hour", "start": 3600, "users": 1, "frames": 1}"#,
            ]
        );
        let ledger = truth.ledger();
        assert_eq!((ledger.blank, ledger.read, ledger.counted), (2, 13, 5));
        assert_eq!(ledger.malformed, [0, 2, 1, 1, 1, 1, 1, 1]);
        assert_eq!(ledger.malformed_total(), 8);
    }
}

#[test]
fn every_unit_has_its_own_sets() {
    let mut truth = Truth::new(&[Unit::NAMED, &[Unit::Day]].concat());
    for ts in [0, 1, 86_400, 40 * 86_400] {
        truth.add(Ok(Frame { uid: "a", ts }));
    }
    let counts = |unit| -> Vec<(i64, u64, u64)> {
        let of_unit = truth.windows().into_iter().filter(|count| count.window.unit == unit);
        of_unit.map(|count| (count.window.start, count.users, count.frames)).collect()
    };
    assert_eq!(counts(Unit::Second), [(0, 1, 1), (1, 1, 1), (86_400, 1, 1), (3_456_000, 1, 1)]);
    assert_eq!(counts(Unit::Day), [(0, 1, 2), (86_400, 1, 1), (3_456_000, 1, 1)]);
    assert_eq!(counts(Unit::Week), [(-259_200, 1, 3), (3_369_600, 1, 1)]);
    assert_eq!(counts(Unit::Month), [(0, 1, 3), (2_678_400, 1, 1)]);
    assert_eq!(counts(Unit::Year), [(0, 1, 4)]);
    assert_eq!(Truth::default().units, [Unit::Minute]);
}

#[test]
fn a_limit_counts_lines_that_are_not_blank() {
    let one = frame("a", 0) + "\n" + "x\n";
    let two = "\n".to_owned() + &frame("b", 0) + &frame("c", 0);
    for (limit, blank, read, counted) in
        [(0, 0, 0, 0), (1, 0, 1, 1), (2, 1, 2, 1), (3, 2, 3, 2), (4, 2, 4, 3), (5, 2, 4, 3)]
    {
        let (truth, error) =
            count(given([Ok(&one), Ok(&two)]), &ParserKind::Plain.into(), &Truth::default(), Some(limit));
        let ledger = truth.ledger();
        assert_eq!((ledger.blank, ledger.read, ledger.counted, error), (blank, read, counted, None), "{limit}");
    }
    // The lines after the limit are not even read.
    let mut blocks = given([Ok(&one), Err("unreadable")]);
    assert_eq!(count(&mut blocks, &ParserKind::Plain.into(), &Truth::default(), Some(2)).1, None);
    assert_eq!(blocks.0.len(), 1);
}

#[test]
fn an_error_comes_with_what_stands_before_it() {
    let blocks =
        given([Ok("{\"uid\":\"a\",\"ts\":0}\n"), Err("first"), Ok("{\"uid\":\"b\",\"ts\":0}\n"), Err("second")]);
    let (truth, error) = count(blocks, &ParserKind::Plain.into(), &Truth::default(), None);
    assert_eq!(error, Some("first"));
    assert_eq!(print(&truth), [r#"{"unit": "minute", "start": 0, "users": 1, "frames": 1}"#]);
}

proptest! {
    #[test]
    fn blocks_threads_and_order_do_not_matter(
        frames in prop::collection::vec(("[a-e]{1,2}", 0..200_i64), 0..80),
        lengths in prop::collection::vec(1..20_usize, 1..20),
        threads in 1..4_usize,
    ) {
        let mut expected = BTreeMap::<i64, (BTreeSet<&str>, u64)>::new();
        for (uid, ts) in &frames {
            let (users, count) = expected.entry(ts / 60 * 60).or_default();
            users.insert(uid);
            *count += 1;
        }
        let expected: Vec<_> = expected.iter().map(|(start, (users, n))| (*start, users.len() as u64, *n)).collect();

        let (mut blocks, mut rest) = (VecDeque::new(), frames.as_slice());
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (block, after) = rest.split_at(rest.len().min(*length));
            blocks.push_back(Ok(block.iter().map(|(uid, ts)| frame(uid, *ts)).collect()));
            rest = after;
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (truth, error) = pool.install(|| count(Given(blocks), &ParserKind::Plain.into(), &Truth::default(), None));
        prop_assert_eq!(error, None);
        let counts = truth.windows().into_iter().map(|count| (count.window.start, count.users, count.frames));
        prop_assert_eq!(counts.collect::<Vec<_>>(), expected);
        prop_assert_eq!(truth.ledger().counted, frames.len() as u64);
    }
}

proptest! {
    /// For any lengths, also ones that do not divide each other, and some twice.
    #[test]
    fn windows_of_any_length_are_plain_sets(
        frames in prop::collection::vec((0u8..20, 0i64..40_000), 1..200),
        lengths in prop::collection::vec(prop_oneof![1..20u32, 1..20_000u32, Just(60), Just(3_600)], 1..10),
    ) {
        let units: Vec<Unit> = lengths.iter().filter_map(|seconds| Unit::every(*seconds)).collect();
        let mut truth = Truth::new(&units);
        let mut sets: BTreeMap<(i64, i64), (BTreeSet<u8>, u64)> = BTreeMap::new();
        for (user, ts) in &frames {
            truth.add(Ok(Frame { uid: &user.to_string(), ts: *ts }));
            for seconds in lengths.iter().map(|seconds| i64::from(*seconds)).collect::<BTreeSet<_>>() {
                let (users, frames) = sets.entry((ts / seconds * seconds, seconds)).or_default();
                users.insert(*user);
                *frames += 1;
            }
        }
        let found = truth.windows().into_iter().map(|WindowCount { window, users, frames, .. }| {
            ((window.start, window.end - window.start), (users, frames))
        });
        let expected = sets.into_iter().map(|(window, (users, frames))| (window, (users.len() as u64, frames)));
        prop_assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}
