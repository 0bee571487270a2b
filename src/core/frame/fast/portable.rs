//! The classifier for any processor: table lookups, eight bytes at a time.

use super::block::{Classifier, LEN, Masks, bits};

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

/// The class of each byte, as one set bit; zero for a byte of no class.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        classes[byte] = 1 << CONTROL;
        byte += 1;
    }
    classes[b'"' as usize] = 1 << QUOTE;
    classes[b'\\' as usize] = 1 << BACKSLASH;
    classes[b',' as usize] = 1 << COMMA;
    classes[b':' as usize] = 1 << COLON;
    classes[b'{' as usize] = 1 << OPEN;
    classes[b'[' as usize] = 1 << OPEN;
    classes[b'}' as usize] = 1 << CLOSE;
    classes[b']' as usize] = 1 << CLOSE;
    classes[b' ' as usize] = 1 << SPACE;
    classes
};

impl Classifier for Portable {
    type Block = [u8; LEN];

    #[inline(always)]
    fn load(self, bytes: &[u8; LEN]) -> [u8; LEN] {
        *bytes
    }

    #[inline(always)]
    fn masks(self, block: [u8; LEN]) -> Masks {
        let mut masks = Masks::default();
        let mut high = 0;
        for (index, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
            high |= u64::from_le_bytes(*bytes);
            let classes = u64::from_le_bytes(bytes.map(|byte| CLASSES[usize::from(byte)]));
            let of = |class| gather(classes >> class) << (8 * index);
            masks.quote |= of(QUOTE);
            masks.backslash |= of(BACKSLASH);
            masks.comma |= of(COMMA);
            masks.colon |= of(COLON);
            masks.open |= of(OPEN);
            masks.close |= of(CLOSE);
            masks.space |= of(SPACE);
            masks.control |= of(CONTROL);
        }
        masks.ascii = high & 0x8080_8080_8080_8080 == 0;
        masks
    }

    #[inline(always)]
    fn long_escapes(self, block: [u8; LEN], escaped: u64) -> u64 {
        bits(escaped)
            .filter(|index| !matches!(block[*index], b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'))
            .fold(0, |long, index| long | 1 << index)
    }

    #[inline(always)]
    fn prefix_xor(self, mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }
}

/// The lowest bit of each of the eight bytes, side by side.
#[inline(always)]
fn gather(bytes: u64) -> u64 {
    // The product brings bit 0 of byte i to bit 56 + i; no two partial products meet, so nothing carries.
    (bytes & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56
}
