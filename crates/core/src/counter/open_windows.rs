//! The windows of one unit that still accept frames.

use crate::counter::members::Members;
use crate::window::{Unit, Window};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// One window with its users. Kept small, as there may be a hundred thousand of them.
#[derive(Clone, Debug, Default)]
pub struct Open {
    /// Its users.
    pub users: Members,
    /// Its frames.
    pub frames: u64,
    /// The revision of its last result at or after the watermark.
    pub revision: Option<u32>,
    /// Whether it changed since its last result of any timing.
    pub changed: bool,
    /// Whether it changed since its state was last written.
    pub unsaved: bool,
    /// Whether its state was ever written.
    pub saved: bool,
    /// Whether all its frames were far from every clock.
    pub far: bool,
}

/// The open windows that hold only frames far from every clock.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Far {
    /// Their number.
    pub windows: usize,
    /// Their users, each counted once a window; none of sketches.
    pub users: u64,
}

impl Far {
    /// Counts a window in, if it is one of them.
    pub fn add(&mut self, open: &Open) {
        if open.far {
            self.windows += 1;
            self.users += open.users.held();
        }
    }

    /// Counts a window out, if it is one of them.
    pub fn remove(&mut self, open: &Open) {
        if open.far {
            self.windows -= 1;
            self.users -= open.users.held();
        }
    }
}

/// A window, ordered by its end, then by its length, the shorter one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByEnd {
    /// Its end.
    pub end: i64,
    /// Its unit.
    pub unit: Unit,
    /// Its start.
    pub start: i64,
}

impl ByEnd {
    /// The window itself.
    pub fn window(self) -> Window {
        Window { unit: self.unit, start: self.start, end: self.end }
    }
}

impl From<Window> for ByEnd {
    fn from(Window { unit, start, end }: Window) -> ByEnd {
        ByEnd { end, unit, start }
    }
}

/// The windows of one unit.
pub struct Lane {
    unit: Unit,
    open: HashMap<i64, Open, RandomState>,
    // The window of the last frame: most frames fall into it, and finding a month takes calendar arithmetic.
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

    /// The window `window`, which is opened if it is not open.
    #[inline]
    pub fn open(&mut self, window: Window) -> &mut Open {
        self.open.entry(window.start).or_default()
    }

    /// The window `window`, if it is open.
    pub fn get(&mut self, window: &Window) -> Option<&mut Open> {
        self.open.get_mut(&window.start)
    }

    /// Removes a window and returns it.
    pub fn evict(&mut self, window: &Window) -> Option<Open> {
        self.open.remove(&window.start)
    }

    /// Every open window, in no order.
    pub fn windows(&self) -> impl Iterator<Item = (Window, &Open)> {
        self.open.iter().map(|(start, open)| (self.unit.window(*start), open))
    }
}
