//! How a run is stopped.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells every thread of a run to end; clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    interrupted: Arc<AtomicBool>,
    finish: Arc<AtomicBool>,
    /// The stop of the run that this one is a part of.
    whole: Option<Arc<Stop>>,
}

impl Stop {
    /// A stop that SIGINT and SIGTERM interrupt. A second signal ends the process at once.
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

    /// A stop whose [`Stop::finish`] applies to a part of the run only; the interrupt is shared.
    pub fn child(&self) -> Stop {
        Stop { finish: Arc::default(), ..self.clone() }
    }

    /// A stop for a part of the run: the part ends with the run, or alone by its own [`Stop::interrupt`].
    pub fn part(&self) -> Stop {
        Stop { whole: Some(Arc::new(self.clone())), ..Stop::default() }
    }

    /// Whether the user wants the run to end now, in order, before the end of the input.
    pub fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || self.whole.as_ref().is_some_and(|whole| whole.interrupted())
    }

    /// Tells a run without an end to stop at the current end of its input.
    pub fn finish(&self) {
        self.finish.store(true, Ordering::Relaxed);
    }

    /// Tells a run to end now.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Whether [`Stop::finish`] was called.
    pub fn finishing(&self) -> bool {
        self.finish.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_alone_or_with_the_run() {
        let whole = Stop::default();
        let (one, other) = (whole.part(), whole.child().part());
        one.interrupt();
        assert_eq!([&whole, &one, &other].map(Stop::interrupted), [false, true, false]);
        whole.interrupt();
        assert_eq!([&whole, &one, &other].map(Stop::interrupted), [true, true, true]);
    }
}
