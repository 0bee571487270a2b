//! Messages as a batch of Kafka has them (message format v2, as in KIP-98 and Kafka's `DefaultRecordBatch`).

use crate::error::FormatError;
use crate::walk::{number, take};

/// How many bytes kuu's producer puts into a batch: librdkafka's `batch.size` as kuu sets it.
pub const BATCH_BYTES: usize = 1_000_000;

/// How many messages it puts into a batch: librdkafka's default of `batch.num.messages`.
pub const BATCH_MESSAGES: usize = 10_000;

/// What is before the records of a batch, in bytes: never compressed.
const HEADER_BYTES: usize = 61;

/// The records of one batch.
#[derive(Clone, Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
    messages: usize,
}

/// A batch as it is sent and stored.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The records, compressed or not.
    pub packed: Vec<u8>,
    /// Number of messages.
    pub messages: usize,
}

impl Batch {
    /// The size of the batch with its header, in bytes.
    pub fn stored_bytes(&self) -> usize {
        HEADER_BYTES + self.packed.len()
    }
}

impl Records {
    /// The records, before compression.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of messages.
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// Whether a batch would be too large with one more message of so many bytes, key included.
    pub fn is_full_for(&self, bytes: usize) -> bool {
        let framing = HEADER_BYTES + 20;
        self.messages > 0 && (self.messages == BATCH_MESSAGES || self.bytes.len() + framing + bytes > BATCH_BYTES)
    }

    /// Adds a message.
    pub fn push(&mut self, key: Option<&[u8]>, value: &[u8]) {
        let offset = self.messages as i64;
        let key_len = key.map_or(-1, |key| key.len() as i64);
        // Attributes, time, offset, key, value, headers.
        let fields = [0, offset, key_len, value.len() as i64, 0].map(len_of);
        let len = 1 + fields.iter().sum::<usize>() + key.map_or(0, <[u8]>::len) + value.len();
        let out = &mut self.bytes;
        varint(out, len as i64);
        out.push(0);
        varint(out, 0);
        varint(out, offset);
        varint(out, key_len);
        out.extend_from_slice(key.unwrap_or_default());
        varint(out, value.len() as i64);
        out.extend_from_slice(value);
        varint(out, 0);
        self.messages += 1;
    }

    /// Removes all messages, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.messages = 0;
    }
}

/// Calls `take_value` with the value of each of these records, in order.
///
/// # Errors
/// If a record ends too early, or `take_value` fails.
pub fn values(
    mut records: &[u8],
    mut take_value: impl FnMut(&[u8]) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    while !records.is_empty() {
        let len = read_varint(&mut records)?;
        let mut record = take(&mut records, len as u64)?;
        take(&mut record, 1)?;
        read_varint(&mut record)?;
        read_varint(&mut record)?;
        // A message without key has -1 here.
        let key = read_varint(&mut record)?;
        take(&mut record, key.max(0) as u64)?;
        let len = read_varint(&mut record)?;
        take_value(take(&mut record, len as u64)?)?;
    }
    Ok(())
}

/// A number as Kafka has it in records: seven bits a byte, the lowest first, with the sign in the lowest bit of all.
fn varint(out: &mut Vec<u8>, value: i64) {
    let mut zigzag = (value << 1 ^ value >> 63) as u64;
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

fn len_of(value: i64) -> usize {
    let zigzag = (value << 1 ^ value >> 63) as u64;
    (64 - (zigzag | 1).leading_zeros() as usize).div_ceil(7)
}

/// The number that [`varint`] wrote. Avro writes its numbers so, too.
pub(crate) fn read_varint(rest: &mut &[u8]) -> Result<i64, FormatError> {
    let mut zigzag = 0;
    for shift in (0..64).step_by(7) {
        let byte = number(rest, 1)?;
        zigzag |= (byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
        }
    }
    Err(FormatError::NoMember("number of at most 64 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_kafka() {
        for (value, bytes) in [(0, &[0][..]), (-1, &[1]), (1, &[2]), (63, &[126]), (64, &[128, 1]), (300, &[216, 4])] {
            let mut out = Vec::new();
            varint(&mut out, value);
            assert_eq!((out.as_slice(), len_of(value)), (bytes, bytes.len()), "{value}");
        }
        for value in [i64::MIN, i64::MAX, -64, -65, 1 << 40] {
            let mut out = Vec::new();
            varint(&mut out, value);
            assert_eq!((read_varint(&mut &out[..]).unwrap(), len_of(value)), (value, out.len()));
        }
    }

    #[test]
    fn records_are_those_of_kafka() {
        let mut records = Records::default();
        records.push(Some(b"k"), b"ab");
        records.push(None, b"");
        // Length, attributes, time, offset, key, value, number of headers; then the same without key and value.
        assert_eq!(records.bytes(), [18, 0, 0, 0, 2, b'k', 4, b'a', b'b', 0, 12, 0, 0, 2, 1, 0, 0]);
        let mut found = Vec::new();
        values(records.bytes(), |value| {
            found.push(value.to_vec());
            Ok(())
        })
        .unwrap();
        assert_eq!((found, records.messages()), (vec![b"ab".to_vec(), Vec::new()], 2));
        assert!(values(&records.bytes()[..5], |_| Ok(())).is_err());
    }

    #[test]
    fn a_batch_is_as_large_as_the_producer_makes_it() {
        let mut records = Records::default();
        assert!(!records.is_full_for(2 * BATCH_BYTES));
        records.push(None, &vec![0; BATCH_BYTES - 1_000]);
        assert_eq!([900, 1_000].map(|bytes| records.is_full_for(bytes)), [false, true]);
    }
}
