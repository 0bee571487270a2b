//! Prints results while they come, on a thread of its own: a slow reader of standard output must not slow the count.

use crate::engine::stop::Stop;
use crate::system::clock::now_us;
use crate::terminal::complain;
use crate::terminal::result_line::result_line;
use anyhow::Result;
use indicatif::ProgressBar;
use kuu_core::counter::Emission;
use kuu_core::result::Row;
use std::io::{ErrorKind, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Number of commits whose results are printed at once, at most.
const AT_ONCE: usize = 100;

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultFormat {
    /// A line for people.
    Text,
    /// A JSON line, as in the topic of results.
    Json,
}

/// Prints results on standard output.
pub struct Printer {
    results: Option<Sender<Vec<Emission>>>,
    thread: Option<JoinHandle<()>>,
}

impl Printer {
    /// Prints above `bar`; if standard output has no reader any more, `stop` is interrupted.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn new(format: ResultFormat, bar: ProgressBar, stop: Stop) -> Result<Printer> {
        let (sender, results) = channel();
        let thread = std::thread::Builder::new().name("printer".into());
        let thread = thread.spawn(move || {
            if let Err(error) = print_above(&bar, format, &results) {
                if error.kind() != ErrorKind::BrokenPipe {
                    complain(format!("standard output cannot be written: {error}"));
                }
                stop.interrupt();
            }
        })?;
        Ok(Printer { results: Some(sender), thread: Some(thread) })
    }

    /// Prints these results, soon.
    pub fn print(&self, results: Vec<Emission>) {
        // The thread ends early only if standard output is closed.
        if let Some(sender) = &self.results {
            let _ = sender.send(results);
        }
    }
}

/// Waits until all is printed.
impl Drop for Printer {
    fn drop(&mut self) {
        self.results = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn print_above(bar: &ProgressBar, format: ResultFormat, results: &Receiver<Vec<Emission>>) -> std::io::Result<()> {
    let mut text = Vec::new();
    while let Ok(first) = results.recv() {
        text.clear();
        let others = results.try_iter().take(AT_ONCE).flatten();
        for result in first.into_iter().chain(others) {
            let row = Row::from(&result);
            match format {
                ResultFormat::Text => text.extend_from_slice(result_line(&row).as_bytes()),
                ResultFormat::Json => row.write(now_us(), &mut text),
            }
            text.push(b'\n');
        }
        bar.suspend(|| {
            let mut out = std::io::stdout().lock();
            out.write_all(&text).and_then(|()| out.flush())
        })?;
    }
    Ok(())
}
