//! Any history: the fold of all results is the exact count.

use super::*;

type Counts = BTreeMap<Window, (u64, u64)>;

/// The last result of every window.
fn folded(results: impl Iterator<Item = Emission>) -> Counts {
    results.map(|result| (result.window, (result.users, result.frames))).collect()
}

/// Units with a name, and lengths of which some divide each other, in any order, some of them twice.
fn any_units() -> impl Strategy<Value = Vec<Unit>> {
    let every = |seconds| Unit::every(seconds).unwrap();
    let round = vec![2, 7, 10, 90, 120, 300, 420, 540, 600, 5_400, 7_200, 86_400, 172_800, 604_800];
    let unit = prop_oneof![
        prop::sample::select(Unit::NAMED),
        prop::sample::select(round).prop_map(every),
        (1..20_000u32).prop_map(every),
    ];
    prop::collection::vec(unit, 1..12)
}

/// The same counts from plain sets.
fn plain(units: &[Unit], frames: &[(usize, u8, i64)]) -> Counts {
    let mut sets: BTreeMap<Window, (BTreeSet<u8>, u64)> = BTreeMap::new();
    for (_, user, ts) in frames {
        for unit in units.iter().collect::<BTreeSet<_>>() {
            let window = sets.entry(unit.window(*ts)).or_default();
            window.0.insert(*user);
            window.1 += 1;
        }
    }
    sets.into_iter().map(|(window, (users, frames))| (window, (users.len() as u64, frames))).collect()
}

proptest! {
    /// For any order, units and times of flushing, with unlimited retention: the fold of all results is the exact
    /// count, revisions rise from 0 by one, and the ledger balances.
    #[test]
    fn any_history_folds_to_the_exact_count(
        frames in prop::collection::vec((0usize..3, 0u8..20, 1_451_600_000i64..1_451_613_000), 1..300),
        wild in prop::collection::vec((0usize..3, 0u8..20, 0i64..4_000_000_000), 0..5),
        units in any_units(),
        flush in 1usize..40,
    ) {
        let mut frames = frames;
        for (i, frame) in wild.into_iter().enumerate() {
            frames.insert((i * 31) % frames.len(), frame);
        }
        let config = Config { units: units.clone(), retention: i64::MAX / 4, ..Config::default() };
        let mut counter = Counter::new(config, 3);
        let mut results = Vec::new();
        for (i, (partition, user, ts)) in frames.iter().enumerate() {
            see(&mut counter, *partition, &user.to_string(), *ts);
            if i % flush == 0 {
                counter.flush_late();
                counter.flush_early();
            }
            if i % 50 == 49 {
                counter.silence(i % 3);
            }
            results.extend(counter.drain());
        }
        counter.finish();
        results.extend(counter.drain());
        let mut revisions: BTreeMap<Window, u32> = BTreeMap::new();
        for result in &results {
            match (result.timing, result.revision) {
                (Timing::Early, None) => prop_assert!(!revisions.contains_key(&result.window)),
                (Timing::OnTime, Some(0)) => prop_assert_eq!(revisions.insert(result.window, 0), None),
                (Timing::Late, Some(n)) => prop_assert_eq!(revisions.insert(result.window, n), Some(n - 1)),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert!(counter.ledger().balances());
        prop_assert_eq!(folded(results.into_iter()), plain(&units, &frames));
    }
}
