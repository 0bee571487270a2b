//! Bytes of one message or line → [`Frame`], or the reason why they are not a frame.
//!
//! Two parsers implement the same rules: [`plain`] defines them with serde_json, [`fast`] gives the same verdicts
//! faster.

#![warn(missing_docs)]

pub mod fast;
mod format;
mod later;
pub mod plain;
mod rules;
mod sample;
mod time;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use strum::{Display, EnumMessage, EnumString, IntoStaticStr, VariantArray};

pub use fast::text::second_of;
pub use format::{FrameFormat, Pointer, TsFormat, UidType};
pub use later::Later;
pub use rules::{Frame, MAX_DEPTH, MAX_TS, MAX_UID, Malformed, Member, Root};
pub use sample::Sample;

/// Which parser reads the frames.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    JsonSchema,
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

/// How frames are read.
#[derive(Clone, Debug, Default)]
pub struct ParserOptions {
    /// By which parser.
    pub kind: ParserKind,
    /// Where they have their members.
    pub format: FrameFormat,
    /// Takes what the first values without these members have instead; shared by all parsers of a run.
    pub sample: Arc<Sample>,
}

impl From<ParserKind> for ParserOptions {
    fn from(kind: ParserKind) -> ParserOptions {
        ParserOptions { kind, ..ParserOptions::default() }
    }
}

/// One of the two parsers, with its scratch memory. Reuse it for many values.
pub struct Parser {
    either: Either,
    sample: Arc<Sample>,
    #[cfg(feature = "slow")]
    read: u32,
}

enum Either {
    Fast(fast::FastParser),
    Plain(plain::PlainParser),
}

impl Parser {
    /// A parser with these options.
    pub fn new(options: &ParserOptions) -> Parser {
        let either = match options.kind {
            ParserKind::Fast => Either::Fast(fast::FastParser::new(&options.format)),
            ParserKind::Plain => Either::Plain(plain::PlainParser::new(options.format.clone())),
        };
        Parser {
            either,
            sample: options.sample.clone(),
            #[cfg(feature = "slow")]
            read: 0,
        }
    }

    /// Reads one whole value and finds its two members.
    ///
    /// # Errors
    /// [`Malformed::NotUtf8`], [`Malformed::NotJson`] or [`Malformed::NotObject`].
    #[inline]
    pub fn root<'a>(&'a mut self, value: &'a [u8]) -> Result<Root<'a>, Malformed> {
        let root = match &mut self.either {
            Either::Fast(parser) => parser.root(value),
            Either::Plain(parser) => parser.root(value),
        };
        if let Ok(Root { uid, ts }) = &root
            && (!matches!(uid, Member::Good(_)) || !matches!(ts, Member::Good(_)))
        {
            self.sample.take(value);
        }
        root
    }

    /// Reads one whole value as a frame.
    ///
    /// # Errors
    /// The first rule that the value breaks.
    #[inline]
    pub fn parse<'a>(&'a mut self, value: &'a [u8]) -> Result<Frame<'a>, Malformed> {
        #[cfg(feature = "slow")]
        self.read_every_tenth_twice(value);
        self.root(value)?.frame()
    }

    #[cfg(feature = "slow")]
    #[inline(never)]
    fn read_every_tenth_twice(&mut self, value: &[u8]) {
        self.read = (self.read + 1) % 10;
        if self.read == 0 {
            std::hint::black_box(self.root(value).is_ok());
        }
    }
}
