//! The headers of frames and results that carry times.

use rdkafka::message::{Header, OwnedHeaders};

/// Header with the time at which the frame was due in the load generator's schedule, in microseconds, 8 bytes
/// big-endian.
pub const DUE_HEADER: &str = "kuu_due_us";
/// Header with the time at which the frame was sent, in microseconds, 8 bytes big-endian.
pub const SENT_HEADER: &str = "kuu_sent_us";
/// Header of a result with the time at which the frame that caused it was read, in microseconds, 8 bytes big-endian.
pub const ARRIVED_HEADER: &str = "kuu_arrived_us";

/// Adds a header with a time, in microseconds since the Unix epoch.
pub fn with_us(headers: OwnedHeaders, key: &str, us: i64) -> OwnedHeaders {
    headers.insert(Header { key, value: Some(&us.to_be_bytes()) })
}

/// The time in a header of kuu, in microseconds since the Unix epoch.
pub fn decode_us(value: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(value.try_into().ok()?))
}
