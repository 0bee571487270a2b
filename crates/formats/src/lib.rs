//! Frames in other formats than JSON: how they are written, and how user id and event time are read from them.
//!
//! [`Original`] is a frame as JSON, with its truth and its values in memory. A [`Codec`] writes originals in one
//! [`Encoding`], and reads user id and event time back, with the whole frame validated or without. [`Records`] are
//! messages as a batch of Kafka has them, and [`Packer`] compresses that.
//!
//! Frames may be nested 1,024 levels deep, and the libraries of the formats recurse: call this crate on a thread with
//! [`STACK_BYTES`] of stack.

#![warn(missing_docs)]

mod answer;
mod arrow;
mod avro;
mod batches;
mod cbor;
mod checked;
mod codec;
mod encoding;
mod error;
mod header;
mod items;
mod json;
mod message_pack;
mod original;
mod packing;
mod protobuf;
mod tree;
mod walk;
mod whole;

pub use batches::{BATCH_BYTES, BATCH_MESSAGES, Batch, Records, values};
pub use codec::{Codec, Take, Validation};
pub use encoding::{Encoding, MESSAGE_BYTES};
pub use error::FormatError;
pub use original::Original;
pub use packing::{LZ4_BLOCK_BYTES, Packer, ZSTD_LEVEL};
pub use tree::Tree;
pub use whole::{groups, key, read_all, write_all};

/// How much stack the deepest frame needs, in bytes, with room: pages that are not touched cost nothing.
pub const STACK_BYTES: usize = 256 << 20;
