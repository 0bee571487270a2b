//! The progress of reading.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The progress of reading one input.
#[derive(Clone, Debug)]
pub struct Progress {
    pub(super) read: Arc<AtomicU64>,
    pub(super) size: Option<u64>,
}

impl Progress {
    /// Raw bytes read so far; compressed bytes of a compressed file.
    pub fn bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Whether both are of one reading of one file.
    pub fn is_same(&self, other: &Progress) -> bool {
        Arc::ptr_eq(&self.read, &other.read)
    }

    /// Size of the file in raw bytes; `None` for pipes and standard input.
    pub fn size(&self) -> Option<u64> {
        self.size
    }
}
