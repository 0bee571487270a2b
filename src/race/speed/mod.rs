//! A race for speed: cold runs at several sizes, steady runs, and what they cost.

pub mod beside;
pub mod cold;
pub mod course;
pub mod estimates;
pub mod field;
pub mod frontier;
pub mod quiet;
pub mod steady;
pub mod stream;
pub mod tables;
