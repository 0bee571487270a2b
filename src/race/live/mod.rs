//! A live race: how late results are while frames come at a rate, and which rate an engine sustains.

pub mod bracket;
pub mod closing;
pub mod generator;
pub mod keeping;
pub mod load;
pub mod run;
pub mod tables;
pub mod verdict;
