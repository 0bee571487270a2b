//! The classifier for any processor, written so that the compiler can use the vector instructions of the target's
//! baseline.

use crate::fast::block::{Classifier, Kinds, LEN, Text, Utf8Masks};
use crate::fast::scalar;

/// Uses no instructions beyond the target's baseline.
#[derive(Clone, Copy)]
pub(super) struct Portable;

type Block = [u8; LEN];

impl Classifier for Portable {
    type Block = Block;
    /// The minimum of the bytes at each position.
    type Seen = Block;

    #[inline(always)]
    fn load(self, bytes: &Block) -> Block {
        *bytes
    }

    #[inline(always)]
    fn text(self, block: Block) -> Text {
        const QUOTE: u8 = 1 << 0;
        const BACKSLASH: u8 = 1 << 1;
        const SEPARATOR: u8 = 1 << 2;
        const GAP: u8 = 1 << 3;
        let classes = each(&block, |byte| {
            // The bit in which `[` and `{`, and `]` and `}`, differ.
            let bracket = byte | 0x20;
            let separator = (byte == b',') | (byte == b':') | (bracket == b'{') | (bracket == b'}');
            let space = (byte == b' ') | (byte == b'\t') | (byte == b'\n') | (byte == b'\r');
            let set = |class: u8, is: bool| if is { class } else { 0 };
            set(QUOTE, byte == b'"')
                | set(BACKSLASH, byte == b'\\')
                | set(SEPARATOR, separator)
                | set(GAP, separator | space)
        });
        Text {
            quote: bit::<0>(&classes),
            backslash: bit::<1>(&classes),
            separator: bit::<2>(&classes),
            gap: bit::<3>(&classes),
        }
    }

    #[inline(always)]
    fn kinds(self, block: Block) -> Kinds {
        Kinds { bracket: bit::<6>(&block), opens: bit::<1>(&block), brace: bit::<5>(&block) }
    }

    #[inline(always)]
    fn none_seen(self) -> Block {
        [0xFF; LEN]
    }

    #[inline(always)]
    fn see(self, mut least: Block, block: Block) -> Block {
        for (least, byte) in least.iter_mut().zip(block) {
            *least = byte.min(*least);
        }
        least
    }

    #[inline(always)]
    fn any_control(self, least: Block) -> bool {
        least.iter().any(|byte| *byte < b' ')
    }

    #[inline(always)]
    fn control(self, block: Block) -> u64 {
        mask(&block, |byte| byte < b' ')
    }

    #[inline(always)]
    fn any_high(self, block: Block) -> bool {
        !block.is_ascii()
    }

    #[inline(always)]
    fn utf8(self, block: Block) -> Utf8Masks {
        let special = |byte: u8| matches!(byte, 0xC0 | 0xC1 | 0xE0 | 0xED | 0xF0 | 0xF4..);
        let high = bit::<7>(&block);
        let leads = high & bit::<6>(&block);
        let leads_three = leads & bit::<5>(&block);
        let leads_four = leads_three & bit::<4>(&block);
        let special = block.iter().fold(false, |any, byte| any | special(*byte));
        Utf8Masks { continues: high & !leads, leads, leads_three, leads_four, special }
    }

    #[inline(always)]
    fn no_short_escape(self, block: Block) -> u64 {
        mask(&block, |byte| {
            (byte != b'"')
                & (byte != b'\\')
                & (byte != b'/')
                & (byte != b'b')
                & (byte != b'f')
                & (byte != b'n')
                & (byte != b'r')
                & (byte != b't')
        })
    }

    #[inline(always)]
    fn starts_scalar(self, rest: &[u8]) -> bool {
        scalar::starts(rest)
    }

    #[inline(always)]
    fn prefix_xor(self, mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }

    #[inline(always)]
    fn compress<const N: usize>(self, words: [u64; N], mask: u64) -> [u64; N] {
        let mut low = [0; N];
        for (place, index) in crate::fast::block::bits(mask).enumerate() {
            for (low, bits) in low.iter_mut().zip(words) {
                *low |= (bits >> index & 1) << place;
            }
        }
        low
    }
}

/// Applies `of` to each byte.
#[inline(always)]
fn each(block: &Block, of: impl Fn(u8) -> u8) -> Block {
    let mut made = [0; LEN];
    for (made, byte) in made.iter_mut().zip(block) {
        *made = of(*byte);
    }
    made
}

/// One bit for each byte: whether it passes the test.
#[inline(always)]
fn mask(block: &Block, test: impl Fn(u8) -> bool) -> u64 {
    bit::<0>(&each(block, |byte| u8::from(test(byte))))
}

/// One bit of each byte, side by side.
#[inline(always)]
fn bit<const BIT: u32>(block: &Block) -> u64 {
    let mut mask = 0;
    for (index, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
        // The product moves the lowest bit of byte i to bit 56 + i; no two of its terms overlap, so nothing carries.
        let bits = u64::from_le_bytes(*bytes) >> BIT & 0x0101_0101_0101_0101;
        mask |= bits.wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * index);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::super::block::tests::{check, check_masks, check_rare, check_scalars};
    use super::*;

    #[test]
    fn finds_what_is_defined() {
        check(Portable);
        check_rare(Portable);
        check_masks(Portable);
        check_scalars(Portable);
    }
}
