//! The names of the two members, as the scanner and the grammar look for them.

use crate::fast::block::bits;
use crate::rules::Member;

/// Names to look for in the upper `LEVELS` levels of nesting. `Usual` is the trait's fast case, [`super::paths::Paths`]
/// the general one.
pub(super) trait Names<const LEVELS: usize>: Copy {
    /// What was found so far.
    type Found;

    /// Nothing.
    fn nothing(self) -> Self::Found;

    /// Closing quotes of strings that are none of the names.
    ///
    /// All other strings are checked again, so this mask need not have every such quote and ignores those at the start
    /// of a block. `opens` are the bytes with the bit of an opening separator, see `Kinds`.
    fn other_end(self, quote: u64, in_string: u64, opens: u64) -> u64;

    /// Whether the code unit of an escape may belong to a name.
    fn has_letter(self, unit: u16) -> bool;

    /// Looks at the names of one batch of separators.
    fn look(self, found: &mut Self::Found, value: &[u8], batch: &Named<'_, LEVELS>);

    /// The positions after the names of `uid` and `ts`, in the value from its second byte on.
    fn members(found: Self::Found) -> Members;
}

/// Where the two members are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Members {
    /// The position of the colon of `uid`.
    pub uid: Member<usize>,
    /// The position of the colon of `ts`.
    pub ts: Member<usize>,
}

/// A batch of separators, as far as names matter: one bit for each separator.
pub(super) struct Named<'c, const LEVELS: usize> {
    /// The position of the chunk.
    pub base: usize,
    /// The positions in the chunk of the marked colons.
    pub telling: &'c [u16],
    /// The colons that may follow a name that is looked for.
    pub marked: u64,
    /// The colons after names.
    pub name: u64,
    /// The commas.
    pub comma: u64,
    /// The separators of each level, the root's first; the bits of closing brackets are arbitrary.
    pub levels: [u64; LEVELS],
}

impl<const LEVELS: usize> Named<'_, LEVELS> {
    /// The position of a marked colon.
    #[inline(always)]
    pub(super) fn colon(&self, index: usize) -> usize {
        let rank = (self.marked & ((1 << index) - 1)).count_ones() as usize;
        self.base + usize::from(self.telling[rank])
    }
}

/// Whether a colon follows this name, literally.
#[inline]
pub(super) fn follows(value: &[u8], colon: usize, name: &[u8]) -> bool {
    let before = value[..colon].trim_ascii_end();
    let opening = before.strip_suffix(b"\"").and_then(|before| before.strip_suffix(name));
    let Some(before) = opening.and_then(|before| before.strip_suffix(b"\"")) else { return false };
    // After a backslash, the quote is part of a longer name.
    before.last() != Some(&b'\\')
}

/// Counts one more member of this name.
#[inline(always)]
pub(super) fn add(member: &mut Member<usize>, colon: usize) {
    *member = if *member == Member::Missing { Member::Good(colon + 1) } else { Member::Repeated };
}

/// `uid` and `ts` in the root.
#[derive(Clone, Copy)]
pub(super) struct Usual;

impl Names<1> for Usual {
    type Found = Members;

    #[inline(always)]
    fn nothing(self) -> Members {
        Members { uid: Member::Missing, ts: Member::Missing }
    }

    /// Compares the distance from the opening quote, and a bit that `i` and `t` share.
    #[inline(always)]
    fn other_end(self, quote: u64, in_string: u64, opens: u64) -> u64 {
        let like = (quote << 3 | quote << 4) & !(opens << 2) | 0b1111;
        quote & !in_string & !like
    }

    #[inline(always)]
    fn has_letter(self, unit: u16) -> bool {
        u8::try_from(unit).is_ok_and(|letter| b"uidts".contains(&letter))
    }

    #[inline(always)]
    fn look(self, found: &mut Members, value: &[u8], batch: &Named<'_, 1>) {
        for index in bits(batch.name & batch.levels[0] & batch.marked) {
            let colon = batch.colon(index);
            if is_telling(value, colon) {
                root_name(found, value, colon);
            }
        }
    }

    #[inline(always)]
    fn members(found: Members) -> Members {
        found
    }
}

/// Whether the name in the root that ends before a colon may be `uid` or `ts`.
#[inline(always)]
fn is_telling(value: &[u8], colon: usize) -> bool {
    let Some(before) = value[..colon].last_chunk() else {
        return true;
    };
    let before = u64::from_le_bytes(*before);
    (before >> 56 != u64::from(b'"'))
        | (before >> 32 == u64::from(u32::from_le_bytes(*b"\"ts\"")))
        | (before >> 32 == u64::from(u32::from_le_bytes(*b"uid\"")))
}

/// Records the name in the root that ends before a colon if it is literally `uid` or `ts`.
#[inline(never)]
fn root_name(found: &mut Members, value: &[u8], colon: usize) {
    if follows(value, colon, b"uid") {
        add(&mut found.uid, colon);
    } else if follows(value, colon, b"ts") {
        add(&mut found.ts, colon);
    }
}
