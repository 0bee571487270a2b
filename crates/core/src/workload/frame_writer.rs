//! Writes the text of frames: nested random objects, as the challenge's generator does.

use super::dice::Dice;
use super::names::Names;
use super::page::{Open, Page};
use super::vocabulary::{Container, Keys, Kind, Vocabulary};

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

/// Ends an array or object whose members up to `at` each begin with a comma; returns where it ends.
#[inline(always)]
fn close(buf: &mut [u8], open: &Open, at: usize) -> usize {
    let [first, last] = open.what.brackets();
    // Either the comma of the first member, or there is none.
    buf[open.start] = first;
    let end = at.max(open.start + 1);
    buf[end] = last;
    end + 1
}

/// Up to where a container of each level gets members, from the start of the frame: one of level n gets no more once
/// the frame has an n-th of its length.
struct Ends {
    bytes: u32,
    of_level: [usize; LEVELS + 2],
}

impl Ends {
    fn new(bytes: u32) -> Ends {
        let length = (bytes - EXCESS) as usize;
        let of_level = |level| if (1..=LEVELS).contains(&level) { length.div_ceil(level) } else { 0 };
        Ends { bytes, of_level: std::array::from_fn(of_level) }
    }
}

/// Writes frames of about the same length.
pub(super) struct FrameWriter {
    vocabulary: Vocabulary,
    ends: Ends,
}

impl FrameWriter {
    /// A writer of frames of which most have about `bytes` bytes.
    pub(super) fn new(bytes: u32) -> FrameWriter {
        FrameWriter { vocabulary: Vocabulary::new(), ends: Ends::new(bytes) }
    }

    /// Writes a frame of about `bytes` bytes.
    #[inline]
    pub(super) fn frame(&self, page: &mut Page, dice: &mut Dice, bytes: u32, names: &Names) {
        if bytes == self.ends.bytes {
            self.frame_within(&self.ends, page, dice, names);
        } else {
            self.other_frame(page, dice, bytes, names);
        }
    }

    /// Writes a frame of another length than most have.
    #[cold]
    #[inline(never)]
    fn other_frame(&self, page: &mut Page, dice: &mut Dice, bytes: u32, names: &Names) {
        self.frame_within(&Ends::new(bytes), page, dice, names);
    }

    fn frame_within(&self, ends: &Ends, page: &mut Page, dice: &mut Dice, names: &Names) {
        let length = ends.of_level[1];
        page.reserve(length + SLACK);
        let words = &self.vocabulary;
        let open = Open { start: page.at, what: Container::OBJECT };
        let text = Text { vocabulary: words, start: page.at, ends };
        // In variables of its own, which the processor keeps in registers.
        let (mut at, mut local) = (page.at, dice.clone());
        for _ in 0..local.below(4) {
            if at + NAMES >= open.start + length {
                break;
            }
            at = text.root_item(page, at, &mut local);
        }
        page.at = at;
        names.write(page, &mut local);
        at = page.at;
        while at < text.end(2) {
            at = text.root_item(page, at, &mut local);
        }
        at = flat_items(&mut page.buf, at, &mut local, words, &words.root_keys, text.end(1));
        page.at = close(&mut page.buf, &open, at);
        *dice = local;
    }
}

/// The text of one frame.
struct Text<'a> {
    vocabulary: &'a Vocabulary,
    start: usize,
    ends: &'a Ends,
}

