//! How the process keeps memory, and returns it.
//!
//! Large blocks are kept: librdkafka allocates a block for each answer of a broker and for each batch that it unpacks. glibc
//! maps such a block anew each time, and the system clears each of its pages: more than half of the page faults of a count.
//!
//! Memory is returned after a burst. After an outage, thousands of small messages wait in the client library,
//! on threads with a glibc arena each; once they are freed, the process keeps their pages: 200 MB after seven restarts
//! of a broker, of which 23 were in use. Only `malloc_trim` returns pages between blocks that are still used.
//!
//! No dependency offers these functions, so this module declares them: they have no preconditions, and take no pointers.
#![allow(unsafe_code)]

use std::time::Duration;

/// How long after a burst memory is returned: once for most of it, and once more when all messages are processed.
const AFTER: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(60)];

/// Returns memory some time after a burst.
#[derive(Default)]
pub struct Relief {
    burst: Duration,
    given: usize,
}

impl Relief {
    /// Records a burst.
    pub fn burst(&mut self, now: Duration) {
        *self = Relief { burst: now, given: 0 };
    }

    /// Returns memory if it is time.
    pub fn look(&mut self, now: Duration) {
        if AFTER.get(self.given).is_some_and(|after| now.saturating_sub(self.burst) >= *after) {
            self.given += 1;
            trim();
        }
    }
}

/// Keeps freed blocks of up to 32 MiB, the most that glibc allows, in the process; to be called at its start.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_large_blocks() {
    const M_TRIM_THRESHOLD: i32 = -1;
    const M_MMAP_THRESHOLD: i32 = -3;
    unsafe extern "C" {
        safe fn mallopt(parameter: i32, value: i32) -> i32;
    }
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

/// Another allocator is left as it is.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_large_blocks() {}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    unsafe extern "C" {
        safe fn malloc_trim(pad: usize) -> i32;
    }
    malloc_trim(0);
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
