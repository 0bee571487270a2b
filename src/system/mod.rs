//! The machine and the operating system.

pub mod clock;
pub mod deadline;
pub mod errand;
pub mod fault;
pub mod host;
pub mod keeper;
pub mod memory;
pub mod panics;
pub mod programs;
pub mod server_process;
pub mod spares;
