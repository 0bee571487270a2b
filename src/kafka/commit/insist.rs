//! Requests of transactions that are repeated.

use crate::kafka::client::descriptors::exhausted;
use crate::system::deadline::Deadline;
use rdkafka::error::KafkaError;
use std::time::Duration;

/// The pause before a request is repeated.
const RETRY: Duration = Duration::from_millis(20);

/// Repeats a request while its error is retriable, within the timeout.
///
/// # Errors
/// Its last error.
pub fn insist(timeout: Duration, request: impl Fn() -> Result<(), KafkaError>) -> Result<(), KafkaError> {
    insist_while(timeout, || true, request)
}

/// The same, as long as it is wanted.
///
/// # Errors
/// Its last error.
pub fn insist_while(
    timeout: Duration,
    is_wanted: impl Fn() -> bool,
    request: impl Fn() -> Result<(), KafkaError>,
) -> Result<(), KafkaError> {
    let mut deadline = Deadline::after(timeout).every(RETRY);
    loop {
        match request() {
            Err(KafkaError::Transaction(error))
                if error.is_retriable() && exhausted().is_none() && is_wanted() && deadline.wait() => {}
            result => return result,
        }
    }
}
