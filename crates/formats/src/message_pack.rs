//! MessagePack.

use crate::answer::Wanted;
use crate::checked::Checked;
use crate::codec::{Codec, Take, Validation, only};
use crate::error::FormatError;
use crate::items::{Item, ItemWalk};
use crate::original::Original;
use crate::walk::{find, number, take};
use kuu_frame::{FrameFormat, MAX_DEPTH};
use rmp::Marker;
use rmp_serde::decode::Error as DecodeError;
use serde::Deserialize as _;

/// Frames as maps of MessagePack.
pub struct MessagePack {
    wanted: Wanted,
}

impl MessagePack {
    /// Frames as this format has them.
    pub fn new(format: &FrameFormat) -> MessagePack {
        MessagePack { wanted: Wanted::new(format) }
    }
}

impl Codec for MessagePack {
    fn encode(&mut self, frames: &[Original], message: &mut Vec<u8>) -> Result<(), FormatError> {
        message.clear();
        rmp_serde::encode::write(message, &only(frames)?.tree).map_err(FormatError::of)
    }

    fn read(&mut self, message: &[u8], validation: Validation, take: &mut Take<'_>) -> Result<(), FormatError> {
        if validation == Validation::Whole {
            let mut reader = rmp_serde::Deserializer::from_read_ref(message);
            reader.set_max_depth(2 * MAX_DEPTH);
            let Checked = Checked::deserialize(&mut reader).map_err(FormatError::of)?;
            // The reader does not say how far it read.
            if !matches!(Checked::deserialize(&mut reader), Err(DecodeError::InvalidMarkerRead(_))) {
                return Err(FormatError::TooLong(1));
            }
        }
        let (uid, ts) = find(&mut ItemWalk { rest: message, next: item }, &self.wanted)?;
        take(&uid, ts);
        Ok(())
    }
}

/// The item here.
fn item<'a>(rest: &mut &'a [u8]) -> Result<Item<'a>, FormatError> {
    let byte = number(rest, 1)? as u8;
    Ok(match Marker::from_u8(byte) {
        Marker::FixMap(len) => Item::Map(len.into()),
        Marker::Map16 => Item::Map(number(rest, 2)?),
        Marker::Map32 => Item::Map(number(rest, 4)?),
        Marker::FixArray(len) => Item::Array(len.into()),
        Marker::Array16 => Item::Array(number(rest, 2)?),
        Marker::Array32 => Item::Array(number(rest, 4)?),
        Marker::FixStr(len) => Item::Text(take(rest, len.into())?),
        Marker::Str8 => sized(rest, 1)?,
        Marker::Str16 => sized(rest, 2)?,
        Marker::Str32 => sized(rest, 4)?,
        Marker::FixPos(value) => Item::Integer(value.into()),
        Marker::FixNeg(value) => Item::Integer(value.into()),
        Marker::U8 => Item::Integer(number(rest, 1)?.into()),
        Marker::U16 => Item::Integer(number(rest, 2)?.into()),
        Marker::U32 => Item::Integer(number(rest, 4)?.into()),
        Marker::U64 => Item::Integer(number(rest, 8)?.into()),
        Marker::I8 => signed(rest, 1)?,
        Marker::I16 => signed(rest, 2)?,
        Marker::I32 => signed(rest, 4)?,
        Marker::I64 => signed(rest, 8)?,
        Marker::Null | Marker::True | Marker::False => Item::Other,
        Marker::F32 => take(rest, 4).map(|_| Item::Other)?,
        Marker::F64 => take(rest, 8).map(|_| Item::Other)?,
        // JSON has neither bytes nor extensions.
        _ => return Err(FormatError::NoValue(byte)),
    })
}

/// A text behind its length, a number of `len` bytes.
fn sized<'a>(rest: &mut &'a [u8], len: u64) -> Result<Item<'a>, FormatError> {
    let len = number(rest, len)?;
    take(rest, len).map(Item::Text)
}

/// The signed number in the next `len` bytes.
fn signed<'a>(rest: &mut &'a [u8], len: u64) -> Result<Item<'a>, FormatError> {
    let above = 64 - 8 * len;
    Ok(Item::Integer((((number(rest, len)? << above) as i64) >> above).into()))
}
