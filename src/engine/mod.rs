//! The run of a counter: the queue that feeds it, its loop, and how it is asked to end.

pub mod patience;
pub mod queue;
pub mod run;
pub mod sink;
pub mod start;
pub mod status;
pub mod stop;
