//! The users of one window: a short list of few users, a bitmap of many.
//!
//! A stream with wild clocks opens hundreds of thousands of windows with one user each: a bitmap would double their
//! memory.

use roaring::RoaringBitmap;
use std::collections::BTreeSet;

/// The largest number of users in a list.
pub const FEW: usize = 32;
/// Number of users that one record of a large window covers.
pub const CHUNK: u32 = 1 << 16;

/// A set of users, by number.
#[derive(Clone, Debug)]
pub enum Members {
    /// The users in order of arrival.
    Few(Vec<u32>),
    /// More than [`FEW`].
    Many(Box<Many>),
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
    /// Adds a user; returns whether the user is new.
    #[inline]
    pub fn insert(&mut self, user: u32) -> bool {
        match self {
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

    pub fn contains(&self, user: u32) -> bool {
        match self {
            Members::Few(users) => users.contains(&user),
            Members::Many(many) => many.users.contains(user),
        }
    }

    pub fn len(&self) -> u64 {
        match self {
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
                prop_assert_eq!(members.insert(*user), plain.insert(*user));
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
