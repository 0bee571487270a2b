//! Of the edges, the one that reads files, and what it needs.

#[path = "../../src/edge/fault.rs"]
pub mod fault;

#[path = "../../src/edge/input/mod.rs"]
pub mod input;
