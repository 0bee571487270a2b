//! Measures a count for its metrics, and passes all on to another observer.

use crate::count::metrics::exposition::TIMINGS;
use crate::count::metrics::gathered::Metrics;
use crate::count::observer::{Observer, Standing};
use kuu_core::counter::Emission;

/// An observer that keeps the metrics, if there are any.
pub struct Metered<'a> {
    metrics: Option<Metrics>,
    inner: &'a mut dyn Observer,
    /// Results since the last commit, by timing.
    open: [u64; 3],
    /// Bytes that were read before the last setback, and committed.
    bytes_before: u64,
}

impl<'a> Metered<'a> {
    /// Tells `inner` everything too.
    pub fn new(metrics: Option<&Metrics>, inner: &'a mut dyn Observer) -> Metered<'a> {
        Metered { metrics: metrics.cloned(), inner, open: [0; 3], bytes_before: 0 }
    }
}

impl Observer for Metered<'_> {
    fn begin(&mut self) {
        self.open = [0; 3];
        self.bytes_before = self.metrics.as_ref().map_or(0, |metrics| metrics.figures().read_bytes);
        self.inner.begin();
    }

    fn result(&mut self, result: &Emission) {
        for (timing, open) in TIMINGS.iter().zip(&mut self.open) {
            *open += u64::from(*timing == result.timing);
        }
        self.inner.result(result);
    }

    fn committed(&mut self) {
        self.inner.committed();
    }

    fn stands(&mut self, at: &Standing<'_>) {
        let results = std::mem::take(&mut self.open);
        if let Some(metrics) = &self.metrics {
            metrics.commit(at, results, self.bytes_before);
        }
        self.inner.stands(at);
    }
}
