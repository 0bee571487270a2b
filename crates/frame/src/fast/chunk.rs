//! What the scanner finds in a chunk of blocks, as input of the grammar.

use crate::fast::block::{Classifier, Kinds, LEN, Text};

/// Blocks that are processed together: most values fit, and one mask has a bit for each block.
pub(super) const CHUNK: usize = 64;

/// The separators and names of a chunk.
pub(super) struct Chunk {
    pub blocks: [Found; CHUNK],
    pub separators: Separators,
    /// The colons after names that may be looked for; see [`Found::telling`].
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
    /// The brackets that are braces, and the colons in [`Chunk::telling`].
    pub marked: u64,
    /// Whether a value stands between this separator and the one before.
    pub after_value: u64,
}

/// The separators of a chunk: `,` `:` and brackets.
pub(super) struct Separators {
    /// All full except the last one.
    pub batches: [Batch; CHUNK + 1],
    pub len: usize,
}

impl Default for Separators {
    fn default() -> Separators {
        Separators { batches: [Batch::default(); CHUNK + 1], len: 0 }
    }
}

impl Separators {
    #[inline(always)]
    pub(super) fn list<C: Classifier>(&mut self, classifier: C, blocks: &[Found]) {
        // These are local variables while the loop runs, so that they stay in registers.
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

/// One place for each byte of a chunk. A power of two, so that no index needs a bounds check.
const ROOM: usize = CHUNK * LEN;

/// Positions in a chunk.
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
    /// Lists the positions of the set bits in the blocks' masks.
    #[inline(always)]
    pub(super) fn list(&mut self, blocks: &[Found], mask: impl Fn(&Found) -> u64) {
        self.len = 0;
        for (block, found) in blocks.iter().enumerate() {
            let mut left = mask(found);
            let mut len = self.len;
            self.len += left.count_ones() as usize;
            // Writes the first position in any case: that is cheaper than a check whether there is one.
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

    #[inline(always)]
    pub(super) fn all(&self) -> &[u16] {
        &self.at[..self.len]
    }
}

/// The masks of one block.
#[derive(Clone, Copy, Default)]
pub(super) struct Found {
    pub text: Text,
    pub kinds: Kinds,
    /// The bytes from each opening quote to just before the closing one.
    pub in_string: u64,
    /// The escaped bytes that are valid only as a `u` with four hexadecimal digits.
    pub long_escape: u64,
    /// The separators that do not follow another one directly.
    pub after_value: u64,
    /// The colons, without most of those that directly follow a string other than a name that is looked for.
    pub telling: u64,
    /// The first bytes of numbers and literals.
    pub scalar_start: u64,
}
