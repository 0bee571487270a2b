//! User ids as small numbers.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use kuu_frame::MAX_UID;
use std::hash::BuildHasher;

/// Gives every distinct user id a `u32`, from 0 up, so that a bitmap can hold a set of users.
///
/// One buffer holds all ids, one after the other: a user costs the bytes of the id plus about 24.
#[derive(Default)]
pub struct Users {
    table: HashTable<User>,
    hasher: RandomState,
    text: Vec<u8>,
    tail: Option<Tail>,
}

/// The largest number of ids in a block, and of bytes of JSON unless the block has a single id.
const BLOCK_IDS: usize = 1024;
const BLOCK_BYTES: usize = 256 * 1024;

/// The largest block in bytes of JSON: a single id of the greatest length with every character escaped as `\u0000`.
pub const LARGEST_BLOCK: usize = 2 + 3 + 6 * MAX_UID;

/// The last block of ids, and the ids after it.
#[derive(Default)]
struct Tail {
    /// The number of the block's first id, and its position in the buffer.
    first: u32,
    start: usize,
    /// The lengths of all ids from there on; the first `saved` of them are saved, as one block.
    lengths: Vec<u32>,
    saved: usize,
}

/// Where the buffer holds the id of a user.
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

    /// The number of `uid`, if it is known.
    pub fn find(&self, uid: &str) -> Option<u32> {
        let uid = uid.as_bytes();
        let found = self.table.find(self.hasher.hash_one(uid), |user| id(&self.text, user) == uid)?;
        Some(found.number)
    }

    /// Starts to track which ids are new, for [`Users::unsaved_blocks`]; must be called before the first id.
    pub fn keep_blocks(&mut self) {
        self.tail.get_or_insert_default();
    }

    /// The blocks that are new, or grew, since the last call, each with the number of its first id.
    pub fn unsaved_blocks(&mut self) -> Vec<(u32, Vec<&str>)> {
        let Some(tail) = self.tail.as_mut().filter(|tail| tail.lengths.len() > tail.saved) else { return Vec::new() };
        let mut blocks = Vec::new();
        let mut ids = Vec::new();
        let (mut at, mut bytes) = (tail.start, 0);
        let (lengths, saved) = (std::mem::take(&mut tail.lengths), tail.saved);
        for (index, len) in lengths.into_iter().enumerate() {
            let uid = std::str::from_utf8(&self.text[at..at + len as usize]).expect("an id is a str when it comes");
            let more = json_len(uid);
            // Ids that were saved as one block stay one block, even if the limits were different then.
            let is_full = ids.len() == BLOCK_IDS || (bytes + more > BLOCK_BYTES && !ids.is_empty());
            if index >= saved && is_full {
                let full = std::mem::take(&mut ids);
                let next = tail.first + full.len() as u32;
                if index > saved {
                    blocks.push((tail.first, full));
                }
                *tail = Tail { first: next, start: at, ..Tail::default() };
                bytes = 0;
            }
            ids.push(uid);
            tail.lengths.push(len);
            bytes += more;
            at += len as usize;
        }
        blocks.push((tail.first, ids));
        tail.saved = tail.lengths.len();
        blocks
    }

    /// Restores a saved block of ids; blocks must come in order.
    ///
    /// # Errors
    /// If the block does not follow the previous one, or an id occurs twice.
    pub fn restore_block(&mut self, first: u32, ids: &[String]) -> Result<(), ()> {
        if self.count() != first as usize {
            return Err(());
        }
        if let Some(tail) = &mut self.tail {
            *tail = Tail { first, start: self.text.len(), ..Tail::default() };
        }
        for (i, uid) in ids.iter().enumerate() {
            if self.intern(uid) as usize != first as usize + i {
                return Err(());
            }
        }
        if let Some(tail) = &mut self.tail {
            tail.saved = tail.lengths.len();
        }
        Ok(())
    }

    /// The bytes of memory that ids and table take.
    pub fn bytes(&self) -> usize {
        self.text.capacity() + self.table.allocation_size()
    }

    /// The number of distinct users.
    pub fn count(&self) -> usize {
        self.table.len()
    }
}

