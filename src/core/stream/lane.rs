//! The windows of one unit that still accept frames.

use crate::core::window::{Unit, Window};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use roaring::RoaringBitmap;
use std::collections::BTreeSet;

/// One window with its users.
#[derive(Clone, Debug)]
pub struct Open {
    /// Which window.
    pub window: Window,
    /// Its users, by number.
    pub users: RoaringBitmap,
    /// Its frames.
    pub frames: u64,
    /// The revision of its last result at or after the watermark.
    pub revision: Option<u32>,
    /// Whether it changed since its last result of any timing.
    pub changed: bool,
    /// Whether it changed since its state was last written.
    pub unsaved: bool,
    /// Chunks of users that grew since.
    pub grown: Vec<u32>,
    /// Chunks of users that were ever written.
    pub saved: BTreeSet<u32>,
}

impl Open {
    /// Notes that a chunk of its users grew.
    #[inline]
    pub fn grow(&mut self, chunk: u32) {
        if !self.grown.contains(&chunk) {
            self.grown.push(chunk);
        }
    }
}

/// The windows of one unit.
pub struct Lane {
    unit: Unit,
    open: HashMap<i64, Open, RandomState>,
    // Finding a month takes calendar arithmetic; frames mostly stay in one.
    last: Window,
}

impl Lane {
    /// No windows yet.
    pub fn new(unit: Unit) -> Lane {
        Lane { unit, open: HashMap::default(), last: unit.window(0) }
    }

    /// The window of the second `ts`, open or not.
    #[inline]
    pub fn window(&mut self, ts: i64) -> Window {
        if !self.last.contains(ts) {
            self.last = self.unit.window(ts);
        }
        self.last
    }

    /// The window `window`, opened if need be.
    #[inline]
    pub fn open(&mut self, window: Window) -> &mut Open {
        self.open.entry(window.start).or_insert_with(|| Open {
            window,
            users: RoaringBitmap::new(),
            frames: 0,
            revision: None,
            changed: false,
            unsaved: false,
            grown: Vec::new(),
            saved: BTreeSet::new(),
        })
    }

    /// The window `window`, if it is open.
    pub fn get(&mut self, window: &Window) -> Option<&mut Open> {
        self.open.get_mut(&window.start)
    }

    /// Forgets a window, and gives what it was.
    pub fn evict(&mut self, window: &Window) -> Option<Open> {
        self.open.remove(&window.start)
    }

    /// Every open window, in no order.
    pub fn windows(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }
}
