//! What every format can do.

use crate::error::FormatError;
use crate::original::Original;

/// Takes user id and event time (Unix seconds) of each frame of a message, in order.
pub type Take<'t> = dyn FnMut(&str, i64) + 't;

/// How much of a message is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// All of it: what is no frame is an error.
    Whole,
    /// Only what is needed to find user id and event time, as a good reader of this format does that trusts the writer.
    Skip,
}

/// Writes and reads frames in one format, with its scratch memory.
pub trait Codec {
    /// Writes one message, which `message` becomes. It holds one frame, or all of `frames` if the format is columnar.
    ///
    /// # Errors
    /// If the library of the format refuses a frame.
    fn encode(&mut self, frames: &[Original], message: &mut Vec<u8>) -> Result<(), FormatError>;

    /// Reads user id and event time of every frame of a message.
    ///
    /// # Errors
    /// If the message breaks a rule that this validation checks.
    fn read(&mut self, message: &[u8], validation: Validation, take: &mut Take<'_>) -> Result<(), FormatError>;
}

/// The one frame of a message that is not columnar.
pub(crate) fn only(frames: &[Original]) -> Result<&Original, FormatError> {
    match frames {
        [frame] => Ok(frame),
        _ => Err(FormatError::Library(format!("{} frames for a message that holds one", frames.len()))),
    }
}
