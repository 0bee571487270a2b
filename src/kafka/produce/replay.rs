//! Sends the frames of files to a topic, once or several times.

use crate::engine::stop::Stop;
use crate::input::several;
use crate::input::{Originals, Progress, is_blank};
use crate::kafka::produce::paced::PacedSender;
use crate::terminal::{count, plural};
use anyhow::anyhow;
use kuu_core::record::Source;
use kuu_core::repeats::{EventSpan, InputRepeats};
use kuu_frame::{Later, Parser, ParserOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of bits of a tag that hold the line; the higher bits hold the index of the file.
const LINE_BITS: u32 = 48;
const DAY: i64 = 86_400;

/// The file and the line that a tag stands for.
pub fn place(tag: usize) -> (usize, u64) {
    (tag >> LINE_BITS, tag as u64 & ((1 << LINE_BITS) - 1))
}

/// What is sent so far, for those who watch: one thread counts.
#[derive(Debug, Default)]
pub struct SentSoFar {
    frames: AtomicU64,
    bytes: AtomicU64,
}

impl SentSoFar {
    fn add(&self, bytes: u64) {
        // Only the sender writes, so nothing is lost in between.
        self.frames.store(self.frames() + 1, Ordering::Relaxed);
        self.bytes.store(self.bytes() + bytes, Ordering::Relaxed);
    }

    /// Number of frames.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Bytes of these frames.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// What is sent.
pub struct Replay<'a> {
    /// The files, in order.
    pub names: &'a [String],
    /// Largest number of frames, of all repeats together.
    pub limit: Option<u64>,
    /// How frames are read.
    pub parser: &'a ParserOptions,
    /// How often the files are sent; `u64::MAX`: until the sender has enough.
    pub times: u64,
    /// The files as they were at first, if they are sent several times.
    pub originals: Originals,
    /// Counts what is sent.
    pub sent: Arc<SentSoFar>,
}

/// The outcome of reading.
#[derive(Default)]
pub struct Replayed {
    /// The files and how often they were sent.
    pub sources: Vec<Source>,
    /// Number of frames that were sent, of all repeats.
    pub frames: u64,
    /// How often all files were sent to their end.
    pub whole: u64,
    /// Number of frames of the repeat after that, which did not come to its end.
    pub part: u64,
    /// The event times of the files.
    pub span: EventSpan,
    /// Why it ended early; all frames before were sent.
    pub error: Option<anyhow::Error>,
}

/// The files, read once.
struct Pass {
    sources: Vec<Source>,
    error: Option<anyhow::Error>,
    /// Whether the sender had enough.
    is_over: bool,
}

impl Pass {
    fn frames(&self) -> u64 {
        self.sources.iter().map(|source| source.frames).sum()
    }
}

impl<'a> Replay<'a> {
    /// Sends all frames of the files once.
    pub fn once(names: &'a [String], parser: &'a ParserOptions) -> Replay<'a> {
        Replay { names, limit: None, parser, times: 1, originals: Originals::default(), sent: Arc::default() }
    }
}

