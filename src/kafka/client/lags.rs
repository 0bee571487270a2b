//! The consumer lag of each partition.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The consumer lag of each partition, as the readers that follow last reported it; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Lags(Arc<Mutex<BTreeMap<i32, u64>>>);

impl Lags {
    /// Notes the lags of some partitions, in offsets.
    pub fn note(&self, lags: impl Iterator<Item = (i32, u64)>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(lags);
    }

    /// The lag of each partition that is known, in offsets.
    pub fn by_partition(&self) -> BTreeMap<i32, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
