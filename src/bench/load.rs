//! Frames in memory, with their keys: a generator sends them when reading must not be part of the measurement.

use crate::engine::stop::Stop;
use crate::input::several;
use crate::input::{InputError, Originals, is_blank};
use anyhow::Result;
use kuu_core::record::Source;
use kuu_frame::{Parser, ParserOptions};

/// Bytes of frames that are kept; of a larger input, only the first frames are kept.
const KEPT_BYTES: usize = 512 << 20;

struct Span {
    start: usize,
    end: usize,
    key: Option<(usize, usize)>,
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
    values: Vec<u8>,
    keys: String,
    spans: Vec<Span>,
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
        let mut is_full = false;
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
                    is_full = load.values.len() + line.len() > kept_bytes;
                    if !is_full {
                        let key = parser.root(line).ok().and_then(kuu_frame::Root::key);
                        load.keep(key, line);
                    }
                }
                true
            },
        );
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

    fn keep(&mut self, key: Option<&str>, value: &[u8]) {
        let start = self.values.len();
        self.values.extend_from_slice(value);
        let key = key.map(|key| {
            let start = self.keys.len();
            self.keys.push_str(key);
            (start, self.keys.len())
        });
        self.spans.push(Span { start, end: self.values.len(), key });
    }

    /// The kept frames, in order: key and value.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &[u8])> {
        self.spans
            .iter()
            .map(|span| (span.key.map(|(start, end)| &self.keys[start..end]), &self.values[span.start..span.end]))
    }

    /// Number of kept frames.
    pub fn kept(&self) -> usize {
        self.spans.len()
    }

    /// Number of frames and their bytes: of the kept ones, or of all.
    pub fn amounts(&self, kept: bool) -> (u64, u64) {
        if kept { (self.kept() as u64, self.values.len() as u64) } else { (self.frames, self.bytes) }
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
