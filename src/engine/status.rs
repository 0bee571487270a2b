//! What is known of a run: while it goes on, and at its end.

use kuu_core::latency::Histogram;
use std::time::Duration;

/// What is known while it runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Status {
    /// Frames so far.
    pub frames: u64,
    /// Windows without an on-time result.
    pub pending: usize,
    /// Results so far.
    pub results: u64,
    /// Unix seconds.
    pub watermark: Option<i64>,
    /// Whether the end of every partition of a live stream was reached, and nothing came since.
    pub caught_up: bool,
    /// A partition of a live stream whose frames do not agree on the time, if there is one.
    pub doubtful: Option<Doubtful>,
}

/// A partition without a plausible clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubtful {
    /// The first one.
    pub partition: usize,
    /// Whether it is left out of the watermark; else it holds it back.
    pub left_out: bool,
    /// How many others there are.
    pub others: usize,
}

/// How a run went.
#[derive(Default)]
pub struct RunSummary {
    /// Whether it was interrupted; then open windows have no result.
    pub interrupted: bool,
    /// The next offset of each partition, -1 where nothing was read.
    pub positions: Vec<i64>,
    /// Results that were emitted.
    pub results: u64,
    /// Bytes of the values that were read.
    pub read_bytes: u64,
    /// From the first frames to the last results, acknowledged; on a live stream, which waits for frames, to the last ones.
    pub elapsed: Duration,
    /// Sent to read, on a live stream whose frames carry their times, in microseconds.
    pub transit: Histogram,
    /// As in [`Status`], at the end.
    pub doubtful: Option<Doubtful>,
}
