//! Output against truth: what `verify` and `bench` share.

pub mod check;
pub mod verdict_table;
