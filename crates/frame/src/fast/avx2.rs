//! The classifier for AVX2 and carry-less multiplication: two vectors of 32 bytes per block.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use crate::fast::block::{Classifier, Kinds, LEN, Text, Utf8Masks};
use crate::fast::grammar::{Scratch, Shape};
use crate::fast::names::Names;
use crate::fast::{byte_classes, scalar, scan};

/// Proof that the processor has the instructions: only [`Avx2::detect`] creates one.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Asks the processor whether it has the instructions.
    pub(super) fn detect() -> Option<Avx2> {
        let all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        all.then_some(Avx2(()))
    }

    /// See [`scan::scan`].
    #[inline]
    pub(super) fn scan<N: Names<L>, const L: usize>(
        self,
        names: N,
        value: &[u8],
        scratch: &mut Scratch,
    ) -> Option<Shape> {
        // SAFETY: `self` proves the features that the function is compiled for.
        unsafe { scan_avx2(self, names, value, scratch) }
    }
}

/// [`scan::scan`] as one function, compiled with the instructions enabled throughout.
#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,lzcnt,popcnt")]
fn scan_avx2<N: Names<L>, const L: usize>(avx2: Avx2, names: N, value: &[u8], scratch: &mut Scratch) -> Option<Shape> {
    scan::scan(avx2, names, value, scratch)
}

impl Classifier for Avx2 {
    type Block = Halves;
    /// The minimum of the bytes at each position.
    type Seen = __m256i;

    #[inline(always)]
    fn load(self, bytes: &[u8; LEN]) -> Halves {
        // SAFETY: `self` proves the features.
        unsafe { load(bytes) }
    }

    #[inline(always)]
    fn text(self, block: Halves) -> Text {
        // SAFETY: `self` proves the features.
        unsafe { text(block) }
    }

    #[inline(always)]
    fn kinds(self, block: Halves) -> Kinds {
        // SAFETY: `self` proves the features.
        unsafe { kinds(block) }
    }

    #[inline(always)]
    fn none_seen(self) -> Self::Seen {
        // SAFETY: `self` proves the features.
        unsafe { splat(0xFF) }
    }

    #[inline(always)]
    fn see(self, least: Self::Seen, Halves(low, high): Halves) -> Self::Seen {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_min_epu8(least, _mm256_min_epu8(low, high)) }
    }

    #[inline(always)]
    fn any_control(self, least: Self::Seen) -> bool {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_movemask_epi8(is_control(least)) != 0 }
    }

    #[inline(always)]
    fn control(self, block: Halves) -> u64 {
        // SAFETY: `self` proves the features.
        unsafe { control(block) }
    }

    #[inline(always)]
    fn no_short_escape(self, block: Halves) -> u64 {
        // SAFETY: `self` proves the features.
        unsafe { no_short_escape(block) }
    }

    #[inline(always)]
    fn any_high(self, Halves(low, high): Halves) -> bool {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_movemask_epi8(_mm256_or_si256(low, high)) != 0 }
    }

    #[inline(always)]
    fn utf8(self, block: Halves) -> Utf8Masks {
        // SAFETY: `self` proves the features.
        unsafe { utf8(block) }
    }

    #[inline(always)]
    fn starts_scalar(self, rest: &[u8]) -> bool {
        // SAFETY: `self` proves the features.
        rest.first_chunk().is_some_and(|head| unsafe { starts_scalar(head) }) || scalar::starts(rest)
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        // SAFETY: `self` proves the features.
        unsafe { prefix_xor(bits) }
    }

    #[inline(always)]
    fn compress<const N: usize>(self, words: [u64; N], mask: u64) -> [u64; N] {
        // SAFETY: `self` proves the features.
        words.map(|bits| unsafe { compress(bits, mask) })
    }
}

/// The two halves of a block.
#[derive(Clone, Copy)]
pub(super) struct Halves(__m256i, __m256i);

