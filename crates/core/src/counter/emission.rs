//! The output of the counter: results, and the fate of each frame.

use crate::distinct::Distinct;
use crate::window::Window;
use strum::{EnumString, IntoStaticStr};

/// When a result was emitted, relative to the watermark (the names are Apache Beam's).
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Timing {
    /// The watermark has not reached the end of the window.
    Early,
    /// The first result at or after the watermark.
    OnTime,
    /// A correction.
    Late,
}

impl Timing {
    /// The name in a result row.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// One result: an upsert of its window's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emission {
    /// The window.
    pub window: Window,
    /// The distinct users so far.
    pub users: u64,
    /// The frames so far.
    pub frames: u64,
    /// How the users were counted.
    pub distinct: Distinct,
    /// The time relative to the watermark.
    pub timing: Timing,
    /// 0 for the on-time result, then one more for each correction; early results have none.
    pub revision: Option<u32>,
}

/// The fate of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// At least one window counts the frame.
    Counted,
    /// Its window is beyond retention.
    TooLate,
    /// Its window is far from every clock, and too many such windows are open.
    TooFar,
}
