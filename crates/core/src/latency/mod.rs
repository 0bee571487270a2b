//! Latency: one histogram for each leg of a frame's way.

mod export;
mod histogram;
mod legs;
mod percentile;
mod wire;

pub(crate) use export::distribution;
pub use export::{ExportError, write_hgrm, write_hlog};
pub use histogram::{Histogram, Summary};
pub use legs::{Leg, Legs};
pub use percentile::Percentile;
pub use wire::{HistogramRecord, LegRecords, PercentilesUs, RecordError};