impl Halves {
    /// One bit for each byte: the highest bit of the result of `test`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn mask(self, test: impl Fn(__m256i) -> __m256i) -> u64 {
        let low = _mm256_movemask_epi8(test(self.0)) as u32;
        let high = _mm256_movemask_epi8(test(self.1)) as u32;
        u64::from(low) | u64::from(high) << 32
    }

    /// One bit of each byte.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn bit<const BIT: i32>(self) -> u64 {
        // Shifts the bit to the highest position of its byte; the other bits of the byte do not matter.
        match BIT {
            7 => self.mask(|bytes| bytes),
            6 => self.mask(|bytes| _mm256_add_epi8(bytes, bytes)),
            5 => self.mask(|bytes| _mm256_slli_epi16(bytes, 2)),
            4 => self.mask(|bytes| _mm256_slli_epi16(bytes, 3)),
            _ => self.mask(|bytes| _mm256_slli_epi16(bytes, 6)),
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; LEN]) -> Halves {
    let start: *const __m256i = bytes.as_ptr().cast();
    // SAFETY: 64 bytes hold two vectors, and these loads need no alignment.
    unsafe { Halves(_mm256_loadu_si256(start), _mm256_loadu_si256(start.add(1))) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn text(block: Halves) -> Text {
    let (separators, spaces) = (table(byte_classes::SEPARATORS), table(byte_classes::SPACES));
    // Sets the bit in which `[` and `{`, and `]` and `}`, differ. This also turns two control characters into `:` and
    // `,`; another check finds those.
    let separator =
        |bytes| _mm256_cmpeq_epi8(_mm256_or_si256(bytes, splat(0x20)), _mm256_shuffle_epi8(separators, bytes));
    let space = |bytes| _mm256_cmpeq_epi8(bytes, _mm256_shuffle_epi8(spaces, bytes));
    Text {
        quote: block.mask(|bytes| _mm256_cmpeq_epi8(bytes, splat(b'"'))),
        backslash: block.mask(|bytes| _mm256_cmpeq_epi8(bytes, splat(b'\\'))),
        separator: block.mask(separator),
        gap: block.mask(|bytes| _mm256_or_si256(separator(bytes), space(bytes))),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn is_control(bytes: __m256i) -> __m256i {
    _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, splat(0x1F)), splat(0x1F))
}

#[inline]
#[target_feature(enable = "avx2")]
fn control(block: Halves) -> u64 {
    block.mask(|bytes| is_control(bytes))
}

#[inline]
#[target_feature(enable = "avx2")]
fn no_short_escape(block: Halves) -> u64 {
    let (high_halves, low_halves) = (table(byte_classes::ESCAPE_HIGH), table(byte_classes::ESCAPE_LOW));
    block.mask(|bytes| {
        let high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), splat(0x0F));
        let high = _mm256_shuffle_epi8(high_halves, high);
        let low = _mm256_shuffle_epi8(low_halves, bytes);
        _mm256_cmpeq_epi8(_mm256_and_si256(high, low), _mm256_setzero_si256())
    })
}

#[inline]
#[target_feature(enable = "avx2")]
fn kinds(block: Halves) -> Kinds {
    Kinds { bracket: block.bit::<6>(), opens: block.bit::<1>(), brace: block.bit::<5>() }
}

#[inline]
#[target_feature(enable = "avx2")]
fn utf8(block: Halves) -> Utf8Masks {
    let (high_halves, low_halves) = (table(byte_classes::SPECIAL_HIGH), table(byte_classes::SPECIAL_LOW));
    let usual = block.mask(|bytes| {
        let high = _mm256_shuffle_epi8(high_halves, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), splat(0x0F)));
        let low = _mm256_shuffle_epi8(low_halves, _mm256_and_si256(bytes, splat(0x0F)));
        _mm256_cmpeq_epi8(_mm256_and_si256(high, low), _mm256_setzero_si256())
    });
    let high = block.bit::<7>();
    let leads = high & block.bit::<6>();
    let leads_three = leads & block.bit::<5>();
    let leads_four = leads_three & block.bit::<4>();
    Utf8Masks { continues: high & !leads, leads, leads_three, leads_four, special: usual != !0 }
}

/// Whether a text starts with a number or literal without an exponent that fits into `head` and is followed directly by
/// a byte that may follow it.
#[inline]
#[target_feature(enable = "avx2,bmi1")]
fn starts_scalar(head: &[u8; 32]) -> bool {
    // SAFETY: 32 bytes are a vector, and this load needs no alignment.
    let bytes = unsafe { _mm256_loadu_si256(head.as_ptr().cast()) };
    let mask = |found| u64::from(_mm256_movemask_epi8(found) as u32);
    let value = _mm256_sub_epi8(bytes, splat(b'0'));
    let digits = mask(_mm256_cmpeq_epi8(_mm256_min_epu8(value, splat(9)), value));
    let points = mask(_mm256_cmpeq_epi8(bytes, splat(b'.')));
    // Sets the bit in which `]` and `}` differ.
    let closes = _mm256_cmpeq_epi8(_mm256_or_si256(bytes, splat(0x20)), splat(b'}'));
    let ends = mask(_mm256_or_si256(closes, _mm256_cmpeq_epi8(bytes, splat(b','))));
    scalar::starts_plainly(head, digits, points, ends)
}

#[inline]
#[target_feature(enable = "pclmulqdq")]
pub(super) fn prefix_xor(bits: u64) -> u64 {
    // A carry-less product with all ones is the exclusive or of all lower bits.
    let product = _mm_clmulepi64_si128(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1), 0);
    _mm_cvtsi128_si64(product) as u64
}

#[inline]
#[target_feature(enable = "bmi2")]
pub(super) fn compress(bits: u64, mask: u64) -> u64 {
    _pext_u64(bits, mask)
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(byte: u8) -> __m256i {
    _mm256_set1_epi8(byte as i8)
}

/// The same 16 bytes in both halves, as the table of a shuffle.
#[inline]
#[target_feature(enable = "avx2")]
fn table(bytes: [u8; 16]) -> __m256i {
    _mm256_broadcastsi128_si256(sixteen(&bytes))
}

/// 16 bytes as a vector.
#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn sixteen(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: 16 bytes are a vector, and this load needs no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[cfg(test)]
mod tests {
    use super::super::block::tests::{check, check_masks, check_rare, check_scalars};
    use super::*;

    #[test]
    fn finds_what_is_defined() {
        // On a processor without the instructions there is nothing to test.
        if let Some(avx2) = Avx2::detect() {
            check(avx2);
            check_rare(avx2);
            check_masks(avx2);
            check_scalars(avx2);
        }
    }
}
