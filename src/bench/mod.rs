//! Measurements: each phase beside its ceiling, and the latency of a live stream.

pub mod catch_up;
pub mod distinct;
pub mod embedded;
pub mod figures;
#[cfg(feature = "formats")]
pub mod formats;
pub mod gate;
pub mod leftovers;
pub mod live;
pub mod load;
pub mod stage;
pub mod sweep;
pub mod tables;
pub mod timing;
