//! Folds the rows of a topic to the state that a consumer of the topic has.

use crate::result::{Count, Row, RowFormat, parse_key};
use crate::verdict::compare::{Comparison, Line};
use crate::verdict::folded::{Breach, First, Folded, Repeats};
use crate::verdict::misread::Misread;
use crate::verdict::unreadable::Unreadable;
use crate::window::{Unit, Window};
use std::collections::{BTreeMap, HashMap};

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

/// A key that is not, or was not always, the own key of its window, with the window of its last row.
#[derive(Clone, Copy)]
struct Foreign {
    id: u32,
    window: Window,
}

type Keys = HashMap<Box<[u8]>, Foreign>;

/// The rows of an output topic, folded by window: the last row is the answer.
pub struct Fold {
    repeats: Repeats,
    only: Option<Vec<Unit>>,
    within: Option<f64>,
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
            within: None,
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

    /// The same fold, whose users may be off by this share of those in truth.
    #[must_use]
    pub fn within(self, within: Option<f64>) -> Fold {
        Fold { within, ..self }
    }

    /// How rows are read.
    pub(super) fn format(&self) -> &RowFormat {
        &self.format
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
        let within = self.within;
        let line = |window, truth| Line { truth, within, ..Line::new(window) };
        let mut lines: BTreeMap<Window, Line> =
            truth.into_iter().map(|(window, count)| (window, line(window, Some(count)))).collect();
        for (window, folded) in std::mem::take(&mut self.windows) {
            let line = lines.entry(window).or_insert_with(|| line(window, None));
            line.answer = folded.count;
            line.is_approximate = folded.is_approximate;
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
        Comparison { lines: lines.into_values().collect(), misread, unreadable, left_out: self.left_out, within }
    }
}

/// Whether the message has the window's own key, or none.
fn is_own(key: &[u8], window: Window) -> bool {
    key.is_empty() || key == window.key().as_bytes()
}
