//! The raw bytes of one input, buffered and counted.

use crate::input::error::Fault;
use crate::input::progress::Progress;
use crate::input::read_ahead::{Ahead, RawChunk};
use std::io::Read;
use std::sync::atomic::Ordering;

/// A buffered reader that knows its position.
pub(super) struct Raw {
    ahead: Ahead,
    chunk: RawChunk,
    from: usize,
    read: u64,
    progress: Progress,
    /// The start of the gzip member at which reading stops.
    pub(super) pause: Option<u64>,
}

impl Raw {
    pub(super) fn new(reader: Box<dyn Read + Send>, progress: Progress) -> Raw {
        Raw::starting_at(0, reader, progress)
    }

    /// A reader that starts at a position; its hash is not that of the whole file.
    pub(super) fn starting_at(read: u64, reader: Box<dyn Read + Send>, progress: Progress) -> Raw {
        Raw { ahead: Ahead::Waiting(reader), chunk: RawChunk::default(), from: 0, read, progress, pause: None }
    }

    /// Whether reading has reached the place where it stops.
    pub(super) fn paused(&self) -> bool {
        self.pause == Some(self.position())
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Number of bytes returned so far, which is the position of the next one in the file.
    pub(super) fn position(&self) -> u64 {
        self.read - self.left().len() as u64
    }

    fn left(&self) -> &[u8] {
        &self.chunk.bytes()[self.from..]
    }

    /// Buffered bytes, at least one unless the input has ended.
    pub(super) fn buffered(&mut self) -> Result<&[u8], Fault> {
        self.peek(1)
    }

    /// At least `count` buffered bytes, or fewer at the end of the input; `count` should be small.
    pub(super) fn peek(&mut self, count: usize) -> Result<&[u8], Fault> {
        while self.left().len() < count {
            let left = self.left().to_vec();
            let next = self.ahead.next(std::mem::take(&mut self.chunk), self.read);
            self.from = 0;
            let (next, fault) = match next {
                Ok(next) => (next, None),
                Err(fault) => (RawChunk::default(), Some(fault)),
            };
            let n = next.bytes().len();
            self.chunk = next;
            self.chunk.prepend(&left);
            if let Some(fault) = fault {
                return Err(fault);
            }
            self.read += n as u64;
            self.progress.read.store(self.read, Ordering::Relaxed);
            if n == 0 {
                break;
            }
        }
        Ok(self.left())
    }

    /// Marks the next `count` buffered bytes as read.
    pub(super) fn consume(&mut self, count: usize) {
        self.from = (self.from + count).min(self.chunk.bytes().len());
    }

    /// Copies bytes into `dst`; returns 0 at the end of the input.
    pub(super) fn read(&mut self, dst: &mut [u8]) -> Result<usize, Fault> {
        let buffered = self.buffered()?;
        let n = buffered.len().min(dst.len());
        dst[..n].copy_from_slice(&buffered[..n]);
        self.consume(n);
        Ok(n)
    }

    /// The next byte, or `None` at the end.
    pub(super) fn byte(&mut self) -> Result<Option<u8>, Fault> {
        let byte = self.buffered()?.first().copied();
        self.consume(1);
        Ok(byte)
    }

    /// Reads to the end of the input; returns the number of its bytes and their SHA-256.
    pub(super) fn finish(mut self) -> Result<(u64, [u8; 32]), Fault> {
        while !self.buffered()?.is_empty() {
            self.from = self.chunk.bytes().len();
        }
        Ok((self.read, self.ahead.hash(self.read)?))
    }
}
