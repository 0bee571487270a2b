//! Folds the rows of a topic to the state that a consumer of the topic has.

use crate::result::{Count, Row, RowFormat, parse_key};
use crate::verdict::compare::{Comparison, Line};
use crate::verdict::misread::Misread;
use crate::verdict::unreadable::Unreadable;
use crate::window::{Unit, Window};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// A message of a topic of results.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The key, empty if the message has none.
    pub key: &'a [u8],
    /// The value; a message without one withdraws the last row of its key.
    pub value: Option<&'a [u8]>,
}

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
enum Breach {
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
enum First {
    /// Only early rows so far.
    NotYet,
    /// The first answer is no longer in the topic.
    Unknown,
    /// The count, and whether it had revision 0.
    Known(Count, bool),
}

/// A key that is not, or was not always, the own key of its window, with the window of its last row.
#[derive(Clone, Copy)]
struct Foreign {
    id: u32,
    window: Window,
}

type Keys = HashMap<Box<[u8]>, Foreign>;

/// The folded rows of one window, from the lowest partition that has any.
struct Folded {
    partition: i32,
    /// The highest other partition with rows of this window.
    elsewhere: Option<i32>,
    /// The count that a consumer has, none if it was withdrawn.
    count: Option<Count>,
    /// The number of the last row's key: 0 for the window's own key, or none.
    key: u32,
    /// Whether rows had two different keys.
    is_mixed: bool,
    revision: Option<u32>,
    first: First,
    corrections: u64,
    repeats: u64,
    /// The counts by revision; only if rows may be repeated.
    seen: BTreeMap<u32, Count>,
    breaches: Vec<(i64, Breach)>,
}

impl Folded {
    fn new(partition: i32) -> Folded {
        Folded {
            partition,
            elsewhere: None,
            count: None,
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

    fn breach(&mut self, offset: i64, breach: Breach) {
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

    fn add(&mut self, offset: i64, key: u32, row: &Row, repeats: Repeats) {
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

    fn withdraw(&mut self, offset: i64, key: u32) {
        self.change(offset, key, None);
        self.revision = None;
        self.first = First::Unknown;
        self.seen.clear();
    }

    /// Always folds the lowest partition, so that the answer does not depend on the order in which partitions are read.
    fn enter(&mut self, partition: i32) -> bool {
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

/// The rows of an output topic, folded by window: the last row is the answer.
pub struct Fold {
    repeats: Repeats,
    only: Option<Vec<Unit>>,
    format: RowFormat,
    /// Number of messages that are rows.
    rows: u64,
    misread: Misread,
    windows: BTreeMap<Window, Folded>,
    /// Foreign keys by partition: the same key in two partitions counts as two keys.
    foreign: BTreeMap<i32, Keys>,
    unreadable: Unreadable,
    /// Messages that withdraw a row of a key without a row in the topic: the row may have been removed.
    stray: Unreadable,
    left_out: u64,
    removed: bool,
}

impl Fold {
    /// A fold of the rows; only those of the units in `only`, if it is given.
    pub fn new(repeats: Repeats, only: Option<&[Unit]>) -> Fold {
        Fold {
            repeats,
            only: only.map(<[Unit]>::to_vec),
            format: RowFormat::default(),
            rows: 0,
            misread: Misread::default(),
            windows: BTreeMap::new(),
            foreign: BTreeMap::new(),
            unreadable: Unreadable::default(),
            stray: Unreadable::default(),
            left_out: 0,
            removed: false,
        }
    }

    /// The same fold, of rows in this format.
    #[must_use]
    pub fn of(self, format: RowFormat) -> Fold {
        Fold { format, ..self }
    }

    /// Records that the topic has lost rows.
    pub fn rows_were_removed(&mut self) {
        self.removed = true;
    }

    /// Takes the next message of its partition; returns the window that it is about, if it is a row or withdraws one.
    pub fn take(&mut self, message: &Message<'_>) -> Option<Window> {
        let Some(value) = message.value else { return self.remove(message) };
        match self.format.parse(value) {
            Ok(row) => {
                self.rows += 1;
                self.add(message, &row);
                Some(row.window)
            }
            Err(why) => {
                let at = (message.partition, message.offset);
                if let Err(why) = self.misread.add(&self.format, at, value, why) {
                    self.unreadable.add(at.0, at.1, why);
                }
                None
            }
        }
    }

    /// The count that a consumer has of this window now.
    pub fn answer(&self, window: Window) -> Option<Count> {
        self.windows.get(&window)?.count
    }

    fn add(&mut self, message: &Message<'_>, row: &Row) {
        // Also for a unit that is left out: a tombstone of its key withdraws this row.
        let key = self.note(message, row.window);
        if self.is_left_out(row.window) {
            return;
        }
        let folded = self.windows.entry(row.window).or_insert_with(|| Folded::new(message.partition));
        if folded.enter(message.partition) {
            folded.add(message.offset, key, row, self.repeats);
            // The key may be the window's own in another spelling, as `60s:0`.
            let other = parse_key(message.key).ok().filter(|other| key != 0 && *other != row.window);
            if let Some(other) = other {
                folded.breach(message.offset, Breach::OthersKey(other));
            }
        }
    }

    fn remove(&mut self, message: &Message<'_>) -> Option<Window> {
        let Message { partition, offset, key, .. } = *message;
        let known = self.foreign.get(&partition).and_then(|keys| keys.get(key)).copied();
        let (window, key) = match (known, parse_key(key)) {
            (Some(foreign), _) => (foreign.window, if is_own(key, foreign.window) { 0 } else { foreign.id }),
            (None, Ok(window)) => (window, 0),
            (None, Err(_)) if key.is_empty() => {
                self.unreadable.add(partition, offset, "it has neither key nor value".into());
                return None;
            }
            (None, Err(_)) => {
                let key = String::from_utf8_lossy(key);
                self.stray.add(partition, offset, format!("withdraws the row of a key that has none: `{key}`"));
                return None;
            }
        };
        if self.is_left_out(window) {
            return Some(window);
        }
        let folded = self.windows.entry(window).or_insert_with(|| Folded::new(partition));
        if folded.enter(partition) {
            folded.withdraw(offset, key);
        }
        Some(window)
    }

    fn is_left_out(&mut self, window: Window) -> bool {
        let left_out = self.only.as_ref().is_some_and(|only| !only.contains(&window.unit));
        self.left_out += u64::from(left_out);
        left_out
    }

    /// Records that a row of this window is now the last one of the message's key; returns the number of the key, 0 for
    /// the window's own.
    fn note(&mut self, message: &Message<'_>, window: Window) -> u32 {
        let is_own = is_own(message.key, window);
        if is_own && self.foreign.is_empty() {
            return 0;
        }
        let keys = self.foreign.entry(message.partition).or_default();
        let next = keys.len() as u32 + 1;
        match keys.get_mut(message.key) {
            Some(foreign) => foreign.window = window,
            None if is_own => {}
            None => drop(keys.insert(message.key.into(), Foreign { id: next, window })),
        }
        if is_own { 0 } else { keys.get(message.key).map_or(next, |foreign| foreign.id) }
    }

    /// Whether a first answer is known to be the first.
    fn is_certain(&self, has_revision: bool) -> bool {
        !self.removed || has_revision && self.repeats == Repeats::Forbidden
    }

    /// Compares the folded rows with the truth.
    pub fn compare(mut self, truth: impl IntoIterator<Item = (Window, Count)>) -> Comparison {
        let line = |window, truth| Line { truth, ..Line::new(window) };
        let mut lines: BTreeMap<Window, Line> =
            truth.into_iter().map(|(window, count)| (window, line(window, Some(count)))).collect();
        for (window, folded) in std::mem::take(&mut self.windows) {
            let line = lines.entry(window).or_insert_with(|| line(window, None));
            line.answer = folded.count;
            line.first = match folded.first {
                First::Known(count, has_revision) if self.is_certain(has_revision) => Some(count),
                _ => None,
            };
            line.corrections = folded.corrections;
            line.repeats = folded.repeats;
            let partition = folded.partition;
            line.breaches = folded
                .breaches
                .iter()
                .map(|(offset, breach)| {
                    format!("partition {partition}, offset {offset}: {} {window} {breach}", window.unit)
                })
                .collect();
            line.breaches.extend(folded.elsewhere.map(|other| {
                format!("{} {window} has rows in partitions {partition} and {other}, which have no order", window.unit)
            }));
        }
        // Windows without any row left are not extra.
        lines.retain(|_, line| line.truth.is_some() || line.answer.is_some() || !line.breaches.is_empty());
        if !self.removed {
            self.unreadable.append(self.stray);
        }
        let misread = self.misread.sentences(self.rows, &mut self.unreadable);
        let unreadable = self.unreadable.sentences();
        Comparison { lines: lines.into_values().collect(), misread, unreadable, left_out: self.left_out }
    }
}

/// Whether the message has the window's own key, or none.
fn is_own(key: &[u8], window: Window) -> bool {
    key.is_empty() || key == window.key().as_bytes()
}
