//! Writers of topics: frames, results, dead letters.

pub mod deliveries;
pub mod delivery;
pub mod fitting;
pub mod frame_sender;
pub mod held_blocks;
pub mod lending;
pub mod paced;
pub mod replay;
pub mod result_outcome;
pub mod result_writer;
pub mod sending;
