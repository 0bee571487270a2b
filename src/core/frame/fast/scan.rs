//! From text to separators, 64 bytes at a time.
//!
//! What stands between two separators is a string, a number, a literal or nothing. Its inside is checked here;
//! for the grammar it is enough to know whether there was something.

use super::block::{Classifier, LEN, bits};
use super::grammar::{Grammar, Outcome, Scratch};
use super::scalar;

/// Blocks that are taken together: most values fit, and one mask has a bit for each of them.
const CHUNK: usize = 64;

/// Checks a value whose first byte is an opening bracket; `None` if it is not JSON.
#[inline(always)]
pub(super) fn scan<C: Classifier>(classifier: C, value: &[u8], scratch: &mut Scratch) -> Option<Outcome> {
    let Scratch { chunk, nesting } = scratch;
    let mut scanner = Scanner { classifier, value, state: State::START, error: 0, ascii: true };
    let mut grammar = Grammar::new(classifier, value, nesting);
    for base in (0..value.len()).step_by(CHUNK * LEN) {
        scanner.take(base, chunk);
        grammar.take(base, &chunk.separators)?;
    }
    grammar.finish(scanner.error, scanner.ascii)
}

/// What is found in a chunk.
#[derive(Default)]
pub(super) struct Chunk {
    separators: Separators,
    masks: Masks,
}

/// What is left to check once all blocks of a chunk are known: a mask for each block.
struct Masks {
    /// The bytes from each opening quote to just before the closing one.
    in_string: [u64; CHUNK],
    /// The escaped bytes that are right only if each begins `u` and four digits.
    long_escape: [u64; CHUNK],
    /// The first bytes of numbers and literals.
    scalar_start: [u64; CHUNK],
}

impl Default for Masks {
    fn default() -> Masks {
        Masks { in_string: [0; CHUNK], long_escape: [0; CHUNK], scalar_start: [0; CHUNK] }
    }
}

/// As many separators as a chunk has bytes, and the surplus that [`Separators::push`] writes.
const ROOM: usize = (CHUNK + 1) * LEN;

/// The separators of a chunk: `,` `:` and brackets.
pub(super) struct Separators {
    len: usize,
    /// Where they are in the chunk.
    at: [u16; ROOM],
    /// What they are.
    byte: [u8; ROOM],
    /// One bit for each: whether something else stands between it and the one before.
    after_value: [u64; CHUNK + 1],
}

impl Default for Separators {
    fn default() -> Separators {
        Separators { len: 0, at: [0; ROOM], byte: [0; ROOM], after_value: [0; CHUNK + 1] }
    }
}

/// Up to 64 separators.
pub(super) struct Batch<'s> {
    /// Where they are in the chunk.
    pub at: &'s [u16],
    /// What they are; the bytes beyond the positions are arbitrary.
    pub byte: &'s [u8; LEN],
    /// One bit for each: whether something else stands between it and the one before.
    pub after_value: u64,
}

impl Separators {
    #[inline(always)]
    fn clear(&mut self) {
        self.len = 0;
        self.after_value[0] = 0;
    }

    /// Appends those of a block.
    #[inline(always)]
    fn push<C: Classifier>(&mut self, classifier: C, bytes: &[u8; LEN], block: usize, found: &Found) {
        /// Written at once, whether there are so many or not: cheaper than a question after each.
        const STEP: usize = 4;
        let from = self.len;
        let mut left = found.separator;
        self.len += left.count_ones() as usize;

        let after_value = classifier.compress(found.after_value, left);
        let (word, shift) = (from / 64, from % 64);
        self.after_value[word] |= after_value << shift;
        self.after_value[word + 1] = after_value >> 1 >> (63 - shift);

        let (at, byte) = (&mut self.at[from..from + LEN], &mut self.byte[from..from + LEN]);
        for (at, byte) in at.as_chunks_mut::<STEP>().0.iter_mut().zip(byte.as_chunks_mut::<STEP>().0) {
            for (at, byte) in at.iter_mut().zip(byte) {
                let index = left.trailing_zeros() as usize;
                *at = (LEN * block + index) as u16;
                *byte = bytes[index % LEN];
                left &= left.wrapping_sub(1);
            }
            if left == 0 {
                break;
            }
        }
    }

