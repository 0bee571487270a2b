//! What a sane reader takes for right, where readers differ.

use super::bounds::{Bounds, are_kept};
use super::lenience::{time, users};
use super::reading::{NamedValue, ObjectText};
use super::tally::UsersByWindow;
use crate::window::Window;
use crate::workload::Answer;
use std::collections::BTreeMap;

/// An answer that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedAnswer {
    pub(super) taste: Taste,
    /// Which of the workload's answers it is.
    pub answer: Answer,
    /// What it takes for right, in words: "the last of two members counts".
    pub words: String,
    /// Between how many users it has in a window.
    pub bounds: BTreeMap<Window, Bounds>,
}

impl AcceptedAnswer {
    /// Whether these users are this answer.
    pub(super) fn fits(&self, users: &UsersByWindow) -> bool {
        are_kept(&self.bounds, users)
    }

    /// Its users, of all frames.
    pub fn users(&self) -> UsersByWindow {
        self.bounds.iter().map(|(window, bounds)| (*window, bounds.max)).collect()
    }
}

/// What a sane reader does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taste {
    /// Of members with one name.
    repeated: Answer,
    /// Whether it reads all members of a frame.
    reads_on: bool,
    /// Whether `null` leaves a member as it was, as in Go.
    skips_null: bool,
    /// Whether a name with an escape is the name.
    knows_escaped_names: bool,
    takes_escaped_uids: bool,
    takes_text_stamps: bool,
    takes_depth: bool,
}

/// What kuu does.
pub(super) const STRICT: Taste = Taste {
    repeated: Answer::Reject,
    reads_on: true,
    skips_null: false,
    knows_escaped_names: true,
    takes_escaped_uids: true,
    takes_text_stamps: true,
    takes_depth: true,
};

/// What Flink's format `json` does: it reads as many members as its table has columns, here two, even if both are a uid.
pub(super) const STOPS: Taste = Taste { repeated: Answer::Last, reads_on: false, ..STRICT };

/// The user and the time of a frame, by kuu's rules.
pub(super) fn strict(object: &ObjectText) -> Option<(String, i64)> {
    STRICT.read(object)
}

/// What dialects there are among the lines of a workload.
#[derive(Default)]
pub(super) struct Kinds {
    repeated: bool,
    escaped_names: bool,
    escaped_uids: bool,
    text_stamps: bool,
    deep: bool,
}

impl Kinds {
    /// Those of these objects.
    pub(super) fn of<'a>(objects: impl Iterator<Item = &'a ObjectText>) -> Kinds {
        let mut kinds = Kinds::default();
        for ObjectText { uids, times, is_deep } in objects {
            let members = || uids.iter().chain(times);
            kinds.repeated |= uids.len() > 1 || times.len() > 1;
            kinds.escaped_names |= members().any(|member| member.is_escaped);
            kinds.escaped_uids |= uids.iter().any(|uid| uid.literal.contains('\\'));
            kinds.text_stamps |= times.iter().any(|ts| ts.literal.starts_with('"'));
            kinds.deep |= is_deep;
        }
        kinds
    }
}

impl Taste {
    /// All tastes that make a difference here, kuu's first.
    pub(super) fn all(kinds: &Kinds, accepts: &[Answer]) -> Vec<Taste> {
        let mut all = vec![STRICT];
        if kinds.repeated {
            let answers = [Answer::Reject, Answer::First, Answer::Last];
            let answers = answers.into_iter().filter(|answer| accepts.contains(answer));
            all = answers.map(|repeated| Taste { repeated, ..STRICT }).collect();
            if accepts.contains(&Answer::Last) {
                all.push(Taste { repeated: Answer::Last, skips_null: true, ..STRICT });
            }
        }
        let mut both = |is_there: bool, change: fn(&mut Taste)| {
            let mut changed = if is_there { all.clone() } else { Vec::new() };
            changed.iter_mut().for_each(change);
            all.extend(changed);
        };
        both(kinds.escaped_names, |taste| taste.knows_escaped_names = false);
        if accepts.contains(&Answer::Reject) {
            both(kinds.escaped_uids, |taste| taste.takes_escaped_uids = false);
            both(kinds.text_stamps, |taste| taste.takes_text_stamps = false);
            both(kinds.deep, |taste| taste.takes_depth = false);
        }
        all
    }

    /// The user and the time of a frame, if this reader takes it for one.
    pub(super) fn read(&self, object: &ObjectText) -> Option<(String, i64)> {
        let uid = self.member(&object.uids)?;
        let ts = self.member(&object.times)?;
        let is_refused = (object.is_deep && !self.takes_depth)
            || (uid.contains('\\') && !self.takes_escaped_uids)
            || (ts.starts_with('"') && !self.takes_text_stamps);
        match (users(Some(uid)).first(), time(Some(ts))) {
            (Some((0, user)), Some((0, second))) if !is_refused => Some((user.clone(), second)),
            _ => None,
        }
    }

    fn member<'a>(&self, members: &'a [NamedValue]) -> Option<&'a str> {
        let is_known = |member: &&NamedValue| {
            (self.knows_escaped_names || !member.is_escaped) && (self.reads_on || member.place < 2)
        };
        let mut known = members.iter().filter(is_known);
        let member = match self.repeated {
            Answer::First => known.next(),
            Answer::Last if self.skips_null => known.rfind(|member| member.literal != "null"),
            Answer::Last => known.next_back(),
            Answer::Reject | Answer::Take => known.next().filter(|_| known.next().is_none()),
        };
        member.map(|member| member.literal.as_str())
    }

    /// The answer of which this is a kind, and what it does, in words.
    pub(super) fn words(&self, kinds: &Kinds) -> (Answer, String) {
        let mut words = Vec::new();
        if kinds.repeated {
            words.push(match (self.repeated, self.skips_null) {
                (Answer::First, _) => "the first of two members counts",
                (Answer::Last, true) => "the last of two members counts that is not null",
                (Answer::Last, false) => "the last of two members counts",
                (Answer::Reject | Answer::Take, _) => "a frame with two members of one name does not count",
            });
        }
        let mut more = |is_there: bool, takes: bool, yes, no| {
            if is_there && !(takes && kinds.repeated) {
                words.push(if takes { yes } else { no });
            }
        };
        let Taste { knows_escaped_names, takes_escaped_uids, takes_text_stamps, takes_depth, .. } = *self;
        more(kinds.escaped_names, knows_escaped_names, "escaped names are names", "escaped names are other names");
        more(kinds.escaped_uids, takes_escaped_uids, "escaped uids count", "escaped uids do not count");
        more(kinds.text_stamps, takes_text_stamps, "a ts as text counts", "a ts as text does not count");
        more(kinds.deep, takes_depth, "1,000 levels count", "1,000 levels do not count");
        let takes = knows_escaped_names && takes_escaped_uids && takes_text_stamps && takes_depth;
        let answer = match (kinds.repeated, takes) {
            (true, _) => self.repeated,
            (false, true) => Answer::Take,
            (false, false) => Answer::Reject,
        };
        (answer, words.join(", "))
    }
}
