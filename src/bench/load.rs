//! Frames in memory, with their keys: a generator sends them when reading must not be part of the measurement.

use crate::engine::stop::Stop;
use crate::input::several;
use crate::input::{Block, InputError, LentBlock, Originals, is_blank};
use anyhow::Result;
use kuu_core::record::Source;
use kuu_core::repeats::EventSpan;
use kuu_frame::{Later, Parser, ParserOptions, Root};
use std::sync::Arc;

/// Bytes of frames that are kept; of a larger input, only the first frames are kept.
const KEPT_BYTES: usize = 512 << 20;
const DAY: i64 = 86_400;

struct Span {
    start: usize,
    end: usize,
    key: Option<(usize, usize)>,
    /// Whether it has an event time.
    is_timed: bool,
}

/// The frames of the input, and its files.
#[derive(Default)]
pub struct Load {
    /// The files.
    pub sources: Vec<Source>,
    /// Number of frames in all files.
    pub frames: u64,
    /// Bytes of these frames, without line ends.
    pub bytes: u64,
    /// The kept frames, one after the other.
    values: Arc<LentBlock>,
    keys: String,
    spans: Vec<Span>,
    /// The event times of the kept frames.
    times: EventSpan,
    originals: Originals,
}

impl Load {
    /// Reads the files, and keeps frames up to the limit.
    ///
    /// # Errors
    /// If a file cannot be read to its end, or not more than once, or has no frame.
    pub fn read(names: &[String], options: &ParserOptions, stop: &Stop) -> Result<Load> {
        Load::read_within(KEPT_BYTES, names, options, stop)
    }

    fn read_within(kept_bytes: usize, names: &[String], options: &ParserOptions, stop: &Stop) -> Result<Load> {
        let mut load = Load { originals: Originals::note(names)?, ..Load::default() };
        // The kept frames must be the first ones of the input: the truth about them counts that many frames from the
        // start.
        let (mut is_full, mut values) = (false, Vec::new());
        let mut parser = Parser::new(options);
        let reading = several::read(
            names,
            None,
            stop,
            |_| {},
            |_, block| {
                for (_, line) in block.lines() {
                    if is_full || is_blank(line) {
                        continue;
                    }
                    is_full = values.len() + line.len() > kept_bytes;
                    if !is_full {
                        let root = parser.root(line).ok();
                        let ts = root.and_then(|root| root.frame().ok()).map(|frame| frame.ts);
                        load.keep(&mut values, root.and_then(Root::key), line, ts);
                    }
                }
                true
            },
        );
        load.values = Arc::new(Block::new(values, 1).into());
        (load.frames, load.bytes) = (reading.frames(), reading.frame_bytes());
        load.sources = reading.sources;
        match reading.error {
            Some(error) => Err(error.into()),
            None if load.frames == 0 => {
                anyhow::bail!("{} holds no frame: there is nothing to measure", names.join(", "))
            }
            None => Ok(load),
        }
    }

    /// Checks that the files have not changed since reading began.
    ///
    /// # Errors
    /// If a file changed.
    pub fn unchanged(&self) -> Result<(), InputError> {
        self.originals.unchanged()
    }

    fn keep(&mut self, values: &mut Vec<u8>, key: Option<&str>, value: &[u8], ts: Option<i64>) {
        let start = values.len();
        values.extend_from_slice(value);
        let key = key.map(|key| {
            let start = self.keys.len();
            self.keys.push_str(key);
            (start, self.keys.len())
        });
        self.spans.push(Span { start, end: values.len(), key, is_timed: ts.is_some() });
        ts.into_iter().for_each(|ts| self.times.add(ts));
    }