    /// All of them, 64 at a time.
    #[inline(always)]
    pub(super) fn batches(&self) -> impl Iterator<Item = Batch<'_>> {
        let parts = self.at[..self.len].chunks(LEN).zip(self.byte.as_chunks().0).zip(&self.after_value);
        parts.map(|((at, byte), after_value)| Batch { at, byte, after_value: *after_value })
    }
}

/// The state between two chunks.
struct Scanner<'v, C> {
    classifier: C,
    value: &'v [u8],
    state: State,
    /// Any bit set if a rule was broken.
    error: u64,
    ascii: bool,
}

/// The state between two blocks.
#[derive(Clone, Copy)]
struct State {
    /// All bits set if the last block ended inside a string.
    in_string: u64,
    /// 1 if the last block ended with a backslash that escapes.
    escaping: u64,
    /// 1 if the last block ended with a byte of a number or literal.
    in_scalar: u64,
    /// 1 if only white space came after the last separator.
    after_separator: u64,
}

impl<C: Classifier> Scanner<'_, C> {
    /// Finds the separators of the chunk at a position, and checks all that is between them.
    #[inline(always)]
    fn take(&mut self, base: usize, Chunk { separators, masks }: &mut Chunk) {
        let rest = &self.value[base..];
        let (blocks, tail) = rest[..rest.len().min(CHUNK * LEN)].as_chunks::<LEN>();
        let mut padded = [b' '; LEN];
        padded[..tail.len()].copy_from_slice(tail);
        let padding = if tail.is_empty() { &[] } else { std::slice::from_ref(&padded) };

        let Scanner { classifier, mut state, .. } = *self;
        let mut seen = classifier.none_seen();
        let (mut error, mut long_escapes, mut scalar_blocks) = (0, 0, 0);
        let mut count = 0;
        separators.clear();
        // No calls in these loops, or all constants would be loaded again for each block.
        for part in [blocks, padding] {
            for bytes in part {
                let block = classifier.load(bytes);
                seen = classifier.see(seen, block);
                let found = state.block(classifier, block);
                long_escapes |= found.long_escape;
                error |= found.error;
                masks.in_string[count] = found.in_string;
                masks.long_escape[count] = found.long_escape;
                masks.scalar_start[count] = found.scalar_start;
                scalar_blocks |= u64::from(found.scalar_start != 0) << count;
                separators.push(classifier, bytes, count, &found);
                count += 1;
            }
        }
        self.state = state;
        self.error |= error;
        for block in bits(scalar_blocks) {
            for index in bits(masks.scalar_start[block]) {
                let ok = rest.get(LEN * block + index..).is_some_and(scalar::starts);
                self.error |= u64::from(!ok);
            }
        }
        // Rare bytes are looked for in the whole chunk first, and by block only if it has some.
        let rare = classifier.rare(seen);
        self.ascii &= !rare.high;
        if rare.control {
            let blocks = blocks.iter().chain(padding);
            for (bytes, in_string) in blocks.zip(&masks.in_string) {
                self.error |= classifier.control(classifier.load(bytes)) & in_string;
            }
        }
        if long_escapes != 0 {
            self.check_long_escapes(base, &masks.long_escape[..count]);
        }
    }

    /// Accepts `\u` with four hexadecimal digits.
    #[cold]
    fn check_long_escapes(&mut self, base: usize, masks: &[u64]) {
        for (block, mask) in masks.iter().enumerate() {
            for index in bits(*mask) {
                let at = base + LEN * block + index;
                let ok = self.value.get(at) == Some(&b'u') && scalar::code_unit(self.value, at + 1).is_some();
                self.error |= u64::from(!ok);
            }
        }
    }
}

/// What is found in a block.
struct Found {
    separator: u64,
    /// The separators that do not follow another one directly.
    after_value: u64,
    /// See [`Masks::in_string`].
    in_string: u64,
    /// See [`Masks::long_escape`].
    long_escape: u64,
    /// See [`Masks::scalar_start`].
    scalar_start: u64,
    /// The strings, numbers and literals that do not follow a separator directly.
    error: u64,
}

