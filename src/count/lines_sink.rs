//! Results as JSON lines.

use crate::engine::sink::{Commit, Output, Sink};
use crate::engine::stop::Stop;
use crate::system::clock::now_us;
use anyhow::{Context, Result};
use kuu_core::result::Row;
use std::io::{BufWriter, ErrorKind, Write};

/// Writes results to a stream. If the stream has no reader any more, the run stops in order.
pub struct LinesSink<W: Write> {
    out: BufWriter<W>,
    stop: Stop,
}

impl<W: Write> LinesSink<W> {
    /// Writes results to `out`; a broken pipe interrupts `stop`.
    pub fn new(out: W, stop: Stop) -> LinesSink<W> {
        LinesSink { out: BufWriter::new(out), stop }
    }

    fn judge(&self, written: std::io::Result<()>) -> Result<()> {
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.stop.interrupt();
                Ok(())
            }
            other => other.context("results cannot be written to standard output"),
        }
    }
}

impl<W: Write> Sink for LinesSink<W> {
    fn take(&mut self, output: Output) -> Result<()> {
        // A count of files has no dead letters and no ordered output.
        let Output::Result(result, _) = output else { return Ok(()) };
        let mut line = Vec::new();
        Row::from(&result).write(now_us(), &mut line);
        line.push(b'\n');
        let written = self.out.write_all(&line);
        self.judge(written)
    }

    fn commit(&mut self, _: Commit<'_>) -> Result<()> {
        self.poll()
    }

    fn poll(&mut self) -> Result<()> {
        let written = self.out.flush();
        self.judge(written)
    }
}