    /// The kept frames, in order: key and value.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &[u8])> {
        self.spans.iter().map(|span| self.of(span))
    }

    /// The block in which the values lie.
    pub fn block(&self) -> &Arc<LentBlock> {
        &self.values
    }

    fn of(&self, span: &Span) -> (Option<&str>, &[u8]) {
        (span.key.map(|(start, end)| &self.keys[start..end]), &self.values.bytes()[span.start..span.end])
    }

    /// Key and value of the frame with this number, from 0: behind the last kept frame they come again, each time later
    /// by [`Load::shift_s`].
    pub fn frame<'l>(&'l self, number: u64, later: &'l mut Later) -> (Option<&'l str>, &'l [u8]) {
        let kept = self.spans.len() as u64;
        let span = &self.spans[(number % kept) as usize];
        let (key, value) = self.of(span);
        let days = u64::from(self.times.days_apart()) * (number / kept);
        let moved = match u32::try_from(days) {
            Ok(days) if days > 0 && span.is_timed => later.by_days(value, days),
            _ => None,
        };
        (key, moved.unwrap_or(value))
    }

    /// How much later in event time the kept frames come each time, in seconds.
    pub fn shift_s(&self) -> i64 {
        i64::from(self.times.days_apart()) * DAY
    }

    /// So many frames, or the kept ones if they cannot come again so often, as that would be beyond the year 9999.
    pub fn at_most(&self, frames: u64) -> u64 {
        let kept = self.kept() as u64;
        if self.times.may_repeat(frames.saturating_sub(1) / kept) { frames } else { kept }
    }

    /// Number of kept frames.
    pub fn kept(&self) -> usize {
        self.spans.len()
    }

    /// Number of frames and their bytes: of the kept ones, or of all.
    pub fn amounts(&self, kept: bool) -> (u64, u64) {
        if kept { (self.kept() as u64, self.values.bytes().len() as u64) } else { (self.frames, self.bytes) }
    }

    /// Whether every frame is kept.
    pub fn is_whole(&self) -> bool {
        self.kept() as u64 == self.frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_again_later() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let name = file.path().to_str().unwrap().to_owned();
        let frames = [r#"{"uid":"a","ts":5}"#, r#"{"uid":"b","ts":"9"}"#, r#"{"uid":7,"ts":6}"#];
        std::fs::write(&name, frames.join("\n")).unwrap();
        let load = Load::read(&[name], &ParserOptions::default(), &Stop::default()).unwrap();
        let mut later = Later::new(&kuu_frame::FrameFormat::default());
        let mut frame = |number| String::from_utf8(load.frame(number, &mut later).1.to_vec()).unwrap();
        assert_eq!([0, 1, 2].map(&mut frame), frames);
        // What has no event time stays as it is.
        let again = [r#"{"uid":"a","ts":345605}"#, r#"{"uid":"b","ts":"345609"}"#, frames[2]];
        assert_eq!([6, 7, 8].map(&mut frame), again);
        assert_eq!(load.frame(7, &mut later).0, Some("b"));
        assert_eq!(load.shift_s(), 2 * DAY);
        assert_eq!([1, 7, u64::MAX].map(|frames| load.at_most(frames)), [1, 7, 3]);
    }

    #[test]
    fn what_is_kept_is_a_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().join("frames").to_str().unwrap().to_owned();
        let frame = |uid: &str, pad: usize| format!("{{\"uid\":\"{uid}\",\"ts\":1,\"pad\":\"{}\"}}", "x".repeat(pad));
        let frames = [frame("a", 10), frame("b", 10), frame("c", 1_000), frame("d", 10), frame("e", 1)];
        std::fs::write(&name, frames.join("\n\n")).unwrap();
        let read = |kept| {
            Load::read_within(kept, std::slice::from_ref(&name), &ParserOptions::default(), &Stop::default()).unwrap()
        };
        let kept = |load: &Load| load.iter().map(|(key, _)| key.unwrap().to_owned()).collect::<String>();
        let all: usize = frames.iter().map(String::len).sum();
        for (bytes, expected) in [(all, "abcde"), (all - 1, "abcd"), (all - 60, "abc"), (200, "ab"), (60, "a"), (9, "")]
        {
            let load = read(bytes);
            assert_eq!(kept(&load), expected, "{bytes}");
            assert_eq!((load.frames, load.bytes, load.is_whole()), (5, all as u64, bytes == all));
        }
    }
}
