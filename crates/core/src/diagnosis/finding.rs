//! Which mistakes explain an answer.

use super::bounds::Bounds;
use super::case::Case;
use super::damage::Damage;
use super::mistakes::UserRange;
use super::tally::UsersByWindow;
use super::taste::STOPS;
use crate::grouped::grouped;
use crate::window::Window;
use crate::workload::Mistake;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

/// The largest error of a sketch that is taken for one, as a part of the users.
const MOST_APPROXIMATE: f64 = 0.15;

/// So many windows of a sketch may be off in one direction by chance: of more, that is less likely than one in sixteen.
const FEW_WINDOWS: usize = 5;

/// A mistake that explains a wrong answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The mistake.
    pub mistake: Mistake,
    /// What the engine does, in words: "drops frames later than 5 s".
    pub words: String,
    /// Whether the mistake gives this answer and no other; else the answer is within what chance can make of it.
    pub is_exact: bool,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// How wrong an answer is: `+312 users in 12 windows`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorSize {
    /// Users too many, over all windows.
    pub more: u64,
    /// Users too few, over all windows.
    pub fewer: u64,
    /// Windows that are wrong.
    pub windows: u64,
}

impl ErrorSize {
    /// How far an answer is from the fewest and the most users of every window.
    fn of(answer: &UsersByWindow, right: impl Iterator<Item = (Window, (u64, u64))>) -> ErrorSize {
        let (mut rest, mut size) = (answer.clone(), ErrorSize::default());
        let mut add = |users: u64, (fewest, most): (u64, u64)| {
            size.more += users.saturating_sub(most);
            size.fewer += fewest.saturating_sub(users);
            size.windows += u64::from(users > most || users < fewest);
        };
        right.for_each(|(window, bounds)| add(rest.remove(&window).unwrap_or(0), bounds));
        rest.into_values().for_each(|users| add(users, (0, 0)));
        size
    }
}

impl fmt::Display for ErrorSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ErrorSize { more, fewer, windows } = *self;
        match (more, fewer) {
            (more, 0) => write!(f, "+{}", grouped(more))?,
            (0, fewer) => write!(f, "-{}", grouped(fewer))?,
            (more, fewer) => write!(f, "+{} and -{}", grouped(more), grouped(fewer))?,
        }
        let plural = |number: u64| if number == 1 { "" } else { "s" };
        write!(f, " user{} in {} window{}", plural(more + fewer), grouped(windows), plural(windows))
    }
}

