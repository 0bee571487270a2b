//! Engines on the same frames, measured from outside.

pub mod building;
pub mod claims;
pub mod command_words;
pub mod descriptor;
pub mod engines;
pub mod receipt;
pub mod source;
pub mod supervisor;
