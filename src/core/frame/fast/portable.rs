//! The classifier for any processor: table lookups, eight bytes at a time.

use super::block::{Classifier, LEN, Rare, Separators, Text};

/// Uses no instructions beyond the target's baseline.
#[derive(Clone, Copy)]
pub(super) struct Portable;

const QUOTE: u32 = 0;
const BACKSLASH: u32 = 1;
const COMMA: u32 = 2;
const COLON: u32 = 3;
const OPEN: u32 = 4;
const CLOSE: u32 = 5;
const SPACE: u32 = 6;
const CONTROL: u32 = 7;

/// The classes of each byte, as set bits.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        classes[byte] = 1 << CONTROL;
        byte += 1;
    }
    classes[b'\t' as usize] |= 1 << SPACE;
    classes[b'\n' as usize] |= 1 << SPACE;
    classes[b'\r' as usize] |= 1 << SPACE;
    classes[b' ' as usize] = 1 << SPACE;
    classes[b'"' as usize] = 1 << QUOTE;
    classes[b'\\' as usize] = 1 << BACKSLASH;
    classes[b',' as usize] = 1 << COMMA;
    classes[b':' as usize] = 1 << COLON;
    classes[b'{' as usize] = 1 << OPEN;
    classes[b'[' as usize] = 1 << OPEN;
    classes[b'}' as usize] = 1 << CLOSE;
    classes[b']' as usize] = 1 << CLOSE;
    classes
};

/// A block of bytes or of their classes, eight to a word.
type Words = [u64; LEN / 8];

impl Classifier for Portable {
    type Block = [u8; LEN];
    type Seen = Rare;

    #[inline(always)]
    fn load(self, bytes: &[u8; LEN]) -> [u8; LEN] {
        *bytes
    }

    #[inline(always)]
    fn text(self, block: [u8; LEN]) -> Text {
        let classes = words(&block, |byte| CLASSES[usize::from(byte)]);
        // Folds the four classes of separators into the lowest.
        let separators = classes.map(|classes| {
            let pairs = classes | classes >> (COLON - COMMA);
            (pairs | pairs >> (OPEN - COMMA)) >> COMMA
        });
        Text {
            quote: gather(&classes, QUOTE),
            backslash: gather(&classes, BACKSLASH),
            separator: gather(&separators, 0),
            space: gather(&classes, SPACE),
        }
    }

    #[inline(always)]
    fn none_seen(self) -> Rare {
        Rare::default()
    }

    #[inline(always)]
    fn see(self, seen: Rare, block: [u8; LEN]) -> Rare {
        Rare {
            control: seen.control | block.iter().fold(false, |any, byte| any | (*byte < b' ')),
            high: seen.high | !block.is_ascii(),
        }
    }

    #[inline(always)]
    fn rare(self, seen: Rare) -> Rare {
        seen
    }

    #[inline(always)]
    fn control(self, block: [u8; LEN]) -> u64 {
        gather(&words(&block, |byte| CLASSES[usize::from(byte)]), CONTROL)
    }

    #[inline(always)]
    fn no_short_escape(self, block: [u8; LEN]) -> u64 {
        let is_other = |byte| !matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't');
        gather(&words(&block, |byte| u8::from(is_other(byte))), 0)
    }

    #[inline(always)]
    fn separators(self, block: [u8; LEN]) -> Separators {
        let classes = words(&block, |byte| CLASSES[usize::from(byte)]);
        Separators {
            comma: gather(&classes, COMMA),
            colon: gather(&classes, COLON),
            open: gather(&classes, OPEN),
            close: gather(&classes, CLOSE),
        }
    }

    #[inline(always)]
    fn prefix_xor(self, mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }

    #[inline(always)]
    fn compress(self, bits: u64, mask: u64) -> u64 {
        super::block::bits(mask).enumerate().fold(0, |low, (place, index)| low | (bits >> index & 1) << place)
    }
}

/// The lowest bit of each byte of a word.
const LOWEST: u64 = 0x0101_0101_0101_0101;

/// What `of` makes of each byte.
#[inline(always)]
fn words(block: &[u8; LEN], of: impl Fn(u8) -> u8) -> Words {
    let mut words = [0; LEN / 8];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(bytes.map(&of));
    }
    words
}

/// One bit of each byte, side by side.
#[inline(always)]
fn gather(words: &Words, bit: u32) -> u64 {
    let mut mask = 0;
    for (index, bytes) in words.iter().enumerate() {
        // The product brings the lowest bit of byte i to bit 56 + i; no two of its terms meet, so nothing carries.
        let byte = (bytes >> bit & LOWEST).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= byte << (8 * index);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::super::block::tests::{check, check_masks, check_rare};
    use super::*;

    #[test]
    fn finds_what_is_defined() {
        check(Portable);
        check_rare(Portable);
        check_masks(Portable);
    }
}
