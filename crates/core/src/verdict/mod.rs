//! Results against the truth: fold the rows of an output topic, compare window by window. The rules are in
//! `docs/verify.md`.

mod compare;
mod fold;
mod row;
#[cfg(test)]
mod tests;

pub use compare::{Comparison, Line};
pub use fold::{Fold, Message, Repeats};
pub use row::{Row, parse_key};

/// Users and frames of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Distinct users.
    pub users: u64,
    /// Frames; an engine may leave them out.
    pub frames: Option<u64>,
}

impl Count {
    /// Whether both say the same, as far as both say it.
    pub fn agrees(&self, other: &Count) -> bool {
        let frames = self.frames.zip(other.frames).is_none_or(|(ours, theirs)| ours == theirs);
        self.users == other.users && frames
    }
}
