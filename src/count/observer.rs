//! Who looks on while a count goes on.

use crate::engine::sink::{Commit, Output, Sink};
use anyhow::Result;
use kuu_core::counter::Emission;
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
    fn take(&mut self, output: Output) -> Result<()> {
        if let Output::Result(result, _) = &output {
            self.observer.result(result);
            self.has_results = true;
        }
        self.sink.take(output)
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
