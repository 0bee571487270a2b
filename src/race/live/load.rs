//! The frames of a live race in memory, so that sending them takes as little of the machine as it can.

use crate::engine::stop::Stop;
use crate::input::{is_blank, several};
use crate::race::question::RaceWorkload;
use crate::race::speed::stream::Stream;
use anyhow::{Result, bail};
use kuu_core::window::Unit;
use kuu_core::workload::partition_of;
use kuu_frame::{FrameFormat, Later, Root, fast::FastParser};
use std::collections::BTreeSet;

/// The most frames of a file that are held.
pub const MOST_FRAMES: u64 = 200_000;

/// A frame in memory.
struct Held {
    /// Where its bytes begin: those of its key, if it has one, then its own.
    start: usize,
    key: Option<usize>,
    end: usize,
    partition: u16,
    ts: Option<i64>,
}

/// A frame as it is sent.
pub struct LiveFrame<'a> {
    /// Its key.
    pub key: Option<&'a str>,
    /// Its bytes.
    pub value: &'a [u8],
    /// Its partition.
    pub partition: u16,
    /// Its event time in Unix seconds, if it counts.
    pub ts: Option<i64>,
}

/// The frames of a file, which are sent again and again, each time later.
pub struct LiveLoad {
    bytes: Vec<u8>,
    frames: Vec<Held>,
    shift_s: i64,
    unit: Unit,
    lateness: u32,
}

impl LiveLoad {
    /// Reads the part of the file that is raced on.
    ///
    /// # Errors
    /// If it cannot be read, or its frames cannot be repeated.
    pub fn read(of: &RaceWorkload, file: &str, stop: &Stop) -> Result<LiveLoad> {
        let shift_s = Stream::new(of, 1, 0)?.shift_s();
        let spec = &of.workload.frames;
        let unit = of.question.unit();
        let mut load = LiveLoad { bytes: Vec::new(), frames: Vec::new(), shift_s, unit, lateness: spec.lateness };
        let mut parser = FastParser::new(&FrameFormat::default());
        let part = of.workload.part.frames;
        let mut reading = several::read(
            &[file.to_owned()],
            part,
            stop,
            |_| {},
            |_, block| {
                for (_, line) in block.lines().filter(|(_, line)| !is_blank(line)) {
                    load.add(&mut parser, line, spec.partitions);
                }
                true
            },
        );
        if let Some(error) = reading.error.take() {
            return Err(error.into());
        }
        if stop.interrupted() {
            bail!("interrupted");
        }
        let mut later = Later::new(&FrameFormat::default());
        let fixed = load.frames.iter().find(|held| held.ts.is_some() && load.moved(held, &mut later, 1).is_none());
        if let Some(held) = fixed {
            bail!(
                "the time of this frame is text, which cannot be moved by seconds, so that {file} cannot be repeated: \
                 race on a file with times as numbers (kuu generate): {}",
                String::from_utf8_lossy(load.value(held))
            );
        }
        Ok(load)
    }

    fn add(&mut self, parser: &mut FastParser, line: &[u8], partitions: u16) {
        let start = self.bytes.len();
        let root = parser.root(line).ok();
        let ts = root.and_then(|root| root.frame().ok()).map(|frame| frame.ts);
        let key = root.and_then(Root::key).map(|key| {
            self.bytes.extend_from_slice(key.as_bytes());
            key.len()
        });
        let partition = match key {
            Some(_) => partition_of(&self.bytes[start..], partitions),
            None => (self.frames.len() % usize::from(partitions)) as u16,
        };
        self.bytes.extend_from_slice(line);
        self.frames.push(Held { start, key, end: self.bytes.len(), partition, ts });
    }

    fn value(&self, held: &Held) -> &[u8] {
        &self.bytes[held.start + held.key.unwrap_or(0)..held.end]
    }

    fn moved<'l>(&self, held: &Held, later: &'l mut Later, by: u64) -> Option<&'l [u8]> {
        later.by_seconds(self.value(held), by)
    }

    /// The number of frames of one time.
    pub fn once(&self) -> u64 {
        self.frames.len() as u64
    }

    /// The share of the frames that count.
    pub fn counting_share(&self) -> f64 {
        let counting = self.frames.iter().filter(|held| held.ts.is_some()).count();
        counting as f64 / self.frames.len().max(1) as f64
    }

    /// The unit of the windows.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// How long a window waits for frames that are out of order, in seconds.
    pub fn lateness(&self) -> u32 {
        self.lateness
    }

    /// The partitions that get frames that count.
    pub fn partitions(&self) -> BTreeSet<u16> {
        self.frames.iter().filter(|held| held.ts.is_some()).map(|held| held.partition).collect()
    }

    /// The frame with this number, from 0 without an end.
    pub fn frame<'l>(&'l self, number: u64, later: &'l mut Later) -> LiveFrame<'l> {
        let held = &self.frames[(number % self.once()) as usize];
        let shift = number / self.once() * self.shift_s as u64;
        let key = held.key.and_then(|len| std::str::from_utf8(&self.bytes[held.start..held.start + len]).ok());
        let moved = if shift > 0 { self.moved(held, later, shift) } else { None };
        let value = moved.unwrap_or_else(|| self.value(held));
        LiveFrame { key, value, partition: held.partition, ts: held.ts.map(|ts| ts + shift as i64) }
    }
}
