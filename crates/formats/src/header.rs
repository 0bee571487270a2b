//! A fixed header before the JSON: event time, 8 bytes (little-endian Unix seconds); length of the user id, 4 bytes
//! (little-endian); the user id; then the frame as it came.

use crate::codec::{Codec, Take, Validation, only};
use crate::error::FormatError;
use crate::json;
use crate::original::Original;
use crate::walk;
use kuu_frame::{Parser, ParserOptions};

/// Frames behind a header.
pub struct Header {
    parser: Parser,
    written: Vec<u8>,
}

impl Header {
    /// Headers of frames that are read with these options.
    pub fn new(options: &ParserOptions) -> Header {
        Header { parser: Parser::new(options), written: Vec::new() }
    }
}

impl Codec for Header {
    fn encode(&mut self, frames: &[Original], message: &mut Vec<u8>) -> Result<(), FormatError> {
        let frame = only(frames)?;
        json::write(&frame.tree, &mut self.written)?;
        let len = u32::try_from(frame.uid.len()).map_err(FormatError::of)?;
        message.clear();
        message.extend_from_slice(&frame.ts.to_le_bytes());
        message.extend_from_slice(&len.to_le_bytes());
        message.extend_from_slice(frame.uid.as_bytes());
        message.extend_from_slice(&frame.json);
        Ok(())
    }

    fn read(&mut self, message: &[u8], validation: Validation, take: &mut Take<'_>) -> Result<(), FormatError> {
        let (ts, rest) = message.split_first_chunk().ok_or(FormatError::TooShort)?;
        let (len, mut rest) = rest.split_first_chunk().ok_or(FormatError::TooShort)?;
        let uid = walk::text(walk::take(&mut rest, u32::from_le_bytes(*len).into())?)?;
        let ts = i64::from_le_bytes(*ts);
        if validation == Validation::Whole {
            let frame = self.parser.parse(rest).map_err(FormatError::Malformed)?;
            if (frame.uid, frame.ts) != (&*uid, ts) {
                return Err(FormatError::NoMember("header that agrees with its JSON"));
            }
        }
        take(&uid, ts);
        Ok(())
    }
}
