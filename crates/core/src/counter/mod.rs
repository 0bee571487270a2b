//! The counter: frames in, results out, deterministic in the order of its input.

mod config;
mod counting;
mod emission;
mod interner;
mod journal;
mod members;
mod open_windows;
mod snapshot;
mod watermark;

pub use config::{Config, MAX_OPEN_WINDOWS};
pub use counting::Counter;
pub use emission::{Emission, Fate, Timing};
pub use interner::LARGEST_BLOCK;
pub use journal::Change;
pub use snapshot::{Damaged, Records};
pub use watermark::{CORROBORATION, Clocks, Watermark};
