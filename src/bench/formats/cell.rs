//! The frames in one format and one compression.

use crate::bench::formats::input::Input;
use crate::bench::timing::Timing;
use anyhow::{Context as _, Result};
use kuu_core::configuration::Compression;
use kuu_formats::{
    Batch, Codec, Encoding, FormatError, Original, Packer, Validation, groups, read_all, values, write_all,
};
use kuu_frame::ParserOptions;
use std::hint::black_box;
use std::ops::Range;

/// The frames in one format and one compression, and the times of each round.
pub struct Cell<'i> {
    /// The format.
    pub encoding: Encoding,
    /// The compression.
    pub compression: Compression,
    /// The frames before.
    pub frames: &'i [Original],
    /// Which of them share a message.
    pub groups: Vec<Range<usize>>,
    /// The batches.
    pub batches: Vec<Batch>,
    /// Frames that come back changed, or not at all.
    pub wrong_frames: u64,
    /// The times of each round.
    pub times: Times,
    codec: Box<dyn Codec>,
    packer: Packer,
}

/// The times of each round.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// Writing all frames.
    pub encode: Vec<Timing>,
    /// Reading all frames, each validated as a whole.
    pub read_whole: Vec<Timing>,
    /// Reading all frames without validating.
    pub read_skip: Vec<Timing>,
    /// Sending all messages.
    pub send: Vec<Timing>,
    /// Reading them from the broker, each frame validated as a whole.
    pub receive: Vec<Timing>,
}

impl<'i> Cell<'i> {
    /// Writes all frames, and reads them back: that is the check, and the warm-up.
    ///
    /// # Errors
    /// If the format cannot have a frame.
    pub fn new(
        encoding: Encoding,
        compression: Compression,
        input: &'i Input,
        options: &ParserOptions,
    ) -> Result<Cell<'i>> {
        let frames = input.frames.as_slice();
        let mut cell = Cell {
            encoding,
            compression,
            frames,
            groups: groups(encoding, frames),
            batches: Vec::new(),
            wrong_frames: 0,
            times: Times::default(),
            codec: encoding.codec(options)?,
            packer: Packer::new(compression)?,
        };
        let mut batches = Vec::new();
        cell.write(|packed, messages| batches.push(Batch { packed: packed.to_vec(), messages }))?;
        cell.batches = batches;
        cell.wrong_frames = cell.wrong()?;
        Ok(cell)
    }

    fn write(&mut self, take: impl FnMut(&[u8], usize)) -> Result<()> {
        write_all(self.encoding, &mut *self.codec, &mut self.packer, self.frames, &self.groups, take)
            .with_context(|| format!("a frame cannot be written as {}", self.encoding))
    }

    /// How many frames come back with another user id or event time, or not at all, from either way of reading.
    fn wrong(&mut self) -> Result<u64> {
        let mut is_right = vec![true; self.frames.len()];
        let mut records = Vec::new();
        let mut groups = self.groups.iter();
        for batch in &self.batches {
            self.packer.unpack(&batch.packed, &mut records)?;
            values(&records, |message| {
                let group = groups.next().cloned().ok_or(FormatError::TooLong(message.len()))?;
                for validation in [Validation::Whole, Validation::Skip] {
                    let mut answers = Vec::new();
                    // What cannot be read has no answer, or too few of them.
                    let read = self.codec.read(message, validation, &mut |uid, ts| answers.push((uid.to_owned(), ts)));
                    for (at, frame) in group.clone().zip(&self.frames[group.clone()]) {
                        let answer = answers.get(at - group.start);
                        is_right[at] &=
                            read.is_ok() && answer.is_some_and(|(uid, ts)| (uid, ts) == (&frame.uid, &frame.ts));
                    }
                }
                Ok(())
            })?;
        }
        let unread = groups.map(Range::len).sum::<usize>();
        Ok((unread + is_right.iter().filter(|is_right| !**is_right).count()) as u64)
    }

    /// Measures one round in memory. A format that changes an answer has no times.
    ///
    /// # Errors
    /// If the format cannot have a frame, or does not read it.
    pub fn measure(&mut self) -> Result<()> {
        if self.wrong_frames > 0 {
            return Ok(());
        }
        let encode = Timing::of(|| self.write(|packed, _| _ = black_box(packed)))?;
        self.times.encode.push(encode);
        let whole = Timing::of(|| self.read(Validation::Whole))?;
        self.times.read_whole.push(whole);
        let skip = Timing::of(|| self.read(Validation::Skip))?;
        self.times.read_skip.push(skip);
        Ok(())
    }

    fn read(&mut self, validation: Validation) -> Result<()> {
        Ok(read_all(&mut *self.codec, &mut self.packer, &self.batches, validation, &mut |uid, ts| {
            black_box((uid, ts));
        })?)
    }

    /// Reads one message with every frame validated as a whole; returns how many frames it has, and the sum of their
    /// event times.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn read_message(&mut self, message: &[u8]) -> Result<(u64, i64)> {
        let (mut frames, mut sum) = (0, 0_i64);
        self.codec.read(message, Validation::Whole, &mut |uid, ts| {
            black_box(uid);
            frames += 1;
            sum = sum.wrapping_add(ts);
        })?;
        Ok((frames, sum))
    }

    /// Size of the batches as they are sent and stored.
    pub fn stored_bytes(&self) -> u64 {
        self.batches.iter().map(|batch| batch.stored_bytes() as u64).sum()
    }
}
