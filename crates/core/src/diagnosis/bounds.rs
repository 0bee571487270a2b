//! Between which answers a window is right.

/// Between how many users a right answer has in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Without the frames that are late within their own partition: the fewest that a count may have that drops those.
    pub min: u64,
    /// Without the frames that come after the retention of their window: the fewest of a count that corrects.
    pub kept: u64,
    /// All frames: the most.
    pub max: u64,
}
