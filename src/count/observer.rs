//! Observes a count while it runs.

use crate::engine::sink::{Commit, Output, Sink};
use crate::terminal::{plural, time};
use anyhow::Result;
use kuu_core::counter::Emission;
use kuu_core::ledger::Ledger;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Is told about results and commits; results that are not committed are undone.
pub trait Observer {
    /// The count begins, or begins again after a setback.
    fn begin(&mut self) {}

    /// A result was emitted.
    fn result(&mut self, _result: &Emission) {}

    /// All results since the last commit are committed.
    fn committed(&mut self) {}

    /// A commit succeeded, after [`Observer::committed`]; it may have had nothing to do.
    fn stands(&mut self, _at: &Standing<'_>) {}
}

/// What is committed.
pub struct Standing<'a> {
    /// What became of all frames, those of earlier runs included.
    pub ledger: &'a Ledger,
    /// Bytes that were read since the start of the run, or since the last setback.
    pub read_bytes: u64,
    /// How long the commit took, if it had anything to do.
    pub took: Option<Duration>,
}

/// Ignores everything.
impl Observer for () {}

/// A sink with an observer.
pub struct Observed<'a> {
    sink: &'a mut dyn Sink,
    observer: &'a mut dyn Observer,
    /// Number of commits with changes or results.
    commits: &'a Cell<u64>,
    /// Number of results since the last commit.
    results: u64,
    /// The positions of the last commit.
    positions: Vec<i64>,
}

impl<'a> Observed<'a> {
    /// Passes everything on to `sink`; `commits` counts the commits with changes or results.
    pub fn new(sink: &'a mut dyn Sink, observer: &'a mut dyn Observer, commits: &'a Cell<u64>) -> Observed<'a> {
        observer.begin();
        Observed { sink, observer, commits, results: 0, positions: Vec::new() }
    }
}

impl Sink for Observed<'_> {
    fn take(&mut self, output: Output) -> Result<()> {
        if let Output::Result(result, _) = &output {
            self.observer.result(result);
            self.results += 1;
        }
        self.sink.take(output)
    }

    fn commit(&mut self, commit: Commit<'_>) -> Result<()> {
        let has_news = !commit.changes.is_empty() || self.results > 0;
        let has_moved = self.positions != commit.positions;
        if has_moved {
            self.positions = commit.positions.to_vec();
        }
        let Commit { ledger, read_bytes, .. } = commit;
        let begun = Instant::now();
        self.sink.commit(commit)?;
        let took = (has_news || has_moved).then(|| begun.elapsed());
        if let Some(took) = took {
            log(ledger, self.results, took);
        }
        if has_news {
            self.results = 0;
            self.commits.set(self.commits.get() + 1);
            self.observer.committed();
        }
        self.observer.stands(&Standing { ledger, read_bytes, took });
        Ok(())
    }

    fn settle(&mut self) {
        self.sink.settle();
    }

    fn poll(&mut self) -> Result<()> {
        self.sink.poll()
    }
}

fn log(ledger: &Ledger, results: u64, took: Duration) {
    let (frames, duration_us) = (ledger.read, took.as_micros() as u64);
    tracing::debug!(
        target: "kuu", event = "commit", frames, results, duration_us,
        "committed: {} so far, {}, in {}", plural(frames, "frame"), plural(results, "result"), time(took),
    );
}
