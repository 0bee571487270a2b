//! The pure core: bytes and times are arguments, values are results.
//!
//! It uses no Kafka, no clock and no terminal, and no threads except rayon's.

#![warn(missing_docs)]

pub mod comparison;
pub mod compression;
pub mod configuration;
pub mod counter;
pub mod diagnosis;
pub mod distinct;
pub mod distinct_record;
pub mod export;
pub mod formats;
pub mod frame_batch;
pub mod grouped;
pub mod latency;
pub mod ledger;
pub mod lines;
pub mod load_sweep;
pub mod ordered;
pub mod race_live;
pub mod record;
pub mod recovery;
pub mod reorder;
pub mod repeats;
pub mod report;
pub mod result;
pub mod scorecard;
pub mod sketch;
pub mod speed;
pub mod statistics;
pub mod truth;
pub mod turn;
pub mod verdict;
pub mod window;
pub mod window_record;
pub mod workload;
