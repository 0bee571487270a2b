//! User id and event time, from the values that a format has for them.

use kuu_frame::{FrameFormat, MAX_TS, MAX_UID, UidType, second_of};
use std::borrow::Cow;

/// A value that may name a user or a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// An integer.
    Integer(i128),
    /// A number as JSON has it.
    Number(&'a str),
    /// Anything else.
    Other,
}

/// Where frames have their members, and how these are written.
#[derive(Clone, Debug)]
pub struct Wanted {
    format: FrameFormat,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    pub uid: Option<Cow<'a, str>>,
    pub ts: Option<i64>,
}

impl Wanted {
    /// Members as this format has them.
    pub fn new(format: &FrameFormat) -> Wanted {
        Wanted { format: format.clone() }
    }

    /// The names on the way to the user id.
    pub(crate) fn uid_names(&self) -> &[String] {
        self.format.uid.names()
    }

    /// The names on the way to the event time.
    pub(crate) fn ts_names(&self) -> &[String] {
        self.format.ts.names()
    }

    /// The user id that a value names, as [`kuu_frame::Frame`] has it.
    pub(crate) fn uid<'a>(&self, value: Scalar<'a>) -> Option<Cow<'a, str>> {
        let fits = |text: &str| (1..=MAX_UID).contains(&text.len());
        match (value, self.format.uid_type) {
            (Scalar::Text(text), UidType::String) => fits(&text).then_some(text),
            (Scalar::Text(text), UidType::Any) => fits(&text).then(|| format!("\"{text}\"").into()),
            (Scalar::Integer(number), UidType::Integer | UidType::Any) => Some(number.to_string().into()),
            (Scalar::Number("-0"), UidType::Integer | UidType::Any) => Some("0".into()),
            (Scalar::Number(text), UidType::Integer | UidType::Any) => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                (digits.bytes().all(|byte| byte.is_ascii_digit()) && fits(text)).then_some(text.into())
            }
            _ => None,
        }
    }

    /// The event time that a value names, in Unix seconds.
    pub(crate) fn ts(&self, value: &Scalar<'_>) -> Option<i64> {
        match value {
            Scalar::Text(text) => second_of(text, self.format.ts_format),
            Scalar::Integer(number) => {
                let per_second = self.format.ts_format.per_second()?;
                let second = u128::try_from(*number).ok()? / per_second;
                i64::try_from(second).ok().filter(|ts| *ts <= MAX_TS)
            }
            Scalar::Number(text) => {
                self.format.ts_format.per_second()?;
                second_of(text.strip_prefix('-').filter(|digits| *digits == "0").unwrap_or(text), self.format.ts_format)
            }
            Scalar::Other => None,
        }
    }
}
