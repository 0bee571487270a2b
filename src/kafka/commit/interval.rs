//! How often a transaction must be committed before the broker aborts it.

use crate::kafka::client::settings::Settings;
use anyhow::{Result, bail};
use std::time::Duration;

/// The property with the longest duration of a transaction.
pub const TIMEOUT: &str = "transaction.timeout.ms";
/// librdkafka's default.
const TIMEOUT_MS: u64 = 60_000;

/// Checks that a transaction with this commit interval does not time out: a fifth of the timeout is left for the
/// commit.
///
/// # Errors
/// If it would time out.
pub fn check_interval(settings: &Settings, interval: Duration) -> Result<()> {
    let set = settings.property(TIMEOUT).and_then(|value| value.trim().parse().ok());
    let timeout = Duration::from_millis(set.unwrap_or(TIMEOUT_MS));
    let most = timeout / 5 * 4;
    if interval > most {
        let text = humantime::format_duration;
        bail!(
            "--commit-interval {} is too long: the broker undoes a transaction that is open for longer than {TIMEOUT}, \
             which is {}: commit at least every {}, or set -X {TIMEOUT}={}",
            text(interval),
            text(timeout),
            text(most),
            (interval + interval / 4).as_millis() + 1
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_time_is_left_for_the_commit() {
        let check = |property: Option<&str>, interval| {
            let properties = property.map(|value| (TIMEOUT.to_owned(), value.to_owned())).into_iter().collect();
            let (brokers, stop) = Default::default();
            let settings = Settings { brokers, brokers_from: String::new(), properties, timeout: Duration::ZERO, stop };
            check_interval(&settings, Duration::from_secs(interval)).map_err(|error| error.to_string())
        };
        assert_eq!(check(None, 48), Ok(()));
        assert_eq!(check(Some("90000"), 70), Ok(()));
        assert_eq!(
            check(None, 70),
            Err("--commit-interval 1m 10s is too long: the broker undoes a transaction that is open for longer than \
                 transaction.timeout.ms, which is 1m: commit at least every 48s, or set -X transaction.timeout.ms=87501"
                .into())
        );
        assert!(check(Some("1000"), 1).unwrap_err().contains("which is 1s: commit at least every 800ms"));
    }
}
