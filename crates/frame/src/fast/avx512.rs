//! The classifier for AVX-512: one vector per block, and masks that need no detour.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use crate::fast::avx2::{self, sixteen};
use crate::fast::block::{Classifier, Kinds, LEN, Text, Utf8Masks};
use crate::fast::grammar::{Scratch, Shape};
use crate::fast::names::Names;
use crate::fast::{byte_classes, scalar, scan};

/// Proof that the processor has the instructions: only [`Avx512::detect`] creates one.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    /// Asks the processor whether it has the instructions.
    pub(super) fn detect() -> Option<Avx512> {
        let all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && avx2::Avx2::detect().is_some();
        all.then_some(Avx512(()))
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
        unsafe { scan_avx512(self, names, value, scratch) }
    }
}

/// [`scan::scan`] as one function, compiled with the instructions enabled throughout.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,pclmulqdq,bmi1,bmi2,lzcnt,popcnt")]
fn scan_avx512<N: Names<L>, const L: usize>(
    avx512: Avx512,
    names: N,
    value: &[u8],
    scratch: &mut Scratch,
) -> Option<Shape> {
    scan::scan(avx512, names, value, scratch)
}

impl Classifier for Avx512 {
    type Block = __m512i;
    /// The minimum of the bytes at each position.
    type Seen = __m512i;

    #[inline(always)]
    fn load(self, bytes: &[u8; LEN]) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { load(bytes) }
    }

    #[inline(always)]
    fn text(self, block: __m512i) -> Text {
        // SAFETY: `self` proves the features.
        unsafe { text(block) }
    }

    #[inline(always)]
    fn kinds(self, block: __m512i) -> Kinds {
        // SAFETY: `self` proves the features.
        unsafe { kinds(block) }
    }

    #[inline(always)]
    fn none_seen(self) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { splat(0xFF) }
    }

    #[inline(always)]
    fn see(self, least: __m512i, block: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_min_epu8(least, block) }
    }

    #[inline(always)]
    fn any_control(self, least: __m512i) -> bool {
        self.control(least) != 0
    }

    #[inline(always)]
    fn control(self, block: __m512i) -> u64 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_cmplt_epu8_mask(block, splat(b' ')) }
    }

    #[inline(always)]
    fn no_short_escape(self, block: __m512i) -> u64 {
        // SAFETY: `self` proves the features.
        unsafe { !is_among(block, byte_classes::ESCAPE_HIGH, byte_classes::ESCAPE_LOW) }
    }

    #[inline(always)]
    fn any_high(self, block: __m512i) -> bool {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_movepi8_mask(block) != 0 }
    }

    #[inline(always)]
    fn utf8(self, block: __m512i) -> Utf8Masks {
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
        unsafe { avx2::prefix_xor(bits) }
    }

    #[inline(always)]
    fn compress<const N: usize>(self, words: [u64; N], mask: u64) -> [u64; N] {
        // SAFETY: `self` proves the features.
        words.map(|bits| unsafe { avx2::compress(bits, mask) })
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(bytes: &[u8; LEN]) -> __m512i {
    // SAFETY: 64 bytes are a vector, and this load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn text(block: __m512i) -> Text {
    // As in AVX2, setting this bit also turns two control characters into `:` and `,`; another check finds those.
    let folded = _mm512_or_si512(block, splat(0x20));
    let separator = _mm512_cmpeq_epi8_mask(folded, _mm512_shuffle_epi8(table(byte_classes::SEPARATORS), block));
    let space = _mm512_cmpeq_epi8_mask(block, _mm512_shuffle_epi8(table(byte_classes::SPACES), block));
    Text {
        quote: _mm512_cmpeq_epi8_mask(block, splat(b'"')),
        backslash: _mm512_cmpeq_epi8_mask(block, splat(b'\\')),
        separator,
        gap: separator | space,
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn kinds(block: __m512i) -> Kinds {
    Kinds { bracket: bit(block, 1 << 6), opens: bit(block, 1 << 1), brace: bit(block, 1 << 5) }
}

/// The bytes whose entry in `low_halves` shares a bit with their entry in `high_halves`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn is_among(block: __m512i, high_halves: [u8; 16], low_halves: [u8; 16]) -> u64 {
    let half = splat(0x0F);
    let high = _mm512_shuffle_epi8(table(high_halves), _mm512_and_si512(_mm512_srli_epi16(block, 4), half));
    let low = _mm512_shuffle_epi8(table(low_halves), _mm512_and_si512(block, half));
    _mm512_test_epi8_mask(high, low)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn utf8(block: __m512i) -> Utf8Masks {
    let high = bit(block, 1 << 7);
    let leads = high & bit(block, 1 << 6);
    let leads_three = leads & bit(block, 1 << 5);
    let leads_four = leads_three & bit(block, 1 << 4);
    let special = is_among(block, byte_classes::SPECIAL_HIGH, byte_classes::SPECIAL_LOW) != 0;
    Utf8Masks { continues: high & !leads, leads, leads_three, leads_four, special }
}

/// Whether a text starts with a number or literal without an exponent that fits into `head` and is followed directly by
/// a byte that may follow it.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,bmi1")]
fn starts_scalar(head: &[u8; 32]) -> bool {
    let splat = |byte: u8| _mm256_set1_epi8(byte as i8);
    // SAFETY: 32 bytes are a vector, and this load needs no alignment.
    let bytes = unsafe { _mm256_loadu_si256(head.as_ptr().cast()) };
    let digits = _mm256_cmplt_epu8_mask(_mm256_sub_epi8(bytes, splat(b'0')), splat(10));
    let points = _mm256_cmpeq_epi8_mask(bytes, splat(b'.'));
    // Sets the bit in which `]` and `}` differ.
    let closes = _mm256_cmpeq_epi8_mask(_mm256_or_si256(bytes, splat(0x20)), splat(b'}'));
    let ends = closes | _mm256_cmpeq_epi8_mask(bytes, splat(b','));
    scalar::starts_plainly(head, digits.into(), points.into(), ends.into())
}

/// The bytes that have the bit.
#[inline]
#[target_feature(enable = "avx512bw")]
fn bit(block: __m512i, bit: u8) -> u64 {
    _mm512_test_epi8_mask(block, splat(bit))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(byte: u8) -> __m512i {
    _mm512_set1_epi8(byte as i8)
}

/// The same 16 bytes in all quarters, as the table of a shuffle.
#[inline]
#[target_feature(enable = "avx512f")]
fn table(bytes: [u8; 16]) -> __m512i {
    _mm512_broadcast_i32x4(sixteen(&bytes))
}

#[cfg(test)]
mod tests {
    use super::super::block::tests::{check, check_masks, check_rare, check_scalars};
    use super::*;

    #[test]
    fn finds_what_is_defined() {
        // On a processor without the instructions there is nothing to test.
        if let Some(avx512) = Avx512::detect() {
            check(avx512);
            check_rare(avx512);
            check_masks(avx512);
            check_scalars(avx512);
        }
    }
}
