//! A complete count, of input, counter and sink, and its repetition after a setback.

pub mod lines_sink;
pub mod metrics;
pub mod observer;
pub mod printer;
pub mod recovery;
mod resume;
pub mod window_table;
