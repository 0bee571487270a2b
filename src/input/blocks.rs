//! Reads one input as blocks of whole lines.

use crate::input::error::{Cut, Fault, InputError};
use crate::input::foreign::{ForeignFormat, recognise};
use crate::input::gzip::{Gunzip, is_gzip};
use crate::input::names::{Stream, standard_input};
use crate::input::progress::Progress;
use crate::input::raw::Raw;
use crate::input::stamp::Watch;
use kuu_core::lines::{Block, whole_lines};
use kuu_core::truth::Blocks;
use memchr::memchr_iter;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Sizes in bytes; tests use small ones.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    /// The size of a block, unless one line is longer.
    pub(super) block: usize,
    /// The longest line, without its line end.
    pub(super) line: usize,
}

pub(super) const SIZES: Sizes = Sizes { block: 2 << 20, line: 128 << 20 };

/// One input: a file, plain or gzipped, or standard input.
pub struct Input {
    pub(super) name: String,
    pub(super) raw: Raw,
    /// Detects changes of a file; none for a stream.
    pub(super) watch: Option<Watch>,
    pub(super) format: Format,
    pub(super) sizes: Sizes,
    /// Whether a block is complete as soon as it has a line: a pipe may stay silent for long.
    pub(super) eager: bool,
    /// The beginning of a line whose end is not read yet.
    pub(super) carry: Vec<u8>,
    /// Number of lines delivered so far; while a block is read, the number of line ends.
    pub(super) lines: u64,
    /// Number of these lines that a checksum has confirmed.
    pub(super) checked: u64,
    pub(super) stage: InputStage,
}

pub(super) enum InputStage {
    Start,
    Reading,
    /// The error to return after the lines before it.
    Failed(InputError),
    Done,
}

impl Input {
    /// Opens the file `name`, or standard input for `-`.
    ///
    /// # Errors
    /// The file does not exist, is a directory, or cannot be opened.
    pub fn open(name: &str) -> Result<Input, InputError> {
        let fail = |error| InputError::open(name.to_owned(), error);
        if name == "-" {
            let file = Arc::new(standard_input().map_err(fail)?);
            let meta = file.metadata().map_err(fail)?;
            let mut input = Input::from_reader("standard input", file.clone());
            input.watch = meta.is_file().then(|| Watch::new(file, None, &meta));
            return Ok(input);
        }
        let meta = fs::metadata(name).map_err(fail)?;
        if meta.is_dir() {
            return Err(InputError::Directory { file: name.to_owned() });
        }
        if !meta.is_file() {
            return Ok(Input::from_reader(name, Stream::new(name)));
        }
        let file = Arc::new(File::open(name).map_err(fail)?);
        let meta = file.metadata().map_err(fail)?;
        let mut input = Input::with(name, Box::new(file.clone()), Some(meta.len()), SIZES);
        input.watch = Some(Watch::new(file, Some(Path::new(name)), &meta));
        Ok(input)
    }

    /// An input of unknown size; its errors contain `name`.
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Input {
        Input::with(name, Box::new(reader), None, SIZES)
    }

    fn with(name: &str, reader: Box<dyn Read + Send>, size: Option<u64>, sizes: Sizes) -> Input {
        Input {
            name: name.to_owned(),
            raw: Raw::new(reader, Progress { read: Arc::default(), size }),
            watch: None,
            format: Format::Unknown,
            sizes,
            eager: size.is_none(),
            carry: Vec::new(),
            lines: 0,
            checked: 0,
            stage: InputStage::Start,
        }
    }

    /// The name under which it was opened, or `standard input`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The progress of reading; another thread may use a clone.
    pub fn progress(&self) -> Progress {
        self.raw.progress().clone()
    }

    /// Refills `block` with the next whole lines, about 2 MiB of them; returns false, with an empty block, at the end.
    ///
    /// # Errors
    /// The rest of the input cannot be read; earlier calls delivered the lines before that place. A call after an error
    /// returns false.
    pub fn read_block(&mut self, block: &mut Block) -> Result<bool, InputError> {
        let buf = block.storage(self.sizes.block.max(self.carry.len()));
        let start = match std::mem::replace(&mut self.stage, InputStage::Done) {
            InputStage::Start => true,
            InputStage::Reading => false,
            InputStage::Failed(error) => return Err(error),
            InputStage::Done => return Ok(false),
        };
        let first_line = self.lines + 1;
        let filled = self.fill(buf);
        if start {
            let head = filled.as_ref().map_or(buf.len(), |filled| filled.len);
            if let Some(ForeignFormat { what, command }) = recognise(&buf[..head]) {
                return Err(InputError::Foreign { file: self.name.clone(), what, command });
            }
        }
        let Filled { len, end, proven, stop } = filled?;
        let bom = if start && buf[..end].starts_with(BOM) { BOM.len() } else { 0 };
        self.carry.extend_from_slice(&buf[end..len]);
        block.fill(bom, end, first_line);
        // Only a first line can be longer than a block.
        if end > self.sizes.line && block.lines().take(1).any(|(_, line)| line.len() > self.sizes.line) {
            block.fill(0, 0, 0);
            self.lines = first_line - 1;
            self.checked = self.checked.min(self.lines);
            return Err(self.too_long());
        }
        // The last line needs no line end.
        if block.bytes().last().is_some_and(|byte| *byte != b'\n') {
            self.lines += 1;
            if proven {
                self.checked = self.lines;
            }
        }
        self.stage = match stop {
            BlockEnd::Full | BlockEnd::Pause => InputStage::Reading,
            BlockEnd::End => InputStage::Done,
            BlockEnd::Fault(fault) => {
                let error = InputError::fault(self.name.clone(), fault, self.cut());
                if block.bytes().is_empty() {
                    return Err(error);
                }
                InputStage::Failed(error)
            }
        };
        Ok(!block.bytes().is_empty())
    }

