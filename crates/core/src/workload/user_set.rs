//! Users by number, in a memory that suits few of them as well as many.

use roaring::RoaringBitmap;

/// A set of users: a list with repetitions as long as that takes less memory than a bit for each user of the stream.
#[derive(Default)]
pub(super) struct UserSet {
    few: Vec<u32>,
    /// Empty as long as the list is used.
    bits: Vec<u64>,
}

impl UserSet {
    /// Adds a user of a stream that has `users`.
    #[inline]
    pub(super) fn insert(&mut self, user: u32, users: u32) {
        let (word, bit) = (user as usize / 64, 1 << (user % 64));
        match self.bits.get_mut(word) {
            Some(word) => *word |= bit,
            None => self.note(user, users),
        }
    }

    fn note(&mut self, user: u32, users: u32) {
        self.few.push(user);
        if self.few.len() > users as usize / 32 {
            self.bits = vec![0; (users as usize).div_ceil(64)];
            for user in std::mem::take(&mut self.few) {
                self.bits[user as usize / 64] |= 1 << (user % 64);
            }
        }
    }

    /// The same set, in a form that can be united with others.
    pub(super) fn into_bitmap(mut self) -> RoaringBitmap {
        self.few.sort_unstable();
        self.few.dedup();
        let bytes: Vec<u8> = self.bits.iter().flat_map(|word| word.to_le_bytes()).collect();
        RoaringBitmap::from_lsb0_bytes(0, &bytes) | self.few.into_iter().collect::<RoaringBitmap>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_has_what_was_added(users in 1_u32..200_000, shares in prop::collection::vec(0.0..1.0, 0..3_000)) {
            let (mut set, mut expected) = (UserSet::default(), BTreeSet::new());
            for share in shares {
                let user = (f64::from(users) * share) as u32;
                set.insert(user, users);
                expected.insert(user);
            }
            prop_assert!(set.into_bitmap().iter().eq(expected));
        }
    }
}
