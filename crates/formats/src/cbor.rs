//! CBOR (RFC 8949).

use crate::answer::Wanted;
use crate::checked::Checked;
use crate::codec::{Codec, Take, Validation, only};
use crate::error::FormatError;
use crate::items::{Item, ItemWalk};
use crate::original::Original;
use crate::walk::{find, number, take};
use kuu_frame::{FrameFormat, MAX_DEPTH};

/// Frames as maps of CBOR.
pub struct Cbor {
    wanted: Wanted,
}

impl Cbor {
    /// Frames as this format has them.
    pub fn new(format: &FrameFormat) -> Cbor {
        Cbor { wanted: Wanted::new(format) }
    }
}

impl Codec for Cbor {
    fn encode(&mut self, frames: &[Original], message: &mut Vec<u8>) -> Result<(), FormatError> {
        message.clear();
        ciborium::into_writer(&only(frames)?.tree, message).map_err(FormatError::of)
    }

    fn read(&mut self, message: &[u8], validation: Validation, take: &mut Take<'_>) -> Result<(), FormatError> {
        if validation == Validation::Whole {
            let mut rest = message;
            let Checked =
                ciborium::de::from_reader_with_recursion_limit(&mut rest, 2 * MAX_DEPTH).map_err(FormatError::of)?;
            if !rest.is_empty() {
                return Err(FormatError::TooLong(rest.len()));
            }
        }
        let (uid, ts) = find(&mut ItemWalk { rest: message, next: item }, &self.wanted)?;
        take(&uid, ts);
        Ok(())
    }
}

/// The item here; lengths are definite, as ciborium writes them.
fn item<'a>(rest: &mut &'a [u8]) -> Result<Item<'a>, FormatError> {
    let byte = number(rest, 1)? as u8;
    let argument = match byte & 0x1f {
        small @ 0..=23 => small.into(),
        wide @ 24..=27 => number(rest, 1 << (wide - 24))?,
        _ => return Err(FormatError::NoValue(byte)),
    };
    Ok(match byte >> 5 {
        0 => Item::Integer(argument.into()),
        1 => Item::Integer(-1 - i128::from(argument)),
        3 => Item::Text(take(rest, argument)?),
        4 => Item::Array(argument),
        5 => Item::Map(argument),
        // Simple values and floats: the argument is all of them.
        7 => Item::Other,
        // JSON has neither bytes nor tags.
        _ => return Err(FormatError::NoValue(byte)),
    })
}
