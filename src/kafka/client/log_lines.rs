//! Log lines of librdkafka.

use rdkafka::config::RDKafkaLogLevel;
use tracing::{Level, debug, enabled, error, info, warn};

/// Where these lines come from, in the log.
macro_rules! line {
    ($level:ident, $facility:ident, $line:ident) => {
        $level!(target: "librdkafka", event = "librdkafka", facility = $facility, "librdkafka: {}: {}", $facility, $line)
    };
}

/// Passes a line on to kuu's own log.
pub fn pass_on(level: RDKafkaLogLevel, facility: &str, line: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            line!(error, facility, line);
        }
        RDKafkaLogLevel::Warning => line!(warn, facility, line),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => line!(info, facility, line),
        RDKafkaLogLevel::Debug => line!(debug, facility, line),
    }
}

/// The level from which on librdkafka makes lines: some informational ones explain a failed connection, so kuu reads
/// them even if it does not print them.
pub fn wanted() -> RDKafkaLogLevel {
    if enabled!(target: "librdkafka", Level::DEBUG) { RDKafkaLogLevel::Debug } else { RDKafkaLogLevel::Info }
}
