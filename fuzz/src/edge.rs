//! Of the edges, the one that reads files.

#[path = "../../src/edge/input/mod.rs"]
pub mod input;
