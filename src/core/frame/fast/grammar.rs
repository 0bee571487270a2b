//! The order of the separators, 64 at a time.
//!
//! The grammar says which separator may follow which, and whether there must be a value in between. That is
//! checked for all separators of a batch at once: shift the mask of one kind to those after it, and compare
//! with the kinds that may stand there. Only brackets are taken one by one, because what a comma announces
//! depends on the brackets around it.

use super::super::{MAX_DEPTH, Member};
use super::block::{Classifier, LEN, Separators as Kinds, bits};
use super::scalar;
use super::scan::{Batch, Chunk, Separators};

/// What a value that is JSON, but perhaps not UTF-8, looks like from the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Where the name `uid` ends in the root object: the position after its closing quote.
    pub uid: Member<usize>,
    /// Where the name `ts` ends.
    pub ts: Member<usize>,
    /// Whether a name in the root may be `uid` or `ts` after unescaping.
    pub escaped_name: bool,
    /// Whether every byte is ASCII.
    pub ascii: bool,
}

/// Memory that is kept from value to value; what it holds does not matter.
#[derive(Default)]
pub(super) struct Scratch {
    pub chunk: Box<Chunk>,
    pub nesting: Nesting,
}

/// For each open bracket from the root on, all bits set if it is a brace.
pub(super) struct Nesting(Box<[u64; MAX_DEPTH + 2]>);

impl Default for Nesting {
    fn default() -> Nesting {
        Nesting(Box::new([0; MAX_DEPTH + 2]))
    }
}

/// The state between two batches.
pub(super) struct Grammar<'s, C> {
    classifier: C,
    value: &'s [u8],
    nesting: &'s mut [u64; MAX_DEPTH + 2],
    /// Open brackets.
    depth: usize,
    /// Whether the root has ended.
    ended: bool,
    after_open: Follow,
    after_comma: Follow,
    after_colon: Follow,
    after_close: Follow,
    /// Where the last separator is.
    last: usize,
    /// Any bit set if a rule was broken.
    error: u64,
    uid: Member<usize>,
    ts: Member<usize>,
    escaped_name: bool,
}

/// Shifts masks to the next separator.
#[derive(Clone, Copy, Default)]
struct Follow {
    /// 1 if the last batch ended with such a separator.
    carry: u64,
}

impl Follow {
    /// The separators after those of the mask, in a batch with this last one.
    #[inline(always)]
    fn next(&mut self, mask: u64, last: usize) -> u64 {
        let next = mask << 1 | self.carry;
        self.carry = mask >> last & 1;
        next
    }
}

impl<'s, C: Classifier> Grammar<'s, C> {
    #[inline(always)]
    pub(super) fn new(classifier: C, value: &'s [u8], nesting: &'s mut Nesting) -> Self {
        Grammar {
            classifier,
            value,
            nesting: &mut nesting.0,
            depth: 0,
            ended: false,
            after_open: Follow::default(),
            after_comma: Follow::default(),
            // The root is a value, like what follows a colon.
            after_colon: Follow { carry: 1 },
            after_close: Follow::default(),
            last: 0,
            error: 0,
            uid: Member::Missing,
            ts: Member::Missing,
            escaped_name: false,
        }
    }

    /// Takes the separators of the chunk at a position; `None` if nothing can make the value JSON any more.
    #[inline(always)]
    pub(super) fn take(&mut self, base: usize, separators: &Separators) -> Option<()> {
        for batch in separators.batches() {
            self.batch(base, &batch)?;
        }
        Some(())
    }

    #[inline(always)]
    fn batch(&mut self, base: usize, batch: &Batch) -> Option<()> {
        if self.ended {
            return None;
        }
        let last = batch.at.len() - 1;
        let all = !0 >> (LEN - 1 - last);
        let kinds = self.classifier.separators(self.classifier.load(batch.byte));
        let Kinds { comma, colon, open, close } = kinds;
        let (in_object, in_root) = self.brackets(open & all, close & all, last, batch.byte)?;

        let after_value = batch.after_value;
        let after_open = self.after_open.next(open, last);
        let after_comma = self.after_comma.next(comma, last);
        let after_colon = self.after_colon.next(colon, last);
        let after_close = self.after_close.next(close, last);
        // Where a member starts, and where a value starts: the root, an element, or what a colon announces.
        let after_opener = after_open | after_comma;
        let empty = after_open & close & !after_value;
        let member = after_opener & in_object;
        let element = after_opener & !in_object | after_colon;
        let name = member & colon & after_value;
        let ok = name
            | (element & after_value & (comma | close))
            | ((member | element) & empty)
            | (element & open & !after_value)
            | (after_close & (comma | close) & !after_value);
        self.error |= all & !ok;

        let mut telling = 0;
        for index in bits(name & in_root & all) {
            telling |= u64::from(self.is_telling(self.before(base, batch, index))) << index;
        }
        for index in bits(telling) {
            self.root_name(self.before(base, batch, index));
        }
        self.last = base + usize::from(batch.at[last]);
        Some(())
    }

    /// Where the separator before one of the batch is.
    #[inline(always)]
    fn before(&self, base: usize, batch: &Batch, index: usize) -> usize {
        if index == 0 { self.last } else { base + usize::from(batch.at[index - 1]) }
    }

