//! Observes a count while it runs.

use crate::engine::sink::{Commit, Output, Sink};
use anyhow::Result;
use kuu_core::counter::Emission;
use std::cell::Cell;

/// Is told about results and commits; results that are not committed are undone.
pub trait Observer {
    /// The count begins, or begins again after a setback.
    fn begin(&mut self) {}

    /// A result was emitted.
    fn result(&mut self, _result: &Emission) {}

    /// All results since the last commit are committed.
    fn committed(&mut self) {}
}

/// Ignores everything.
impl Observer for () {}

/// A sink with an observer.
pub struct Observed<'a> {
    sink: &'a mut dyn Sink,
    observer: &'a mut dyn Observer,
    /// Number of commits with changes or results.
    commits: &'a Cell<u64>,
    /// Whether there was a result since the last commit.
    has_results: bool,
}

impl<'a> Observed<'a> {
    /// Passes everything on to `sink`; `commits` counts the commits with changes or results.
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
