//! Detects that the process has no file descriptors left: librdkafka only logs it, and retries for ever.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};

/// The same number on every Unix.
const EMFILE: i32 = 24;

static EXHAUSTED: AtomicBool = AtomicBool::new(false);

/// Checks a message of a client for this error.
pub fn notice(words: &str) {
    if words.contains("Too many open files") {
        EXHAUSTED.store(true, Ordering::Relaxed);
    }
}

/// The error and its remedy, if a client could not open a connection, or none can be opened now.
pub fn exhausted() -> Option<String> {
    (EXHAUSTED.load(Ordering::Relaxed) || !is_room()).then(|| {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        let most = line.and_then(|line| line.split_whitespace().next()).unwrap_or("so many");
        format!(
            "too many open files: this process may open {most}, and its connections need more: raise that with \
             `ulimit -n 1024`, then run the command again"
        )
    })
}

/// Whether a connection can be opened: it takes a socket, and a pipe that wakes it up. Some clients do not report their
/// log.
fn is_room() -> bool {
    let files: std::io::Result<Vec<File>> = (0..3).map(|_| File::open("/dev/null")).collect();
    files.err().and_then(|error| error.raw_os_error()) != Some(EMFILE)
}
