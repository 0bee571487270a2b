//! The changes of a counter's state since they were last written: changed windows, and deleted records.

use crate::counter::members::Members;
use crate::counter::open_windows::{ByEnd, Open};
use crate::window::Window;

/// One change of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key of the record.
    pub key: String,
    /// The new value, none if the record is deleted.
    pub value: Option<Vec<u8>>,
}

/// The changes since the last call of [`Counter::changes`], in a counter that keeps its state.
#[derive(Default)]
pub(super) struct Journal {
    /// Windows that changed; each has its `unsaved` flag set.
    pub(super) touched: Vec<ByEnd>,
    /// Keys of deleted records.
    pub(super) gone: Vec<String>,
    /// Whether any value was observed.
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
        match &open.users {
            Members::Few(_) => {}
            Members::Many(many) => self.gone.extend(many.saved.iter().map(|number| chunk_key(window, *number))),
            Members::Sketch(sketched) => self.gone.extend((0..sketched.saved).map(|piece| chunk_key(window, piece))),
        }
    }
}

/// Key of one chunk of the users of a large window, or of one piece of its sketch.
pub(super) fn chunk_key(window: &Window, number: u32) -> String {
    format!("{}/{number}", window.key())
}
