//! The order of the separators, 64 at a time.
//!
//! The grammar says which separator may follow which, and whether a value must stand between them. All separators of a
//! batch are checked at once: the mask of one kind is shifted to the separators after it and compared with the kinds
//! allowed there. Only brackets are processed one by one, because the meaning of a comma depends on the brackets around
//! it.

use crate::fast::block::{LEN, bits};
use crate::fast::chunk::{Batch, Chunk};
use crate::fast::names::{Members, Named, Names};
use crate::fast::utf8::Validity;
use crate::rules::MAX_DEPTH;

/// What the scan of a value finds that is JSON that is JSON, but perhaps not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Where the two members are.
    pub members: Members,
    /// Whether a letter of a name is written as an escape somewhere, so that there may be more members of these names.
    pub escaped_letter: bool,
    /// Whether the value is UTF-8.
    pub utf8: Validity,
}

/// Memory that is reused for every value; its content has no meaning between values.
#[derive(Default)]
pub(super) struct Scratch {
    pub chunk: Box<Chunk>,
    pub nesting: Nesting,
}

/// More than the deepest nesting, and a power of two, so that no depth needs a bounds check.
const DEPTHS: usize = (MAX_DEPTH + 2).next_power_of_two();

/// For each open bracket, from the root on: all bits set if it is a brace.
pub(super) struct Nesting(Box<[u64; DEPTHS]>);

impl Default for Nesting {
    fn default() -> Nesting {
        Nesting(Box::new([0; DEPTHS]))
    }
}

/// The state between two batches.
pub(super) struct Grammar<'s, N: Names<L>, const L: usize> {
    names: N,
    found: N::Found,
    /// The value, from its second byte.
    value: &'s [u8],
    nesting: &'s mut [u64; DEPTHS],
    /// Open brackets.
    depth: usize,
    /// Whether the root has ended.
    ended: bool,
    after_open: Follow,
    after_comma: Follow,
    after_colon: Follow,
    after_close: Follow,
    /// Any bit set if a rule was broken.
    error: u64,
}

/// The separators that are directly in an object, and those of each level; the bits of closing brackets are arbitrary.
struct Nested<const L: usize> {
    in_object: u64,
    levels: [u64; L],
}

/// Shifts masks to the next separator.
#[derive(Clone, Copy, Default)]
struct Follow {
    /// 1 if the last batch ended with such a separator.
    carry: u64,
}

impl Follow {
    /// The separators that follow those of the mask, in a batch whose last separator is `last`.
    #[inline(always)]
    fn next(&mut self, mask: u64, last: usize) -> u64 {
        let next = mask << 1 | self.carry;
        self.carry = mask >> last & 1;
        next
    }
}

/// All bits set if the condition holds.
#[inline(always)]
fn fill(condition: bool) -> u64 {
    u64::from(condition).wrapping_neg()
}

impl<'s, N: Names<L>, const L: usize> Grammar<'s, N, L> {
    /// The state after the opening bracket `root`.
    #[inline(always)]
    pub(super) fn new(names: N, value: &'s [u8], root: u8, nesting: &'s mut Nesting) -> Self {
        let nesting = &mut *nesting.0;
        nesting[1] = fill(root == b'{');
        Grammar {
            names,
            found: names.nothing(),
            value,
            nesting,
            depth: 1,
            ended: false,
            after_open: Follow { carry: 1 },
            after_comma: Follow::default(),
            after_colon: Follow::default(),
            after_close: Follow::default(),
            error: 0,
        }
    }

    /// Processes the separators of the chunk at a position; `None` if the value cannot be JSON.
    #[inline(always)]
    pub(super) fn take(&mut self, base: usize, chunk: &Chunk) -> Option<()> {
        let mut telling = chunk.telling.all();
        let mut left = chunk.separators.len;
        for batch in &chunk.separators.batches {
            let len = left.min(LEN);
            if len == 0 {
                break;
            }
            left -= len;
            self.batch(base, batch, len, &mut telling)?;
        }
        Some(())
    }

