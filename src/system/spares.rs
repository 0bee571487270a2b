//! Used values, kept to reuse their memory.

use std::sync::{Arc, Mutex};

/// Returns used values instead of new ones; clones share them.
pub struct Spares<T> {
    kept: Arc<Mutex<Vec<T>>>,
    most: usize,
}

impl<T: Default> Spares<T> {
    /// Keeps at most this many values.
    pub fn new(most: usize) -> Spares<T> {
        Spares { kept: Arc::default(), most }
    }

    /// A used value, or a new one.
    pub fn take(&self) -> T {
        self.kept.lock().ok().and_then(|mut kept| kept.pop()).unwrap_or_default()
    }

    /// Returns a used value.
    pub fn give_back(&self, used: T) {
        if let Ok(mut kept) = self.kept.lock()
            && kept.len() < self.most
        {
            kept.push(used);
        }
    }
}

impl<T> Default for Spares<T> {
    /// Keeps no value.
    fn default() -> Spares<T> {
        Spares { kept: Arc::default(), most: 0 }
    }
}

impl<T> Clone for Spares<T> {
    fn clone(&self) -> Spares<T> {
        Spares { kept: self.kept.clone(), most: self.most }
    }
}
