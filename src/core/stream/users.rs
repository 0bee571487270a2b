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
    tail: Option<Tail>,
}

/// A block of ids is full when it has this many, or this many bytes.
const BLOCK_IDS: usize = 1024;
const BLOCK_BYTES: usize = 256 * 1024;

/// The ids from number `first` on, of which the last full block is saved, but not yet all.
#[derive(Default)]
struct Tail {
    first: u32,
    start: usize,
    lengths: Vec<u32>,
    saved: usize,
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
        let Users { table, hasher, text, .. } = self;
        if let Some(user) = table.find(hash, |user| id(text, user) == uid) {
            return user.number;
        }
        let number = u32::try_from(table.len()).expect("2^32 users: their ids alone would fill this machine");
        let len = u32::try_from(uid.len()).expect("an id is a part of a frame, and a frame is smaller than 4 GiB");
        let user = User { start: text.len(), len, number };
        text.extend_from_slice(uid);
        table.insert_unique(hash, user, |user| hasher.hash_one(id(text, user)));
        if let Some(tail) = &mut self.tail {
            tail.lengths.push(len);
        }
        number
    }

    /// From now on keeps account of which ids are new, for [`Users::unsaved_blocks`]; to be called before the first id.
    pub fn keep_blocks(&mut self) {
        self.tail.get_or_insert_default();
    }

    /// Blocks of ids that are new, or grew, since the last time, each with the number of its first one.
    pub fn unsaved_blocks(&mut self) -> Vec<(u32, Vec<&str>)> {
        let Some(tail) = self.tail.as_mut().filter(|tail| tail.lengths.len() > tail.saved) else { return Vec::new() };
        let mut blocks = Vec::new();
        let mut ids = Vec::new();
        let mut at = tail.start;
        for len in std::mem::take(&mut tail.lengths) {
            let uid = &self.text[at..at + len as usize];
            ids.push(std::str::from_utf8(uid).expect("an id is a str when it comes"));
            tail.lengths.push(len);
            at += len as usize;
            if ids.len() == BLOCK_IDS || at - tail.start >= BLOCK_BYTES {
                blocks.push((tail.first, std::mem::take(&mut ids)));
                *tail = Tail { first: tail.first + tail.lengths.len() as u32, start: at, ..Tail::default() };
            }
        }
        if !ids.is_empty() {
            blocks.push((tail.first, ids));
        }
        tail.saved = tail.lengths.len();
        blocks
    }

    /// Takes back a block of ids that was saved; blocks come in their order.
    ///
    /// # Errors
    /// If the block does not follow the one before it, or an id comes twice.
    pub fn restore_block(&mut self, first: u32, ids: &[String]) -> Result<(), ()> {
        for (i, uid) in ids.iter().enumerate() {
            if self.count() != first as usize + i || self.intern(uid) as usize != first as usize + i {
                return Err(());
            }
        }
        self.unsaved_blocks();
        Ok(())
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
