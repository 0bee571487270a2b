//! The answers that are right where sane engines differ.

use super::case::{Bounds, Case};
use super::tally::UsersByWindow;
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
        let (users, kept) = (users_of(case, |b| b.max), users_of(case, |b| b.kept));
        return vec![AcceptedAnswer { taste: taste::STRICT, answer, words, users, kept }];
    }
    let mut all: Vec<AcceptedAnswer> = Vec::new();
    for taste in Taste::all(&kinds, accepts) {
        let read = case.read_as(&taste);
        let (users, kept) = (users_of(&read, |b| b.max), users_of(&read, |b| b.kept));
        // Two tastes with one answer are one.
        if all.iter().all(|other| other.users != users) {
            let (answer, words) = taste.words(&kinds);
            all.push(AcceptedAnswer { taste, answer, words, users, kept });
        }
    }
    all
}

fn users_of(case: &Case, of: fn(&Bounds) -> u64) -> UsersByWindow {
    case.bounds.iter().map(|(window, bounds)| (*window, of(bounds))).filter(|(_, users)| *users > 0).collect()
}
