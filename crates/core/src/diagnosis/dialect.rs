//! The answers that are right where sane engines differ.

use super::case::{Bounds, Case};
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
        let users = |of: fn(&Bounds) -> u64| case.bounds.iter().map(|(window, bounds)| (*window, of(bounds))).collect();
        let answer = accepts.first().copied().unwrap_or(Answer::Take);
        let words = "a frame that comes twice changes nothing".into();
        return vec![AcceptedAnswer { answer, words, users: users(|b| b.max), kept: users(|b| b.kept) }];
    }
    let mut all: Vec<AcceptedAnswer> = Vec::new();
    for taste in Taste::all(&kinds, accepts) {
        let [users, kept] = [false, true].map(|keeps| case.judged(&count(case, &taste, keeps)));
        // Two tastes with one answer are one.
        if all.iter().all(|other| other.users != users) {
            let (answer, words) = taste.words(&kinds);
            all.push(AcceptedAnswer { answer, words, users, kept });
        }
    }
    all
}

/// Counts the frames of a case as a reader with this taste; one that `keeps` leaves out what comes after the retention.
fn count(case: &Case, taste: &Taste, keeps: bool) -> UsersByWindow {
    let plain = case.data().filter(|(_, frame)| !(frame.is_dialect || keeps && frame.is_expired));
    let plain = plain.flat_map(|(_, frame)| frame.windows.iter().map(|window| (*window, frame.user)));
    let mut numbers: Numbers = case.numbers.clone();
    let spec = &case.workload.frames;
    let wait = i64::from(spec.lateness) + i64::from(spec.retention);
    let mut others = Vec::new();
    for line in &case.dialects {
        let Some((uid, ts)) = taste.read(&line.object) else { continue };
        let (user, windows) = (numbers.user(&uid), numbers.windows(ts));
        let first_end = windows.iter().map(|window| numbers.window(*window).end).min();
        if keeps && first_end.is_some_and(|end| end <= line.clock.saturating_sub(wait)) {
            continue;
        }
        others.extend(windows.into_iter().map(|window| (window, user)));
    }
    numbers.count(plain.chain(others))
}
