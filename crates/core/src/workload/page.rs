//! Where the text of a block is written.

use super::vocabulary::Container;

/// A buffer that is written from the start on.
#[derive(Default)]
pub(super) struct Page {
    /// Always initialised over its whole length, so that writing needs no unsafe code.
    pub(super) buf: Vec<u8>,
    pub(super) at: usize,
    /// The arrays and objects that are open.
    pub(super) open: Vec<Open>,
}

/// An array or object that is being written.
pub(super) struct Open {
    pub(super) start: usize,
    pub(super) what: Container,
}

impl Page {
    pub(super) fn clear(&mut self) {
        self.at = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.at
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.buf[..self.at]
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buf[..self.at]
    }

    pub(super) fn truncate(&mut self, at: usize) {
        self.at = at;
    }

    /// Makes room for `more` bytes.
    #[inline]
    pub(super) fn reserve(&mut self, more: usize) {
        let needed = self.at + more;
        if self.buf.len() < needed {
            self.grow(needed);
        }
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        let len = needed.next_multiple_of(1 << 16);
        if self.at == 0 {
            // The system has zeros ready.
            self.buf = vec![0; len];
        } else {
            self.buf.resize(len, 0);
        }
    }

    /// The bytes that are written next.
    #[inline]
    pub(super) fn next<const N: usize>(&mut self) -> &mut [u8; N] {
        self.buf[self.at..].first_chunk_mut().expect("the page has room for a frame")
    }

    /// Leaves the next bytes as they are.
    #[inline]
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Writes text that may be of any length.
    pub(super) fn put(&mut self, text: &[u8]) {
        self.buf[self.at..self.at + text.len()].copy_from_slice(text);
        self.at += text.len();
    }

    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) {
        self.buf[self.at] = byte;
        self.at += 1;
    }

    /// Copies a part of the page to its end.
    pub(super) fn repeat(&mut self, part: std::ops::Range<usize>) {
        let len = part.len();
        self.buf.copy_within(part, self.at);
        self.at += len;
    }
}
