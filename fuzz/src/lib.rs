//! The parts of kuu that take bytes from outside, built from the same sources but without librdkafka, whose `configure`
//! does not run under cargo-fuzz ("argument list too long").

#![allow(missing_docs)]

#[path = "../../src/core/mod.rs"]
pub mod core;

pub mod edge;
