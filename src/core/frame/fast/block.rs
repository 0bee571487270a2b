//! What a classifier finds in 64 bytes: one bit for each, the first byte in the lowest bit.

/// Bytes per block.
pub(super) const LEN: usize = 64;

/// 64 bytes of the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// `"`, escaped or not.
    pub quote: u64,
    /// `\`
    pub backslash: u64,
    /// `,` `:` `{` `}` `[` `]`, and perhaps some control characters.
    pub separator: u64,
    /// Space, tab, line feed, carriage return.
    pub space: u64,
}

/// Which rare bytes a sequence of blocks has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rare {
    /// Bytes below the space character.
    pub control: bool,
    /// Bytes that are not ASCII.
    pub high: bool,
}

/// The kinds of 64 separators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Separators {
    /// `,`
    pub comma: u64,
    /// `:`
    pub colon: u64,
    /// `{` and `[`
    pub open: u64,
    /// `}` and `]`
    pub close: u64,
}

/// Looks at a block with the instructions that its implementation stands for.
pub(super) trait Classifier: Copy {
    /// A block as the classifier keeps it between two questions.
    type Block: Copy;

    /// What it knows of the rare bytes of many blocks, in the form in which that costs least.
    type Seen: Copy;

    /// Loads 64 bytes.
    fn load(self, bytes: &[u8; LEN]) -> Self::Block;

    /// What divides the text into tokens.
    fn text(self, block: Self::Block) -> Text;

    /// What is known of the rare bytes of no blocks.
    fn none_seen(self) -> Self::Seen;

    /// What is known of the rare bytes after one more block.
    fn see(self, seen: Self::Seen, block: Self::Block) -> Self::Seen;

    /// The rare bytes of all blocks seen.
    fn rare(self, seen: Self::Seen) -> Rare;

    /// The bytes below the space character.
    fn control(self, block: Self::Block) -> u64;

    /// The bytes that are none of `"\/bfnrt`.
    fn no_short_escape(self, block: Self::Block) -> u64;

    /// The kinds of separators, one in each byte.
    fn separators(self, block: Self::Block) -> Separators;

    /// Sets each bit to the parity of itself and all lower bits.
    fn prefix_xor(self, bits: u64) -> u64;

    /// Moves those of the `bits` that are in the mask together, the lowest to the lowest place.
    fn compress(self, bits: u64, mask: u64) -> u64;
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Compares a classifier with the definitions of what it finds, for every byte in every place.
    pub fn check(classifier: impl Classifier) {
        for start in 0..=255_u8 {
            let bytes: [u8; LEN] = std::array::from_fn(|index| start.wrapping_add((index * 37) as u8));
            let block = classifier.load(&bytes);
            let expected = |is: &dyn Fn(u8) -> bool| {
                bytes.iter().enumerate().fold(0, |mask, (index, byte)| mask | u64::from(is(*byte)) << index)
            };

            let text = classifier.text(block);
            assert_eq!(text.quote, expected(&|byte| byte == b'"'));
            assert_eq!(text.backslash, expected(&|byte| byte == b'\\'));
            assert_eq!(text.space, expected(&|byte| b" \t\n\r".contains(&byte)));
            let separators = expected(&|byte| b",:{}[]".contains(&byte));
            assert_eq!(text.separator & !expected(&|byte| byte < b' '), separators);

            let kinds = classifier.separators(block);
            assert_eq!(kinds.comma, expected(&|byte| byte == b','));
            assert_eq!(kinds.colon, expected(&|byte| byte == b':'));
            assert_eq!(kinds.open, expected(&|byte| byte == b'{' || byte == b'['));
            assert_eq!(kinds.close, expected(&|byte| byte == b'}' || byte == b']'));

            assert_eq!(classifier.control(block), expected(&|byte| byte < b' '));
            assert_eq!(classifier.no_short_escape(block), expected(&|byte| !b"\"\\/bfnrt".contains(&byte)));
        }
    }

    /// Each rare byte is seen in each place, and only then.
    pub fn check_rare(classifier: impl Classifier) {
        let see = |bytes: &[u8; LEN]| {
            let seen = classifier.see(classifier.none_seen(), classifier.load(&[b'-'; LEN]));
            let seen = classifier.see(seen, classifier.load(bytes));
            classifier.rare(classifier.see(seen, classifier.load(&[b'-'; LEN])))
        };
        for byte in 0..=255_u8 {
            for place in 0..LEN {
                let mut bytes = [b'-'; LEN];
                bytes[place] = byte;
                assert_eq!(see(&bytes), Rare { control: byte < b' ', high: byte >= 0x80 });
            }
        }
    }

    /// The two operations on masks.
    pub fn check_masks(classifier: impl Classifier) {
        assert_eq!(classifier.prefix_xor(0), 0);
        assert_eq!(classifier.prefix_xor(1), !0);
        assert_eq!(classifier.prefix_xor(0b1001_0010), 0b1110 | !0 << 7);
        assert_eq!(classifier.prefix_xor(1 << 63 | 1), !0 >> 1);
        assert_eq!(classifier.compress(0b1010_1100, 0b0110_1010), 0b0110);
        assert_eq!(classifier.compress(!0, 0), 0);
        assert_eq!(classifier.compress(!0, 1 << 63), 1);
        assert_eq!(classifier.compress(0x8000_0000_0000_0001, !0), 0x8000_0000_0000_0001);
    }

    #[test]
    fn bits_are_listed_from_the_lowest() {
        assert_eq!(bits(0).count(), 0);
        assert_eq!(bits(1 << 63 | 0b101).collect::<Vec<_>>(), [0, 2, 63]);
    }
}
