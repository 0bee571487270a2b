//! What the scanner finds in a chunk of blocks, and the grammar reads.

use crate::fast::block::{Classifier, Kinds, LEN, Text};

/// Blocks that are taken together: most values fit, and one mask has a bit for each of them.
pub(super) const CHUNK: usize = 64;

/// What is found in a chunk.
pub(super) struct Chunk {
    pub blocks: [Found; CHUNK],
    pub separators: Separators,
    /// The colons after names that may be `uid` or `ts`; see [`Found::telling`].
    pub telling: Places,
}

impl Default for Chunk {
    fn default() -> Chunk {
        Chunk { blocks: [Found::default(); CHUNK], separators: Separators::default(), telling: Places::default() }
    }
}

/// Up to 64 separators: one bit for each.
#[derive(Clone, Copy, Default)]
pub(super) struct Batch {
    /// See [`crate::fast::block::Kinds::bracket`].
    pub bracket: u64,
    /// See [`crate::fast::block::Kinds::opens`].
    pub opens: u64,
    /// Of the brackets, the braces; of the colons, those in [`Chunk::telling`].
    pub marked: u64,
    /// Whether something else stands between it and the one before.
    pub after_value: u64,
}

/// The separators of a chunk: `,` `:` and brackets.
pub(super) struct Separators {
    /// Full but for the last one.
    pub batches: [Batch; CHUNK + 1],
    pub len: usize,
}

impl Default for Separators {
    fn default() -> Separators {
        Separators { batches: [Batch::default(); CHUNK + 1], len: 0 }
    }
}

impl Separators {
    /// Lists those of the blocks.
    #[inline(always)]
    pub(super) fn list<C: Classifier>(&mut self, classifier: C, blocks: &[Found]) {
        // Kept apart from `self` while the loop runs: so they stay in registers.
        let mut last = Batch::default();
        let (mut full, mut place) = (0, 0);
        for found in blocks {
            let Found { text: Text { separator, .. }, kinds, after_value, .. } = *found;
            let words = [kinds.bracket, kinds.opens, kinds.brace, after_value];
            let [bracket, opens, marked, after_value] = classifier.compress(words, separator);
            last.bracket |= bracket << place;
            last.opens |= opens << place;
            last.marked |= marked << place;
            last.after_value |= after_value << place;
            let next = place + separator.count_ones() as usize;
            if next >= LEN {
                self.batches[full] = last;
                full += 1;
                let rest = |bits: u64| bits >> 1 >> (LEN - 1 - place);
                last = Batch {
                    bracket: rest(bracket),
                    opens: rest(opens),
                    marked: rest(marked),
                    after_value: rest(after_value),
                };
            }
            place = next % LEN;
        }
        self.batches[full] = last;
        self.len = LEN * full + place;
    }
}

/// As many places as a chunk has bytes. A power of two, so that no place needs to be checked.
const ROOM: usize = CHUNK * LEN;

/// Places in a chunk.
pub(super) struct Places {
    len: usize,
    at: [u16; ROOM],
}

impl Default for Places {
    fn default() -> Places {
        Places { len: 0, at: [0; ROOM] }
    }
}

impl Places {
    /// Lists those of the blocks.
    #[inline(always)]
    pub(super) fn list(&mut self, blocks: &[Found], mask: impl Fn(&Found) -> u64) {
        self.len = 0;
        for (block, found) in blocks.iter().enumerate() {
            let mut left = mask(found);
            let mut len = self.len;
            self.len += left.count_ones() as usize;
            // The first is written in any case: that is cheaper than to ask whether there is one.
            loop {
                self.at[len % ROOM] = (LEN * block) as u16 + left.trailing_zeros() as u16;
                len += 1;
                left &= left.wrapping_sub(1);
                if left == 0 {
                    break;
                }
            }
        }
    }

    /// All of them.
    #[inline(always)]
    pub(super) fn all(&self) -> &[u16] {
        &self.at[..self.len]
    }
}

/// What is found in a block.
#[derive(Clone, Copy, Default)]
pub(super) struct Found {
    pub text: Text,
    pub kinds: Kinds,
    /// The bytes from each opening quote to just before the closing one.
    pub in_string: u64,
    /// The escaped bytes that are right only if each begins `u` and four digits.
    pub long_escape: u64,
    /// The separators that do not follow another one directly.
    pub after_value: u64,
    /// The colons, except directly after most strings that are neither `uid` nor `ts` as they stand.
    pub telling: u64,
    /// The first bytes of numbers and literals.
    pub scalar_start: u64,
}
