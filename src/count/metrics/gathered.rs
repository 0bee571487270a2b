//! The figures that are gathered while a count runs.

use crate::count::observer::Standing;
use crate::count::recovery::Activity;
use crate::engine::status::Status;
use crate::kafka::client::lags::Lags;
use crate::system::clock::now_us;
use kuu_core::ledger::Ledger;
use kuu_core::record::Program;
use prometheus_client::metrics::histogram::Histogram;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Upper bounds of the commit latency, in seconds. A commit that waits for a broker takes up to the time-outs.
const COMMIT_BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// The metrics of a count; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(pub(super) Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    figures: Mutex<Figures>,
    pub(super) commits: Histogram,
    pub(super) lags: Lags,
    pub(super) program: Program,
}

/// The figures of one moment. Counts are those of the last commit: what a setback undoes was never among them, so they
/// never fall.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) ledger: Ledger,
    /// Since the start of the process.
    pub(super) read_bytes: u64,
    /// Results since the start of the process, in the order of `TIMINGS` of the exposition.
    pub(super) results: [u64; 3],
    pub(super) status: Status,
    /// Offsets behind an open transaction.
    pub(super) hidden: u64,
    pub(super) setbacks: u64,
    /// Why the count is in a setback, if it is.
    pub(super) setback: Option<String>,
    /// When the last commit that had anything to do ended, in microseconds since the Unix epoch.
    pub(super) committed_us: Option<i64>,
}

impl Metrics {
    /// The metrics of a count that begins, by this build.
    pub fn new(program: Program) -> Metrics {
        let commits = Histogram::new(COMMIT_BUCKETS);
        Metrics(Arc::new(Shared { figures: Mutex::default(), commits, lags: Lags::default(), program }))
    }

    /// Where the readers of the count report their lags.
    pub fn lags(&self) -> &Lags {
        &self.0.lags
    }

    /// Notes the progress of the count.
    pub fn note(&self, now: &Activity) {
        let mut figures = self.figures();
        match now {
            Activity::Restoring { .. } => {}
            Activity::Counting { status, hidden, .. } => (figures.status, figures.hidden) = (*status, *hidden),
            Activity::Failed { why } => figures.setback = Some(why.clone()),
            Activity::SetBack { why } => {
                figures.setbacks += 1;
                figures.setback = Some(why.clone());
            }
        }
    }

    /// Why the count is in a setback, if it is: from the failure of a commit until a commit succeeds again.
    pub fn setback(&self) -> Option<String> {
        self.figures().setback.clone()
    }

    /// Notes a commit: these results of each timing, and a number of bytes before the run.
    pub(super) fn commit(&self, at: &Standing<'_>, results: [u64; 3], bytes_before: u64) {
        let mut figures = self.figures();
        figures.setback = None;
        figures.ledger.clone_from(at.ledger);
        figures.read_bytes = bytes_before + at.read_bytes;
        figures.results.iter_mut().zip(results).for_each(|(all, new)| *all += new);
        if let Some(took) = at.took {
            figures.committed_us = Some(now_us());
            self.0.commits.observe(took.as_secs_f64());
        }
    }

    pub(super) fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
