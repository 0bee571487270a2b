//! Messages that are not rows.

use crate::grouped::grouped;
use std::collections::BTreeMap;

/// The largest number of messages that are named; all messages of a topic may be unreadable.
const NAMED: usize = 100;
/// The longest reason in bytes: a reason may quote the message.
const LONGEST: usize = 300;

/// Counts all messages, and names the first ones.
#[derive(Default)]
pub(super) struct Unreadable {
    count: u64,
    /// By partition and offset, so that the order in which partitions are read does not matter.
    named: BTreeMap<(i32, i64), String>,
}

impl Unreadable {
    pub(super) fn add(&mut self, partition: i32, offset: i64, mut why: String) {
        if why.len() > LONGEST {
            let end = (0..=LONGEST).rfind(|at| why.is_char_boundary(*at)).unwrap_or(0);
            why.truncate(end);
            why += "...";
        }
        self.count += 1;
        self.named.insert((partition, offset), why);
        self.forget();
    }

    pub(super) fn append(&mut self, mut other: Unreadable) {
        self.count += other.count;
        self.named.append(&mut other.named);
        self.forget();
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    fn forget(&mut self) {
        while self.named.len() > NAMED {
            self.named.pop_last();
        }
    }

    /// One sentence for each named message, and one for all others.
    pub(super) fn sentences(self) -> Vec<String> {
        let others = self.count - self.named.len() as u64;
        let named = self
            .named
            .into_iter()
            .map(|((partition, offset), why)| format!("partition {partition}, offset {offset}: {why}"));
        named.chain((others > 0).then(|| format!("{} more messages are not result rows", grouped(others)))).collect()
    }
}
