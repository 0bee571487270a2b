//! Output against truth: what `verify` and `bench` share.

pub mod check;
pub mod tables;
