//! How windows are counted.

use crate::window::Unit;

/// What the counter is told once. Times are in seconds.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which windows are counted; one or more.
    pub units: Vec<Unit>,
    /// How long a window waits, in event time, before its on-time result.
    pub lateness: i64,
    /// How long after its end a window accepts frames.
    pub retention: i64,
    /// How far a clock may move without corroboration.
    pub max_jump: i64,
    /// How many windows may be open that only frames far from every clock have hit, by more than `max_jump`.
    pub max_open_windows: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            units: vec![Unit::Minute],
            lateness: 5,
            retention: 86_400,
            max_jump: 3_600,
            max_open_windows: MAX_OPEN_WINDOWS,
        }
    }
}

/// Windows far from every clock that are generous: a day of retention has 86,400 seconds, and each costs some 300 bytes.
pub const MAX_OPEN_WINDOWS: usize = 100_000;
