//! Reads and hashes on a thread of its own, so that the one that inflates does nothing else.

use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// Read at a time.
const SIZE: usize = 256 * 1024;
/// Chunks that may wait; bounds the memory in between.
const WAITING: usize = 3;

/// Some bytes of an input.
#[derive(Default)]
pub(super) struct Chunk {
    buf: Vec<u8>,
    len: usize,
}

impl Chunk {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buf[..self.len]
    }

    /// Puts bytes before those that it has.
    pub(super) fn prepend(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.buf.splice(..0, bytes.iter().copied());
            self.len += bytes.len();
        }
    }
}

/// A reader that runs ahead.
pub(super) struct Ahead {
    chunks: Receiver<io::Result<Chunk>>,
    spares: Sender<Chunk>,
    thread: JoinHandle<Sha256>,
}

impl Ahead {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Ahead {
        let (told, chunks) = sync_channel(WAITING);
        let (spares, used) = channel();
        // Not joined unless it is at the end: it may wait for a silent pipe forever.
        Ahead { chunks, spares, thread: std::thread::spawn(move || read(reader, &told, &used)) }
    }

    /// The next bytes, for those that are used up; none at the end.
    pub(super) fn next(&self, used: Chunk) -> io::Result<Chunk> {
        // A thread that has ended needs no memory, and has no more to tell.
        let _ = self.spares.send(used);
        self.chunks.recv().unwrap_or_else(|_| Ok(Chunk::default()))
    }

    /// The SHA-256 of all bytes, which must have been read to the end.
    pub(super) fn hash(self) -> [u8; 32] {
        match self.thread.join() {
            Ok(hash) => hash.finalize().into(),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn read(mut reader: Box<dyn Read + Send>, chunks: &SyncSender<io::Result<Chunk>>, used: &Receiver<Chunk>) -> Sha256 {
    let mut hash = Sha256::new();
    loop {
        let mut chunk = used.try_recv().unwrap_or_default();
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
    }
}
