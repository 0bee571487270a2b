//! All frames of an input: written into batches, and read from them.

use crate::batches::{Batch, Records, values};
use crate::codec::{Codec, Take, Validation};
use crate::encoding::{Encoding, MESSAGE_BYTES};
use crate::error::FormatError;
use crate::original::Original;
use crate::packing::Packer;
use std::ops::Range;

/// About how many bytes a frame takes in a columnar message besides its JSON.
const COLUMN_BYTES: usize = 32;

/// Which frames share a message.
pub fn groups(encoding: Encoding, frames: &[Original]) -> Vec<Range<usize>> {
    if !encoding.is_columnar() {
        return (0..frames.len()).map(|at| at..at + 1).collect();
    }
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (at, frame) in frames.iter().enumerate() {
        let more = frame.json.len() + COLUMN_BYTES;
        bytes += more;
        match groups.last_mut() {
            Some(group) if bytes <= MESSAGE_BYTES => group.end = at + 1,
            _ => {
                groups.push(at..at + 1);
                bytes = more;
            }
        }
    }
    groups
}

/// The key of the message of these frames: the user, as kuu's producer has it; none if the frames are of several.
pub fn key(encoding: Encoding, frames: &[Original]) -> Option<&str> {
    frames.first().filter(|_| !encoding.is_columnar()).map(|frame| frame.uid.as_str())
}

/// Writes all frames, a message for each group, and gives the records of each batch, packed, to `take`, and how many
/// messages they are.
///
/// # Errors
/// As [`Codec::encode`] and [`Packer::pack`].
pub fn write_all(
    encoding: Encoding,
    codec: &mut dyn Codec,
    packer: &mut Packer,
    frames: &[Original],
    groups: &[Range<usize>],
    mut take: impl FnMut(&[u8], usize),
) -> Result<(), FormatError> {
    let (mut message, mut records, mut packed) = (Vec::new(), Records::default(), Vec::new());
    let mut send = |records: &mut Records| -> Result<(), FormatError> {
        packer.pack(records.bytes(), &mut packed)?;
        take(&packed, records.messages());
        records.clear();
        Ok(())
    };
    for group in groups {
        let frames = &frames[group.clone()];
        codec.encode(frames, &mut message)?;
        let key = key(encoding, frames).map(str::as_bytes);
        if records.is_full_for(key.map_or(0, <[u8]>::len) + message.len()) {
            send(&mut records)?;
        }
        records.push(key, &message);
    }
    if records.messages() > 0 { send(&mut records) } else { Ok(()) }
}

/// Reads user id and event time of every frame in these batches.
///
/// # Errors
/// As [`Codec::read`] and [`Packer::unpack`].
pub fn read_all(
    codec: &mut dyn Codec,
    packer: &mut Packer,
    batches: &[Batch],
    validation: Validation,
    take: &mut Take<'_>,
) -> Result<(), FormatError> {
    let mut records = Vec::new();
    for batch in batches {
        packer.unpack(&batch.packed, &mut records)?;
        values(&records, |value| codec.read(value, validation, take))?;
    }
    Ok(())
}