/// Several diagnoses in words: "A or B", and "unexplained" if there are none.
pub fn in_words(diagnoses: &[Diagnosis]) -> String {
    if diagnoses.is_empty() {
        return "unexplained".into();
    }
    diagnoses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

impl Case {
    /// The mistakes that explain an answer, which a count gave between these two seconds (Unix time) of the machine: none
    /// if the answer is right, or if nothing explains it. Those that give this answer exactly come alone; else those
    /// within whose bounds it is, without those whose bounds hold another one's. Of a dialect, they are those of kuu's own
    /// reading, or of another one if that gives the answer exactly, or if kuu's explains nothing.
    pub fn diagnose(&self, answer: &UsersByWindow, run: &RangeInclusive<i64>) -> Vec<Diagnosis> {
        let answer = self.judged(answer);
        if self.is_right(&answer) || self.accepted(&answer).is_some() {
            return Vec::new();
        }
        let found = self.explain(&answer, run);
        if self.dialects.is_empty() || found.first().is_some_and(|first| first.is_exact) {
            return found;
        }
        let others = self.explain_read_otherwise(&answer, run);
        if found.is_empty() || others.first().is_some_and(|first| first.is_exact) { others } else { found }
    }

    /// What explains an answer to a dialect if it is not read as kuu does.
    fn explain_read_otherwise(&self, answer: &UsersByWindow, run: &RangeInclusive<i64>) -> Vec<Diagnosis> {
        if self.read_as(&STOPS).is_right(answer) {
            let words = "reads two members of a frame and no more, even if both have one name".into();
            return vec![Diagnosis { mistake: Mistake::CountsDamaged, words, is_exact: true }];
        }
        let mut within: Vec<Diagnosis> = Vec::new();
        for other in self.answers.iter().skip(1) {
            let mut found = self.read_as(&other.taste).explain(answer, run);
            if found.first().is_some_and(|first| first.is_exact) {
                found.iter_mut().for_each(|it| it.words = format!("{} ({})", it.words, other.words));
                return found;
            }
            // Several readings may have bounds that hold the answer.
            found.iter_mut().for_each(|it| it.words.push_str(" (in another dialect)"));
            found.retain(|it| !within.contains(it));
            within.extend(found);
        }
        within
    }

    /// The mistakes that explain a wrong answer, all frames read as kuu does.
    fn explain(&self, answer: &UsersByWindow, run: &RangeInclusive<i64>) -> Vec<Diagnosis> {
        let mut exact: Vec<Diagnosis> = Vec::new();
        for variant in self.variants().into_iter().filter(|variant| variant.users == *answer) {
            if exact.iter().all(|other| other.mistake != variant.mistake) {
                exact.push(Diagnosis { mistake: variant.mistake, words: variant.words, is_exact: true });
            }
        }
        if let Some(leniences) = Damage::new(self).explain(answer) {
            let words = Case::damage_words(&leniences);
            exact.push(Diagnosis { mistake: Mistake::CountsDamaged, words, is_exact: true });
        }
        if !exact.is_empty() {
            return exact;
        }
        let mut fitting = self.chances();
        fitting.retain(|chance| is_within(answer, &chance.range));
        let is_tightest =
            |range: &UserRange| fitting.iter().all(|other| other.range == *range || !holds(range, &other.range));
        let bound = |mistake, words: &str| Diagnosis { mistake, words: words.into(), is_exact: false };
        let mut found: Vec<Diagnosis> = fitting
            .iter()
            // Whatever else holds the answer, frames may have been lost.
            .filter(|chance| chance.mistake == Mistake::LosesFrames || is_tightest(&chance.range))
            .map(|chance| bound(chance.mistake, &chance.words))
            .collect();
        if self.is_by_wall_clock(answer, run) {
            found.push(bound(Mistake::WallClock, "takes the time of the machine for event time"));
        }
        if found.is_empty() && self.is_approximate(answer) {
            found.push(bound(Mistake::Approximates, "approximates"));
        }
        found
    }

    /// How far an answer is from the nearest right one.
    pub fn size(&self, answer: &UsersByWindow) -> ErrorSize {
        let answer = self.judged(answer);
        let of = |bounds: &BTreeMap<Window, Bounds>| {
            ErrorSize::of(&answer, bounds.iter().map(|(window, it)| (*window, (it.kept, it.max))))
        };
        let strict = of(&self.bounds);
        let others = self.answers.iter().map(|accepted| of(&accepted.bounds));
        let users = |size: &ErrorSize| size.more + size.fewer;
        others.fold(strict, |nearest, other| if users(&other) < users(&nearest) { other } else { nearest })
    }

    /// Whether all windows are those in which the engine ran, and its frames could have given the users.
    fn is_by_wall_clock(&self, answer: &UsersByWindow, run: &RangeInclusive<i64>) -> bool {
        let is_now = answer.keys().all(|window| window.start <= *run.end() && window.end > *run.start());
        let users: Vec<u32> = self.data().filter(|(_, frame)| !frame.is_expired).map(|(_, frame)| frame.user).collect();
        let most = (self.data().count() + self.damaged.len() + self.dialects.len()) as u64;
        let distinct = users.into_iter().collect::<std::collections::HashSet<_>>().len() as u64;
        self.workload.frames.window.iter().all(|unit| {
            let sum = answer.iter().filter(|(window, _)| window.unit == *unit).map(|(_, users)| users).sum();
            is_now && (distinct..=most).contains(&sum)
        })
    }

    /// Whether most windows are off, all by little, and in both directions; of few windows, all may be off in one.
    fn is_approximate(&self, answer: &UsersByWindow) -> bool {
        let error = |(window, bounds): (_, &Bounds)| {
            let users = answer.get(window).copied().unwrap_or(0) as f64;
            let nearest = users.clamp(bounds.kept as f64, bounds.max as f64);
            (users - nearest) / nearest.max(1.0)
        };
        let errors: Vec<f64> = self.bounds.iter().map(error).collect();
        let is_close =
            |(error, bounds): (&f64, &Bounds)| error.abs() <= MOST_APPROXIMATE.max(1.0 / bounds.max.max(1) as f64);
        let wrong = errors.iter().filter(|error| **error != 0.0).count();
        let signs = [errors.iter().any(|error| *error > 0.0), errors.iter().any(|error| *error < 0.0)];
        answer.keys().all(|window| self.bounds.contains_key(window))
            && errors.iter().zip(self.bounds.values()).all(is_close)
            && wrong * 2 > errors.len()
            && (signs == [true, true] || wrong == errors.len() && wrong <= FEW_WINDOWS)
    }
}

fn is_within(answer: &UsersByWindow, range: &UserRange) -> bool {
    answer.keys().all(|window| range.contains_key(window))
        && range.iter().all(|(window, (low, high))| (*low..=*high).contains(answer.get(window).unwrap_or(&0)))
}

/// Whether the outer range holds all of the inner one.
fn holds(outer: &UserRange, inner: &UserRange) -> bool {
    inner
        .iter()
        .all(|(window, (low, high))| outer.get(window).map_or(*high == 0, |(least, most)| least <= low && high <= most))
        && outer.iter().all(|(window, (least, _))| *least == 0 || inner.contains_key(window))
}
