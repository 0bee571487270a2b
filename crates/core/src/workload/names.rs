//! Writes the members of the root that count.

use super::dice::Dice;
use super::page::Page;
use super::users::UID_LEN;

/// The two decimal digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let (mut pairs, mut n) = ([[0; 2]; 100], 0);
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// Bytes of `,"uid":"..."`, and of `,"ts":` with ten digits.
const UID_MEMBER: usize = UID_LEN + 9;
const TS_MEMBER: usize = 16;

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

impl Names {
    /// Writes both members, in an order by chance.
    #[inline(always)]
    pub(super) fn write(&self, page: &mut Page, dice: &mut Dice) {
        let is_uid_first = dice.below(2) == 0;
        let is_plain = (self.uid_form, self.ts_form) == (Form::Plain, Form::Plain);
        match u64::try_from(self.ts) {
            Ok(ts @ 1_000_000_000..10_000_000_000) if is_plain => self.write_plain(page, ts, is_uid_first),
            _ => {
                // A copy, as what is lent cannot stay in registers.
                let mut copy = dice.clone();
                self.write_any(page, &mut copy, is_uid_first);
                *dice = copy;
            }
        }
    }

    /// Both in places that are known beforehand: which one is first costs no branch, as it would often be mispredicted.
    #[inline]
    fn write_plain(&self, page: &mut Page, ts: u64, is_uid_first: bool) {
        let to: &mut [u8; UID_MEMBER + TS_MEMBER] = page.next();
        let uid_at = if is_uid_first { 0 } else { TS_MEMBER };
        let ts_at = if is_uid_first { UID_MEMBER } else { 0 };
        let mut member = *br#","uid":"0123456789012345678""#;
        member[8..8 + UID_LEN].copy_from_slice(&self.uid);
        to[uid_at..uid_at + UID_MEMBER].copy_from_slice(&member);
        let mut member = *br#","ts":0123456789"#;
        let low = (ts % 100_000_000) as usize;
        let pairs = [(ts / 100_000_000) as usize, low / 1_000_000, low / 10_000, low / 100, low];
        for (to, pair) in member[6..].as_chunks_mut().0.iter_mut().zip(pairs) {
            *to = PAIRS[pair % 100];
        }
        to[ts_at..ts_at + TS_MEMBER].copy_from_slice(&member);
        page.skip(UID_MEMBER + TS_MEMBER);
    }

    #[cold]
    #[inline(never)]
    fn write_any(&self, page: &mut Page, dice: &mut Dice, is_uid_first: bool) {
        if is_uid_first {
            write_uid(page, dice, self);
        }
        write_ts(page, dice, self);
        if !is_uid_first {
            write_uid(page, dice, self);
        }
    }
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
