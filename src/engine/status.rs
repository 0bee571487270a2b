//! The progress of a run, and its summary.

use kuu_core::latency::Histogram;
use std::time::Duration;

/// The progress of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Status {
    /// Frames so far.
    pub frames: u64,
    /// Windows without an on-time result.
    pub pending: usize,
    /// Results so far.
    pub results: u64,
    /// The watermark in Unix seconds.
    pub watermark: Option<i64>,
    /// Whether every partition of a live stream is at its end.
    pub caught_up: bool,
    /// A partition of a live stream whose frames do not agree on the time, if there is one.
    pub doubtful: Option<Doubtful>,
}

/// A partition without a plausible clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubtful {
    /// The first such partition.
    pub partition: usize,
    /// Whether the partition is left out of the watermark; otherwise it holds the watermark back.
    pub left_out: bool,
    /// The number of other such partitions.
    pub others: usize,
}

/// The summary of a run.
#[derive(Default)]
pub struct RunSummary {
    /// Whether it was interrupted; then open windows have no result.
    pub interrupted: bool,
    /// The next offset of each partition, -1 if nothing was read.
    pub positions: Vec<i64>,
    /// Number of results.
    pub results: u64,
    /// Bytes of the values that were read.
    pub read_bytes: u64,
    /// The time from the first frames to the acknowledgement of the last results; on a live stream, which waits for
    /// frames, to the last frames, without the idle time between.
    pub elapsed: Duration,
    /// On a live stream, the time between frames of which none came for two seconds or more.
    pub idle: Duration,
    /// The transit latency in microseconds, on a live stream whose frames carry times.
    pub transit: Histogram,
    /// As in [`Status`], at the end of the run.
    pub doubtful: Option<Doubtful>,
}
