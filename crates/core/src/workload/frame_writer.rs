//! Writes the text of frames: nested random objects, as the challenge's generator does.

use super::dice::Dice;
use super::users::UID_LEN;
use super::vocabulary::{Kind, Token, Vocabulary};

/// Bytes by which a frame exceeds the length after which nothing is added to it, on average.
const EXCESS: u32 = 31;

/// Bytes of `uid` and `ts` with their keys, about: a short frame must have room for them.
const NAMES: usize = 64;

/// The most levels of random objects.
const LEVELS: usize = 256;

/// More bytes than the last member of every level adds, with its end.
const SLACK: usize = 8_192;

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

    /// Copies more than the token has: a fixed length is faster.
    #[inline(always)]
    fn token<const N: usize>(&mut self, token: &Token<N>) {
        self.buf[self.at..self.at + N].copy_from_slice(&token.bytes);
        self.at += token.len;
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
        let mut members = 0;
        loop {
            if members == before || page.at + NAMES >= open + length {
                break;
            }
            text.member(page, dice, &self.vocabulary.root_keys, 1);
            members += 1;
        }
        let is_uid_first = dice.below(2) == 0;
        if is_uid_first {
            write_uid(page, dice, names);
        }
        write_ts(page, dice, names);
        if !is_uid_first {
            write_uid(page, dice, names);
        }
        while page.at < open + length {
            text.member(page, dice, &self.vocabulary.root_keys, 1);
        }
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
    #[inline]
    fn member(&self, page: &mut Page, dice: &mut Dice, keys: &[Token<24>], level: usize) {
        let chance = dice.next();
        page.token(choose(keys, chance));
        self.value(page, dice, chance, level);
    }

    /// Writes a value; `chance` has 48 bits for it.
    #[inline]
    fn value(&self, page: &mut Page, dice: &mut Dice, chance: u64, level: usize) {
        let words = self.vocabulary;
        match words.kinds[(chance >> 55) as usize] {
            Kind::String => {
                let choice = *choose(&words.choices, chance >> 24);
                page.token(&words.strings[usize::from(choice)]);
            }
            Kind::Bool if chance >> 24 & 1 == 0 => page.put(b"true"),
            Kind::Bool => page.put(b"false"),
            Kind::Integer => page.token(&words.integers[(chance >> 24 & 255) as usize]),
            Kind::Fraction => self.fraction(page, chance >> 16),
            Kind::Array => self.array(page, dice, level + 1),
            Kind::Object => self.object(page, dice, level + 1),
        }
    }

    fn end(&self, level: usize) -> usize {
        if level > LEVELS { 0 } else { self.start + self.length.div_ceil(level) }
    }

    fn object(&self, page: &mut Page, dice: &mut Dice, level: usize) {
        let (open, end) = (page.at, self.end(level));
        while page.at < end {
            self.member(page, dice, &self.vocabulary.keys, level);
        }
        page.close(open, b'{', b'}');
    }

    fn array(&self, page: &mut Page, dice: &mut Dice, level: usize) {
        let (open, end) = (page.at, self.end(level));
        while page.at < end {
            let chance = dice.next();
            page.byte(b',');
            self.value(page, dice, chance, level);
        }
        page.close(open, b'[', b']');
    }

    /// A fraction below 1 with six digits that count.
    fn fraction(&self, page: &mut Page, chance: u64) {
        let n = (((chance & 0xffff_ffff) * 1_000_000) >> 32) as usize;
        page.put(if n < 100_000 { b"0.0" } else { b"0." });
        // A tenth has a zero more, and as many digits all the same.
        let n = if n < 100_000 { n * 9 + 100_000 } else { n };
        page.put(&self.vocabulary.digits[n / 1000]);
        page.put(&self.vocabulary.digits[n % 1000]);
        while page.buf[page.at - 1] == b'0' {
            page.at -= 1;
        }
    }
}

/// One of the choices, by 32 random bits.
#[inline(always)]
fn choose<T>(choices: &[T], chance: u64) -> &T {
    &choices[(((chance & 0xff_ffff) * choices.len() as u64) >> 24) as usize]
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
