//! Writes the text of frames: nested random objects, as the challenge's generator does.

use super::dice::Dice;
use super::users::UID_LEN;
use super::vocabulary::{Keys, Kind, Vocabulary};

/// Bytes by which a frame exceeds the length after which nothing is added to it, on average.
const EXCESS: u32 = 31;

/// Bytes of `uid` and `ts` with their keys, about: a short frame must have room for them.
const NAMES: usize = 64;

/// The most levels of random objects.
const LEVELS: usize = 256;

/// More bytes than the last member of every level adds, with its end.
const SLACK: usize = 8_192;

/// More bytes than an item has that holds no other, key and value: so many are written, as a fixed length is faster.
const ITEM: usize = 96;

/// A buffer that is written from the start on.
#[derive(Default)]
pub(super) struct Page {
    /// Always initialised over its whole length, so that writing needs no unsafe code.
    buf: Vec<u8>,
    at: usize,
}

impl Page {
    pub(super) fn clear(&mut self) {
        self.at = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.at
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.buf[..self.at]
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buf[..self.at]
    }

    pub(super) fn truncate(&mut self, at: usize) {
        self.at = at;
    }

    /// Makes room for `more` bytes.
    pub(super) fn reserve(&mut self, more: usize) {
        let needed = self.at + more;
        if self.buf.len() < needed {
            self.buf.resize(needed.next_multiple_of(1 << 16), 0);
        }
    }

    /// Writes text that may be of any length.
    pub(super) fn put(&mut self, text: &[u8]) {
        self.buf[self.at..self.at + text.len()].copy_from_slice(text);
        self.at += text.len();
    }

    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) {
        self.buf[self.at] = byte;
        self.at += 1;
    }

    /// Copies a part of the page to its end.
    pub(super) fn repeat(&mut self, part: std::ops::Range<usize>) {
        let len = part.len();
        self.buf.copy_within(part, self.at);
        self.at += len;
    }

    /// Ends an array or object whose members each begin with a comma, and which starts at `open`.
    #[inline]
    fn close(&mut self, open: usize, first: u8, last: u8) {
        if self.at == open {
            self.byte(first);
        } else {
            self.buf[open] = first;
        }
        self.byte(last);
    }
}

/// How `uid` or `ts` is written in the root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Plain,
    /// `ts` as a string, `uid` with escapes.
    Text,
    /// The key has an escape.
    EscapedKey,
    Missing,
    Empty,
    Null,
    Wrong,
    /// Half of a surrogate pair.
    Surrogate,
    Repeated,
}

/// The members of the root that count.
pub(super) struct Names {
    pub(super) uid: [u8; UID_LEN],
    pub(super) ts: i64,
    pub(super) uid_form: Form,
    pub(super) ts_form: Form,
}

/// Writes frames of about the same length.
pub(super) struct FrameWriter {
    vocabulary: Vocabulary,
}

impl FrameWriter {
    pub(super) fn new() -> FrameWriter {
        FrameWriter { vocabulary: Vocabulary::new() }
    }

    /// Writes a frame of about `bytes` bytes.
    pub(super) fn frame(&self, page: &mut Page, dice: &mut Dice, bytes: u32, names: &Names) {
        let length = (bytes - EXCESS) as usize;
        page.reserve(length + SLACK);
        let text = Text { vocabulary: &self.vocabulary, start: page.at, length };
        let before = dice.below(4);
        let open = page.at;
        for _ in 0..before {
            if page.at + NAMES >= open + length {
                break;
            }
            text.item(page, dice, &self.vocabulary.root_keys, 1);
        }
        let is_uid_first = dice.below(2) == 0;
        if is_uid_first {
            write_uid(page, dice, names);
        }
        write_ts(page, dice, names);
        if !is_uid_first {
            write_uid(page, dice, names);
        }
        text.items(page, dice, &self.vocabulary.root_keys, 1);
        page.close(open, b'{', b'}');
    }
}

/// One frame: a container of level n gets no more members once the frame has an n-th of its length.
struct Text<'a> {
    vocabulary: &'a Vocabulary,
    start: usize,
    length: usize,
}

impl Text<'_> {
    /// Writes members, or elements of an array, as long as there is room at this level.
    fn items(&self, page: &mut Page, dice: &mut Dice, keys: &Keys, level: usize) {
        let inner_end = self.end(level + 1);
        while page.at < inner_end {
            self.item(page, dice, keys, level);
        }
        self.flat_items(page, dice, keys, self.end(level));
    }

    /// Writes one member or element.
    #[inline]
    fn item(&self, page: &mut Page, dice: &mut Dice, keys: &Keys, level: usize) {
        let words = self.vocabulary;
        let chance = dice.next();
        let kind = words.kinds[(chance >> 55) as usize];
        page.at += write_item(&mut page.buf[page.at..], words, keys, kind, chance);
        let open = page.at;
        match kind.number() {
            Some(Kind::ARRAY) => {
                self.items(page, dice, &words.no_keys, level + 1);
                page.close(open, b'[', b']');
            }
            Some(Kind::OBJECT) => {
                self.items(page, dice, &words.keys, level + 1);
                page.close(open, b'{', b'}');
            }
            _ => {}
        }
    }

    /// Writes members or elements up to `end`, where there is no room within any of them.
    fn flat_items(&self, page: &mut Page, dice: &mut Dice, keys: &Keys, end: usize) {
        // All in variables of its own, which the processor keeps in registers.
        let (buf, mut at, mut local) = (page.buf.as_mut_slice(), page.at, dice.clone());
        while at < end {
            let chance = local.next();
            let kind = self.vocabulary.flat_kinds[(chance >> 55) as usize];
            at += write_item(&mut buf[at..], self.vocabulary, keys, kind, chance);
        }
        page.at = at;
        *dice = local;
    }

    /// Up to where a container of this level gets more.
    fn end(&self, level: usize) -> usize {
        if level > LEVELS { 0 } else { self.start + self.length.div_ceil(level) }
    }
}