impl State {
    /// Before the value: nothing stands before its first separator, as if there had been another one.
    const START: State = State { in_string: 0, escaping: 0, in_scalar: 0, after_separator: 1 };

    /// Takes the next block.
    ///
    /// Outside strings, whatever is neither a separator nor white space belongs to a number or literal.
    #[inline(always)]
    fn block<C: Classifier>(&mut self, classifier: C, block: C::Block) -> Found {
        let text = classifier.text(block);
        let escaped = self.escaped(text.backslash);
        let long_escape = escaped & classifier.no_short_escape(block);
        let quote = text.quote & !escaped;
        let in_string = classifier.prefix_xor(quote) ^ self.in_string;
        self.in_string = ((in_string as i64) >> 63) as u64;

        let string_start = quote & in_string;
        let separator = text.separator & !in_string;
        let space = text.space & !in_string;
        let scalar = !(text.separator | text.space | quote | in_string);
        let scalar_start = scalar & !(scalar << 1 | self.in_scalar);
        self.in_scalar = scalar >> 63;
        let after_separator = self.after_separator(separator, space);
        let error = (string_start | scalar_start) & !after_separator;
        let after_value = separator & !after_separator;
        Found { separator, after_value, in_string, long_escape, scalar_start, error }
    }

    /// The first bytes after each separator that are not white space.
    #[inline(always)]
    fn after_separator(&mut self, separator: u64, space: u64) -> u64 {
        // Adding a bit to a run of ones carries it to the first zero after them.
        let (sum, overflow) = space.overflowing_add(separator << 1 | self.after_separator);
        self.after_separator = separator >> 63 | u64::from(overflow);
        sum & !space
    }

    /// The bytes that a backslash before them escapes.
    #[inline(always)]
    fn escaped(&mut self, backslash: u64) -> u64 {
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
        // The method of simdjson: the subtraction borrows through each run of backslashes, so that every
        // other bit of it comes out set, counted from the run's start whether that is odd or even.
        let candidate = backslash & !self.escaping;
        let codes = (candidate << 1 | ODD).wrapping_sub(candidate) ^ ODD;
        let escaped = codes ^ (backslash | self.escaping);
        self.escaping = (codes & backslash) >> 63;
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::super::portable::Portable;
    use super::*;

    /// The text of the separators of a value of one chunk, `_` before those that follow a value, and whether
    /// the inside of all values is good.
    fn separators(value: &str) -> (String, bool) {
        let mut chunk = Box::<Chunk>::default();
        let mut scanner =
            Scanner { classifier: Portable, value: value.as_bytes(), state: State::START, error: 0, ascii: true };
        scanner.take(0, &mut chunk);
        let mut text = String::new();
        for batch in chunk.separators.batches() {
            for (index, at) in batch.at.iter().enumerate() {
                assert_eq!(batch.byte[index], value.as_bytes()[usize::from(*at)]);
                if batch.after_value >> index & 1 != 0 {
                    text.push('_');
                }
                text.push(char::from(batch.byte[index]));
            }
        }
        (text, scanner.error == 0)
    }

    #[test]
    fn separators_and_what_stands_between() {
        let value = r#"{"a,b":[1 , "\\\"]", true ,[]] , "c" : {} }"#;
        assert_eq!(separators(value), ("{_:[_,_,_,[]],_:{}}".into(), true));
        for spaces in 0..200 {
            let value = value.replace(',', &format!(",{}", " ".repeat(spaces)));
            assert_eq!(separators(&value), ("{_:[_,_,_,[]],_:{}}".into(), true), "{spaces} spaces");
        }
    }

    #[test]
    fn bad_insides() {
        for value in ["[1 2]", "[\"a\" \"b\"]", "[01]", "[\"\\x\"]", "[\"\\u123\"]", "[\"\t\"]", "[x]", "[\"a\"1]"] {
            assert!(!separators(value).1, "{value}");
        }
    }

    #[test]
    fn more_than_a_batch() {
        let value = format!("[{}1]", "1,".repeat(150));
        assert_eq!(separators(&value), (format!("[{}_]", "_,".repeat(150)), true));
    }
}
