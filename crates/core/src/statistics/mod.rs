//! What the samples of rounds say: order of turns, ratios with their intervals, verdicts, ranks and slopes.
//! `simulation_tests.rs` shows how often their intervals hold the true value.

mod error;
mod ratio;
mod samples;
mod several;
mod slope;
mod turns;

#[cfg(test)]
mod simulation_tests;

pub use error::StatisticsError;
pub use ratio::{CONFIDENCE, Interval, MIN_ROUNDS, RatioEstimate, RatioVerdict};
pub use samples::{median, quantile, share};
pub use several::{Rank, holm, ranks, verdicts};
pub use slope::{STEADY_DRIFT, Slope, SteadyRate};
pub use turns::{full_cycle, order};
