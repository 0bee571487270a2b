//! The parser that defines the rules: serde_json and nothing clever.
use super::{Malformed, Root};

/// The plain parser.
#[derive(Default)]
pub struct Parser {
    uid: String,
}
impl Parser {
    /// A parser with empty scratch memory.
    pub fn new() -> Parser { Parser::default() }
    /// See [`super::Parser::root`].
    pub fn root<'a>(&'a mut self, _value: &'a [u8]) -> Result<Root<'a>, Malformed> { todo!() }
}
