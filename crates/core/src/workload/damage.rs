//! Lines that are frames of another form, or no frames at all: the reason is known because of how they are made.

use super::dice::Dice;
use super::frame_writer::FrameWriter;
use super::names::{self, Names};
use super::page::Page;
use super::trouble::Kind;
use kuu_frame::{MAX_DEPTH, Malformed};

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Duplicate,
    Blank,
    /// Of a trouble that changes `uid`, `ts` or the text.
    Changed(Kind),
}

impl Form {
    pub(super) fn of(kind: Kind) -> Option<Form> {
        match kind {
            Kind::Duplicate => Some(Form::Duplicate),
            Kind::Blank => Some(Form::Blank),
            kind => Some(Form::Changed(kind)),
        }
    }

    /// Whether the line is a frame with a user and a time of its own.
    pub(super) fn is_frame(self) -> bool {
        match self {
            Form::Plain => true,
            Form::Duplicate | Form::Blank => false,
            Form::Changed(kind) => kind != Kind::Flip && kind.reason().is_none(),
        }
    }

    /// The forms of `uid` and `ts`.
    pub(super) fn names(self) -> (names::Form, names::Form) {
        use names::Form::{Empty, EscapedKey, Missing, Null, Plain, Repeated, Surrogate, Text, Wrong};
        let Form::Changed(kind) = self else { return (Plain, Plain) };
        match kind {
            Kind::TsText => (Plain, Text),
            Kind::EscapedUid => (Text, Plain),
            Kind::EscapedKey => (EscapedKey, EscapedKey),
            Kind::RepeatedUid => (Repeated, Plain),
            Kind::RepeatedTs => (Plain, Repeated),
            Kind::NoUid => (Missing, Plain),
            Kind::EmptyUid => (Empty, Plain),
            Kind::NullUid => (Null, Plain),
            Kind::WrongUid => (Wrong, Plain),
            Kind::SurrogateUid => (Surrogate, Plain),
            Kind::NoTs => (Plain, Missing),
            Kind::EmptyTs => (Plain, Empty),
            Kind::NullTs => (Plain, Null),
            Kind::WrongTs => (Plain, Wrong),
            _ => (Plain, Plain),
        }
    }
}

/// Writes a line of about `bytes` bytes without its end; returns the reason if it is no frame.
#[inline]
pub(super) fn put(
    writer: &FrameWriter,
    page: &mut Page,
    dice: &mut Dice,
    form: Form,
    bytes: u32,
    names: &Names,
) -> Option<Malformed> {
    match form {
        Form::Changed(kind) => {
            return changed(page, dice, kind, |page, dice| writer.frame(page, dice, bytes, names));
        }
        Form::Blank => {
            page.reserve(8);
            page.put([&b""[..], b" ", b"\t "][dice.below(3) as usize]);
        }
        Form::Plain | Form::Duplicate => writer.frame(page, dice, bytes, names),
    }
    None
}

/// Writes a line with a trouble; `frame` writes a whole frame.
#[cold]
fn changed(page: &mut Page, dice: &mut Dice, kind: Kind, frame: impl Fn(&mut Page, &mut Dice)) -> Option<Malformed> {
    let start = page.len();
    match kind {
        Kind::NotObject => not_object(page, dice, frame),
        Kind::Garbage => garbage(page, dice),
        _ => {
            frame(page, dice);
            match kind {
                Kind::Cut => cut(page, dice, start),
                Kind::Flip => return Some(flip(page, dice, start)),
                Kind::Joined => frame(page, dice),
                Kind::Deep => deepen(page, 1_000),
                Kind::TooDeep => deepen(page, MAX_DEPTH + 1),
                Kind::InvalidUtf8 => append(page, b",\"text\":\"\xff\""),
                _ => {}
            }
        }
    }
    kind.reason()
}

/// Writes JSON that is no object.
fn not_object(page: &mut Page, dice: &mut Dice, frame: impl Fn(&mut Page, &mut Dice)) {
    page.reserve(16);
    match dice.below(5) {
        0 => {
            page.byte(b'[');
            frame(page, dice);
            page.byte(b']');
        }
        other => page.put([&b"17"[..], b"null", b"true", br#""text""#][other as usize - 1]),
    }
}

/// Ends the frame at `start` early: an object has its end in its last byte. Never within a character.
fn cut(page: &mut Page, dice: &mut Dice, start: usize) {
    let frame = &page.bytes()[start..];
    let mut len = 1 + dice.below(frame.len() as u32 - 1) as usize;
    while frame[len] & 0xc0 == 0x80 {
        len -= 1;
    }
    page.truncate(start + len);
}

/// Flips a bit of the frame at `start`.
fn flip(page: &mut Page, dice: &mut Dice, start: usize) -> Malformed {
    let frame = &mut page.bytes_mut()[start..];
    if dice.below(2) == 0 {
        // `{` becomes `[`, and no element of an array has a colon after it.
        frame[0] ^= 0x20;
        return Malformed::NotJson;
    }
    // A byte of ASCII becomes one that begins or continues a character: neither fits between two whole characters.
    let mut at = dice.below(frame.len() as u32) as usize;
    while !frame[at].is_ascii() {
        at += 1;
    }
    frame[at] ^= 0x80;
    Malformed::NotUtf8
}

/// Adds a member to the object at the end of the page.
fn append(page: &mut Page, member: &[u8]) {
    page.truncate(page.len() - 1);
    page.reserve(member.len() + 1);
    page.put(member);
    page.byte(b'}');
}

/// Adds arrays to the object at the end of the page, so that it has this many levels in all.
fn deepen(page: &mut Page, levels: usize) {
    let arrays = levels - 1;
    append(page, [&br#","deep":"#[..], &vec![b'['; arrays], &vec![b']'; arrays]].concat().as_slice());
}

/// Visible characters, of which the first begins no JSON.
fn garbage(page: &mut Page, dice: &mut Dice) {
    page.reserve(64);
    page.byte(b'%');
    for _ in 0..dice.below(60) {
        page.byte(0x21 + dice.below(0x5e) as u8);
    }
}
