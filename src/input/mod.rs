//! Files, gzip and standard input → blocks of whole lines, in constant memory.
//!
//! Gzip is recognised by its first bytes. Everything before a place that cannot be read is delivered, then the error.
//!
//! * A truncated gzip gives an exact prefix of its lines. Cut between two members, or to nothing, it is a valid file.
//! * A damaged gzip gives exact lines up to the damaged member. What is decoded of that member itself may be wrong,
//!   because its only checksum stands at its end; but it always ends in an error, and the error names the lines in doubt.
//! * Damage in the two bytes that make a file gzip cannot be seen: the file is read as text, and none of it is a frame.
//!   Nor can damage in what does not affect the data: the time in a header, padding bits.

mod blocks;
mod error;
mod foreign;
mod gzip;
mod names;
mod parts;
mod progress;
mod raw;
mod read_ahead;
pub mod several;
pub mod source;
mod stamp;
pub mod truth;

pub use blocks::{Digest, Finished, Input};
pub use error::{Cut, InputError};
pub use kuu_core::lines::{Block, Lines, is_blank};
pub use names::{check, distinct, is_stream};
pub use parts::{Part, between};
pub use progress::Progress;
pub use stamp::Originals;
