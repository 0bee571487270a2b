//! Options for a run that somebody operates: where its metrics are, and its log.

use clap::Args;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use strum::{EnumMessage, EnumString, IntoStaticStr, VariantArray};
use tracing::level_filters::LevelFilter;

use super::values::described;

/// The environment variable with the level of the log.
pub const LOG_VARIABLE: &str = "KUU_LOG";

/// The metrics of `kuu count --follow`.
#[derive(Clone, Debug, Args)]
pub struct MetricsArgs {
    /// Serve metrics (OpenMetrics, at /metrics) and /health by HTTP here (--follow): a port alone is one of 127.0.0.1, and
    /// 0 is any free one
    #[arg(long, value_parser = address, value_name = "[ADDR:]PORT", requires = "follow")]
    pub metrics: Option<SocketAddr>,
}

/// The log of every command.
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// The form of the log on standard error
    #[arg(long, global = true, value_parser = described::<LogFormat>(), default_value_t, value_name = "FORMAT", help_heading = "Common options")]
    pub log_format: LogFormat,
    /// Log kuu and librdkafka from this level on: off, error, warn, info, debug or trace [default: that of the environment's
    /// KUU_LOG, else kuu's own warnings while it follows]
    #[arg(long, global = true, value_parser = level, value_name = "LEVEL", help_heading = "Common options")]
    pub log_level: Option<LevelFilter>,
}

/// The form of the log.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, EnumMessage, EnumString, IntoStaticStr, VariantArray, strum::Display,
)]
#[strum(serialize_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line, for all that goes to standard error
    Json,
}

/// A level of the log.
///
/// # Errors
/// If there is none of this name.
pub fn level(text: &str) -> Result<LevelFilter, String> {
    // The parser of the library takes numbers too.
    let names = ["off", "error", "warn", "info", "debug", "trace"];
    let named = names.contains(&text.to_ascii_lowercase().as_str()).then(|| text.parse().ok()).flatten();
    named.ok_or_else(|| format!("`{text}` is no level: write {} or trace", names[..5].join(", ")))
}

/// `9464`, `:9464`, `10.0.0.7:9464`, `[::1]:9464` or `localhost:9464`.
fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let wrong = |why: &str| format!("{why}: write a port, as 9464 (of 127.0.0.1), or ADDRESS:PORT, as 0.0.0.0:9464");
    if !port.contains(':') || text.starts_with(':') {
        return Err(wrong("no port from 0 to 65535"));
    }
    let found = text.to_socket_addrs().map_err(|error| wrong(&error.to_string()))?;
    // A name such as localhost may have two addresses; a scraper tries both.
    let found: Vec<_> = found.collect();
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| wrong("no such address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let of = |text| address(text).map(|address| address.to_string());
        for (text, wanted) in [
            ("9464", "127.0.0.1:9464"),
            (":9464", "127.0.0.1:9464"),
            ("0", "127.0.0.1:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:9464", "[::1]:9464"),
            ("localhost:9464", "127.0.0.1:9464"),
        ] {
            assert_eq!(of(text).as_deref(), Ok(wanted), "{text}");
        }
        for text in ["", ":", "65536", "::1", "127.0.0.1", "here", "127.0.0.1:", "127.0.0.1:65536", ":localhost:1"] {
            let said = of(text).unwrap_err();
            assert!(said.contains("write a port, as 9464"), "{text}: {said}");
        }
    }

    #[test]
    fn levels() {
        assert_eq!((level("off"), level("DEBUG")), (Ok(LevelFilter::OFF), Ok(LevelFilter::DEBUG)));
        for text in ["", "3", "loud"] {
            assert!(level(text).unwrap_err().contains("write off, error, warn, info, debug or trace"), "{text}");
        }
    }
}
