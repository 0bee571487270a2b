//! A part of a stream: lines, and what each was meant to say.

use super::page::Page;
use kuu_frame::Malformed;

/// What a line was meant to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A frame.
    Frame {
        /// Number of the user, from 0.
        user: u32,
        /// Event time in Unix seconds.
        ts: i64,
        /// Whether `ts` has nothing to do with the time of its partition.
        is_wild: bool,
    },
    /// Something else, which is no frame for this reason.
    Malformed(Malformed),
    /// Nothing: a blank line of a file, which no topic gets.
    Blank,
}

/// One line of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeneratedLine<'a> {
    /// The bytes without the line end.
    pub bytes: &'a [u8],
    /// The partition that it belongs to.
    pub partition: u16,
    /// What it was meant to say.
    pub meant: Meant,
}

impl GeneratedLine<'_> {
    /// The event time in Unix seconds of a frame, if it has to do with the time of its partition.
    pub fn plausible_ts(&self) -> Option<i64> {
        match self.meant {
            Meant::Frame { ts, is_wild: false, .. } => Some(ts),
            _ => None,
        }
    }
}

/// Lines that follow each other. Reusable: the generator refills it without allocating.
#[derive(Default)]
pub struct GeneratedBlock {
    pub(super) page: Page,
    pub(super) lines: Vec<Place>,
    /// Lines of each trouble of the specification; then those that are delayed.
    pub(super) counts: Vec<u64>,
    /// Number of the last line in the stream, from 1.
    pub(super) up_to: u64,
}

/// Where a line is in the block, and what it means.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) partition: u16,
    pub(super) meant: Meant,
}

impl GeneratedBlock {
    /// All lines with their line ends.
    pub fn bytes(&self) -> &[u8] {
        self.page.bytes()
    }

    /// Number of lines.
    pub fn len(&self) -> u64 {
        self.lines.len() as u64
    }

    /// Whether it has no lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Every line.
    pub fn lines(&self) -> impl Iterator<Item = GeneratedLine<'_>> {
        self.lines.iter().map(|place| GeneratedLine {
            bytes: &self.page.bytes()[place.start..place.end],
            partition: place.partition,
            meant: place.meant,
        })
    }

    pub(super) fn clear(&mut self, troubles: usize) {
        self.page.clear();
        self.lines.clear();
        self.counts.clear();
        self.counts.resize(troubles + 1, 0);
    }
}
