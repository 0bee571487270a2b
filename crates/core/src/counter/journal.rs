//! What a counter keeps account of for its state: which windows changed, and which are no more.

use crate::counter::members::Members;
use crate::counter::open_windows::{ByEnd, Open};
use crate::window::Window;

/// One change of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What changed.
    pub key: String,
    /// What it is now, none if it is no more.
    pub value: Option<Vec<u8>>,
}

/// What changed since a counter was last asked, kept by a counter that was told to.
#[derive(Default)]
pub(super) struct Journal {
    /// Windows that are not as they were; each has its `unsaved` flag set.
    pub(super) touched: Vec<ByEnd>,
    /// Keys of what is no more.
    pub(super) gone: Vec<String>,
    /// Whether anything at all was observed.
    pub(super) moved: bool,
}

impl Journal {
    #[inline]
    pub(super) fn touch(&mut self, window: &Window, open: &mut Open) {
        self.moved = true;
        if !open.unsaved {
            open.unsaved = true;
            self.touched.push(ByEnd::from(*window));
        }
    }

    #[inline]
    pub(super) fn moved(&mut self) {
        self.moved = true;
    }

    pub(super) fn evict(&mut self, window: &Window, open: &Open) {
        if open.saved {
            self.gone.push(window.key());
        }
        if let Members::Many(many) = &open.users {
            self.gone.extend(many.saved.iter().map(|number| chunk_key(window, *number)));
        }
    }
}

/// Key of a part of the users of a window with many.
pub(super) fn chunk_key(window: &Window, number: u32) -> String {
    format!("{}/{number}", window.key())
}