    /// Opens and closes brackets; returns which separators are directly in an object, and which in the root.
    #[inline(always)]
    fn brackets(&mut self, open: u64, close: u64, last: usize, bytes: &[u8; LEN]) -> Option<(u64, u64)> {
        // No branch depends on the kind of a bracket, nor on the depth: it would often be mispredicted.
        let fill = |bit: u64| bit.wrapping_neg();
        let is_root = |depth: usize| fill((depth as u64 ^ 1).wrapping_sub(1) >> 63);
        let mut object = self.nesting[self.depth];
        let mut root = is_root(self.depth);
        let (mut in_object, mut in_root) = (object, root);
        for index in bits(open | close) {
            let opens = open >> index & 1;
            // Of the four brackets only the braces have this bit.
            let brace = fill(u64::from(bytes[index] >> 5 & 1));
            self.error |= (object ^ brace) & !fill(opens);
            // If this bracket closes, that is beyond all open ones and does no harm.
            *self.nesting.get_mut(self.depth + 1)? = brace;
            self.depth = (self.depth + 2 * opens as usize).wrapping_sub(1);
            // All higher bits tell what holds before this bracket: flip them if it changes that.
            let above = !1 << index;
            let before = (object, root);
            (object, root) = (*self.nesting.get(self.depth)?, is_root(self.depth));
            in_object ^= (before.0 ^ object) & above;
            in_root ^= (before.1 ^ root) & above;
            if self.depth == 0 || self.depth > MAX_DEPTH {
                self.ended = self.depth == 0 && index == last;
                return self.ended.then_some((in_object, in_root));
            }
        }
        Some((in_object, in_root))
    }

    /// Whether the name in the root that follows the separator at a position deserves a closer look.
    #[inline(always)]
    fn is_telling(&self, separator: usize) -> bool {
        let Some(&[_, quote, a, b, c, d]) = self.value[separator..].first_chunk() else {
            return true;
        };
        let name = u32::from_le_bytes([a, b, c, d]);
        let short = name & 0x00FF_FFFF;
        // A byte that is zero here was a backslash: it borrows, and so sets its highest bit.
        let no_escape = short ^ 0x005C_5C5C;
        let escapes = no_escape.wrapping_sub(0x0001_0101) & !no_escape & 0x0080_8080;
        (quote != b'"')
            | (name == u32::from_le_bytes(*b"uid\""))
            | (short == u32::from_le_bytes(*b"ts\"\0"))
            | (escapes != 0)
    }

    /// Notes the name that follows the separator at a position if it is `uid` or `ts`, or may be.
    #[inline(never)]
    fn root_name(&mut self, separator: usize) {
        let rest = &self.value[separator + 1..];
        let start = rest.iter().position(|byte| !scalar::is_space(*byte)).unwrap_or(rest.len());
        let name = &rest[start..];
        let (member, len) = if name.starts_with(b"\"uid\"") {
            (&mut self.uid, 5)
        } else if name.starts_with(b"\"ts\"") {
            (&mut self.ts, 4)
        } else {
            self.escaped_name |= name.iter().take(4).any(|byte| *byte == b'\\');
            return;
        };
        let end = separator + 1 + start + len;
        *member = if *member == Member::Missing { Member::Good(end) } else { Member::Repeated };
    }

    /// The outcome, once there are no more separators.
    #[inline(always)]
    pub(super) fn finish(self, error: u64, ascii: bool) -> Option<Outcome> {
        let Grammar { uid, ts, escaped_name, .. } = self;
        let rest = self.value.get(self.last + 1..)?;
        let whole = self.ended && rest.iter().all(|byte| scalar::is_space(*byte));
        (whole && self.error | error == 0).then_some(Outcome { uid, ts, escaped_name, ascii })
    }
}

#[cfg(test)]
mod tests {
    use super::super::portable::Portable;
    use super::super::scan::scan;
    use super::*;

    fn outcome(value: &str) -> Option<Outcome> {
        scan(Portable, value.as_bytes(), &mut Scratch::default())
    }

    #[test]
    fn order_of_separators() {
        for value in ["[]", "{}", "[[],{},1]", r#"{"a":[],"b":{"c":1}}"#, r#"{"a":{"b":1},"c":"d"}"#] {
            assert!(outcome(value).is_some(), "{value}");
        }
        for value in ["[", "[]]", "[}", "{]", "[,]", "[1,]", "[[]1]", "[1[]]", "[1:1]", "[][]"] {
            assert!(outcome(value).is_none(), "{value}");
        }
        for value in ["{1}", "{:1}", "{[]:1}", r#"{"a"}"#, r#"{"a":}"#, r#"{"a":1:2}"#, r#"{"a":1,}"#, r#"{"a":{},2}"#]
        {
            assert!(outcome(value).is_none(), "{value}");
        }
    }

    #[test]
    fn brackets_match_across_batches() {
        for depth in [1, 63, 64, 65, 127, 128, 129, MAX_DEPTH] {
            let value = "[".repeat(depth) + &"]".repeat(depth);
            assert!(outcome(&value).is_some(), "{depth}");
            assert!(outcome(&value[1..]).is_none(), "{depth}");
            assert!(outcome(&value[..2 * depth - 1]).is_none(), "{depth}");
            assert!(outcome(&value.replacen(']', "}", 1)).is_none(), "{depth}");
        }
        assert!(outcome(&("[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1))).is_none());
    }

    #[test]
    fn root_names() {
        let found = outcome(r#"{"x":{"uid":1,"ts":2}, "uid" :1,"ts":2,"ts":3}"#).unwrap();
        assert_eq!((found.uid, found.ts, found.escaped_name), (Member::Good(28), Member::Repeated, false));
        assert!(outcome(r#"{"\u0075id":1}"#).unwrap().escaped_name);
        assert!(outcome(r#"{"t\u0073":1}"#).unwrap().escaped_name);
        assert!(!outcome(r#"{"x":"\n","y":{"\u0075id":1}}"#).unwrap().escaped_name);
    }
}
