//! Rows that other options could read: one sentence for all of them, instead of one for each.

use crate::grouped::grouped;
use crate::result::{Guess, RowFormat};
use crate::verdict::unreadable::Unreadable;
use std::collections::BTreeMap;

/// The largest number of different options: messages of any kind may have members of any name.
const MOST: usize = 8;

/// Messages that the same options could read.
struct Group {
    rows: Unreadable,
    /// The partition and the offset of the first one.
    first: (i32, i64),
    finding: String,
}

/// The unreadable messages that other options could read, by those options.
#[derive(Default)]
pub(super) struct Misread {
    groups: BTreeMap<String, Group>,
}

impl Misread {
    /// Takes a message that `format` refuses because of `why`; returns `why` if no other options help.
    pub(super) fn add(&mut self, format: &RowFormat, at: (i32, i64), value: &[u8], why: String) -> Result<(), String> {
        let Some(Guess { finding, options }) = format.guess(value) else { return Err(why) };
        if self.groups.len() == MOST && !self.groups.contains_key(&options) {
            return Err(why);
        }
        let new = || Group { rows: Unreadable::default(), first: at, finding: finding.clone() };
        let group = self.groups.entry(options).or_insert_with(new);
        // Partitions are read in any order.
        if at < group.first {
            (group.first, group.finding) = (at, finding);
        }
        group.rows.add(at.0, at.1, why);
        Ok(())
    }

    /// A sentence for each group with more messages than there are rows; the others join `unreadable`.
    pub(super) fn sentences(self, rows: u64, unreadable: &mut Unreadable) -> Vec<String> {
        let mut sentences = Vec::new();
        for (options, Group { rows: group, first: (partition, offset), finding }) in self.groups {
            if group.count() <= rows {
                unreadable.append(group);
                continue;
            }
            let messages = match group.count() {
                1 => "1 message is not a result row".into(),
                count => format!("{} messages are not result rows", grouped(count)),
            };
            sentences.push(format!(
                "{messages}, as at partition {partition}, offset {offset}, where {finding}: \
                 run `kuu verify` again with {options}"
            ));
        }
        sentences
    }
}
