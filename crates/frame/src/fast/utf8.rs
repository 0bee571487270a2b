//! Whether the characters that are not ASCII are UTF-8: as many bytes follow the first one as it announces.

use crate::fast::block;

/// The state between two blocks. Blocks of ASCII are left out.
#[derive(Default)]
pub(super) struct Utf8Check {
    /// The block after the last one taken.
    next: usize,
    /// The first places of that block in which a character must go on.
    continues: u64,
    /// Any bit set if a rule was broken.
    error: u64,
    /// Whether there was a first byte for which it is not enough to count those that follow.
    special: bool,
}

/// What the blocks of a value tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validity {
    Good,
    Bad,
    /// These rules are kept, but there are more, which need a closer look.
    Unknown,
}

impl Utf8Check {
    /// Takes the block with a number.
    #[inline(always)]
    pub(super) fn take(&mut self, number: usize, block: block::Utf8Masks) {
        let block::Utf8Masks { continues, leads, leads_three, leads_four, special } = block;
        if number != self.next {
            // ASCII came between.
            self.error |= std::mem::take(&mut self.continues);
        }
        let expected = leads << 1 | leads_three << 2 | leads_four << 3 | self.continues;
        self.error |= expected ^ continues;
        self.continues = leads >> 63 | leads_three >> 62 | leads_four >> 61;
        self.next = number + 1;
        self.special |= special;
    }

    /// After the last block.
    #[inline(always)]
    pub(super) fn validity(&self) -> Validity {
        match (self.error | self.continues, self.special) {
            (0, false) => Validity::Good,
            (0, true) => Validity::Unknown,
            _ => Validity::Bad,
        }
    }
}
