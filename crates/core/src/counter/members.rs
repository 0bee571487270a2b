//! The users of one window: a short list of few users, a bitmap of many; or a sketch, in a counter of sketches.
//!
//! A stream with wild clocks opens hundreds of thousands of windows with one user each: a bitmap would double their
//! memory.

use crate::distinct::Precision;
use crate::sketch::{Sketch, UserHash};
use roaring::RoaringBitmap;
use std::collections::BTreeSet;

/// The largest number of users in a list.
pub const FEW: usize = 32;
/// Number of users that one record of a large window covers.
pub const CHUNK: u32 = 1 << 16;

/// A user, as a window takes it.
#[derive(Clone, Copy, Debug)]
pub enum User {
    /// By the number of the id.
    Numbered(u32),
    /// By the hash of the id, for a sketch of this precision.
    Hashed(UserHash, Precision),
}

/// A set of users.
#[derive(Clone, Debug)]
pub enum Members {
    /// The users in order of arrival.
    Few(Vec<u32>),
    /// More than [`FEW`].
    Many(Box<Many>),
    /// All, in a counter of sketches.
    Sketch(Box<Sketched>),
}

/// A sketch, and the number of pieces of it that the state holds.
#[derive(Clone, Debug)]
pub struct Sketched {
    /// The users.
    pub sketch: Sketch,
    /// Pieces that were written.
    pub saved: u32,
}

/// A bitmap, and the chunks of it that the state holds.
#[derive(Clone, Debug, Default)]
pub struct Many {
    /// The users.
    pub users: RoaringBitmap,
    /// Chunks that grew since they were last written.
    pub grown: Vec<u32>,
    /// Chunks that were written at least once.
    pub saved: BTreeSet<u32>,
}

impl Default for Members {
    fn default() -> Members {
        Members::Few(Vec::new())
    }
}

impl Members {
    /// Adds a user; returns whether the user is known to be new. A sketch never knows.
    #[inline]
    pub fn insert(&mut self, user: User) -> bool {
        match user {
            User::Numbered(number) => self.insert_number(number),
            User::Hashed(hash, precision) => {
                self.insert_hash(hash, precision);
                false
            }
        }
    }

    fn insert_hash(&mut self, hash: UserHash, precision: Precision) {
        if let Members::Sketch(sketched) = self {
            return sketched.sketch.add(hash);
        }
        // A counter has windows of one kind only: this one is new.
        let mut sketch = Sketch::new(precision);
        sketch.add(hash);
        *self = Members::Sketch(Box::new(Sketched { sketch, saved: 0 }));
    }

    #[inline]
    fn insert_number(&mut self, user: u32) -> bool {
        match self {
            Members::Sketch(_) => false,
            Members::Many(many) => {
                let fresh = many.users.insert(user);
                if fresh {
                    many.grow(user / CHUNK);
                }
                fresh
            }
            Members::Few(users) if users.contains(&user) => false,
            Members::Few(users) if users.len() < FEW => {
                users.push(user);
                true
            }
            Members::Few(users) => {
                let mut many = Many::default();
                for user in users.iter().chain([&user]) {
                    many.users.insert(*user);
                    many.grow(user / CHUNK);
                }
                *self = Members::Many(Box::new(many));
                true
            }
        }
    }

    /// Whether the user of this number is there; a sketch has no numbers.
    pub fn contains(&self, user: u32) -> bool {
        match self {
            Members::Sketch(_) => false,
            Members::Few(users) => users.contains(&user),
            Members::Many(many) => many.users.contains(user),
        }
    }

    /// The number of users; an estimate, of a sketch.
    pub fn len(&self) -> u64 {
        match self {
            Members::Sketch(sketched) => sketched.sketch.users(),
            _ => self.held(),
        }
    }

    /// The bytes of memory that they take, besides their own; vectors of a bitmap without what they have to spare.
    pub fn bytes(&self) -> usize {
        match self {
            Members::Few(users) => users.capacity() * size_of::<u32>(),
            Members::Many(many) => {
                let is = many.users.statistics();
                let bytes = is.n_bytes_array_containers + is.n_bytes_run_containers + is.n_bytes_bitset_containers;
                size_of::<Many>() + bytes as usize
            }
            Members::Sketch(sketched) => size_of::<Sketched>() + sketched.sketch.heap_bytes(),
        }
    }

    /// The number of users that take memory each: none of a sketch, whose size has a limit.
    pub fn held(&self) -> u64 {
        match self {
            Members::Sketch(_) => 0,
            Members::Few(users) => users.len() as u64,
            Members::Many(many) => many.users.len(),
        }
    }
}

impl Many {
    #[inline]
    fn grow(&mut self, chunk: u32) {
        if !self.grown.contains(&chunk) {
            self.grown.push(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_set(users in prop::collection::vec(0u32..200_000, 0..100)) {
            let (mut members, mut plain) = (Members::default(), BTreeSet::new());
            for user in users.iter().chain(&users) {
                prop_assert_eq!(members.contains(*user), plain.contains(user));
                prop_assert_eq!(members.insert(User::Numbered(*user)), plain.insert(*user));
                prop_assert_eq!(members.len(), plain.len() as u64);
            }
            prop_assert_eq!(matches!(members, Members::Few(_)), plain.len() <= FEW);
            if let Members::Many(many) = members {
                prop_assert!(many.users.iter().eq(plain.iter().copied()));
                let chunks: BTreeSet<u32> = plain.iter().map(|user| user / CHUNK).collect();
                prop_assert_eq!(many.grown.into_iter().collect::<BTreeSet<_>>(), chunks);
            }
        }
    }
}
