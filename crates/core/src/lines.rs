//! A block of whole lines, which the reading thread passes to the parsing threads.

use memchr::{memchr, memrchr};

/// Whole lines of an input, and their position in it. Reusable: a reader refills it without allocating.
#[derive(Debug, Default)]
pub struct Block {
    /// The storage, always initialised over its whole length, so that a refill costs nothing.
    buf: Vec<u8>,
    start: usize,
    end: usize,
    first_line: u64,
}

impl Block {
    /// A block of the lines in `bytes`; the first line has the number `first_line`.
    pub fn new(bytes: Vec<u8>, first_line: u64) -> Block {
        Block { start: 0, end: bytes.len(), buf: bytes, first_line }
    }

    /// The lines with their line ends.
    pub fn bytes(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    /// Bytes of its storage: more than [`Block::bytes`] has, if not all of it holds lines.
    pub fn storage_len(&self) -> usize {
        self.buf.len()
    }

    /// Number of the first line in its input, from 1.
    pub fn first_line(&self) -> u64 {
        self.first_line
    }

    /// The lines with their numbers, without their line ends.
    pub fn lines(&self) -> Lines<'_> {
        Lines { rest: self.bytes(), number: self.first_line }
    }

    /// Drops everything after the first `most` lines that are not blank; returns how many such lines remain.
    pub fn keep(&mut self, most: u64) -> u64 {
        let mut kept = 0;
        let mut lines = self.lines();
        while kept < most {
            match lines.next() {
                Some((_, line)) => kept += u64::from(!is_blank(line)),
                None => return kept,
            }
        }
        self.end -= lines.rest.len();
        kept
    }

    /// Removes the first line, and returns it with its line end.
    pub fn take_first(&mut self) -> Vec<u8> {
        let len = memchr(b'\n', self.bytes()).map_or(self.bytes().len(), |at| at + 1);
        let line = self.bytes()[..len].to_vec();
        self.start += len;
        self.first_line += 1;
        line
    }

    /// Empties the block and returns its storage, which holds `size` bytes or a little more.
    pub fn storage(&mut self, size: usize) -> &mut Vec<u8> {
        (self.start, self.end) = (0, 0);
        // A block that held a very long line must not keep that memory.
        if self.buf.len() > size.saturating_mul(2) {
            self.buf = Vec::new();
        }
        if self.buf.len() < size {
            self.buf.resize(size, 0);
        }
        &mut self.buf
    }

    /// Declares the bytes `start..end` of the storage to be the lines, the first with the number `first_line`.
    pub fn fill(&mut self, start: usize, end: usize, first_line: u64) {
        self.end = end.min(self.buf.len());
        self.start = start.min(self.end);
        self.first_line = first_line;
    }
}

/// Iterates over the lines of a [`Block`] without allocating.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
    number: u64,
}

impl<'a> Iterator for Lines<'a> {
    /// Number of the line in its input, from 1, and its bytes without `\n` or `\r\n`.
    type Item = (u64, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<(u64, &'a [u8])> {
        if self.rest.is_empty() {
            return None;
        }
        let line = match memchr(b'\n', self.rest) {
            Some(at) => {
                let (line, rest) = self.rest.split_at(at);
                self.rest = &rest[1..];
                line.strip_suffix(b"\r").unwrap_or(line)
            }
            None => std::mem::take(&mut self.rest),
        };
        let number = self.number;
        self.number += 1;
        Some((number, line))
    }
}

/// Whether a line holds nothing but JSON whitespace. Blank lines are not frames.
#[inline]
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// Number of bytes up to the last line end, which is included.
pub fn whole_lines(bytes: &[u8]) -> usize {
    memrchr(b'\n', bytes).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(u64, String)> {
        let block = Block::new(text.into(), 7);
        block.lines().map(|(number, line)| (number, String::from_utf8(line.to_vec()).unwrap())).collect()
    }

    #[test]
    fn both_terminators_and_none() {
        assert_eq!(
            lines("a\nb\r\n\n\r\nc\rd\r\r\ne"),
            [
                (7, "a".into()),
                (8, "b".into()),
                (9, String::new()),
                (10, String::new()),
                (11, "c\rd\r".into()),
                (12, "e".into())
            ]
        );
        assert_eq!(lines(""), []);
        assert_eq!(lines("\n"), [(7, String::new())]);
    }

    #[test]
    fn blank() {
        for line in ["", " ", "\t \r"] {
            assert!(is_blank(line.as_bytes()), "{line:?}");
        }
        for line in ["{}", " x", "\u{b}", "\0", "\u{a0}"] {
            assert!(!is_blank(line.as_bytes()), "{line:?}");
        }
    }

    #[test]
    fn keeps_the_first_frames() {
        for (most, kept, text) in
            [(0, 0, ""), (1, 1, " \na\n"), (2, 2, " \na\n\nb\n"), (3, 3, " \na\n\nb\nc"), (4, 3, " \na\n\nb\nc")]
        {
            let mut block = Block::new(b" \na\n\nb\nc".to_vec(), 1);
            assert_eq!(block.keep(most), kept);
            assert_eq!(block.bytes(), text.as_bytes(), "{most}");
        }
    }

    #[test]
    fn storage_is_reused_and_given_back() {
        let mut block = Block::default();
        assert_eq!(block.storage(10).len(), 10);
        block.storage(10).resize(20, 0);
        assert_eq!(block.storage(10).len(), 20);
        block.storage(10).resize(21, 0);
        assert_eq!(block.storage(10).len(), 10);
        block.storage(4)[..4].copy_from_slice(b"a\nb\n");
        block.fill(2, 4, 9);
        assert_eq!(block.lines().collect::<Vec<_>>(), [(9, b"b".as_slice())]);
    }
}
