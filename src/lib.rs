//! kuu counts unique users per window of event time in a stream of JSON frames, measures its throughput and latency,
//! and verifies its results.
//!
//! Layers, from the top: `main`, [`commands`], [`bench`] and [`race`], [`verification`], [`count`], [`kafka`], [`input`] and
//! [`output`], [`engine`], then [`cli`], [`record`], [`terminal`] and [`system`]; below them the crates `kuu-core` and
//! `kuu-frame`. Imports point down only.

pub mod bench;
pub mod cli;
pub mod commands;
pub mod count;
pub mod engine;
pub mod input;
pub mod kafka;
pub mod output;
pub mod race;
pub mod record;
pub mod system;
pub mod terminal;
pub mod verification;