    /// Reads into `buf`, after the carried bytes, until it is full or there is another reason to stop; counts the line
    /// ends.
    fn fill(&mut self, buf: &mut Vec<u8>) -> Result<Filled, InputError> {
        let mut len = self.carry.len();
        buf[..len].copy_from_slice(&self.carry);
        self.carry.clear();
        self.carry.shrink_to(self.sizes.block);
        let (mut end, mut proven) = (0, false);
        let stop = loop {
            if len == buf.len() {
                if end > 0 {
                    break BlockEnd::Full;
                }
                let longest = self.sizes.line + b"\r\n".len();
                if len >= longest {
                    return Err(self.too_long());
                }
                buf.resize((2 * len).min(longest), 0);
            }
            let checked = self.format.checked();
            let result = self.format.read(&mut self.raw, &mut buf[len..]);
            if self.format.checked() > checked {
                proven = true;
                self.checked = self.lines;
            }
            match result {
                Ok(0) if self.raw.paused() => break BlockEnd::Pause,
                Ok(0) => {
                    end = len;
                    break BlockEnd::End;
                }
                Ok(n) => {
                    let new = &buf[len..len + n];
                    // Counts the line ends while the bytes are still in the cache.
                    self.lines += memchr_iter(b'\n', new).count() as u64;
                    match whole_lines(new) {
                        0 => {}
                        whole => end = len + whole,
                    }
                    len += n;
                    proven = false;
                    if self.eager && end > 0 {
                        break BlockEnd::Full;
                    }
                }
                Err(fault) => break BlockEnd::Fault(fault),
            }
        };
        Ok(Filled { len, end, proven, stop })
    }

    /// Returns the digest of the input, and its fault: a change of the file, or else `error`, which ended reading
    /// early.
    pub fn finish(mut self, mut error: Option<InputError>) -> Finished {
        let (name, watch, cut) = (std::mem::take(&mut self.name), self.watch.take(), self.cut());
        let is_file = self.progress().size().is_some();
        // The digest of a file needs its remaining bytes. A stream may have no end.
        let is_wanted = match &error {
            None => is_file || matches!(self.stage, InputStage::Done),
            Some(error) => is_file && error.is_damage(),
        };
        let mut digest = Digest { bytes: self.raw.position(), sha256: String::new() };
        if is_wanted {
            match self.raw.finish() {
                Ok((bytes, hash)) => {
                    digest = Digest { bytes, sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect() };
                }
                Err(fault) => error = error.or(Some(InputError::fault(name.clone(), fault, cut))),
            }
        }
        if let Some(what) = watch.and_then(|watch| watch.change()) {
            error = Some(InputError::Changed { file: name, what });
        }
        Finished { digest, error }
    }

    fn cut(&self) -> Cut {
        Cut { lines: self.lines, checked: self.checked, bytes: self.carry.len() as u64 }
    }

    fn too_long(&self) -> InputError {
        let limit = self.sizes.line as u64;
        InputError::LineTooLong { file: self.name.clone(), line: self.lines + 1, limit }
    }
}

struct Filled {
    /// Number of bytes read.
    len: usize,
    /// Number of bytes in whole lines.
    end: usize,
    /// Whether a checksum was confirmed after the last of these bytes.
    proven: bool,
    stop: BlockEnd,
}

enum BlockEnd {
    Full,
    /// See [`Raw::pause`].
    Pause,
    End,
    Fault(Fault),
}

pub(super) enum Format {
    /// Nothing is read yet: opening an input must not block on a pipe.
    Unknown,
    Plain,
    Gzip(Box<Gunzip>),
}

impl Format {
    fn read(&mut self, raw: &mut Raw, dst: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match self {
                Format::Unknown if is_gzip(raw.peek(2)?) => *self = Format::Gzip(Box::new(Gunzip::new())),
                Format::Unknown => *self = Format::Plain,
                Format::Plain => return raw.read(dst),
                Format::Gzip(gunzip) => return gunzip.read(raw, dst),
            }
        }
    }

    /// See [`Gunzip::checked`].
    fn checked(&self) -> u64 {
        match self {
            Format::Gzip(gunzip) => gunzip.checked(),
            Format::Unknown | Format::Plain => 0,
        }
    }
}

/// The size and the hash of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Length of the file on disk.
    pub bytes: u64,
    /// SHA-256 of these bytes, in lower-case hexadecimal; empty if not all of them were read.
    pub sha256: String,
}

/// The result of reading an input.
#[derive(Debug)]
pub struct Finished {
    /// The size and the hash.
    pub digest: Digest,
    /// The fault of the input, if it has one.
    pub error: Option<InputError>,
}

impl Blocks for Input {
    type Error = InputError;

    fn next_block(&mut self, block: &mut Block) -> Result<bool, InputError> {
        self.read_block(block)
    }
}

#[cfg(test)]
mod tests;
