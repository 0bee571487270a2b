//! Reads and hashes on a thread of its own, so that the inflating thread does nothing else.

use crate::input::error::Fault;
use crate::system::fault::planted;
use crate::system::spares::Spares;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Bytes that are read at a time.
const SIZE: usize = 256 * 1024;
const THREAD: &str = "input";
/// Number of chunks that may wait, to bound the memory.
const WAITING: usize = 3;

/// Some bytes of an input.
#[derive(Default)]
pub(super) struct RawChunk {
    buf: Vec<u8>,
    len: usize,
}

impl RawChunk {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buf[..self.len]
    }

    /// Inserts bytes at the start.
    pub(super) fn prepend(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.buf.splice(..0, bytes.iter().copied());
            self.len += bytes.len();
        }
    }
}

/// A reader that reads ahead, from the first request on: before that it reads no byte.
pub(super) enum Ahead {
    Waiting(Box<dyn Read + Send>),
    Running(Running),
    /// The input has ended, or failed.
    Ended(JoinHandle<Sha256>),
    /// The thread could not be started, or died.
    Lost,
}

pub(super) struct Running {
    chunks: Receiver<io::Result<RawChunk>>,
    spares: Spares<RawChunk>,
    thread: JoinHandle<Sha256>,
}

impl Running {
    fn start(reader: Box<dyn Read + Send>) -> io::Result<Running> {
        let (told, chunks) = sync_channel(WAITING);
        let spares = Spares::new(WAITING + 2);
        let used = spares.clone();
        // The thread is joined only at the end of the input: it may wait for a silent pipe forever.
        let thread = Builder::new().name(THREAD.into()).spawn(move || read(reader, &told, &used))?;
        Ok(Running { chunks, spares, thread })
    }
}

impl Ahead {
    /// The next bytes, from position `at`, or none at the end; takes a used chunk in return.
    pub(super) fn next(&mut self, used: RawChunk, at: u64) -> Result<RawChunk, Fault> {
        let running = match std::mem::replace(self, Ahead::Lost) {
            Ahead::Waiting(reader) => Running::start(reader).map_err(|source| Fault::Io { at, source })?,
            Ahead::Running(running) => running,
            Ahead::Lost => return Err(Fault::Died { at }),
            ended @ Ahead::Ended(_) => {
                *self = ended;
                return Ok(RawChunk::default());
            }
        };
        running.spares.give_back(used);
        let Ok(next) = running.chunks.recv() else { return Err(Fault::Died { at }) };
        *self = match next {
            Ok(RawChunk { len: 1.., .. }) => Ahead::Running(running),
            _ => Ahead::Ended(running.thread),
        };
        next.map_err(|source| Fault::Io { at, source })
    }

    /// The SHA-256 of all bytes, after they have been read to the end, at position `at`.
    pub(super) fn hash(self, at: u64) -> Result<[u8; 32], Fault> {
        match self {
            Ahead::Ended(thread) => thread.join().map_err(|_| Fault::Died { at }).map(|hash| hash.finalize().into()),
            _ => Err(Fault::Died { at }),
        }
    }
}

fn read(
    mut reader: Box<dyn Read + Send>,
    chunks: &SyncSender<io::Result<RawChunk>>,
    used: &Spares<RawChunk>,
) -> Sha256 {
    let mut hash = Sha256::new();
    loop {
        let mut chunk = used.take();
        chunk.buf.resize(SIZE, 0);
        let read = loop {
            match reader.read(&mut chunk.buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let is_last = !matches!(read, Ok(1..));
        let told = read.map(|len| {
            chunk.len = len;
            hash.update(chunk.bytes());
            chunk
        });
        if chunks.send(told).is_err() || is_last {
            return hash;
        }
        planted(THREAD);
    }
}
