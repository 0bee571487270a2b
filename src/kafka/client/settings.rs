//! The settings of all clients.

use crate::engine::stop::Stop;
use crate::kafka::client::descriptors::exhausted;
use anyhow::anyhow;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use std::time::Duration;

/// The settings of every consumer: assigned partitions, positions kept by kuu, a bounded queue.
pub const READING: [(&str, &str); 7] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
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
        // The log is not printed: some lines explain a failed connection.
        config.set_log_level(RDKafkaLogLevel::Info);
        config.set("bootstrap.servers", &self.brokers).set("client.id", "kuu");
        // Finds a restarted broker at once; the default backs off for up to 10 s.
        config.set("reconnect.backoff.max.ms", "1000");
        // A new client waits half of this time before it connects to the broker that its first metadata named: 50 ms by
        // default.
        config.set("reconnect.backoff.ms", "20");
        for (key, value) in ours {
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

/// Why a client cannot be created. Never repeats the value of a property: it may be a password.
pub fn unusable(error: KafkaError) -> anyhow::Error {
    if let Some(words) = exhausted() {
        return anyhow!(words);
    }
    let description = match error {
        KafkaError::ClientConfig(_, description, ..) => description,
        error => format!("a client cannot be made: {error}"),
    };
    if !cfg!(feature = "tls") && description.to_ascii_lowercase().contains("openssl") {
        return anyhow!("{description}: this kuu was built without TLS: cargo build --release --features tls");
    }
    anyhow!("{description}: check -X and the file of --config")
}