    #[inline(always)]
    fn batch(&mut self, base: usize, batch: &Batch, len: usize, telling: &mut &[u16]) -> Option<()> {
        if self.ended {
            return None;
        }
        let last = len - 1;
        let all = !0 >> (LEN - len);
        let Batch { bracket, opens, marked, after_value } = *batch;
        let (open, close) = (bracket & opens & all, bracket & !opens & all);
        let (colon, comma) = (!bracket & opens & all, !bracket & !opens & all);
        let Nested { in_object, levels } = self.brackets(open, close, marked, after_value, last)?;

        let after_open = self.after_open.next(open, last);
        let after_comma = self.after_comma.next(comma, last);
        let after_colon = self.after_colon.next(colon, last);
        let after_close = self.after_close.next(close, last);
        // The starts of members, and the starts of values: elements, and values after a colon.
        let after_opener = after_open | after_comma;
        let empty = after_open & close & !after_value;
        let member = after_opener & in_object;
        let element = after_opener & !in_object | after_colon;
        let name = member & colon & after_value;
        let ok = name
            | (element & after_value & (comma | close))
            | empty
            | (element & open & !after_value)
            | (after_close & (comma | close) & !after_value);
        self.error |= all & !ok;

        let marked = colon & marked;
        let named = Named { base, telling, marked, name, comma, levels };
        self.names.look(&mut self.found, self.value, &named);
        *telling = &telling[marked.count_ones() as usize..];
        Some(())
    }

    /// Opens and closes brackets.
    #[inline(always)]
    fn brackets(&mut self, open: u64, close: u64, brace: u64, after_value: u64, last: usize) -> Option<Nested<L>> {
        // An empty pair of brackets changes nothing for the others. Close to the depth limit, each bracket counts.
        let deep = self.depth > MAX_DEPTH - LEN;
        let pair = open << 1 & close & !after_value & !fill(deep);
        self.error |= pair & (brace ^ brace << 1);

        // The code has no branch on the kind of a bracket or on the depth: it would often be mispredicted.
        let is_at = |depth: usize| std::array::from_fn::<u64, L, _>(|level| fill(depth == level + 1));
        let mut object = self.nesting[self.depth % DEPTHS];
        let mut at = is_at(self.depth);
        let mut nested = Nested { in_object: object, levels: at };
        for index in bits((open | close) & !(pair | pair >> 1)) {
            let opens = open >> index & 1;
            let brace = fill(brace >> index & 1 != 0);
            self.error |= (object ^ brace) & !fill(opens != 0);
            // If this bracket closes, the write is beyond all open brackets and has no effect.
            self.nesting[(self.depth + 1) % DEPTHS] = brace;
            self.depth = (self.depth + 2 * opens as usize).wrapping_sub(1);
            // All higher bits hold the state before this bracket: flip them if the bracket changes the state.
            let above = !1 << index;
            let before = Nested { in_object: object, levels: at };
            (object, at) = (self.nesting[self.depth % DEPTHS], is_at(self.depth));
            nested.in_object ^= (before.in_object ^ object) & above;
            for (level, levels) in nested.levels.iter_mut().enumerate() {
                *levels ^= (before.levels[level] ^ at[level]) & above;
            }
            if self.depth.wrapping_sub(1) >= MAX_DEPTH {
                self.ended = self.depth == 0 && index == last;
                return self.ended.then_some(nested);
            }
        }
        Some(nested)
    }

    /// The result, after the last separator.
    #[inline(always)]
    pub(super) fn finish(self, error: u64, escaped_letter: bool, utf8: Validity) -> Option<Shape> {
        let is_json = self.ended && self.error | error == 0;
        is_json.then(|| Shape { members: N::members(self.found), escaped_letter, utf8 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::Usual;
    use super::super::portable::Portable;
    use super::super::scan::scan;
    use super::*;
    use crate::rules::Member;

    fn outcome(value: &str) -> Option<Shape> {
        scan(Portable, Usual, value.as_bytes(), &mut Scratch::default())
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
        assert_eq!(found.members, Members { uid: Member::Good(29), ts: Member::Repeated });
        assert!(!found.escaped_letter);
        assert!(outcome(r#"{"\u0075id":1}"#).unwrap().escaped_letter);
        assert!(outcome(r#"{"t\u0073":1}"#).unwrap().escaped_letter);
        assert!(!outcome(r#"{"x":"\n","y":{"\u0436id":1}}"#).unwrap().escaped_letter);
    }
}