/// Writes a key and a value without the items within it; returns their length. `chance` has bits for both.
#[inline(always)]
fn write_item(to: &mut [u8], words: &Vocabulary, keys: &Keys, kind: Kind, chance: u64) -> usize {
    let to = &mut to[..ITEM];
    let key = keys.choose(chance);
    to[..24].copy_from_slice(&key.bytes);
    let len = key.len & 31;
    match kind.number() {
        None => {
            let token = words.choose(kind, chance);
            to[len..len + 64].copy_from_slice(&token.bytes);
            len + token.len
        }
        Some(Kind::FRACTION) => len + write_fraction(&mut to[len..], words, chance >> 16),
        Some(_) => len,
    }
}

/// Writes a fraction below 1 with six digits that count; returns its length.
fn write_fraction(to: &mut [u8], words: &Vocabulary, chance: u64) -> usize {
    let n = (((chance & 0xffff_ffff) * 1_000_000) >> 32) as usize;
    // A tenth has a zero more, and as many digits all the same.
    let (start, n) = if n < 100_000 { (3, n * 9 + 100_000) } else { (2, n) };
    to[..3].copy_from_slice(b"0.0");
    to[start..start + 3].copy_from_slice(&words.digits[n / 1000]);
    to[start + 3..start + 6].copy_from_slice(&words.digits[n % 1000]);
    let mut len = start + 6;
    while to[len - 1] == b'0' {
        len -= 1;
    }
    len
}

fn write_uid(page: &mut Page, dice: &mut Dice, names: &Names) {
    let key: &[u8] = match names.uid_form {
        Form::Missing => return,
        Form::EscapedKey => br#","\u0075i\u0064":"#,
        _ => br#","uid":"#,
    };
    page.put(key);
    match names.uid_form {
        Form::Text => {
            page.byte(b'"');
            for (i, byte) in names.uid.iter().enumerate() {
                let digits = b"0123456789abcdef";
                match i % 3 {
                    0 => page.put(&[
                        b'\\',
                        b'u',
                        b'0',
                        b'0',
                        digits[usize::from(byte >> 4)],
                        digits[usize::from(byte & 15)],
                    ]),
                    _ => page.byte(*byte),
                }
            }
            page.byte(b'"');
        }
        Form::Empty => page.put(br#""""#),
        Form::Null => page.put(b"null"),
        Form::Wrong => {
            page.put([&b"17"[..], b"true", b"0.5", br#"["17"]"#, br#"{"uid":"17"}"#][dice.below(5) as usize]);
        }
        Form::Surrogate => page.put([br#""\ud83d""#, br#""\ude00""#][dice.below(2) as usize]),
        _ => {
            page.byte(b'"');
            page.put(&names.uid);
            page.byte(b'"');
        }
    }
    if names.uid_form == Form::Repeated {
        page.put([&br#","uid":"another""#[..], br#","uid":null"#, br#","u\u0069d":"escaped""#][dice.below(3) as usize]);
    }
}

fn write_ts(page: &mut Page, dice: &mut Dice, names: &Names) {
    let key: &[u8] = match names.ts_form {
        Form::Missing => return,
        Form::EscapedKey => br#","\u0074s":"#,
        _ => br#","ts":"#,
    };
    page.put(key);
    match names.ts_form {
        Form::Text => {
            page.byte(b'"');
            write_number(page, names.ts);
            page.byte(b'"');
        }
        Form::Empty => page.put(br#""""#),
        Form::Null => page.put(b"null"),
        Form::Wrong => {
            let wrong: [&[u8]; 10] = [
                b"1468244384.5",
                b"1.468244384e9",
                b"-1",
                b"253402300800",
                b"true",
                b"[1468244384]",
                br#"{"ts":1468244384}"#,
                br#""2016-07-11T13:39:44Z""#,
                br#""+1468244384""#,
                br#"" 1468244384""#,
            ];
            page.put(wrong[dice.below(10) as usize]);
        }
        _ => write_number(page, names.ts),
    }
    if names.ts_form == Form::Repeated {
        page.put([&br#","ts":1468244384"#[..], br#","ts":null"#, br#","\u0074s":0"#][dice.below(3) as usize]);
    }
}

/// Writes a number that is not negative.
fn write_number(page: &mut Page, number: i64) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    page.put(&digits[at..]);
}
