//! The settings of all clients.

use crate::engine::stop::Stop;
use crate::kafka::client::descriptors::exhausted;
use crate::kafka::client::log_lines;
use crate::kafka::client::own::is_listed;
use crate::kafka::client::property::Property;
use anyhow::{Result, anyhow, bail};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use std::time::Duration;

/// The settings of every consumer: assigned partitions, positions kept by kuu, a bounded queue.
pub const READING: [(&str, &str); 8] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
    ("enable.partition.eof", "true"),
    ("isolation.level", "read_committed"),
    ("fetch.wait.max.ms", "20"),
    ("fetch.error.backoff.ms", "50"),
    // A full queue pauses fetching for this long; the default of one second leaves the reader without messages.
    ("fetch.queue.backoff.ms", "5"),
];

/// How much each of `consumers` may fetch ahead, in kilobytes: 32 MB in all.
pub fn queue_kbytes(consumers: usize) -> String {
    (32_768 / consumers.max(1)).max(1024).to_string()
}

/// How many messages a consumer may fetch ahead for each of its partitions: 40,000 in all. A limit in bytes is not
/// enough for small messages: each takes about 400 more bytes in the queue.
pub fn queue_messages(partitions: usize) -> String {
    (40_000 / partitions.max(1)).clamp(1_000, 20_000).to_string()
}

/// The brokers, and how clients connect to them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bootstrap servers.
    pub brokers: String,
    /// Where the user named them, if it was not on the command line: part of an error.
    pub brokers_from: String,
    /// librdkafka properties of the user, which override those of kuu.
    pub properties: Vec<(String, String)>,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// Interrupts the wait for a broker that never answered.
    pub stop: Stop,
}

impl Settings {
    /// The configuration of a client: the properties of kuu, then those of the user.
    pub fn client(&self, ours: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set_log_level(log_lines::wanted());
        config.set("bootstrap.servers", &self.brokers).set("client.id", "kuu");
        // Finds a restarted broker at once; the default backs off for up to 10 s.
        config.set("reconnect.backoff.max.ms", "1000");
        // A new client waits half of this time before it connects to the broker that its first metadata named: 50 ms by
        // default.
        config.set("reconnect.backoff.ms", "20");
        for (key, value) in ours {
            debug_assert!(is_listed(key), "src/kafka/client/own.rs does not list {key}");
            config.set(*key, *value);
        }
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config
    }

    /// The value of one of the user's properties.
    pub fn property(&self, key: &str) -> Option<&str> {
        self.properties.iter().rfind(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }
}

/// The version of librdkafka that is linked.
pub fn librdkafka_version() -> String {
    rdkafka::util::get_rdkafka_version().1
}

/// Checks that librdkafka takes each property; an error says where it was written.
///
/// # Errors
/// If it does not.
pub fn check_known(properties: &[Property]) -> Result<()> {
    for property in properties {
        let mut config = ClientConfig::new();
        config.set(&property.key, &property.value);
        if let Err(error) = config.create_native_config() {
            bail!("{}: {}", property.place(), refused(error, ""));
        }
    }
    Ok(())
}

/// Why a client cannot be created. Never repeats the value of a property: it may be a password.
pub fn unusable(error: KafkaError) -> anyhow::Error {
    anyhow!(exhausted().unwrap_or_else(|| refused(error, ": check -X and the file of --config")))
}

fn refused(error: KafkaError, remedy: &str) -> String {
    let description = match error {
        KafkaError::ClientConfig(_, description, ..) => description,
        error => format!("a client cannot be made: {error}"),
    };
    if !cfg!(feature = "tls") && description.to_ascii_lowercase().contains("openssl") {
        return format!("{description}: this kuu was built without TLS: cargo build --release --features tls");
    }
    if description.starts_with("No such configuration property") {
        return format!("{description}: kuu -X list has all{remedy}");
    }
    format!("{description}{remedy}")
}
