//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch.
pub fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// Now as RFC 3339 in UTC, to the second.
pub fn now_rfc3339() -> String {
    jiff::Timestamp::from_second(now_us() / 1_000_000).map_or_else(|_| String::new(), |now| now.to_string())
}

/// Now as in `20261123T221504Z`, for file names.
pub fn now_compact() -> String {
    now_rfc3339().replace(['-', ':'], "")
}
