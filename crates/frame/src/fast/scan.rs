//! From text to separators, 64 bytes at a time.
//!
//! Between two separators there is a string, a number, a literal or nothing. The scanner checks its inside; the grammar
//! only needs to know whether a value is there.

use crate::fast::block::{Classifier, LEN, Text, bits};
use crate::fast::chunk::{CHUNK, Chunk, Found};
use crate::fast::grammar::{Grammar, Scratch, Shape};
use crate::fast::names::Names;
use crate::fast::scalar;
use crate::fast::utf8::Utf8Check;

/// Checks a value whose first byte is an opening bracket; `None` if it is not JSON.
#[inline(always)]
pub(super) fn scan<C: Classifier, N: Names<L>, const L: usize>(
    classifier: C,
    names: N,
    value: &[u8],
    scratch: &mut Scratch,
) -> Option<Shape> {
    let Scratch { chunk, nesting } = scratch;
    let (root, value) = value.split_first()?;
    let mut scanner = Scanner::new(classifier, names, value);
    let mut grammar = Grammar::new(names, value, *root, nesting);
    for base in (0..value.len()).step_by(CHUNK * LEN) {
        scanner.take(base, chunk);
        grammar.take(base, chunk)?;
    }
    // Only white space may follow the last separator, which is the bracket that closes the root.
    let broken = scanner.error | (scanner.carry.after_separator ^ 1);
    grammar.finish(broken, scanner.escaped_letter, scanner.utf8.validity())
}

/// The state between two chunks.
struct Scanner<'v, C, N, const L: usize> {
    classifier: C,
    names: N,
    value: &'v [u8],
    carry: Carry,
    /// Any bit set if a rule was broken.
    error: u64,
    /// Whether a letter of a name is written as an escape.
    escaped_letter: bool,
    utf8: Utf8Check,
}

/// The state between two blocks.
#[derive(Clone, Copy)]
struct Carry {
    /// All bits set if the last block ended inside a string.
    in_string: u64,
    /// 1 if the last block ended with a backslash that escapes the next byte.
    escaping: u64,
    /// 1 if the last block ended with a byte of a number or literal.
    in_scalar: u64,
    /// 1 if only white space came after the last separator.
    after_separator: u64,
}

impl<'v, C: Classifier, N: Names<L>, const L: usize> Scanner<'v, C, N, L> {
    #[inline(always)]
    fn new(classifier: C, names: N, value: &'v [u8]) -> Self {
        let (carry, utf8) = (Carry::START, Utf8Check::default());
        Scanner { classifier, names, value, carry, error: 0, escaped_letter: false, utf8 }
    }

    /// Finds the separators of the chunk at a position, and checks everything between them.
    #[inline(always)]
    fn take(&mut self, base: usize, Chunk { blocks: found, separators, telling }: &mut Chunk) {
        let rest = &self.value[base..];
        let (blocks, tail) = rest[..rest.len().min(CHUNK * LEN)].as_chunks::<LEN>();
        let mut padded = [b' '; LEN];
        padded[..tail.len()].copy_from_slice(tail);
        let found = &mut found[..blocks.len() + usize::from(!tail.is_empty())];
        let block_at = |index: usize| blocks.get(index).unwrap_or(&padded);

        let Scanner { classifier, names, mut carry, .. } = *self;
        let mut seen = classifier.none_seen();
        let (mut error, mut long_escapes, mut high) = (0, 0, 0);
        // Several short loops: a processor can do more at once in them than in one long loop. They contain no calls, or
        // all constants would be loaded again for each block.
        for (index, found) in found.iter_mut().enumerate() {
            let block = classifier.load(block_at(index));
            seen = classifier.see(seen, block);
            high |= u64::from(classifier.any_high(block)) << index;
            found.text = classifier.text(block);
            found.kinds = classifier.kinds(block);
            found.long_escape = classifier.no_short_escape(block);
        }
        for found in found.iter_mut() {
            carry.strings(classifier, found);
            long_escapes |= found.long_escape;
        }
        for found in found.iter_mut() {
            error |= carry.tokens(names, found);
        }
        self.carry = carry;
        self.error |= error;

        let found = &*found;
        separators.list(classifier, found);
        telling.list(found, |found| found.telling);
        let mut scalars = 0;
        for (index, found) in found.iter().enumerate() {
            scalars |= u64::from(found.scalar_start != 0) << index;
        }
        for block in bits(scalars) {
            for index in bits(found[block].scalar_start) {
                self.error |= u64::from(!classifier.starts_scalar(&rest[LEN * block + index..]));
            }
        }
        for block in bits(high) {
            self.utf8.take(base / LEN + block, classifier.utf8(classifier.load(block_at(block))));
        }
        if classifier.any_control(seen) {
            for (index, found) in found.iter().enumerate() {
                let block = classifier.load(block_at(index));
                // Two control characters have the same bits as separators.
                self.error |= classifier.control(block) & (found.in_string | classifier.text(block).separator);
            }
        }
        if long_escapes != 0 {
            self.check_long_escapes(base, found);
        }
    }

    /// Accepts only `\u` with four hexadecimal digits.
    #[cold]
    fn check_long_escapes(&mut self, base: usize, found: &[Found]) {
        for (block, found) in found.iter().enumerate() {
            for index in bits(found.long_escape) {
                let at = base + LEN * block + index;
                let unit = if self.value.get(at) == Some(&b'u') { scalar::code_unit(self.value, at + 1) } else { None };
                self.error |= u64::from(unit.is_none());
                self.escaped_letter |= unit.is_some_and(|unit| self.names.has_letter(unit));
            }
        }
    }
}

