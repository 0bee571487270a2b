//! How a run is asked to end.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks every thread of a run to end; clones share the wish.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    interrupted: Arc<AtomicBool>,
    finish: Arc<AtomicBool>,
}

impl Stop {
    /// Is set by SIGINT and SIGTERM. A second signal ends the process at once.
    ///
    /// # Errors
    /// If the handlers cannot be installed.
    pub fn on_signals() -> Result<Stop> {
        let stop = Stop::default();
        for signal in [SIGINT, SIGTERM] {
            let install = || {
                signal_hook::flag::register_conditional_shutdown(signal, 130, stop.interrupted.clone())?;
                signal_hook::flag::register(signal, stop.interrupted.clone())
            };
            install().context("signal handlers cannot be installed")?;
        }
        Ok(stop)
    }

    /// One whose [`Stop::finish`] concerns a part of the run only; the interrupt is shared.
    pub fn child(&self) -> Stop {
        Stop { interrupted: self.interrupted.clone(), finish: Arc::default() }
    }

    /// Whether the user wants the run to end now, in order, without waiting for the end of the input.
    pub fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Asks a run without an end to take what is there now as its end.
    pub fn finish(&self) {
        self.finish.store(true, Ordering::Relaxed);
    }

    /// Asks a run to end now.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Whether [`Stop::finish`] was called.
    pub fn finishing(&self) -> bool {
        self.finish.load(Ordering::Relaxed)
    }
}
