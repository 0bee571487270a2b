//! The grammar of a whole value, 64 bytes at a time.
//!
//! Every rule of the grammar says which token may follow which, so it can be checked for all tokens of a
//! block at once: mark the tokens of one kind, move the marks to the next token ([`Follow`]), and compare
//! with the kinds that may stand there. A mark whose next token is in a later block waits for it. Only
//! brackets are taken one by one, because what a comma means depends on the brackets around it.
//!
//! Marks only ever move up. So at the first byte that breaks a rule all masks are still right, and the
//! error is seen; what later masks say no longer matters.

use super::super::{MAX_DEPTH, Member};
use super::block::{Classifier, LEN, bits};
use super::scalar;

/// What a value that is JSON, but perhaps not UTF-8, looks like from the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// Where the name `uid` ends in the root object: the position of the closing quote.
    pub uid: Member<usize>,
    /// Where the name `ts` ends.
    pub ts: Member<usize>,
    /// Whether a name in the root has escapes, so that `uid` and `ts` are not certain.
    pub escaped_name: bool,
    /// Whether every byte is ASCII.
    pub ascii: bool,
}

/// Scratch memory: for each open bracket from the root on, whether it is a brace.
pub(super) struct Nesting(Box<[bool; MAX_DEPTH + 2]>);

impl Default for Nesting {
    fn default() -> Nesting {
        Nesting(Box::new([false; MAX_DEPTH + 2]))
    }
}

/// Checks a value whose first byte is an opening bracket; `None` if it is not JSON.
#[inline(always)]
pub(super) fn scan<C: Classifier>(classifier: C, value: &[u8], nesting: &mut Nesting) -> Option<Scan> {
    let mut scanner = Scanner::new(classifier, value, nesting);
    let (blocks, tail) = value.as_chunks::<LEN>();
    let mut padded = [b' '; LEN];
    padded[..tail.len()].copy_from_slice(tail);
    for block in blocks.iter().chain([&padded]) {
        if scanner.block(block)? {
            return scanner.finish();
        }
    }
    None
}

/// Marks that move on to the next token, across a gap of bytes that are none.
#[derive(Clone, Copy, Default)]
struct Follow {
    /// 1 if a mark of an earlier block is still on its way.
    waiting: u64,
}

impl Follow {
    /// The first bytes after each of the `marks` that are not in `gap`, and those gap bytes that no mark passed.
    #[inline(always)]
    fn next(&mut self, marks: u64, gap: u64) -> (u64, u64) {
        // Adding a mark to a run of ones carries it to the first zero after them, and clears the run.
        let (sum, overflow) = gap.overflowing_add(marks << 1 | self.waiting);
        self.waiting = marks >> 63 | u64::from(overflow);
        (sum & !gap, sum & gap)
    }
}

/// The state between two blocks.
struct Scanner<'s, C> {
    classifier: C,
    value: &'s [u8],
    nesting: &'s mut Nesting,
    /// Open brackets.
    depth: usize,
    /// Where the block starts.
    base: usize,
    /// All bits set if the last block ended inside a string.
    in_string: u64,
    /// 1 if the last block ended with a backslash that escapes.
    escaping: u64,
    /// 1 if the last block ended with a byte of a number or literal.
    in_scalar: u64,
    /// The opening quotes of the last block's names in the root.
    root_names: u64,
    after_open: Follow,
    after_comma: Follow,
    after_colon: Follow,
    through_name: Follow,
    after_name: Follow,
    /// Any bit set if a rule was broken.
    error: u64,
    /// Where the root's closing bracket is, once known.
    root_end: usize,
    found: Scan,
}

impl<'s, C: Classifier> Scanner<'s, C> {
    #[inline(always)]
    fn new(classifier: C, value: &'s [u8], nesting: &'s mut Nesting) -> Self {
        Scanner {
            classifier,
            value,
            nesting,
            depth: 0,
            base: 0,
            in_string: 0,
            escaping: 0,
            in_scalar: 0,
            root_names: 0,
            after_open: Follow::default(),
            after_comma: Follow::default(),
            // The root is a value, like what follows a colon.
            after_colon: Follow { waiting: 1 },
            through_name: Follow::default(),
            after_name: Follow::default(),
            error: 0,
            root_end: 0,
            found: Scan { uid: Member::Missing, ts: Member::Missing, escaped_name: false, ascii: true },
        }
    }

