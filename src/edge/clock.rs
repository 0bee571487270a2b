//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch.
pub fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// A moment of the wall clock, to the second.
#[derive(Clone, Copy, Debug)]
pub struct Time(i64);

impl Time {
    /// Now.
    pub fn now() -> Time {
        Time(now_us() / 1_000_000)
    }

    /// As RFC 3339 in UTC.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.0).map_or_else(|_| String::new(), |time| time.to_string())
    }

    /// As in `20261123T221504Z`, for file names.
    pub fn compact(self) -> String {
        self.rfc3339().replace(['-', ':'], "")
    }
}
