//! Between which answers a window is right.

use super::tally::UsersByWindow;
use crate::window::Window;
use std::collections::BTreeMap;

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

/// Whether an answer is right for a count that corrects: every frame counts, but those after the retention need not.
pub(super) fn are_kept(bounds: &BTreeMap<Window, Bounds>, answer: &UsersByWindow) -> bool {
    answer.keys().all(|window| bounds.contains_key(window))
        && bounds.iter().all(|(window, it)| (it.kept..=it.max).contains(answer.get(window).unwrap_or(&0)))
}
