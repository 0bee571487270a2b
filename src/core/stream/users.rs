//! User ids as small numbers.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Gives every distinct user id a `u32`, counted up from 0, so that sets of users are bitmaps.
///
/// Ids are kept end to end in one buffer: a user costs its id's bytes plus about 24.
#[derive(Default)]
pub struct Users {
    table: HashTable<User>,
    hasher: RandomState,
    text: Vec<u8>,
}

/// Where the id of a user stands.
struct User {
    start: usize,
    len: u32,
    number: u32,
}

impl Users {
    /// The number of `uid`, new or known.
    #[inline]
    pub fn intern(&mut self, uid: &str) -> u32 {
        let uid = uid.as_bytes();
        let hash = self.hasher.hash_one(uid);
        let Users { table, hasher, text } = self;
        if let Some(user) = table.find(hash, |user| id(text, user) == uid) {
            return user.number;
        }
        let number = u32::try_from(table.len()).expect("2^32 users: their ids alone would fill this machine");
        let len = u32::try_from(uid.len()).expect("an id is a part of a frame, and a frame is smaller than 4 GiB");
        let user = User { start: text.len(), len, number };
        text.extend_from_slice(uid);
        table.insert_unique(hash, user, |user| hasher.hash_one(id(text, user)));
        number
    }

    /// How many distinct users there are.
    pub fn count(&self) -> usize {
        self.table.len()
    }
}

#[inline]
fn id<'a>(text: &'a [u8], user: &User) -> &'a [u8] {
    &text[user.start..user.start + user.len as usize]
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
