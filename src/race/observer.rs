//! Reads `output` while an engine runs: stores every message with its time of arrival, and folds it.

use crate::kafka::admin::{Cluster, Range};
use crate::kafka::client::settings::Settings;
use crate::kafka::consume::whole_topic::{ScannedMessage, read_all, read_until};
use crate::system::clock::steady_us;
use anyhow::{Context as _, Result};
use kuu_core::verdict::{Message, Timeline};
use serde::Serialize;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a transaction that was committed may take to be visible.
const COMMIT: Duration = Duration::from_secs(3);

/// One message of `output`, as it is stored.
#[derive(Serialize)]
struct StoredRow<'a> {
    /// Microseconds of [`steady_us`].
    arrived_us: i64,
    /// When the broker appended it, in milliseconds since the Unix epoch.
    appended_ms: Option<i64>,
    offset: i64,
    key: Cow<'a, str>,
    value: Option<Cow<'a, str>>,
}

/// What was seen so far, and where it is stored.
struct Seen {
    timeline: Timeline,
    rows: BufWriter<File>,
    /// The first offset that was not read.
    next: i64,
    messages: u64,
    error: Option<std::io::Error>,
}

impl Seen {
    fn take(&mut self, message: &ScannedMessage<'_>) {
        let ScannedMessage { partition, offset, key, value, .. } = *message;
        let arrived_us = steady_us();
        self.next = offset + 1;
        self.messages += 1;
        self.timeline.take(arrived_us, &Message { partition, offset, key, value });
        let (key, value) = (String::from_utf8_lossy(key), value.map(String::from_utf8_lossy));
        let row = StoredRow { arrived_us, appended_ms: message.timestamp_ms(), offset, key, value };
        let written = serde_json::to_writer(&mut self.rows, &row).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|()| self.rows.write_all(b"\n")) {
            self.error.get_or_insert(error);
        }
    }
}

/// The thread that reads; it ends when this is dropped.
struct ReadingThread {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl ReadingThread {
    fn join(&mut self) -> Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for ReadingThread {
    fn drop(&mut self) {
        // Something is left to join only after another error, which is the one to tell.
        let _ = self.join();
    }
}

/// Reads the only partition of `output`, as a read_committed reader, until it is finished or dropped.
pub struct OutputObserver {
    settings: Settings,
    output: String,
    seen: Arc<Mutex<Seen>>,
    reading: ReadingThread,
}

impl OutputObserver {
    /// Starts to read the topic from its beginning; the messages are stored in the file `rows`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn start(settings: &Settings, output: &str, timeline: Timeline, rows: &Path) -> Result<OutputObserver> {
        let file = File::create(rows).with_context(|| format!("{} cannot be written", rows.display()))?;
        let seen = Seen { timeline, rows: BufWriter::new(file), next: 0, messages: 0, error: None };
        let (seen, is_over) = (Arc::new(Mutex::new(seen)), Arc::new(AtomicBool::new(false)));
        let (settings, output) = (settings.clone(), output.to_owned());
        let thread = {
            let (settings, output) = (settings.clone(), output.clone());
            let (seen, is_over) = (seen.clone(), is_over.clone());
            std::thread::Builder::new().name("observer".into()).spawn(move || {
                let done = || is_over.load(Ordering::Relaxed);
                read_until(&settings, &output, &[Range { low: 0, high: i64::MAX }], done, |message| {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).take(&message);
                })
            })?
        };
        let reading = ReadingThread { is_over, thread: Some(thread) };
        Ok(OutputObserver { settings, output, seen, reading })
    }

    /// Looks at what was seen so far.
    pub fn look<T>(&self, look: impl FnOnce(&Timeline) -> T) -> T {
        look(&self.seen.lock().unwrap_or_else(PoisonError::into_inner).timeline)
    }

    /// Waits for a row that is news, from this offset on; none: behind all that was read so far.
    pub fn await_news(&self, from: Option<i64>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let from = from.unwrap_or(seen.next);
        seen.timeline.await_news(from);
    }

    /// Stops, reads what is left, and returns all that was seen, with the number of messages in aborted transactions.
    ///
    /// # Errors
    /// If the topic cannot be read to its end, or a message could not be stored.
    pub fn finish(mut self, cluster: &Cluster) -> Result<(Timeline, u64)> {
        self.reading.join()?;
        let OutputObserver { settings, output, seen, reading } = self;
        drop(reading);
        let seen = Arc::into_inner(seen).context("the observer still reads")?;
        let mut seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        let high = cluster.committed_ranges(&output, COMMIT)?.first().map_or(0, |range| range.high);
        read_all(&settings, &output, &[Range { low: seen.next, high }], |message| {
            seen.take(&message);
            Ok(())
        })?;
        let flushed = seen.rows.flush();
        seen.error.map_or(flushed, Err).context("the rows cannot be stored")?;
        let all = uncommitted(settings, &output, cluster)?;
        Ok((seen.timeline, all.saturating_sub(seen.messages)))
    }
}

/// The number of messages that a read_uncommitted reader sees.
fn uncommitted(mut settings: Settings, output: &str, cluster: &Cluster) -> Result<u64> {
    let ranges = cluster.uncommitted_ranges(output)?;
    settings.properties.push(("isolation.level".into(), "read_uncommitted".into()));
    read_all(&settings, output, &ranges, |_| Ok(()))
}
