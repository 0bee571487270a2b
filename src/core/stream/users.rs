//! User ids as small numbers.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Gives every distinct user id a `u32`, counted up from 0, so that sets of users are bitmaps.
///
/// Ids are kept end to end in one buffer: a user costs its id's bytes plus about 16.
#[derive(Default)]
pub struct Users {
    table: HashTable<u32>,
    hasher: RandomState,
    text: String,
    ends: Vec<usize>,
}

impl Users {
    /// The number of `uid`, new or known.
    #[inline]
    pub fn intern(&mut self, uid: &str) -> u32 {
        let hash = self.hasher.hash_one(uid);
        let Users { table, hasher, text, ends } = self;
        let entry = table.entry(hash, |id| name(text, ends, *id) == uid, |id| hasher.hash_one(name(text, ends, *id)));
        match entry {
            hashbrown::hash_table::Entry::Occupied(known) => *known.get(),
            hashbrown::hash_table::Entry::Vacant(vacant) => {
                let id = u32::try_from(ends.len()).expect("2^32 users: their ids alone would fill this machine");
                vacant.insert(id);
                text.push_str(uid);
                ends.push(text.len());
                id
            }
        }
    }

    /// How many distinct users there are.
    pub fn count(&self) -> usize {
        self.ends.len()
    }
}

fn name<'a>(text: &'a str, ends: &[usize], id: u32) -> &'a str {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &text[start..ends[id]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_and_stable() {
        let mut users = Users::default();
        for round in 0..2 {
            for i in 0..10_000u32 {
                assert_eq!(users.intern(&format!("user-{i}")), i, "round {round}");
            }
        }
        assert_eq!(users.count(), 10_000);
        assert_eq!(users.intern("user-"), 10_000, "a prefix is another user");
    }
}
