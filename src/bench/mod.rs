//! Measurements: each phase beside its ceiling, and the latency of a live stream.

pub mod catch_up;
pub mod embedded;
pub mod figures;
pub mod gate;
pub mod leftovers;
pub mod live;
pub mod load;
pub mod stage;
pub mod tables;
