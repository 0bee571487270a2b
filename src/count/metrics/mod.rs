//! The metrics of a running count, for OpenMetrics, and its health.
//!
//! Nothing here runs per frame: the counts change with each commit, the rest with each look at the run.

mod exposition;
pub mod gathered;
pub mod metered;
pub mod server;
#[cfg(test)]
mod tests;
