//! Memory that a burst left behind. After an outage thousands of small messages wait in the client library, on threads with
//! an arena each of glibc's allocator; once freed, their pages stay with the process: 200 MB after seven restarts of a broker,
//! of which 23 were in use. Only `malloc_trim` gives back what lies between blocks that are still used; the crates that
//! are here do not offer it, so this module declares it: it has no preconditions, and no data passes through it.
#![allow(unsafe_code)]

use std::time::Duration;

/// How long after a burst its memory is given back: once for most of it, and once when all is worked off.
const AFTER: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(60)];

/// Gives memory back some time after a burst.
#[derive(Default)]
pub struct Relief {
    burst: Duration,
    given: usize,
}

impl Relief {
    /// Says that there was a burst.
    pub fn burst(&mut self, now: Duration) {
        *self = Relief { burst: now, given: 0 };
    }

    /// Looks whether it is time.
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
