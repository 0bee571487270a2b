//! Comparison of results with the truth, shared by `verify` and `bench`.

pub mod check;
pub mod verdict_table;
