//! Reads files, gzip and standard input as blocks of whole lines, in constant memory.
//!
//! The first bytes show whether an input is gzip. All lines before a place that cannot be read are delivered, then the
//! error.
//! * A truncated gzip file gives an exact prefix of its lines. If it is cut between two members, or empty, it is valid.
//! * A damaged gzip file gives exact lines up to the damaged member. The decoded lines of that member may be wrong,
//!   because its only checksum is at its end; but reading always ends in an error, which names the lines in doubt.
//! * Damage to the two bytes that identify gzip cannot be detected: the file is read as text, and no line is a frame.
//!   Nor can damage to bytes without an effect on the data: the time in a header, padding bits.
//!   Nor can damage to bytes without an effect on the data: the time in a header, padding bits.

mod blocks;
mod error;
mod foreign;
mod gzip;
mod lent;
mod names;
mod parts;
mod progress;
mod raw;
mod read_ahead;
pub mod several;
pub mod source;
mod stamp;
pub mod truth_of_files;
pub mod truth_of_workload;

pub use blocks::{Digest, Finished, Input};
pub use error::{Cut, InputError};
pub use kuu_core::lines::{Block, Lines, is_blank};
pub use lent::LentBlock;
pub use names::{check, distinct, is_stream};
pub use parts::{Part, between};
pub use progress::Progress;
pub use stamp::Originals;