impl Text<'_> {
    /// Writes a member of the root at `at`, and all that it holds; returns where it ends.
    #[inline(always)]
    fn root_item(&self, page: &mut Page, mut at: usize, dice: &mut Dice) -> usize {
        let words = self.vocabulary;
        let chance = dice.next();
        let kind = &words.kinds[(chance >> 55) as usize];
        at += write_item(room(&mut page.buf, at), words, &words.root_keys, kind, chance);
        if let Some(what) = kind.container() {
            // A copy, as what is lent cannot stay in registers.
            let mut copy = dice.clone();
            at = self.contents(page, at, &mut copy, what);
            *dice = copy;
        }
        at
    }

    /// Writes what an array or object of the root holds. While there is room for it, items are written that may hold
    /// others, and the first one that does is entered. None is entered after it has ended, as it ends where there is no
    /// room for another one at its level. Returns where it ends.
    fn contents(&self, page: &mut Page, mut at: usize, dice: &mut Dice, what: Container) -> usize {
        let words = self.vocabulary;
        let (buf, mut local) = (page.buf.as_mut_slice(), dice.clone());
        page.open.clear();
        page.open.push(Open { start: at, what });
        let mut keys = words.keys(what);
        while at < self.end(page.open.len() + 2) {
            let chance = local.next();
            let kind = &words.kinds[(chance >> 55) as usize];
            at += write_item(room(buf, at), words, keys, kind, chance);
            if let Some(what) = kind.container() {
                page.open.push(Open { start: at, what });
                keys = words.keys(what);
            }
        }
        while let Some(open) = page.open.pop() {
            let end = self.end(page.open.len() + 2);
            at = flat_items(buf, at, &mut local, words, words.keys(open.what), end);
            at = close(buf, &open, at);
        }
        *dice = local;
        at
    }

    /// Up to where a container of this level gets members.
    #[inline(always)]
    fn end(&self, level: usize) -> usize {
        self.start + self.ends.of_level[level]
    }
}

#[inline(always)]
fn room(buf: &mut [u8], at: usize) -> &mut [u8; ITEM] {
    buf[at..].first_chunk_mut().expect("the page has room for a frame")
}

/// Writes members or elements from `at` up to `end`, where there is no room within any of them; returns where they end.
#[inline(always)]
fn flat_items(buf: &mut [u8], mut at: usize, dice: &mut Dice, words: &Vocabulary, keys: &Keys, end: usize) -> usize {
    let mut local = dice.clone();
    // Shorter, so that the end of the loop is also the check of the place: the least that is left behind an item.
    let left = (buf.len() - end).max(ITEM);
    let len = buf.len();
    let mut rest = &mut buf[at..];
    while rest.len() > left {
        let chance = local.next();
        let kind = &words.flat_kinds[(chance >> 55) as usize];
        let Some(to) = rest.first_chunk_mut() else { break };
        let written = write_item(to, words, keys, kind, chance);
        rest = &mut rest[written..];
    }
    *dice = local;
    at = len - rest.len();
    at
}

/// Writes a key and a value without the items within it; returns their length. `chance` has bits for both.
#[inline(always)]
fn write_item(to: &mut [u8; ITEM], words: &Vocabulary, keys: &Keys, kind: &Kind, chance: u64) -> usize {
    let key = keys.choose(chance);
    to[..24].copy_from_slice(&key.bytes);
    let len = key.len & 31;
    match kind.number() {
        None => {
            let token = words.choose(kind, chance);
            to[len..len + 64].copy_from_slice(token);
            len + usize::from(token[63])
        }
        Some(Kind::FRACTION) => len + write_fraction(&mut to[len..], words, chance >> 16),
        Some(_) => len,
    }
}

/// Writes a fraction below 1 with six digits that count; returns its length.
#[cold]
#[inline(never)]
fn write_fraction(to: &mut [u8], words: &Vocabulary, chance: u64) -> usize {
    let n = (((chance & 0xffff_ffff) * 1_000_000) >> 32) as usize;
    // A tenth has a zero more, and as many digits all the same.
    let (start, n) = if n < 100_000 { (3, n * 9 + 100_000) } else { (2, n) };
    to[..4].copy_from_slice(b"0.0 ");
    let (high, low) = (words.digits[n / 1000], words.digits[n % 1000]);
    to[start..start + 4].copy_from_slice(&high);
    to[start + 3..start + 7].copy_from_slice(&low);
    // Zeros at the end are left out.
    start + if low[3] > 0 { 3 + usize::from(low[3]) } else { usize::from(high[3]) }
}
