//! The windows of one unit that still accept frames.

use crate::core::window::{Unit, Window};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use roaring::RoaringBitmap;

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
        })
    }

    /// The window `window`, if it is open.
    pub fn get(&mut self, window: &Window) -> Option<&mut Open> {
        self.open.get_mut(&window.start)
    }

    /// Forgets a window.
    pub fn evict(&mut self, window: &Window) {
        self.open.remove(&window.start);
    }

    /// Every open window, in no order.
    pub fn windows(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }
}