impl Replay<'_> {
    /// Sends the frames. The key is the uid, none without a readable uid. Blank lines are skipped. Each repeat is later in
    /// event time by [`EventSpan::days_apart`].
    pub fn run(
        &self,
        sender: &mut PacedSender,
        stop: &Stop,
        tell: impl Fn(&Progress) + Send + Clone + 'static,
    ) -> Replayed {
        let mut all = Replayed::default();
        let first = self.pass(0, sender, stop, &mut all, tell.clone());
        let frames = first.frames();
        let mut is_over = first.is_over || first.error.is_some() || stop.interrupted();
        (all.whole, all.part) = if is_over { (0, frames) } else { (1, 0) };
        (all.sources, all.error) = (first.sources, first.error);
        // Without a frame, repeats would never end.
        while !is_over && all.whole < self.times && frames > 0 && self.limit != Some(all.frames) {
            if let Err(error) = self.may_repeat(&all) {
                all.error = Some(error);
                break;
            }
            sender.begin_repeat();
            let pass = self.pass(all.whole, sender, stop, &mut all, tell.clone());
            if pass.frames() < frames {
                all.add_part(pass);
                break;
            }
            all.whole += 1;
            is_over = pass.is_over || pass.error.is_some() || stop.interrupted();
            all.error = pass.error;
        }
        all.note_repeats();
        all
    }

    fn may_repeat(&self, all: &Replayed) -> anyhow::Result<()> {
        self.originals.unchanged()?;
        let last = if self.times == u64::MAX { all.whole } else { self.times - 1 };
        if all.span.may_repeat(last) {
            return Ok(());
        }
        Err(anyhow!(
            "repeat {} would be beyond the year 9999: each comes {} later, as the frames span so much event time: leave \
             out stamps that are years ahead, or repeat less often",
            count(last + 1),
            plural(all.span.days_apart().into(), "day")
        ))
    }

    /// Sends the frames of the files once, as the repeat of this index.
    fn pass(
        &self,
        index: u64,
        sender: &mut PacedSender,
        stop: &Stop,
        all: &mut Replayed,
        tell: impl Fn(&Progress) + Send + 'static,
    ) -> Pass {
        let mut parser = Parser::new(self.parser);
        let mut later = Later::new(&self.parser.format);
        let days = u64::from(all.span.days_apart()).saturating_mul(index);
        let days = u32::try_from(days).unwrap_or(u32::MAX);
        let mut sent: Vec<Source> = Vec::new();
        let mut over: Option<usize> = None;
        let left = self.limit.map(|limit| limit - all.frames);
        let reading = several::read(self.names, left, stop, tell, |file, block| {
            if let Some(last) = over {
                // The digest of the file is not known yet.
                return index == 0 && file == last && !stop.interrupted();
            }
            sent.resize_with(file + 1, Source::default);
            for (number, line) in block.lines() {
                if is_blank(line) {
                    continue;
                }
                let root = parser.root(line).ok();
                let ts = root.and_then(|root| root.frame().ok()).map(|frame| frame.ts);
                if let (Some(ts), 0) = (ts, index) {
                    all.span.add(ts);
                }
                let key = root.and_then(kuu_frame::Root::key);
                let moved = if ts.is_some() && days > 0 { later.by_days(line, days) } else { None };
                let value = moved.unwrap_or(line);
                let tag = file << LINE_BITS | number as usize;
                let ts = ts.map(|ts| ts + i64::from(days) * DAY);
                if !sender.send(key, value, Some(block), tag, ts) {
                    over = Some(file);
                    return index == 0 && !stop.interrupted();
                }
                self.sent.add(value.len() as u64);
                all.frames += 1;
                sent[file].frames += 1;
                sent[file].frame_bytes += line.len() as u64;
            }
            true
        });
        let mut sources = reading.sources;
        for (source, sent) in sources.iter_mut().zip(sent.into_iter().chain(std::iter::repeat_with(Source::default))) {
            (source.frames, source.frame_bytes) = (sent.frames, sent.frame_bytes);
        }
        if let Some(last) = over {
            sources.truncate(last + 1);
        }
        Pass { sources, error: reading.error.map(anyhow::Error::from), is_over: over.is_some() }
    }
}

impl Replayed {
    /// Notes how often the files were sent to their end.
    fn note_repeats(&mut self) {
        let repeats = InputRepeats { first: 0, count: self.whole, shift_s: self.shift_s() };
        // What follows are the files of a part, which have their own.
        for source in self.sources.iter_mut().filter(|source| source.repeats.is_none()) {
            source.repeats = (self.whole > 1).then_some(repeats);
        }
    }

    /// Adds the files of a repeat that did not come to its end.
    fn add_part(&mut self, pass: Pass) {
        self.part = pass.frames();
        self.error = pass.error;
        let repeats = InputRepeats { first: self.whole, count: 1, shift_s: self.shift_s() };
        let parts: Vec<Source> = self
            .sources
            .iter()
            .zip(pass.sources)
            .filter(|(_, part)| part.frames > 0)
            // The file was read to its end before, and has not changed.
            .map(|(whole, Source { frames, frame_bytes, .. })| Source {
                frames,
                frame_bytes,
                repeats: Some(repeats),
                ..whole.clone()
            })
            .collect();
        self.sources.extend(parts);
    }

    /// The time from one repeat to the next, in seconds of event time.
    fn shift_s(&self) -> i64 {
        i64::from(self.span.days_apart()) * DAY
    }
}
