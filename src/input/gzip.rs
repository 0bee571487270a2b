//! Reads gzip (RFC 1952) with any number of members.
//!
//! This module parses the members itself and leaves only the deflate data to flate2, because flate2's own readers
//! discard bytes decoded just before an error, do not give its position, and report zero padding as a damaged member.

use crate::input::error::Fault;
use crate::input::raw::Raw;
use crc32fast::Hasher;
use flate2::{Decompress, FlushDecompress, Status};

/// Bytes that are decoded at a time: few enough to be in the cache when the checksum reads them.
const STEP: usize = 256 * 1024;

const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Whether an input that begins with `head` (two bytes, unless it is shorter) is gzip. A lone `1f` cannot be text.
pub(super) fn is_gzip(head: &[u8]) -> bool {
    matches!(head, [0x1f] | [0x1f, 0x8b, ..])
}

enum Section {
    Header,
    Body,
    Trailer,
    End,
}

/// Decoder state; every call passes the compressed bytes in.
pub(super) struct Gunzip {
    inflate: Decompress,
    crc: Hasher,
    section: Section,
    /// First byte of the current member.
    member: u64,
    /// A fault after bytes that are not returned yet.
    fault: Option<Fault>,
    /// Number of members with a correct checksum.
    checked: u64,
}

impl Gunzip {
    pub(super) fn new() -> Gunzip {
        Gunzip {
            inflate: Decompress::new(false),
            crc: Hasher::new(),
            section: Section::Header,
            member: 0,
            fault: None,
            checked: 0,
        }
    }

    /// Number of members with a correct checksum. When a call of [`Gunzip::read`] raises it, all bytes returned before
    /// that call are confirmed.
    pub(super) fn checked(&self) -> u64 {
        self.checked
    }

    /// Decodes into `dst`, which must not be empty; 0 means that the last member to be read has ended correctly.
    pub(super) fn read(&mut self, raw: &mut Raw, dst: &mut [u8]) -> Result<usize, Fault> {
        if let Some(fault) = self.fault.take() {
            self.section = Section::End;
            return Err(fault);
        }
        loop {
            match self.section {
                Section::Header if raw.paused() => return Ok(0),
                Section::Header => {
                    self.section = if self.header(raw)? { Section::Body } else { Section::End };
                }
                Section::Body => match self.body(raw, dst)? {
                    0 => {}
                    n => return Ok(n),
                },
                Section::Trailer => {
                    self.trailer(raw)?;
                    self.checked += 1;
                    self.section = Section::Header;
                }
                Section::End => return Ok(0),
            }
        }
    }

    /// Reads the header of the next member; returns false if there is none.
    fn header(&mut self, raw: &mut Raw) -> Result<bool, Fault> {
        self.member = raw.position();
        match raw.peek(2)? {
            [] => return Ok(false),
            [0, ..] => return padding(raw),
            head if !is_gzip(head) => return Err(Fault::Garbage { at: self.member }),
            _ => {}
        }
        self.inflate.reset(false);
        self.crc.reset();
        let mut fixed = [0; 10];
        for byte in &mut fixed {
            *byte = self.header_byte(raw)?;
        }
        let (method, flags) = (fixed[2], fixed[3]);
        if method != 8 {
            return Err(self.corrupt(raw.position(), "unknown compression method"));
        }
        if flags & RESERVED != 0 {
            return Err(self.corrupt(raw.position(), "reserved flag in a header"));
        }
        if flags & EXTRA != 0 {
            let length = u16::from_le_bytes([self.header_byte(raw)?, self.header_byte(raw)?]);
            for _ in 0..length {
                self.header_byte(raw)?;
            }
        }
        for text in [NAME, COMMENT] {
            if flags & text != 0 {
                while self.header_byte(raw)? != 0 {}
            }
        }
        if flags & HEADER_CRC != 0 {
            let at = raw.position();
            let expected = self.crc.clone().finalize() as u16;
            if u16::from_le_bytes([self.header_byte(raw)?, self.header_byte(raw)?]) != expected {
                return Err(self.corrupt(at, "wrong checksum of a header"));
            }
        }
        self.crc.reset();
        Ok(true)
    }

    /// Decodes some bytes of a member; returns 0 at its end.
    fn body(&mut self, raw: &mut Raw, dst: &mut [u8]) -> Result<usize, Fault> {
        let room = dst.len().min(STEP);
        loop {
            let input = raw.buffered()?;
            if input.is_empty() {
                return Err(self.truncated(raw));
            }
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(input, &mut dst[..room], FlushDecompress::None);
            let consumed = (self.inflate.total_in() - before_in) as usize;
            let n = (self.inflate.total_out() - before_out) as usize;
            raw.consume(consumed);
            self.crc.update(&dst[..n]);
            match status {
                Ok(Status::StreamEnd) => self.section = Section::Trailer,
                Ok(_) if n == 0 && consumed > 0 => continue,
                Ok(_) if n > 0 => {}
                Ok(_) | Err(_) => {
                    let fault = self.corrupt(raw.position(), "invalid deflate data");
                    if n == 0 {
                        return Err(fault);
                    }
                    self.fault = Some(fault);
                }
            }
            return Ok(n);
        }
    }

    fn trailer(&mut self, raw: &mut Raw) -> Result<(), Fault> {
        let at = raw.position();
        let mut trailer = [0; 8];
        for byte in &mut trailer {
            *byte = raw.byte()?.ok_or_else(|| self.truncated(raw))?;
        }
        let [c0, c1, c2, c3, l0, l1, l2, l3] = trailer;
        if u32::from_le_bytes([c0, c1, c2, c3]) != self.crc.clone().finalize() {
            return Err(self.corrupt(at, "wrong checksum"));
        }
        if u32::from_le_bytes([l0, l1, l2, l3]) != self.inflate.total_out() as u32 {
            return Err(self.corrupt(at + 4, "wrong length"));
        }
        Ok(())
    }

    fn header_byte(&mut self, raw: &mut Raw) -> Result<u8, Fault> {
        let byte = raw.byte()?.ok_or_else(|| self.truncated(raw))?;
        self.crc.update(&[byte]);
        Ok(byte)
    }

    fn truncated(&self, raw: &Raw) -> Fault {
        Fault::Truncated { at: raw.position(), member: self.member }
    }

    fn corrupt(&self, at: u64, what: &'static str) -> Fault {
        Fault::Corrupt { at, member: self.member, what }
    }
}

/// Skips zero bytes up to the end of the file: tapes and block devices append them, and gzip ignores them too.
fn padding(raw: &mut Raw) -> Result<bool, Fault> {
    loop {
        let bytes = raw.buffered()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let all = zeros == bytes.len();
        raw.consume(zeros);
        if !all {
            return Err(Fault::Garbage { at: raw.position() });
        }
    }
}
