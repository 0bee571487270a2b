//! Chance, the same on every machine: a generator of a published algorithm, and integers only.

use super::trouble::Share;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// The random numbers of one block.
#[derive(Clone)]
pub(super) struct Dice {
    generator: Pcg64Mcg,
    /// The next number. It is made before it is needed: after a mispredicted branch nothing waits for it.
    next: u64,
}

impl Dice {
    /// The numbers of block `block` of a stream.
    pub(super) fn new(seed: u64, block: u64) -> Dice {
        let mut generator = Pcg64Mcg::seed_from_u64(mixed(seed ^ mixed(block.wrapping_add(1))));
        let next = generator.next_u64();
        Dice { generator, next }
    }

    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        std::mem::replace(&mut self.next, self.generator.next_u64())
    }

    /// A number below `n`.
    #[inline]
    pub(super) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.next() as u32) * u64::from(n)) >> 32) as u32
    }

    /// One of `low..=high`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = (high - low).max(0) as u64 + 1;
        low + ((u128::from(self.next()) * u128::from(span)) >> 64) as i64
    }

    /// True for this share of all calls.
    pub(super) fn hits(&mut self, share: Share) -> bool {
        (self.next() >> 32) < share.threshold()
    }
}

/// A permutation of all 64-bit numbers that leaves no pattern (the finalizer of splitmix64).
#[inline]
pub(super) fn mixed(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
