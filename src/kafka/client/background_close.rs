//! Closes clients on a thread of their own: librdkafka takes up to 100 ms for it, and nothing waits for the end.

use std::ops::Deref;

/// A value that is dropped on another thread; the end of the process does not wait for it.
pub struct Aside<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Aside<T> {
    /// Wraps a value that is dropped on another thread.
    pub fn new(value: T) -> Aside<T> {
        Aside(Some(value))
    }
}

impl<T: Send + 'static> Deref for Aside<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl<T: Send + 'static> Drop for Aside<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            // If no thread can be started, the closure drops the value here.
            let _ = std::thread::Builder::new().name("close".into()).spawn(move || drop(value));
        }
    }
}
