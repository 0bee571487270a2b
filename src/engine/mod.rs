//! The run of a counter: the queue that feeds it, its loop, and how a run is stopped.

pub mod patience;
pub mod queue;
pub mod run;
pub mod schedule;
pub mod sink;
pub mod start;
pub mod status;
pub mod stop;
