//! One count put together: input, counter and sink; and again after a setback.

pub mod lines_sink;
pub mod observer;
pub mod recovery;
mod resume;
pub mod window_table;
