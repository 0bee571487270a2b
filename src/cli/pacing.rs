//! When `kuu produce` sends its frames, and how often.

use crate::cli::values::{pace, some_time};
use clap::Args;
use std::time::Duration;

/// The options. Without any, every frame is sent once, as fast as it goes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Pace")]
pub struct PacingArgs {
    /// Send N frames per second: each is due at its time, acknowledged or not the ones before; exit 5 where that fails
    #[arg(long, value_name = "N", value_parser = pace, allow_negative_numbers = true, conflicts_with = "speed")]
    pub rate: Option<f64>,
    /// Send frames at their event time, X seconds of it per second; one whose time lies back is sent at once
    #[arg(long, value_name = "X", value_parser = pace, allow_negative_numbers = true)]
    pub speed: Option<f64>,
    /// Send the input N times, each time whole days later in event time: its span rounded up, and a day more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "time")]
    pub repeat: Option<u64>,
    /// Send the input again and again, as --repeat does, until this time is over
    #[arg(long = "for", value_name = "TIME", value_parser = some_time)]
    pub time: Option<Duration>,
}

impl PacingArgs {
    /// Whether the input may be sent more than once.
    pub fn repeats(&self) -> bool {
        self.time.is_some() || self.repeat.is_some_and(|times| times > 1)
    }
}
