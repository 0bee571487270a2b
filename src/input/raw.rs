//! The raw bytes of one input: buffered and counted as they are taken.

use crate::input::error::Fault;
use crate::input::progress::Progress;
use crate::input::read_ahead::{Ahead, RawChunk};
use std::io::Read;
use std::sync::atomic::Ordering;

/// Buffered reader that knows its position.
pub(super) struct Raw {
    ahead: Ahead,
    chunk: RawChunk,
    from: usize,
    read: u64,
    progress: Progress,
    /// Where a gzip member begins that is not to be read.
    pub(super) pause: Option<u64>,
}

impl Raw {
    pub(super) fn new(reader: Box<dyn Read + Send>, progress: Progress) -> Raw {
        Raw::starting_at(0, reader, progress)
    }

    /// The bytes from a position on; their hash is that of no file.
    pub(super) fn starting_at(read: u64, reader: Box<dyn Read + Send>, progress: Progress) -> Raw {
        Raw { ahead: Ahead::Waiting(reader), chunk: RawChunk::default(), from: 0, read, progress, pause: None }
    }

    /// Whether the next byte is not to be read.
    pub(super) fn paused(&self) -> bool {
        self.pause == Some(self.position())
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Number of bytes handed out so far: where the next one stands in the file.
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

    /// Buffered bytes, at least `count`, which should be few, unless the input ends before them.
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

    /// Marks the next `count` buffered bytes as handed out.
    pub(super) fn consume(&mut self, count: usize) {
        self.from = (self.from + count).min(self.chunk.bytes().len());
    }

    /// Copies bytes into `dst`; 0 means that the input has ended.
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

    /// Reads to the end of the input: number of its bytes and their SHA-256.
    pub(super) fn finish(mut self) -> Result<(u64, [u8; 32]), Fault> {
        while !self.buffered()?.is_empty() {
            self.from = self.chunk.bytes().len();
        }
        Ok((self.read, self.ahead.hash(self.read)?))
    }
}
