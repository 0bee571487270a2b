//! The classifier for AVX2 and carry-less multiplication: two vectors of 32 bytes per block.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::block::{Classifier, LEN, Masks};
use super::scan::{self, Nesting, Scan};

/// Proof that the processor has the instructions: only [`Avx2::detect`] makes one.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Asks the processor.
    pub(super) fn detect() -> Option<Avx2> {
        let all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2");
        all.then_some(Avx2(()))
    }

    /// See [`scan::scan`].
    #[inline]
    pub(super) fn scan(self, value: &[u8], nesting: &mut Nesting) -> Option<Scan> {
        // SAFETY: `self` proves the features that the function is compiled for.
        unsafe { scan_avx2(self, value, nesting) }
    }
}

/// [`scan::scan`] as one function in which everything may use the instructions.
#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2")]
fn scan_avx2(avx2: Avx2, value: &[u8], nesting: &mut Nesting) -> Option<Scan> {
    scan::scan(avx2, value, nesting)
}

impl Classifier for Avx2 {
    type Block = Block;

    #[inline(always)]
    fn load(self, bytes: &[u8; LEN]) -> Block {
        // SAFETY: `self` proves the features.
        unsafe { load(bytes) }
    }

    #[inline(always)]
    fn masks(self, block: Block) -> Masks {
        // SAFETY: `self` proves the features.
        unsafe { masks(block) }
    }

    #[inline(always)]
    fn long_escapes(self, block: Block, escaped: u64) -> u64 {
        // SAFETY: `self` proves the features.
        unsafe { long_escapes(block, escaped) }
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        // SAFETY: `self` proves the features.
        unsafe { prefix_xor(bits) }
    }
}

/// The two halves of a block.
#[derive(Clone, Copy)]
pub(super) struct Block(__m256i, __m256i);

impl Block {
    /// One bit for each byte: the highest bit of what `test` makes of it.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn mask(self, test: impl Fn(__m256i) -> __m256i) -> u64 {
        let low = _mm256_movemask_epi8(test(self.0)) as u32;
        let high = _mm256_movemask_epi8(test(self.1)) as u32;
        u64::from(low) | u64::from(high) << 32
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; LEN]) -> Block {
    let start: *const __m256i = bytes.as_ptr().cast();
    // SAFETY: 64 bytes hold two vectors, and these loads need no alignment.
    unsafe { Block(_mm256_loadu_si256(start), _mm256_loadu_si256(start.add(1))) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn masks(block: Block) -> Masks {
    let equal = |byte| block.mask(|bytes| _mm256_cmpeq_epi8(bytes, splat(byte)));
    // `[` and `{`, and `]` and `}`, differ in one bit only: set it, then compare.
    let bracket = |brace| block.mask(|bytes| _mm256_cmpeq_epi8(_mm256_or_si256(bytes, splat(0x20)), splat(brace)));
    Masks {
        quote: equal(b'"'),
        backslash: equal(b'\\'),
        comma: equal(b','),
        colon: equal(b':'),
        open: bracket(b'{'),
        close: bracket(b'}'),
        space: equal(b' '),
        control: block.mask(|bytes| _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, splat(0x1F)), splat(0x1F))),
        ascii: _mm256_movemask_epi8(_mm256_or_si256(block.0, block.1)) == 0,
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn long_escapes(block: Block, escaped: u64) -> u64 {
    // A bit for each high half that occurs among `"` `/` `\` `b` `f` `n` `r` `t`: 2_, 5_, 6_, 7_.
    let high_halves = _mm_setr_epi8(0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    // For each low half, the high halves with which it is one of them.
    let low_halves = _mm_setr_epi8(0, 0, 1 | 4 | 8, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1);
    let other = block.mask(|bytes| {
        let high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), splat(0x0F));
        let high = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(high_halves), high);
        let low = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(low_halves), bytes);
        _mm256_cmpeq_epi8(_mm256_and_si256(high, low), _mm256_setzero_si256())
    });
    escaped & other
}

#[inline]
#[target_feature(enable = "pclmulqdq")]
fn prefix_xor(bits: u64) -> u64 {
    // A product without carries with all ones is the exclusive or of all lower bits.
    let product = _mm_clmulepi64_si128(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1), 0);
    _mm_cvtsi128_si64(product) as u64
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(byte: u8) -> __m256i {
    _mm256_set1_epi8(byte as i8)
}
