//! The output of a command, line by line.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

/// Lines of a pipe, which a thread of its own reads.
pub struct Pipe {
    lines: Receiver<Vec<u8>>,
    pub seen: Vec<u8>,
}

impl Pipe {
    /// Reads until the pipe is closed.
    pub fn new(pipe: impl Read + Send + 'static) -> Pipe {
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            loop {
                let mut line = Vec::new();
                match pipe.read_until(b'\n', &mut line) {
                    Ok(n) if n > 0 && sender.send(line).is_ok() => {}
                    _ => break,
                }
            }
        });
        Pipe { lines, seen: Vec::new() }
    }

    /// The next line, none at the end.
    pub fn line(&mut self, deadline: Instant) -> Result<Option<String>, RecvTimeoutError> {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                self.seen.extend(&line);
                Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(timeout) => Err(timeout),
        }
    }

    /// All remaining output.
    pub fn rest(&mut self, deadline: Instant) -> String {
        while let Ok(Some(_)) = self.line(deadline) {}
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}
