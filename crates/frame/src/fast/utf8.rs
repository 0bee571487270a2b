//! Checks that the bytes that are not ASCII are UTF-8: each first byte announces how many bytes follow.

use crate::fast::block;

/// The state between two blocks. Blocks of ASCII are skipped.
#[derive(Default)]
pub(super) struct Utf8Check {
    /// Number of the block after the last one taken.
    next: usize,
    /// The first positions of that block that must be continuation bytes.
    continues: u64,
    /// Any bit set if a rule was broken.
    error: u64,
    /// Whether there was a first byte for which counting the bytes that follow is not enough.
    special: bool,
}

/// The result for a whole value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validity {
    Good,
    Bad,
    /// The counts are right, but some first byte needs a full check.
    Unknown,
}

impl Utf8Check {
    #[inline(always)]
    pub(super) fn take(&mut self, number: usize, block: block::Utf8Masks) {
        let block::Utf8Masks { continues, leads, leads_three, leads_four, special } = block;
        if number != self.next {
            // There were blocks of ASCII in between.
            self.error |= std::mem::take(&mut self.continues);
        }
        let expected = leads << 1 | leads_three << 2 | leads_four << 3 | self.continues;
        self.error |= expected ^ continues;
        self.continues = leads >> 63 | leads_three >> 62 | leads_four >> 61;
        self.next = number + 1;
        self.special |= special;
    }

    /// The result after the last block.
    #[inline(always)]
    pub(super) fn validity(&self) -> Validity {
        match (self.error | self.continues, self.special) {
            (0, false) => Validity::Good,
            (0, true) => Validity::Unknown,
            _ => Validity::Bad,
        }
    }
}
