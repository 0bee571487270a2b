//! The answers that are right where sane engines differ.

use super::case::Case;
use super::tally::{Numbers, UsersByWindow};
use super::taste::{AcceptedAnswer, Kinds, Taste};
use crate::workload::{Answer, Tier};

/// The right answers to a workload, kuu's first; none if it is no dialect.
pub(super) fn answers(case: &Case) -> Vec<AcceptedAnswer> {
    if case.workload.tier != Tier::Dialect {
        return Vec::new();
    }
    let (kinds, accepts) = (Kinds::of(case.dialects.iter().map(|line| &line.object)), &case.workload.accepts);
    if case.dialects.is_empty() {
        let users = case.bounds.iter().map(|(window, bounds)| (*window, bounds.max)).collect();
        let answer = accepts.first().copied().unwrap_or(Answer::Take);
        return vec![AcceptedAnswer { answer, words: "a frame that comes twice changes nothing".into(), users }];
    }
    let mut all: Vec<AcceptedAnswer> = Vec::new();
    for taste in Taste::all(&kinds, accepts) {
        let users = case.judged(&count(case, &taste));
        // Two tastes with one answer are one.
        if all.iter().all(|other| other.users != users) {
            let (answer, words) = taste.words(&kinds);
            all.push(AcceptedAnswer { answer, words, users });
        }
    }
    all
}

/// Counts the frames of a case as a reader with this taste.
fn count(case: &Case, taste: &Taste) -> UsersByWindow {
    let plain = case.data().filter(|(_, frame)| !frame.is_dialect);
    let plain = plain.flat_map(|(_, frame)| frame.windows.iter().map(|window| (*window, frame.user)));
    let mut numbers: Numbers = case.numbers.clone();
    let mut others = Vec::new();
    for (uid, ts) in case.dialects.iter().filter_map(|line| taste.read(&line.object)) {
        let user = numbers.user(&uid);
        others.extend(numbers.windows(ts).into_iter().map(|window| (window, user)));
    }
    numbers.count(plain.chain(others))
}
