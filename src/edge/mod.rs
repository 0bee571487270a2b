//! Where the program meets files, brokers, the machine and the terminal.

pub mod bench;
pub mod clock;
pub mod fault;
pub mod feed;
pub mod file_source;
pub mod files;
pub mod host;
pub mod input;
pub mod job;
pub mod kafka;
pub mod lines_sink;
pub mod memory;
pub mod panics;
pub mod pipeline;
pub mod properties;
pub mod replay;
pub mod results;
pub mod screen;
pub mod stop;
pub mod truth;
pub mod window_table;
