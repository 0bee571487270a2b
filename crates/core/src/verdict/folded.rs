//! The rows of one window, folded: what a consumer has of it, and which rules they break.

use crate::result::{Count, Row};
use crate::window::Window;
use std::collections::BTreeMap;
use std::fmt;

/// Whether results may be written again after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// Exactly once.
    Forbidden,
    /// At least once.
    Allowed,
}

/// A rule that the rows of a window break. Each kind is reported once for a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breach {
    /// A second revision 0, after this one.
    SecondFirst(u32),
    /// The same revision twice.
    Twice(u32),
    /// A revision after a higher one.
    Falls(u32, u32),
    /// A row without revision, after a row with this one.
    Unnumbered(u32),
    /// Different answers under two keys.
    Key,
    /// The key of this other window.
    OthersKey(Window),
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Breach::SecondFirst(last) => {
                write!(f, "has a second revision 0, after revision {last}: exactly once there is one")
            }
            Breach::Twice(revision) => write!(f, "has revision {revision} twice"),
            Breach::Falls(now, last) => write!(f, "has revision {now} after revision {last}: revisions must rise"),
            Breach::Unnumbered(last) => write!(f, "has a row without revision after revision {last}"),
            Breach::Key => f.write_str("has another answer under another key: a reader by key has both"),
            Breach::OthersKey(other) => write!(f, "has the key {}, which belongs to another window", other.key()),
        }
    }
}

/// What is known about a window's first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// Only early rows so far.
    NotYet,
    /// The first answer is no longer in the topic.
    Unknown,
    /// The count, and whether it had revision 0.
    Known(Count, bool),
}

/// The folded rows of one window, from the lowest partition that has any.
pub(super) struct Folded {
    pub(super) partition: i32,
    /// The highest other partition with rows of this window.
    pub(super) elsewhere: Option<i32>,
    /// The count that a consumer has, none if it was withdrawn.
    pub(super) count: Option<Count>,
    /// Whether the last row says that its users are an estimate.
    pub(super) is_approximate: bool,
    /// The number of the last row's key: 0 for the window's own key, or none.
    key: u32,
    /// Whether rows had two different keys.
    is_mixed: bool,
    revision: Option<u32>,
    pub(super) first: First,
    pub(super) corrections: u64,
    pub(super) repeats: u64,
    /// The counts by revision; only if rows may be repeated.
    seen: BTreeMap<u32, Count>,
    pub(super) breaches: Vec<(i64, Breach)>,
}

impl Folded {
    /// No row yet, of this partition.
    pub(super) fn new(partition: i32) -> Folded {
        Folded {
            partition,
            elsewhere: None,
            count: None,
            is_approximate: false,
            key: 0,
            is_mixed: false,
            revision: None,
            first: First::NotYet,
            corrections: 0,
            repeats: 0,
            seen: BTreeMap::new(),
            breaches: Vec::new(),
        }
    }

    /// Records that a message breaks a rule.
    pub(super) fn breach(&mut self, offset: i64, breach: Breach) {
        let kind = std::mem::discriminant(&breach);
        if !self.breaches.iter().any(|(_, known)| std::mem::discriminant(known) == kind) {
            self.breaches.push((offset, breach));
        }
    }

    /// Under several keys an answer may be repeated, but not change: one of the keys would keep the old answer.
    fn change(&mut self, offset: i64, key: u32, count: Option<Count>) {
        self.is_mixed |= self.key != key && self.count.is_some();
        if self.is_mixed && self.count != count {
            self.breach(offset, Breach::Key);
        }
        self.key = key;
        self.count = count;
    }

    /// Takes a row.
    pub(super) fn add(&mut self, offset: i64, key: u32, row: &Row, repeats: Repeats) {
        let again = self.is_again(row);
        if let Some(breach) = self.disorder(row, repeats, again) {
            self.breach(offset, breach);
        }
        if !row.is_early() {
            match self.first {
                First::NotYet => {
                    self.first = match row.revision {
                        None | Some(0) => First::Known(row.count, row.revision.is_some()),
                        Some(_) => First::Unknown,
                    }
                }
                _ if self.count.is_none() => {}
                _ if again || self.count == Some(row.count) || row.revision == Some(0) => self.repeats += 1,
                _ => self.corrections += 1,
            }
        }
        self.change(offset, key, Some(row.count));
        self.is_approximate = row.is_approximate;
        match row.revision {
            Some(revision) => {
                self.revision = Some(revision);
                if repeats == Repeats::Allowed {
                    self.seen.insert(revision, row.count);
                }
            }
            None if row.is_early() && repeats == Repeats::Allowed => self.revision = None,
            None => {}
        }
    }

    /// Whether an earlier row had the same revision and the same count.
    fn is_again(&self, row: &Row) -> bool {
        row.revision.is_some_and(|revision| self.seen.get(&revision) == Some(&row.count))
    }

    fn disorder(&self, row: &Row, repeats: Repeats, again: bool) -> Option<Breach> {
        let last = self.revision?;
        let allowed = repeats == Repeats::Allowed;
        match row.revision {
            None if allowed && row.is_early() => None,
            None => Some(Breach::Unnumbered(last)),
            Some(now) if now > last => None,
            Some(now) if allowed && (again || now == 0) => None,
            Some(0) => Some(Breach::SecondFirst(last)),
            Some(now) if now == last => Some(Breach::Twice(now)),
            Some(now) => Some(Breach::Falls(now, last)),
        }
    }

    /// Takes a message that withdraws the last row.
    pub(super) fn withdraw(&mut self, offset: i64, key: u32) {
        self.change(offset, key, None);
        self.is_approximate = false;
        self.revision = None;
        self.first = First::Unknown;
        self.seen.clear();
    }

    /// Always folds the lowest partition, so that the answer does not depend on the order in which partitions are read.
    pub(super) fn enter(&mut self, partition: i32) -> bool {
        if partition == self.partition {
            return true;
        }
        let highest = self.elsewhere.unwrap_or(partition).max(partition).max(self.partition);
        let folded = partition < self.partition;
        if folded {
            *self = Folded::new(partition);
        }
        self.elsewhere = Some(highest);
        folded
    }
}
