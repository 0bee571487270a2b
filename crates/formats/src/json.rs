//! JSON, as it came and without white space; and a walk through it that validates nothing.

use crate::answer::{Scalar, Wanted};
use crate::codec::{Codec, Take, Validation, only};
use crate::error::FormatError;
use crate::original::Original;
use crate::tree::Text;
use crate::walk::{Walk, find, take, text};
use kuu_frame::{Parser, ParserOptions};
use memchr::{memchr2, memchr3};
use std::borrow::Cow;

/// Frames as JSON.
pub struct Json {
    minified: bool,
    parser: Parser,
    wanted: Wanted,
    written: Vec<u8>,
}

impl Json {
    /// Frames as they came.
    pub fn as_it_came(options: &ParserOptions) -> Json {
        Json {
            minified: false,
            parser: Parser::new(options),
            wanted: Wanted::new(&options.format),
            written: Vec::new(),
        }
    }

    /// Frames without white space between their tokens.
    pub fn minified(options: &ParserOptions) -> Json {
        Json { minified: true, ..Json::as_it_came(options) }
    }
}

impl Codec for Json {
    fn encode(&mut self, frames: &[Original], message: &mut Vec<u8>) -> Result<(), FormatError> {
        let frame = only(frames)?;
        write(&frame.tree, &mut self.written)?;
        message.clear();
        message.extend_from_slice(if self.minified { &frame.minified } else { &frame.json });
        Ok(())
    }

    fn read(&mut self, message: &[u8], validation: Validation, take: &mut Take<'_>) -> Result<(), FormatError> {
        if validation == Validation::Whole {
            let frame = self.parser.parse(message).map_err(FormatError::Malformed)?;
            take(frame.uid, frame.ts);
        } else {
            let (uid, ts) = find(&mut JsonWalk(message), &self.wanted)?;
            take(&uid, ts);
        }
        Ok(())
    }
}

/// Writes a value as JSON, as a producer does: what that costs is part of every format that has the frame as it came.
pub(crate) fn write(tree: &impl serde::Serialize, json: &mut Vec<u8>) -> Result<(), FormatError> {
    json.clear();
    serde_json::to_writer(&mut *json, tree).map_err(FormatError::of)?;
    std::hint::black_box(json);
    Ok(())
}

/// The rest of a JSON value.
pub(crate) struct JsonWalk<'a>(pub &'a [u8]);

impl<'a> JsonWalk<'a> {
    fn peek(&mut self) -> Result<u8, FormatError> {
        let spaces = self.0.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.0 = &self.0[spaces.unwrap_or(self.0.len())..];
        self.0.first().copied().ok_or(FormatError::TooShort)
    }

    fn pass(&mut self, expected: u8) -> Result<(), FormatError> {
        let byte = self.peek()?;
        if byte != expected {
            return Err(FormatError::NoValue(byte));
        }
        self.0 = &self.0[1..];
        Ok(())
    }

    /// The string here with its quotes, and whether it has escapes.
    fn string(&mut self) -> Result<(&'a [u8], bool), FormatError> {
        let all = self.0;
        let (mut at, mut escaped) = (1, false);
        loop {
            at += all.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)).ok_or(FormatError::TooShort)?;
            if all[at] == b'"' {
                return Ok((take(&mut self.0, at as u64 + 1)?, escaped));
            }
            escaped = true;
            at += 2;
        }
    }

    fn text(&mut self) -> Result<Cow<'a, str>, FormatError> {
        let (quoted, escaped) = self.string()?;
        if escaped {
            let Text(text) = serde_json::from_slice(quoted).map_err(FormatError::of)?;
            return Ok(text.into());
        }
        text(&quoted[1..quoted.len() - 1])
    }

    /// Goes behind the object or array here: brackets of the other kind are balanced within it.
    fn skip_nested(&mut self, open: u8, close: u8) -> Result<(), FormatError> {
        let mut depth = 0;
        loop {
            let at = memchr3(b'"', open, close, self.0).ok_or(FormatError::TooShort)?;
            self.0 = &self.0[at..];
            if self.0[0] == b'"' {
                self.string()?;
                continue;
            }
            depth += if self.0[0] == open { 1 } else { -1 };
            self.0 = &self.0[1..];
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// The number or word here.
    fn word(&mut self) -> Result<&'a [u8], FormatError> {
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
        let len = self.0.iter().position(ends).unwrap_or(self.0.len());
        take(&mut self.0, len as u64)
    }
}

impl<'a> Walk<'a> for JsonWalk<'a> {
    /// Whether no member was passed.
    type Entries = bool;

    fn enter(&mut self) -> Result<Option<bool>, FormatError> {
        if self.peek()? != b'{' {
            self.skip()?;
            return Ok(None);
        }
        self.pass(b'{')?;
        Ok(Some(true))
    }

    fn name(&mut self, is_first: &mut bool) -> Result<Option<Cow<'a, str>>, FormatError> {
        if self.peek()? == b'}' {
            self.pass(b'}')?;
            return Ok(None);
        }
        if !std::mem::take(is_first) {
            self.pass(b',')?;
        }
        match self.peek()? {
            b'"' => {}
            byte => return Err(FormatError::NoValue(byte)),
        }
        let name = self.text()?;
        self.pass(b':')?;
        Ok(Some(name))
    }

    fn scalar(&mut self) -> Result<Scalar<'a>, FormatError> {
        match self.peek()? {
            b'"' => self.text().map(Scalar::Text),
            b'-' | b'0'..=b'9' => {
                let word = self.word()?;
                std::str::from_utf8(word).map(Scalar::Number).map_err(|_| FormatError::NotUtf8)
            }
            _ => self.skip().map(|()| Scalar::Other),
        }
    }

    fn skip(&mut self) -> Result<(), FormatError> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' => self.skip_nested(b'{', b'}'),
            b'[' => self.skip_nested(b'[', b']'),
            _ => self.word().map(drop),
        }
    }
}
