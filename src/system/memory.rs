//! Returns memory to the system after a burst. After an outage, thousands of small messages wait in the client library,
//! on threads with a glibc arena each; once they are freed, the process keeps their pages: 200 MB after seven restarts
//! of a broker, of which 23 were in use. Only `malloc_trim` returns pages between blocks that are still used; no
//! dependency offers it, so this module declares it: it has no preconditions, and takes no pointers.
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

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    unsafe extern "C" {
        safe fn malloc_trim(pad: usize) -> i32;
    }
    malloc_trim(0);
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
