//! What kuu itself sets: a test run fails if a client sets a property that is not listed here.

/// A property that kuu sets, and to what.
pub struct Own {
    /// The name, as kuu writes it.
    pub name: &'static str,
    /// The value, and where it holds.
    pub value: &'static str,
}

const fn own(name: &'static str, value: &'static str) -> Own {
    Own { name, value }
}

/// All of them. A user's value takes precedence, unless the property is reserved.
pub const OWN: [Own; 30] = [
    own("acks", "all"),
    own("auto.offset.reset", "error"),
    own("batch.num.messages", "as the file of a workload says"),
    own("batch.size", "what the topic takes, at most 1 MB"),
    own("bootstrap.servers", "--brokers"),
    own("client.id", "kuu"),
    own("compression.type", "--compression; lz4 for results"),
    own("connections.max.idle.ms", "5000 in transactions"),
    own("enable.auto.commit", "false"),
    own("enable.auto.offset.store", "false"),
    own("enable.idempotence", "true for frames"),
    own("enable.partition.eof", "true"),
    own("fetch.error.backoff.ms", "50"),
    own("fetch.queue.backoff.ms", "5"),
    own("fetch.wait.max.ms", "20"),
    own("group.id", "--group; readers have names of kuu"),
    own("isolation.level", "read_committed"),
    own("linger.ms", "20 for frames, 1 for paced ones, 0 for results"),
    own("message.max.bytes", "what the topic takes"),
    own("partitioner", "murmur2_random"),
    own("queue.buffering.max.kbytes", "65536, and more if the topic takes larger messages"),
    own("queue.buffering.max.messages", "100000 for frames, 20000 for results"),
    own("queued.max.messages.kbytes", "32768 for all consumers of a count"),
    own("queued.min.messages", "40000 for all partitions of a consumer"),
    own("reconnect.backoff.max.ms", "1000"),
    own("reconnect.backoff.ms", "20"),
    own("retry.backoff.ms", "1 in transactions"),
    own("statistics.interval.ms", "1000 where a reader follows"),
    own("transactional.id", "--group"),
    own("max.in.flight.requests.per.connection", "1 where results are sent at least once"),
];

/// Whether this property is listed.
pub fn is_listed(name: &str) -> bool {
    OWN.iter().any(|own| own.name == name)
}
