//! What a classifier finds in a block.

/// Bytes per block: one for every bit of a mask.
pub(super) const LEN: usize = 64;

/// One bit for each byte of a block, the first byte in the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    /// `"`, escaped or not.
    pub quote: u64,
    /// `\`
    pub backslash: u64,
    /// `,`
    pub comma: u64,
    /// `:`
    pub colon: u64,
    /// `{` and `[`
    pub open: u64,
    /// `}` and `]`
    pub close: u64,
    /// The space character, not the other white space.
    pub space: u64,
    /// Bytes below the space character; tab, line feed and carriage return are among them.
    pub control: u64,
    /// Whether every byte is ASCII.
    pub ascii: bool,
}

/// Looks at a block with the instructions that its implementation stands for.
pub(super) trait Classifier: Copy {
    /// A block as the classifier keeps it between two questions.
    type Block: Copy;

    /// Loads 64 bytes.
    fn load(self, bytes: &[u8; LEN]) -> Self::Block;

    /// Finds the bytes that the grammar is made of.
    fn masks(self, block: Self::Block) -> Masks;

    /// Those of the `escaped` bytes that are none of `"\/bfnrt`.
    fn long_escapes(self, block: Self::Block, escaped: u64) -> u64;

    /// Sets each bit to the parity of itself and all lower bits.
    fn prefix_xor(self, bits: u64) -> u64;
}

/// The positions of the set bits, lowest first.
#[inline(always)]
pub(super) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let index = (mask != 0).then(|| mask.trailing_zeros() as usize);
        mask &= mask.wrapping_sub(1);
        index
    })
}
