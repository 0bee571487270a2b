//! Splits one gzip file into parts that can be read at the same time.
//!
//! The members of a gzip file can be decoded independently, but the start of a member is certain only once the previous
//! member has been read. So a place that looks like a start is assumed to be one, and is accepted only if the part
//! before ends exactly there. Otherwise the first part is read to the end of the file, as if there were no others: so
//! every error is found and reported as usual.

use crate::input::blocks::{Format, Input, InputStage, SIZES};
use crate::input::error::InputError;
use crate::input::progress::Progress;
use crate::input::raw::Raw;
use crate::input::stamp::{Stamp, Watch};
use crate::system::fault::planted;
use kuu_core::lines::Block;
use kuu_core::truth::Blocks;
use memchr::memmem;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// The smallest useful part, in compressed bytes. Tests have small files.
const LEAST: u64 = if cfg!(test) { 16 } else { 1 << 20 };

/// The largest distance that is searched for the start of a member.
const FARTHEST: u64 = 64 << 20;

/// The first bytes of a member: the magic number and the only compression method.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Length of the fixed part of a member's header.
const HEADER: usize = 10;

/// A part of a file, or the whole file. All parts except the first hold back the end of a line that begins in the
/// previous part.
pub struct Part {
    input: Input,
    is_first: bool,
    head: Vec<u8>,
    has_head: bool,
}

impl Part {
    /// Opens the file `name` as at least one part, and at most `count`.
    ///
    /// # Errors
    /// As [`Input::open`].
    pub fn open(name: &str, count: usize) -> Result<Vec<Part>, InputError> {
        let first = Part { input: Input::open(name)?, is_first: true, head: Vec::new(), has_head: false };
        let size = first.input.progress().size().unwrap_or(0);
        let stamp = first.input.watch.as_ref().map(Watch::stamp);
        let count = (count as u64).min(size / LEAST);
        let mut parts = vec![first];
        // A stream can be opened only once.
        if let Some(stamp) = stamp.filter(|_| count > 1) {
            // If this fails, reading will fail too, and report the reason.
            parts.extend(further_parts(&Again { name, stamp }, size, count).unwrap_or_default());
        }
        for index in 1..parts.len() {
            parts[index - 1].input.raw.pause = Some(parts[index].input.raw.position());
        }
        Ok(parts)
    }

    /// The input of this part: for the first part, the whole file after [`Part::read_on`].
    pub fn into_input(self) -> Input {
        self.input
    }

    /// Continues beyond the end of this part.
    pub fn read_on(&mut self) -> &mut Input {
        self.input.raw.pause = None;
        &mut self.input
    }
}

impl Blocks for Part {
    type Error = InputError;

    fn next_block(&mut self, block: &mut Block) -> Result<bool, InputError> {
        let more = self.input.read_block(block)?;
        if more && !self.is_first && !self.has_head {
            self.has_head = true;
            self.head = block.take_first();
        }
        planted("truth");
        Ok(more)
    }
}

/// The lines that the splits cut, after all parts were read without an error; `None` if the parts do not join.
pub fn between(parts: &[Part]) -> Option<Block> {
    let (last, others) = parts.split_last()?;
    let met = others.iter().all(|part| part.input.raw.paused()) && matches!(last.input.stage, InputStage::Done);
    let text: Vec<u8> = parts.iter().flat_map(|part| part.head.iter().chain(&part.input.carry)).copied().collect();
    let block = Block::new(text, 1);
    let short = block.lines().all(|(_, line)| line.len() <= last.input.sizes.line);
    (met && short).then_some(block)
}

/// A file that is already open.
struct Again<'a> {
    name: &'a str,
    stamp: Stamp,
}

impl Again<'_> {
    /// Opens the file once more, for a position of its own.
    fn open(&self) -> io::Result<File> {
        let file = File::open(self.name)?;
        match Stamp::of(&file.metadata()?) == self.stamp {
            true => Ok(file),
            false => Err(io::Error::other("it changed")),
        }
    }
}

/// The parts after the first one, each from a place that looks like the start of a member.
fn further_parts(again: &Again<'_>, size: u64, count: u64) -> io::Result<Vec<Part>> {
    let mut file = again.open()?;
    let mut head = [0; HEADER];
    file.read_exact(&mut head)?;
    let mut parts: Vec<Part> = Vec::new();
    if !is_header(&head) {
        return Ok(parts);
    }
    for index in 1..count {
        let from = size * index / count;
        let to = (size * (index + 1) / count).min(from + FARTHEST);
        if let Some(at) = find_header(&mut file, from, to)? {
            let mut reader = again.open()?;
            reader.seek(SeekFrom::Start(at))?;
            parts.push(Part {
                input: part(again.name, reader, at, size),
                is_first: false,
                head: Vec::new(),
                has_head: false,
            });
        }
    }
    Ok(parts)
}

/// An input that begins at a position in its file.
fn part(name: &str, reader: File, at: u64, size: u64) -> Input {
    let raw = Raw::starting_at(at, Box::new(reader), Progress { read: Arc::default(), size: Some(size) });
    Input {
        name: name.to_owned(),
        raw,
        watch: None,
        format: Format::Unknown,
        sizes: SIZES,
        eager: false,
        carry: Vec::new(),
        lines: 0,
        checked: 0,
        // Not `Start`, which would skip a byte-order mark.
        stage: InputStage::Reading,
    }
}

/// The first place in a range of the file that looks like the start of a member.
fn find_header(file: &mut File, mut from: u64, to: u64) -> io::Result<Option<u64>> {
    const WINDOW: u64 = 1 << 20;
    let mut window = Vec::new();
    while from < to {
        file.seek(SeekFrom::Start(from))?;
        window.clear();
        // The next window overlaps this one, so that no header is missed.
        file.take(WINDOW + HEADER as u64).read_to_end(&mut window)?;
        let mut found = memmem::find_iter(&window, &MAGIC);
        if let Some(at) = found.find(|at| window[*at..].first_chunk().is_some_and(is_header)) {
            return Ok(Some(from + at as u64).filter(|at| *at < to));
        }
        from += WINDOW;
    }
    Ok(None)
}

/// Whether these bytes look like a compressor's header: no reserved flag, a known level, a known system.
fn is_header(bytes: &[u8; HEADER]) -> bool {
    let [_, _, _, flags, _, _, _, _, level, system] = *bytes;
    bytes.starts_with(&MAGIC)
        && flags & 0b1110_0000 == 0
        && matches!(level, 0 | 2 | 4)
        && matches!(system, 0..=13 | 255)
}
