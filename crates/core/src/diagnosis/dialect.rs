//! The answers that are right where sane engines differ.

use super::case::Case;
use super::taste::{self, AcceptedAnswer, Kinds, Taste};
use crate::workload::{Answer, Tier};

/// The right answers to a workload, kuu's first; none if it is no dialect.
pub(super) fn answers(case: &Case) -> Vec<AcceptedAnswer> {
    if case.workload.tier != Tier::Dialect {
        return Vec::new();
    }
    let (kinds, accepts) = (Kinds::of(case.dialects.iter().map(|line| &line.object)), &case.workload.accepts);
    if case.dialects.is_empty() {
        let answer = accepts.first().copied().unwrap_or(Answer::Take);
        let words = "a frame that comes twice changes nothing".into();
        return vec![AcceptedAnswer { taste: taste::STRICT, answer, words, bounds: case.bounds.clone() }];
    }
    let mut all: Vec<AcceptedAnswer> = Vec::new();
    for taste in Taste::all(&kinds, accepts) {
        let (answer, words) = taste.words(&kinds);
        let read = AcceptedAnswer { taste, answer, words, bounds: case.read_as(&taste).bounds };
        // Two tastes with one answer are one.
        if all.iter().all(|other| other.users() != read.users()) {
            all.push(read);
        }
    }
    all
}