    /// Takes the next block; `Some(true)` if the root ended in it, `None` if nesting is too deep.
    #[inline(always)]
    fn block(&mut self, bytes: &[u8; LEN]) -> Option<bool> {
        let block = self.classifier.load(bytes);
        let masks = self.classifier.masks(block);
        self.found.ascii &= masks.ascii;

        let escaped = self.escaped(masks.backslash);
        if escaped != 0 {
            self.check_escapes(self.classifier.long_escapes(block, escaped));
        }
        let quote = masks.quote & !escaped;
        // From each opening quote to just before the closing one.
        let in_string = self.classifier.prefix_xor(quote) ^ self.in_string;
        self.in_string = ((in_string as i64) >> 63) as u64;
        if masks.control != 0 {
            self.check_control(masks.control, in_string);
        }

        let outside = !in_string;
        let open = masks.open & outside;
        let close = masks.close & outside;
        let comma = masks.comma & outside;
        let colon = masks.colon & outside;
        let space = (masks.space | masks.control) & outside;
        let scalar = outside & !(quote | open | close | comma | colon | space);
        let scalar_start = scalar & !(scalar << 1 | self.in_scalar);
        self.in_scalar = scalar >> 63;
        for index in bits(scalar_start) {
            let ok = self.value.get(self.base + index..).is_some_and(scalar::starts);
            self.error |= u64::from(!ok);
        }

        let (in_object, in_root) = self.brackets(open, close)?;
        let string_start = quote & in_string;
        let value_start = string_start | scalar_start | open;

        let (after_open, _) = self.after_open.next(open, space);
        let (after_comma, _) = self.after_comma.next(comma, space);
        let (after_colon, _) = self.after_colon.next(colon, space);
        let member_start = (after_open | after_comma) & in_object;
        let element_start = (after_open | after_comma) & !in_object | after_colon;
        let empty = after_open & close;
        self.error |= member_start & !(string_start | empty);
        self.error |= element_start & !(value_start | empty);
        self.error |= value_start & !(member_start | element_start);

        let name_start = string_start & member_start;
        let inside_strings = in_string & !quote;
        let (name_end, not_in_names) = self.through_name.next(name_start, inside_strings);
        let (after_name, _) = self.after_name.next(name_end, space);
        self.error |= after_name ^ colon;

        let inside_root_names = inside_strings & !not_in_names & in_root;
        self.found.escaped_name |= masks.backslash & inside_root_names != 0;
        self.root_names(name_start & in_root, name_end);

        self.base += LEN;
        Some(self.depth == 0)
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

    /// Accepts `\u` with four hexadecimal digits, and no other of the `long` escapes.
    #[inline(always)]
    fn check_escapes(&mut self, long: u64) {
        for index in bits(long) {
            let at = self.base + index;
            let ok = self.value.get(at) == Some(&b'u') && scalar::code_unit(self.value, at + 1).is_some();
            self.error |= u64::from(!ok);
        }
    }

    /// Accepts control characters only as white space between tokens.
    #[cold]
    fn check_control(&mut self, control: u64, in_string: u64) {
        self.error |= control & in_string;
        for index in bits(control & !in_string) {
            let ok = self.value.get(self.base + index).is_some_and(|byte| scalar::is_space(*byte));
            self.error |= u64::from(!ok);
        }
    }

    /// Opens and closes brackets; returns which bytes are directly in an object, and which in the root.
    #[inline(always)]
    fn brackets(&mut self, open: u64, close: u64) -> Option<(u64, u64)> {
        let Nesting(braces) = &mut *self.nesting;
        let mut in_object = u64::from(braces[self.depth]).wrapping_neg();
        let mut in_root = u64::from(self.depth == 1).wrapping_neg();
        for index in bits(open | close) {
            let opens = open >> index & 1 != 0;
            // Of the four brackets only the braces have this bit.
            let brace = self.value[self.base + index] & 0x20 != 0;
            if opens {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return None;
                }
                braces[self.depth] = brace;
            } else {
                self.error |= u64::from(braces[self.depth] != brace);
                self.depth = self.depth.checked_sub(1)?;
                if self.depth == 0 {
                    self.root_end = self.base + index;
                    break;
                }
            }
            let above = (!1_u64) << index;
            in_object = in_object & !above | u64::from(braces[self.depth]).wrapping_neg() & above;
            in_root = in_root & !above | u64::from(self.depth == 1).wrapping_neg() & above;
        }
        Some((in_object, in_root))
    }

    /// Notes names that are `uid` or `ts`. They are told by their length first.
    #[inline(always)]
    fn root_names(&mut self, start: u64, end: u64) {
        let short = (start << 4 | self.root_names >> 60) | (start << 3 | self.root_names >> 61);
        self.root_names = start;
        for index in bits(end & short) {
            let end = self.base + index;
            let before = &self.value[..end];
            let member = if before.ends_with(b"\"uid") {
                &mut self.found.uid
            } else if before.ends_with(b"\"ts") {
                &mut self.found.ts
            } else {
                continue;
            };
            *member = if *member == Member::Missing { Member::Good(end) } else { Member::Repeated };
        }
    }

    /// The outcome, once the root has ended.
    #[inline(always)]
    fn finish(self) -> Option<Scan> {
        let rest = self.value.get(self.root_end + 1..)?;
        let whole = self.error == 0 && rest.iter().all(|byte| scalar::is_space(*byte));
        whole.then_some(self.found)
    }
}
