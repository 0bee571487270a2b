//! kuu counts unique users per window of event time in a stream of JSON frames,
//! measures how fast and how late it does so, and proves its answer.
//!
//! Dependencies point one way: `main` → [`cmd`] → [`edge`] → [`core`]; [`cli`] stands alone.

pub mod cli;
pub mod cmd;
pub mod core;
pub mod edge;
