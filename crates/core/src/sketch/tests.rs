//! Sketches are those of Apache DataSketches, and forget in which order users came.

use super::*;
use crate::distinct::Distinct;
use crate::truth::Truth;
use crate::window::Unit;
use kuu_frame::Frame;
use proptest::prelude::*;

fn precision(precision: u8) -> Precision {
    Precision::new(precision).unwrap()
}

fn sketch<T: AsRef<str>>(of: u8, uids: impl IntoIterator<Item = T>) -> Sketch {
    let mut sketch = Sketch::new(precision(of));
    uids.into_iter().for_each(|uid| sketch.add(UserHash::of(uid.as_ref())));
    sketch
}

fn users(of: u8, numbers: impl IntoIterator<Item = u32>) -> Sketch {
    sketch(of, numbers.into_iter().map(|number| format!("user-{number}")))
}

/// What a sketch knows of its users: merged with itself, it forgets their order.
fn content(sketch: &Sketch) -> HllSketch {
    let mut both = sketch.clone();
    both.merge(sketch);
    both.0
}

fn decoded(base64: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(base64).unwrap()
}

#[test]
fn the_bytes_are_those_of_datasketches_for_cpp() {
    // Written by PyPI's datasketches 5.2.0: hll_sketch(lg_k, HLL_8), update(text), serialize_compact().
    let list = decoded("AgEHDAMIBQhLu0wKdkIsBouu6gf7GR4G6Kt6BQ==");
    assert_eq!(users(12, 0..5).to_bytes(), list);
    let array = decoded("CgEHBAAAAApr8NRPL9dBQAAAAAAAIBVAAAAAAAAAAAABAAAAAAAAAAIBAgIBAQICAgECAwACAwU=");
    // Registers are the same in both forms; this one is of serialize_updatable().
    assert_eq!(users(4, 0..40).to_bytes(), array);
    // Ids of any script, and numbers as text.
    let texts = decoded("AgEHBAMIBggvgjsEjP3gBciTMQu5t5kFztjQBEjJCwo=");
    let ids = ["a", "é", "日本語", "42", "-7", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"];
    assert_eq!(sketch(4, ids).to_bytes(), texts);
    // A set has no order.
    let set = decoded("AwEHDAUIAAkMAAAAi67qB8J9nAq7/MEO4BjcCOiregWpXj8FS7tMCnZCLAYXy6YE2WPvBPsZHgb/y5MX");
    assert_eq!(content(&Sketch::from_bytes(&set, precision(12)).unwrap()), content(&users(12, 0..12)));
    assert_eq!(users(12, 0..12).to_bytes().len(), set.len());
}

#[test]
fn few_users_are_exact_and_many_are_near() {
    assert_eq!([0, 1, 7, 8, 100, 1_500].map(|number| users(14, 0..number).users()), [0, 1, 7, 8, 100, 1_500]);
    assert_eq!(users(14, (0..50_000).chain(0..50_000)).users(), users(14, 0..50_000).users());
}

/// The stated bound: of many sets of users, the errors have the standard error, and none is off by five of them.
#[test]
fn errors_are_as_stated() {
    for of in [8, 11] {
        let stated = precision(of).standard_error();
        let number = 20_u32 << of;
        let errors: Vec<f64> = (0..60)
            .map(|seed| {
                let found = sketch(of, (0..number).map(|user| format!("{seed}-{user}"))).users();
                found as f64 / f64::from(number) - 1.0
            })
            .collect();
        let rms = (errors.iter().map(|error| error * error).sum::<f64>() / 60.0).sqrt();
        assert!((0.7..1.3).contains(&(rms / stated)), "{rms} {stated}");
        assert!(errors.iter().all(|error| error.abs() < 5.0 * stated), "{errors:?}");
    }
}

#[test]
fn other_bytes_are_refused() {
    let why = |bytes: &[u8]| Sketch::from_bytes(bytes, precision(12)).unwrap_err().to_string();
    let other = "it is a sketch of precision 11 and type Hll8";
    assert_eq!(why(&users(11, 0..9).to_bytes()), other);
    let four = HllSketch::new(12, HllType::Hll4).unwrap();
    assert_eq!(why(&four.serialize()), "it is a sketch of precision 12 and type Hll4");
    let whole = users(12, 0..5_000).to_bytes();
    for bytes in [&b""[..], b"rubbish", &whole[..whole.len() - 1]] {
        assert!(!why(bytes).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_union_of_sketches_is_the_sketch_of_the_union(
        of in 4u8..=10,
        parts in prop::collection::vec((0u32..2_000, 0u32..700), 1..4),
    ) {
        let ranges: Vec<_> = parts.iter().map(|(from, number)| *from..from + number).collect();
        let all = users(of, ranges.iter().cloned().flatten());
        let mut merged = Sketch::new(precision(of));
        let mut truth = Truth::new(&[Unit::Minute]).by(Distinct::Hll(precision(of)));
        for range in ranges.into_iter().rev() {
            let part = users(of, range.clone().rev());
            let read = Sketch::from_bytes(&part.to_bytes(), precision(of)).unwrap();
            prop_assert_eq!((content(&read), read.users()), (content(&part), part.users()));
            merged.merge(&read);
            let mut half = Truth::new(&[Unit::Minute]).by(Distinct::Hll(precision(of)));
            for user in range {
                half.add(Ok(Frame { uid: &format!("user-{user}"), ts: 0 }));
            }
            truth = half.merge(truth);
        }
        prop_assert_eq!((content(&merged), merged.users()), (content(&all), all.users()));
        let found: Vec<u64> = truth.windows().iter().map(|count| count.users).collect();
        let expected = if all.users() == 0 { vec![] } else { vec![all.users()] };
        prop_assert_eq!(found, expected);
    }
}
