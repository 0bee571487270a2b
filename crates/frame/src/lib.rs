//! Bytes of one message or line → [`Frame`], or the reason why they are not a frame.
//!
//! Two parsers implement the same rules: [`plain`] defines them with serde_json, [`fast`] gives the same verdicts
//! faster.

#![warn(missing_docs)]

pub mod fast;
pub mod plain;
mod rules;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumMessage, EnumString, IntoStaticStr, VariantArray};

pub use rules::{Frame, MAX_DEPTH, MAX_TS, MAX_UID, Malformed, Member, Root};

/// Which parser reads the frames.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Display,
    EnumMessage,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ParserKind {
    /// Vectorised, validates everything
    #[default]
    Fast,
    /// serde_json: defines the rules
    Plain,
}

/// One of the two parsers, with its scratch memory. Reuse it for many values.
pub enum Parser {
    /// The vectorised one.
    Fast(fast::FastParser),
    /// The one that defines the rules.
    Plain(plain::PlainParser),
}

impl Parser {
    /// A parser of the given kind.
    pub fn new(kind: ParserKind) -> Parser {
        match kind {
            ParserKind::Fast => Parser::Fast(fast::FastParser::new()),
            ParserKind::Plain => Parser::Plain(plain::PlainParser::new()),
        }
    }

    /// Reads one whole value and finds the two members of its root.
    ///
    /// # Errors
    /// [`Malformed::NotUtf8`], [`Malformed::NotJson`] or [`Malformed::NotObject`].
    #[inline]
    pub fn root<'a>(&'a mut self, value: &'a [u8]) -> Result<Root<'a>, Malformed> {
        match self {
            Parser::Fast(parser) => parser.root(value),
            Parser::Plain(parser) => parser.root(value),
        }
    }

    /// Reads one whole value as a frame.
    ///
    /// # Errors
    /// The first rule that the value breaks.
    #[inline]
    pub fn parse<'a>(&'a mut self, value: &'a [u8]) -> Result<Frame<'a>, Malformed> {
        self.root(value)?.frame()
    }
}
