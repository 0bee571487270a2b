//! The options of windows and event time.

use super::values::seconds;
use clap::Args;
use kuu_core::window::Unit;
use std::time::Duration;

/// Which windows.
#[derive(Clone, Debug, Args)]
pub struct Windows {
    /// Windows, separated by commas: second, minute, hour, day, week, month, year, or any length such as 10s, 5min, 6h, 2d
    #[arg(long, value_delimiter = ',', default_value = "minute", allow_hyphen_values = true, value_name = "UNIT")]
    pub window: Vec<Unit>,
}

/// How event time is followed.
#[derive(Clone, Debug, Args)]
pub struct EventTime {
    /// How long a window waits, in event time, before its first result
    #[arg(long, default_value = "5s", value_parser = seconds, value_name = "TIME")]
    pub lateness: Duration,
    /// How long after its end a window still accepts frames
    #[arg(long, default_value = "1d", value_parser = seconds, value_name = "TIME")]
    pub retention: Duration,
    /// How far a partition's clock may move before 8 consecutive frames must agree
    #[arg(long, default_value = "1h", value_parser = seconds, value_name = "TIME")]
    pub max_jump: Duration,
    /// How many windows may be open that only wild clocks have hit, further than --max-jump from every partition's clock;
    /// frames of any more of them count as too far
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..), value_name = "N")]
    pub max_open_windows: u32,
    /// How many users those windows may hold, each counted once a window; frames of more are booked as too far
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1_000..), value_name = "N")]
    pub max_far_users: u64,
}