impl Carry {
    /// The state after the bracket that opens the root.
    const START: Carry = Carry { in_string: 0, escaping: 0, in_scalar: 0, after_separator: 1 };

    /// Separates strings from the text between them, in the next block.
    #[inline(always)]
    fn strings<C: Classifier>(&mut self, classifier: C, found: &mut Found) {
        let escaped = self.escaped(found.text.backslash);
        found.long_escape &= escaped;
        found.text.quote &= !escaped;
        found.in_string = classifier.prefix_xor(found.text.quote) ^ self.in_string;
        self.in_string = ((found.in_string as i64) >> 63) as u64;
    }

    /// Finds the tokens in the next block; returns the strings, numbers and literals that do not follow a separator
    /// directly.
    ///
    /// Outside strings, every byte that is neither a separator nor white space belongs to a number or literal.
    #[inline(always)]
    fn tokens<N: Names<L>, const L: usize>(&mut self, names: N, found: &mut Found) -> u64 {
        let Found { text: Text { quote, separator, gap, .. }, kinds, in_string, .. } = *found;
        let separator = separator & !in_string;
        let gap = gap & !in_string;
        let scalar = !(gap | quote | in_string);
        let scalar_start = scalar & !(scalar << 1 | self.in_scalar);
        self.in_scalar = scalar >> 63;
        let after_separator = self.after_separator(separator, gap ^ separator);

        let other = names.other_end(quote, in_string, kinds.opens) << 1 & !kinds.bracket;
        found.text.separator = separator;
        found.kinds.brace &= !other;
        found.after_value = separator & !after_separator;
        found.telling = separator & kinds.opens & !kinds.bracket & !other;
        found.scalar_start = scalar_start;
        (quote & in_string | scalar_start) & !after_separator
    }

    /// The first bytes after each separator that are not white space.
    #[inline(always)]
    fn after_separator(&mut self, separator: u64, space: u64) -> u64 {
        // Adding a bit to a run of ones carries it to the first zero after them.
        let (sum, overflow) = space.overflowing_add(separator << 1 | self.after_separator);
        self.after_separator = separator >> 63 | u64::from(overflow);
        sum & !space
    }

    /// The bytes that are escaped by a backslash before them.
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
    use super::super::chunk::Batch;
    use super::super::names::Usual;
    use super::super::portable::Portable;
    use super::*;

    /// The text of the separators that follow the first in a value of one chunk, `_` before those that follow a
    /// value, and whether the inside of all values is good.
    fn separators(value: &str) -> (String, bool) {
        let mut chunk = Box::<Chunk>::default();
        let value = &value.as_bytes()[1..];
        let mut scanner = Scanner::new(Portable, Usual, value);
        scanner.take(0, &mut chunk);
        let mut text = String::new();
        for index in 0..chunk.separators.len {
            let Batch { bracket, opens, marked, after_value } = chunk.separators.batches[index / LEN];
            let bit = |bits: u64| bits >> (index % LEN) & 1 != 0;
            if bit(after_value) {
                text.push('_');
            }
            text.push(match (bit(bracket), bit(opens), bit(marked)) {
                (true, true, true) => '{',
                (true, true, false) => '[',
                (true, false, true) => '}',
                (true, false, false) => ']',
                (false, true, _) => ':',
                (false, false, _) => ',',
            });
        }
        (text, scanner.error == 0)
    }

    #[test]
    fn separators_and_what_stands_between() {
        let value = r#"{"a,b":[1 , "\\\"]", true ,[]] , "c" : {} }"#;
        assert_eq!(separators(value), ("_:[_,_,_,[]],_:{}}".into(), true));
        for spaces in 0..200 {
            let value = value.replace(',', &format!(",{}", " ".repeat(spaces)));
            assert_eq!(separators(&value), ("_:[_,_,_,[]],_:{}}".into(), true), "{spaces} spaces");
        }
    }

    #[test]
    fn bad_insides() {
        for value in ["[1 2]", "[\"a\" \"b\"]", "[01]", "[\"\\x\"]", "[\"\\u123\"]", "[\"\t\"]", "[x]", "[\"a\"1]"] {
            assert!(!separators(value).1, "{value}");
        }
        for control in '\0'..' ' {
            let white = matches!(control, '\t' | '\n' | '\r');
            assert_eq!(separators(&format!("[1{control}]")).1, white, "{control:?}");
        }
    }

    #[test]
    fn more_than_a_batch() {
        for commas in 0..300 {
            let value = format!("[{}1]", "1,".repeat(commas));
            assert_eq!(separators(&value), (format!("{}_]", "_,".repeat(commas)), true));
            let value = format!("[{}]", "{".repeat(commas));
            assert_eq!(separators(&value), (format!("{}]", "{".repeat(commas)), true));
        }
    }

    #[test]
    fn colons_worth_a_look() {
        for before in 0..140 {
            for name in ["ts", "uid", "x\\\"ts", "x\\\"uid", "", "name", "n\\n", "ts,uid"] {
                let value = format!("{{{}\"{name}\":\"uid\",", " ".repeat(before));
                let mut chunk = Box::<Chunk>::default();
                let mut scanner = Scanner::new(Portable, Usual, &value.as_bytes()[1..]);
                scanner.take(0, &mut chunk);
                let colon = before + name.len() + 2;
                let telling = chunk.telling.all().contains(&(colon as u16));
                assert_eq!(chunk.separators.batches[0].marked & 1 != 0, telling);
                if matches!(name, "uid" | "ts") {
                    assert!(telling, "{name} after {before}");
                } else if name.len() > 3 && colon % LEN > 4 {
                    assert!(!telling || name.contains('"'), "{name} after {before}");
                }
            }
        }
    }
}
