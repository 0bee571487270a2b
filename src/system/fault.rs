//! Dying threads: their end must never look like the end of their work.

use anyhow::{Error, anyhow};

/// Panics if `KUU_TEST_PANIC` names this thread, in debug builds only: with it, tests let each thread die.
pub fn planted(thread: &str) {
    if cfg!(debug_assertions) && std::env::var_os("KUU_TEST_PANIC").is_some_and(|name| name == *thread) {
        panic!("planted by KUU_TEST_PANIC");
    }
}

/// The error of a thread that died.
pub fn died(thread: &str) -> Error {
    anyhow!(
        "thread {thread} died, which is a fault of kuu (its last words are above): what it worked on is not final; \
         run again, and report it"
    )
}
