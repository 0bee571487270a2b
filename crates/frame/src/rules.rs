//! What a frame is, why a value is not one, and the limits.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// The latest second a frame may name: 9999-12-31T23:59:59Z.
pub const MAX_TS: i64 = 253_402_300_799;

/// The longest `uid` in bytes, after unescaping: the state of a frame must fit into one record.
pub const MAX_UID: usize = 65_536;

/// The deepest nesting of arrays and objects that is accepted; the root object is level 1.
pub const MAX_DEPTH: usize = 1024;

/// The two members of a frame that the counter uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// User id after unescaping, of `1..=MAX_UID` bytes.
    pub uid: &'a str,
    /// Event time in Unix seconds, `0..=MAX_TS`.
    pub ts: i64,
}

/// Why a value is not a frame. The rules apply in the order of the variants.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Malformed {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text is not exactly one JSON value (RFC 8259), or is nested beyond [`MAX_DEPTH`].
    NotJson,
    /// The value is JSON, but no object.
    NotObject,
    /// The root has more than one `uid`, or more than one `ts`.
    DuplicateKey,
    /// The root has no `uid`.
    NoUid,
    /// `uid` is no string, is empty, is longer than [`MAX_UID`], or is no Unicode text after unescaping.
    BadUid,
    /// The root has no `ts`.
    NoTs,
    /// `ts` is neither an integer nor a string of digits, or is out of range.
    BadTs,
}

impl Malformed {
    /// Every reason, in the order in which the rules apply.
    pub const ALL: &[Malformed] = Malformed::VARIANTS;

    /// The name used in ledgers and records.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The content of the root object under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member<T> {
    /// No member has this name.
    Missing,
    /// More than one member has this name.
    Repeated,
    /// One member has this name, but its value breaks the rules.
    Bad,
    /// One member has this name and a valid value.
    Good(T),
}

/// The root object of a value that is UTF-8, JSON and an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root<'a> {
    /// `uid`, unescaped.
    pub uid: Member<&'a str>,
    /// `ts` in Unix seconds.
    pub ts: Member<i64>,
}

impl<'a> Root<'a> {
    /// The frame.
    ///
    /// # Errors
    /// The first rule that the root breaks.
    pub fn frame(self) -> Result<Frame<'a>, Malformed> {
        if self.uid == Member::Repeated || self.ts == Member::Repeated {
            return Err(Malformed::DuplicateKey);
        }
        let uid = match self.uid {
            Member::Good(uid) => uid,
            Member::Missing => return Err(Malformed::NoUid),
            _ => return Err(Malformed::BadUid),
        };
        match self.ts {
            Member::Good(ts) => Ok(Frame { uid, ts }),
            Member::Missing => Err(Malformed::NoTs),
            _ => Err(Malformed::BadTs),
        }
    }

    /// The user id alone, whatever the state of `ts`: the key of a message.
    pub fn key(self) -> Option<&'a str> {
        match self.uid {
            Member::Good(uid) => Some(uid),
            _ => None,
        }
    }
}
