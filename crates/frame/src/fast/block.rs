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
    /// The separators, and space, tab, line feed, carriage return.
    pub gap: u64,
}

/// The kinds of the separators among 64 bytes; the bits of all other bytes are arbitrary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    /// `{` `}` `[` `]`, and neither `,` nor `:`.
    pub bracket: u64,
    /// `{` `[` `:`, and neither `}` `]` nor `,`.
    pub opens: u64,
    /// `{` `}`, and neither `[` nor `]`; and `,` `:`.
    pub brace: u64,
}

/// The masks of 64 bytes that the UTF-8 check needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Utf8Masks {
    /// Continuation bytes of a character.
    pub continues: u64,
    /// First bytes of characters of two bytes or more.
    pub leads: u64,
    /// First bytes of characters of three bytes or more.
    pub leads_three: u64,
    /// First bytes of characters of four bytes.
    pub leads_four: u64,
    /// Whether some first byte is never allowed, or is allowed only before certain continuation bytes.
    pub special: bool,
}

/// Classifies blocks with one set of instructions.
pub(super) trait Classifier: Copy {
    /// A loaded block.
    type Block: Copy;

    /// What is known of the control characters of many blocks, in the cheapest form.
    type Seen: Copy;

    fn load(self, bytes: &[u8; LEN]) -> Self::Block;

    /// The bytes that divide the text into tokens.
    fn text(self, block: Self::Block) -> Text;

    fn kinds(self, block: Self::Block) -> Kinds;

    /// The state before any block is checked for control characters.
    fn none_seen(self) -> Self::Seen;

    /// The state after one more block.
    fn see(self, seen: Self::Seen, block: Self::Block) -> Self::Seen;

    /// Whether there is a control character in the blocks seen.
    fn any_control(self, seen: Self::Seen) -> bool;

    /// The bytes below the space character.
    fn control(self, block: Self::Block) -> u64;

    /// Whether some byte is not ASCII.
    fn any_high(self, block: Self::Block) -> bool;

    /// The bytes that are not ASCII.
    fn utf8(self, block: Self::Block) -> Utf8Masks;

    /// The bytes that are none of `"\/bfnrt`.
    fn no_short_escape(self, block: Self::Block) -> u64;

    /// Whether `rest` starts with a number or literal that ends where a value may end in an object or array.
    fn starts_scalar(self, rest: &[u8]) -> bool;

    /// Sets each bit to the parity of itself and all lower bits.
    fn prefix_xor(self, bits: u64) -> u64;

    /// Moves the bits of each word that are in the mask together, towards the lowest position.
    fn compress<const N: usize>(self, words: [u64; N], mask: u64) -> [u64; N];
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
    use super::super::scalar;
    use super::*;

    /// Compares a classifier with the definitions of its masks, for every byte at every position.
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
            assert_eq!(text.gap & !text.separator, expected(&|byte| b" \t\n\r".contains(&byte)));
            assert_eq!(text.separator & !text.gap, 0);
            let separators = expected(&|byte| b",:{}[]".contains(&byte));
            assert_eq!(text.separator & !expected(&|byte| byte < b' '), separators);

            let kinds = classifier.kinds(block);
            assert_eq!(kinds.bracket & separators, expected(&|byte| b"{}[]".contains(&byte)));
            assert_eq!(kinds.opens & separators, expected(&|byte| b"{[:".contains(&byte)));
            assert_eq!(kinds.brace & separators, expected(&|byte| b"{},:".contains(&byte)));

            let utf8 = classifier.utf8(block);
            assert_eq!(utf8.continues, expected(&|byte| (0x80..0xC0).contains(&byte)));
            assert_eq!(utf8.leads, expected(&|byte| byte >= 0xC0));
            assert_eq!(utf8.leads_three, expected(&|byte| byte >= 0xE0));
            assert_eq!(utf8.leads_four, expected(&|byte| byte >= 0xF0));

            assert_eq!(classifier.control(block), expected(&|byte| byte < b' '));
            assert_eq!(classifier.no_short_escape(block), expected(&|byte| !b"\"\\/bfnrt".contains(&byte)));
        }
    }

    /// Every rare byte is found at every position, and no other byte is.
    pub fn check_rare(classifier: impl Classifier) {
        let dashes = classifier.load(&[b'-'; LEN]);
        for byte in 0..=255_u8 {
            for place in 0..LEN {
                let mut bytes = [b'-'; LEN];
                bytes[place] = byte;
                let block = classifier.load(&bytes);
                let seen =
                    classifier.see(classifier.see(classifier.see(classifier.none_seen(), dashes), block), dashes);
                assert_eq!(classifier.any_control(seen), byte < b' ');
                assert_eq!(classifier.any_high(block), byte >= 0x80);
                let special = matches!(byte, 0xC0 | 0xC1 | 0xE0 | 0xED | 0xF0 | 0xF4..);
                assert_eq!(classifier.utf8(block).special, special, "{byte:#x}");
            }
        }
    }

    /// The two operations on masks.
    pub fn check_masks(classifier: impl Classifier) {
        assert_eq!(classifier.prefix_xor(0), 0);
        assert_eq!(classifier.prefix_xor(1), !0);
        assert_eq!(classifier.prefix_xor(0b1001_0010), 0b1110 | !0 << 7);
        assert_eq!(classifier.prefix_xor(1 << 63 | 1), !0 >> 1);
        assert_eq!(classifier.compress([0b1010_1100, !0, 0], 0b0110_1010), [0b0110, 0b1111, 0]);
        assert_eq!(classifier.compress([!0], 0), [0]);
        assert_eq!(classifier.compress([!0], 1 << 63), [1]);
        assert_eq!(classifier.compress([0x8000_0000_0000_0001], !0), [0x8000_0000_0000_0001]);
    }

    /// Numbers and literals, as [`scalar::starts`] defines them.
    pub fn check_scalars(classifier: impl Classifier) {
        let signs = ["", "-", "--", "+"];
        let whole = ["", "0", "00", "7", "07", "70", "1234567890123456789012345678901234567890"];
        let ends = ["", ".", ".5", ".05", "..5", ".5.5", ".-", "e1", ".5e-1", "e", "-", "x", ".5x"];
        let words = ["true", "false", "null", "tru", "fals", "truefalse", "falsee", "nulll", "nul0", "True", "t", "f0"];
        let numbers = signs.iter().flat_map(|sign| whole.iter().map(move |whole| format!("{sign}{whole}")));
        let numbers = numbers.flat_map(|start| ends.iter().map(move |end| format!("{start}{end}")));
        for token in numbers.chain(words.iter().map(ToString::to_string)) {
            for after in [",", "}", "]", " ,", "\n]", ":", " :", "\"", "{", "[", " 1,", "", " ", "\u{436}", "=", "M"] {
                for padding in [0, 3, 40] {
                    let rest = format!("{token}{after}{}", "5,".repeat(padding));
                    let expected = scalar::starts(rest.as_bytes());
                    assert_eq!(classifier.starts_scalar(rest.as_bytes()), expected, "{rest}");
                }
            }
        }
    }

    #[test]
    fn bits_are_listed_from_the_lowest() {
        assert_eq!(bits(0).count(), 0);
        assert_eq!(bits(1 << 63 | 0b101).collect::<Vec<_>>(), [0, 2, 63]);
    }
}
