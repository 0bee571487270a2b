//! Frames in memory, with their keys: what a generator sends when reading must not be measured.

use crate::core::frame::{Kind, Parser};
use crate::core::record::Source;
use crate::edge::files;
use crate::edge::input::is_blank;
use crate::edge::stop::Stop;
use anyhow::Result;

/// Bytes of frames that are kept; a larger input is only kept in part.
const KEPT_BYTES: usize = 512 << 20;

struct Span {
    start: usize,
    end: usize,
    key: Option<(usize, usize)>,
}

/// The frames of the input, and what is known of its files.
#[derive(Default)]
pub struct Load {
    /// The files.
    pub sources: Vec<Source>,
    /// Frames of all files.
    pub frames: u64,
    /// Their bytes, without line ends.
    pub bytes: u64,
    values: Vec<u8>,
    keys: String,
    spans: Vec<Span>,
}

impl Load {
    /// Reads the files, and keeps frames up to a bound.
    ///
    /// # Errors
    /// If a file cannot be read to its end, or there is no frame.
    pub fn read(names: &[String], stop: &Stop) -> Result<Load> {
        let mut load = Load::default();
        let mut parser = Parser::new(Kind::Fast);
        let reading = files::read(
            names,
            None,
            stop,
            |_| {},
            |_, block| {
                for (_, line) in block.lines() {
                    if !is_blank(line) && load.values.len() + line.len() <= KEPT_BYTES {
                        let key = parser.root(line).ok().and_then(|root| root.key());
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

    /// The frames that are kept, in order: key and value.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &[u8])> {
        self.spans
            .iter()
            .map(|span| (span.key.map(|(start, end)| &self.keys[start..end]), &self.values[span.start..span.end]))
    }

    /// How many frames are kept.
    pub fn kept(&self) -> usize {
        self.spans.len()
    }

    /// Frames and their bytes: of those that are kept, or of all.
    pub fn amounts(&self, kept: bool) -> (u64, u64) {
        if kept { (self.kept() as u64, self.values.len() as u64) } else { (self.frames, self.bytes) }
    }

    /// Whether every frame is kept.
    pub fn is_whole(&self) -> bool {
        self.kept() as u64 == self.frames
    }
}
