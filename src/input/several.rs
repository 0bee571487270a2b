//! Reads several files in order, ahead of their use, on a thread of their own.

use crate::engine::stop::Stop;
use crate::input::blocks::{Digest, Finished, Input};
use crate::input::error::InputError;
use crate::input::lent::LentBlock;
use crate::input::names::distinct;
use crate::input::progress::Progress;
use crate::system::fault::planted;
use crate::system::spares::Spares;
use kuu_core::lines::{Block, is_blank};
use kuu_core::record::Source;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::Duration;

/// Name of the reading thread.
const THREAD: &str = "files";
/// Number of blocks that may wait for their use, to bound the memory.
const WAITING_BLOCKS: usize = 4;
/// Number of blocks that are kept to be used again: a producer may keep that many for a while.
const SPARE_BLOCKS: usize = 64;

/// The outcome of reading.
#[derive(Debug, Default)]
pub struct Reading {
    /// The files that were read, in order.
    pub sources: Vec<Source>,
    /// Blank lines.
    pub blank: u64,
    /// Why reading ended early; all lines before that place were delivered.
    pub error: Option<InputError>,
}

impl Reading {
    /// Number of frames in all files.
    pub fn frames(&self) -> u64 {
        self.sources.iter().map(|source| source.frames).sum()
    }

    /// Bytes of these frames, without line ends.
    pub fn frame_bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.frame_bytes).sum()
    }

    fn add(&mut self, tally: &LineCounts) {
        self.blank += tally.blank;
        if let Some(source) = self.sources.last_mut() {
            source.frames += tally.frames;
            source.frame_bytes += tally.frame_bytes;
        }
    }

    fn identify(&mut self, digest: Digest) {
        if let Some(source) = self.sources.last_mut() {
            (source.bytes, source.sha256) = (digest.bytes, digest.sha256);
        }
    }
}

/// A message of the reading thread; messages keep the order of the input.
enum Told {
    Opened(String),
    Block(Arc<LentBlock>, LineCounts),
    Ended(Digest),
    Failed(InputError),
    /// All files are read.
    Done,
}

#[derive(Default)]
struct LineCounts {
    frames: u64,
    frame_bytes: u64,
    blank: u64,
}

impl LineCounts {
    fn of(block: &Block) -> LineCounts {
        let mut tally = LineCounts::default();
        for (_, line) in block.lines() {
            if is_blank(line) {
                tally.blank += 1;
            } else {
                tally.frames += 1;
                tally.frame_bytes += line.len() as u64;
            }
        }
        tally
    }
}

/// Reads the files `names` (`-` is standard input), up to `limit` frames, and passes their blocks to `take`, with the
/// index of the file, until it returns false or `stop` is interrupted. Who keeps a block makes the reader take another one.
///
/// After each block, `tell` gets the progress of the file.
pub fn read(
    names: &[String],
    limit: Option<u64>,
    stop: &Stop,
    tell: impl Fn(&Progress) + Send + 'static,
    mut take: impl FnMut(usize, &Arc<LentBlock>) -> bool,
) -> Reading {
    if let Err(error) = distinct(names) {
        return Reading { error: Some(error), ..Reading::default() };
    }
    let (told, incoming) = sync_channel(WAITING_BLOCKS);
    let spares = Spares::new(SPARE_BLOCKS);
    let ahead = FilesThread { told, spares, stop: stop.clone(), left: limit.unwrap_or(u64::MAX) };
    let names = names.to_vec();
    // The thread is not joined: after an interrupt it may wait for a silent pipe forever.
    if let Err(error) = Builder::new().name(THREAD.into()).spawn(move || ahead.run(&names, &tell)) {
        return Reading { error: Some(InputError::NoThread(error)), ..Reading::default() };
    }
    let mut reading = Reading::default();
    loop {
        match incoming.recv_timeout(Duration::from_millis(50)) {
            Ok(Told::Opened(name)) => reading.sources.push(Source { name, ..Source::default() }),
            Ok(Told::Block(block, tally)) => {
                reading.add(&tally);
                if !take(reading.sources.len().saturating_sub(1), &block) {
                    break;
                }
            }
            Ok(Told::Ended(digest)) => reading.identify(digest),
            Ok(Told::Failed(error)) => reading.error = Some(error),
            Err(RecvTimeoutError::Timeout) if stop.interrupted() => break,
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Told::Done) => break,
            Err(RecvTimeoutError::Disconnected) => {
                reading.error = Some(InputError::Lost { thread: THREAD });
                break;
            }
        }
    }
    reading
}

struct FilesThread {
    told: SyncSender<Told>,
    spares: Spares<Block>,
    stop: Stop,
    left: u64,
}

impl FilesThread {
    fn run(mut self, names: &[String], tell: &impl Fn(&Progress)) {
        for name in names {
            if self.left == 0 || self.stop.interrupted() {
                break;
            }
            let read = Input::open(name).and_then(|input| self.file(name, input, tell));
            match read {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.tell(Told::Failed(error));
                    break;
                }
            }
        }
        self.tell(Told::Done);
    }

    /// Sends a message; returns false if there is no receiver any more.
    fn tell(&self, told: Told) -> bool {
        self.told.send(told).is_ok()
    }

    /// Reads one file; returns false if no further file is needed.
    fn file(&mut self, name: &str, mut input: Input, tell: &impl Fn(&Progress)) -> Result<bool, InputError> {
        let progress = input.progress();
        let mut wanted = self.tell(Told::Opened(name.to_owned()));
        let mut failed = None;
        while self.left > 0 && wanted && !self.stop.interrupted() {
            let mut block = self.spares.take();
            match input.read_block(&mut block) {
                Ok(true) => {
                    self.left -= block.keep(self.left);
                    let tally = LineCounts::of(&block);
                    tell(&progress);
                    let block = Arc::new(LentBlock::of(&self.spares, block));
                    wanted = self.tell(Told::Block(block, tally));
                }
                Ok(false) => break,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
            planted(THREAD);
        }
        if !wanted || self.stop.interrupted() {
            return Ok(false);
        }
        let Finished { digest, error } = input.finish(failed);
        self.tell(Told::Ended(digest));
        error.map_or(Ok(true), Err)
    }
}
