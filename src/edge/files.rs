//! Several files in order, read ahead on a thread of their own.

use super::input::{Block, Input, InputError, Progress, is_blank};
use super::stop::Stop;
use crate::core::record::Source;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Blocks that may wait between the thread that reads and the one that takes; bounds the memory in between.
const WAITING_BLOCKS: usize = 4;

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The files, as far as they were read, in order.
    pub sources: Vec<Source>,
    /// Blank lines.
    pub blank: u64,
    /// Why reading ended early; everything before that place was delivered.
    pub error: Option<InputError>,
}

impl Reading {
    /// Frames of all files.
    pub fn frames(&self) -> u64 {
        self.sources.iter().map(|source| source.frames).sum()
    }

    /// Their bytes, without line ends.
    pub fn frame_bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.frame_bytes).sum()
    }
}

/// Reads the files `names` (`-` is standard input), `limit` frames at most, and gives their blocks to `take`, with the
/// index of the file, until it says false or `stop` is set.
///
/// `tell` hears how far each file is read, block by block.
pub fn read(
    names: &[String],
    limit: Option<u64>,
    stop: &Stop,
    tell: impl Fn(&Progress) + Send,
    mut take: impl FnMut(usize, &Block) -> bool,
) -> Reading {
    let (full, blocks) = sync_channel(WAITING_BLOCKS);
    let spares = Mutex::new(Vec::new());
    let reader = Ahead { full, spares: &spares, stop, left: limit.unwrap_or(u64::MAX), reading: Reading::default() };
    std::thread::scope(|scope| {
        let ahead = scope.spawn(move || reader.run(names, &tell));
        give(blocks, &spares, &mut take);
        ahead.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn give(blocks: Receiver<(usize, Block)>, spares: &Mutex<Vec<Block>>, take: &mut impl FnMut(usize, &Block) -> bool) {
    for (file, block) in blocks {
        if !take(file, &block) {
            break;
        }
        if let Ok(mut spares) = spares.lock() {
            spares.push(block);
        }
    }
}

struct Ahead<'a> {
    full: SyncSender<(usize, Block)>,
    spares: &'a Mutex<Vec<Block>>,
    stop: &'a Stop,
    left: u64,
    reading: Reading,
}

impl Ahead<'_> {
    fn run(mut self, names: &[String], tell: &impl Fn(&Progress)) -> Reading {
        for (file, name) in names.iter().enumerate() {
            let input = match Input::open(name) {
                Ok(input) => input,
                Err(error) => {
                    self.reading.error = Some(error);
                    break;
                }
            };
            if !self.file(file, name, input, tell) {
                break;
            }
        }
        self.reading
    }

    /// Reads one file; whether there is a point in going on.
    fn file(&mut self, file: usize, name: &str, mut input: Input, tell: &impl Fn(&Progress)) -> bool {
        let progress = input.progress();
        let mut source = Source { name: name.to_owned(), ..Source::default() };
        let mut wanted = true;
        while self.left > 0 && wanted && !self.stop.interrupted() {
            let mut block = self.spares.lock().ok().and_then(|mut spares| spares.pop()).unwrap_or_default();
            match input.read_block(&mut block) {
                Ok(true) => {
                    self.left -= block.keep(self.left);
                    self.book(&mut source, &block);
                    tell(&progress);
                    wanted = self.full.send((file, block)).is_ok();
                }
                Ok(false) => break,
                Err(error) => {
                    self.reading.error = Some(error);
                    break;
                }
            }
        }
        // Waiting for the end of a pipe only to hash what nobody wants would never end.
        let stopped = !wanted || self.stop.interrupted();
        if !(stopped && name == "-") {
            match input.finish() {
                Ok(digest) => (source.bytes, source.sha256) = (digest.bytes, digest.sha256),
                Err(error) => {
                    self.reading.error.get_or_insert(error);
                }
            }
        }
        self.reading.sources.push(source);
        !stopped && self.left > 0 && self.reading.error.is_none()
    }

    fn book(&mut self, source: &mut Source, block: &Block) {
        for (_, line) in block.lines() {
            if is_blank(line) {
                self.reading.blank += 1;
            } else {
                source.frames += 1;
                source.frame_bytes += line.len() as u64;
            }
        }
    }
}