/// The bytes of an id in a block, with its quotes and the comma after it.
fn json_len(uid: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 1,
        0..0x20 => 5,
        _ => 0,
    };
    3 + uid.len() + uid.bytes().map(escaped).sum::<usize>()
}

#[inline]
fn id<'a>(text: &'a [u8], user: &User) -> &'a [u8] {
    &text[user.start..user.start + user.len as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

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

    fn kept() -> Users {
        let mut users = Users::default();
        users.keep_blocks();
        users
    }

    /// Adds ids, and writes the new blocks to the log.
    fn save(users: &mut Users, log: &mut BTreeMap<u32, Vec<String>>, ids: &[String]) -> Vec<u32> {
        ids.iter().for_each(|uid| _ = users.intern(uid));
        let blocks = users.unsaved_blocks();
        let firsts = blocks.iter().map(|(first, _)| *first).collect();
        for (first, ids) in blocks {
            assert!(serde_json::to_vec(&ids).unwrap().len() <= LARGEST_BLOCK);
            log.insert(first, ids.into_iter().map(String::from).collect());
        }
        firsts
    }

    fn restore(log: &BTreeMap<u32, Vec<String>>) -> Users {
        let mut users = kept();
        log.iter().for_each(|(first, ids)| users.restore_block(*first, ids).unwrap());
        assert!(users.unsaved_blocks().is_empty());
        users
    }

    #[test]
    fn a_block_is_full_before_it_is_too_large() {
        let (mut users, mut log) = (kept(), BTreeMap::new());
        // An escaped id takes six times as many bytes.
        let long = |first: char| format!("{first}{}", "\0".repeat(MAX_UID - 1));
        assert_eq!(save(&mut users, &mut log, &["a".into(), long('b'), long('c'), "d".into()]), [0, 1, 2, 3]);
        assert_eq!(serde_json::to_vec(&log[&1]).unwrap().len(), LARGEST_BLOCK - 1 - 5);
        let plain = |name: &str| format!("{name}{}", "x".repeat(MAX_UID - 1));
        assert_eq!(save(&mut users, &mut log, &[plain("1"), plain("2")]), [3]);
        assert_eq!(save(&mut users, &mut log, &[plain("3"), plain("4")]), [3, 7]);
        assert_eq!(log.values().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1, 4, 1]);
        assert_eq!(restore(&log).count(), 8);
    }

    #[test]
    fn a_block_has_so_many_ids_at_most() {
        let (mut users, mut log) = (kept(), BTreeMap::new());
        let ids = |numbers: std::ops::Range<u32>| numbers.map(|i| format!("{i}")).collect::<Vec<_>>();
        assert_eq!(save(&mut users, &mut log, &ids(0..1024)), [0]);
        assert_eq!(save(&mut users, &mut log, &ids(0..1024)), [0_u32; 0]);
        assert_eq!(save(&mut users, &mut log, &ids(1024..3000)), [1024, 2048]);
        assert_eq!(save(&mut restore(&log), &mut log, &ids(3000..3001)), [2048]);
        assert_eq!(restore(&log).count(), 3001);
    }

    #[test]
    fn blocks_of_other_rules_stay_as_they_are() {
        // Blocks of an earlier version: full with the id that exceeded the limit, and with an id of any length.
        let text = |name: &str, len| format!("{name}{}", "x".repeat(len));
        let first = vec![text("a", 200_000), text("b", 900_000)];
        let mut log = BTreeMap::from([(0, first.clone()), (2, vec!["c".to_owned()])]);
        let mut users = restore(&log);
        assert_eq!(save(&mut users, &mut log, &["d".into()]), [2]);
        assert_eq!((&log[&0], restore(&log).count()), (&first, 4));
        // The last block can be saved again too, as long as no other follows it.
        log.remove(&2);
        let mut users = restore(&log);
        assert_eq!(save(&mut users, &mut log, &["c".into()]), [2]);
        assert_eq!((&log[&0], restore(&log).count()), (&first, 3));
    }
}
