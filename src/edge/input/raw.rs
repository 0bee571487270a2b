//! The raw bytes of one input: buffered, counted and hashed as they are read.

use super::{Fault, Progress};
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use std::sync::atomic::Ordering;

const BUFFER: usize = 128 * 1024;

/// Buffered reader that hashes what it reads and knows its position.
pub(super) struct Raw {
    reader: Box<dyn Read + Send>,
    buf: Box<[u8]>,
    from: usize,
    to: usize,
    read: u64,
    hash: Sha256,
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
        let buf = vec![0; BUFFER].into_boxed_slice();
        Raw { reader, buf, from: 0, to: 0, read, hash: Sha256::new(), progress, pause: None }
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
        self.read - (self.to - self.from) as u64
    }

    /// Buffered bytes, at least one unless the input has ended.
    pub(super) fn buffered(&mut self) -> Result<&[u8], Fault> {
        self.peek(1)
    }

    /// Buffered bytes, at least `count` (of at most a buffer) unless the input ends before them.
    pub(super) fn peek(&mut self, count: usize) -> Result<&[u8], Fault> {
        while self.to - self.from < count {
            self.buf.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
            let n = Raw::read_into(&mut *self.reader, &mut self.buf[self.to..]);
            let n = n.map_err(|source| Fault::Io { at: self.read, source })?;
            if n == 0 {
                break;
            }
            self.count(self.to, n);
            self.to += n;
        }
        Ok(&self.buf[self.from..self.to])
    }

    /// Marks the next `count` buffered bytes as handed out.
    pub(super) fn consume(&mut self, count: usize) {
        self.from = (self.from + count).min(self.to);
    }

    /// Copies bytes into `dst`; 0 means that the input has ended.
    pub(super) fn read(&mut self, dst: &mut [u8]) -> Result<usize, Fault> {
        let buffered = &self.buf[self.from..self.to];
        if !buffered.is_empty() {
            let n = buffered.len().min(dst.len());
            dst[..n].copy_from_slice(&buffered[..n]);
            self.consume(n);
            return Ok(n);
        }
        let n = Raw::read_into(&mut *self.reader, dst).map_err(|source| Fault::Io { at: self.read, source })?;
        self.hash.update(&dst[..n]);
        self.advance(n);
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
        loop {
            (self.from, self.to) = (0, 0);
            if self.buffered()?.is_empty() {
                return Ok((self.read, self.hash.finalize().into()));
            }
        }
    }

    fn count(&mut self, at: usize, n: usize) {
        self.hash.update(&self.buf[at..at + n]);
        self.advance(n);
    }

    fn advance(&mut self, n: usize) {
        self.read += n as u64;
        self.progress.read.store(self.read, Ordering::Relaxed);
    }

    fn read_into(reader: &mut (dyn Read + Send), dst: &mut [u8]) -> io::Result<usize> {
        loop {
            match reader.read(dst) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}
