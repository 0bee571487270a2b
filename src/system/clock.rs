//! The wall clock, and a clock that never goes back.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch.
pub fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// The wall-clock time of this process's first call, plus the time since on a monotonic clock: for differences of times
/// within one process. A wall clock that is set by ten minutes must not add ten minutes to a latency.
pub fn steady_us() -> i64 {
    static START: OnceLock<(Instant, i64)> = OnceLock::new();
    let (start, start_us) = START.get_or_init(|| (Instant::now(), now_us()));
    start_us + start.elapsed().as_micros() as i64
}

/// A wall-clock time in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Time(i64);

impl Time {
    /// The current time.
    pub fn now() -> Time {
        Time(now_us() / 1_000_000)
    }

    /// As RFC 3339 in UTC.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.0).map_or_else(|_| String::new(), |time| time.to_string())
    }

    /// The format of file names, as in `20261123T221504Z`.
    pub fn compact(self) -> String {
        self.rfc3339().replace(['-', ':'], "")
    }
}
