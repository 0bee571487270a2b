//! Settings of the counter.

use crate::distinct::Distinct;
use crate::window::Unit;

/// The settings of a counter, fixed for its life. Times are in seconds.
#[derive(Clone, Debug)]
pub struct Config {
    /// The units of the windows; at least one.
    pub units: Vec<Unit>,
    /// How users are counted.
    pub distinct: Distinct,
    /// How long a window waits, in event time, before its on-time result.
    pub lateness: i64,
    /// How long after its end a window accepts frames.
    pub retention: i64,
    /// How far a clock may jump before other frames must confirm it.
    pub max_jump: i64,
    /// How many open windows may hold only frames that are more than `max_jump` from every clock.
    pub max_open_windows: usize,
    /// How many users those windows may hold, each counted once a window; sketches hold none.
    pub max_far_users: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            units: vec![Unit::Minute],
            distinct: Distinct::Exact,
            lateness: 5,
            retention: 86_400,
            max_jump: 3_600,
            max_open_windows: MAX_OPEN_WINDOWS,
            max_far_users: MAX_FAR_USERS,
        }
    }
}

/// A generous number of windows far from every clock: a day of retention has 86,400 seconds, and each costs about 300
/// bytes.
pub const MAX_OPEN_WINDOWS: usize = 100_000;

/// A generous number of users in windows far from every clock: a user costs 2 to 8 bytes a window.
pub const MAX_FAR_USERS: u64 = 10_000_000;
