//! Who looks on while a count goes on.

use crate::engine::sink::{Commit, Letter, Sink};
use anyhow::Result;
use kuu_core::counter::Emission;
use kuu_core::frame_batch::Times;
use std::cell::Cell;

/// Looks on as results are committed; what is not committed is undone.
pub trait Observer {
    /// The count begins, or begins again after a setback.
    fn begin(&mut self) {}

    /// A result is on its way.
    fn result(&mut self, _result: &Emission) {}

    /// All results since the last time are committed.
    fn committed(&mut self) {}
}

/// Nobody.
impl Observer for () {}

/// A sink, and who looks on.
pub struct Observed<'a> {
    sink: &'a mut dyn Sink,
    observer: &'a mut dyn Observer,
    /// Commits that held anything.
    commits: &'a Cell<u64>,
    /// Whether there was a result since the last commit.
    has_results: bool,
}

impl<'a> Observed<'a> {
    /// Everything goes to `sink`; `commits` counts up with every commit that holds anything.
    pub fn new(sink: &'a mut dyn Sink, observer: &'a mut dyn Observer, commits: &'a Cell<u64>) -> Observed<'a> {
        observer.begin();
        Observed { sink, observer, commits, has_results: false }
    }
}

impl Sink for Observed<'_> {
    fn result(&mut self, result: &Emission, cause: Option<Times>) -> Result<()> {
        self.observer.result(result);
        self.has_results = true;
        self.sink.result(result, cause)
    }

    fn dead_letter(&mut self, letter: Letter, reason: &'static str) -> Result<()> {
        self.sink.dead_letter(letter, reason)
    }

    fn ordered(&mut self, letter: Letter) -> Result<()> {
        self.sink.ordered(letter)
    }

    fn commit(&mut self, commit: Commit<'_>) -> Result<()> {
        let has_news = !commit.changes.is_empty() || self.has_results;
        self.sink.commit(commit)?;
        if has_news {
            self.has_results = false;
            self.commits.set(self.commits.get() + 1);
            self.observer.committed();
        }
        Ok(())
    }

    fn settle(&mut self) {
        self.sink.settle();
    }

    fn poll(&mut self) -> Result<()> {
        self.sink.poll()
    }
}
