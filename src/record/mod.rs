//! The records in `results/`.

pub mod store;
