//! Secrets, and refusals by brokers. The tests with a secure broker start it themselves, need the feature `tls`, Java
//! 17 and Maven, and are ignored by default: `cargo test --features tls -- --ignored security`.

use crate::support::broker::Mock;
use crate::support::frames::{frames, lines};
use crate::support::kuu::Kuu;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// Writes a file for --config that no other user may read.
fn private(kuu: &Kuu, name: &str, content: &str) -> String {
    let file = kuu.file(name, content);
    fs::set_permissions(kuu.path(name), Permissions::from_mode(0o600)).unwrap();
    file
}

#[test]
fn a_file_of_properties() {
    let mock = Mock::new(1);
    let kuu = Kuu::bare();
    let frames_file = kuu.file("a.jsonl", lines(&frames(30)));
    let text = format!(
        "# how to reach it\n\n bootstrap.servers = {} \nsasl.password=hunter2\nfetch.wait.max.ms=9\nlinger.ms=3\n",
        mock.address
    );
    let config = private(&kuu, "client.properties", &text);
    let done = kuu.run(&format!("produce {frames_file} --config {config} -X linger.ms=4")).exits(0);
    assert_eq!(done.err, "", "{done}");
    let record = kuu.record("produce");
    assert_eq!(record.broker.unwrap().address, mock.address);
    assert_eq!(record.config["-X sasl.password"], "***");
    assert_eq!((&record.config["-X fetch.wait.max.ms"], &record.config["-X linger.ms"]), (&"9".into(), &"4".into()));
    assert!(!fs::read_to_string(kuu.path("results/produce.json")).unwrap().contains("hunter2"));
    // --brokers overrides the file.
    kuu.run(&format!("count --config {config} --brokers 127.0.0.1:9 --timeout 1s")).exits(2).complains("127.0.0.1:9");
    let bench =
        kuu.run(&format!("bench {frames_file} --config {config} -X security.protocol=ssl --brokers x:1")).exits(2);
    assert!(!bench.err.contains("embedded broker"), "{bench}");
}

#[test]
fn a_file_that_others_may_read() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let frames_file = kuu.file("a.jsonl", lines(&frames(30)));
    for (mode, text, warned) in
        [(0o640, "sasl.password=hunter2", true), (0o604, "sasl.password=hunter2", true), (0o644, "acks=all", false)]
    {
        let config = kuu.file("client.properties", text);
        fs::set_permissions(kuu.path(&config), Permissions::from_mode(mode)).unwrap();
        let done = kuu.run(&format!("produce --append {frames_file} --config {config} --json")).exits(0);
        assert_eq!(
            done.err.contains("client.properties holds sasl.password and others can read it: chmod 600"),
            warned
        );
        assert!(!done.err.contains("hunter2") && !done.out.contains("hunter2"), "{done}");
    }
}

#[test]
fn a_file_that_is_not_as_it_must_be() {
    let kuu = Kuu::new();
    let frames_file = kuu.file("a.jsonl", lines(&frames(3)));
    for (text, words) in [
        ("acks=all\n\nsasl.password hunter2\n", "client.properties, line 3: write key=value"),
        ("=hunter2\n", "client.properties, line 1: write key=value"),
        ("no.such.thing=hunter2\n", "no.such.thing"),
    ] {
        let config = private(&kuu, "client.properties", text);
        let done = kuu.run(&format!("produce {frames_file} --config {config}")).exits(2).complains(words);
        assert!(!done.err.contains("hunter2"), "{done}");
    }
    kuu.run("count --config missing.properties")
        .exits(2)
        .complains("missing.properties cannot be read: check --config");
}

#[test]
fn a_secret_on_the_command_line() {
    Kuu::new().run("count -X sasl.password=hunter2").exits(2).complains(
        "-X sasl.password: others on this machine can read a command line: write sasl.password=... into a file that only \
         you can read, and name it with --config FILE",
    );
}

#[test]
fn the_embedded_broker_is_not_secure() {
    let kuu = Kuu::bare();
    let file = kuu.file("a.jsonl", lines(&frames(30)));
    kuu.run(&format!("bench {file} -X security.protocol=sasl_plaintext"))
        .exits(2)
        .complains("the embedded broker does not speak sasl_plaintext: name a broker with --brokers HOST:PORT");
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_the_feature() {
    let kuu = Kuu::new();
    for properties in [
        "security.protocol=ssl",
        "security.protocol=SASL_SSL",
        "ssl.ca.location=ca.pem",
        "security.protocol=sasl_plaintext\nsasl.mechanism=SCRAM-SHA-512\nsasl.username=a\nsasl.password=b",
    ] {
        let config = private(&kuu, "client.properties", properties);
        kuu.run(&format!("count --config {config}"))
            .exits(2)
            .complains("this kuu was built without TLS: cargo build --release --features tls");
    }
}

#[cfg(feature = "tls")]
mod secure {
    use super::*;
    use crate::support::kuu::{Done, PATIENCE};
    use crate::support::start::Start as _;
    use rdkafka::ClientConfig;
    use rdkafka::error::RDKafkaErrorCode;
    use rdkafka::producer::{BaseProducer, Producer};
    use std::net::TcpListener;
    use std::process::Command;
    use std::sync::{Arc, Mutex, PoisonError, Weak};
    use std::time::Duration;
    use tempfile::TempDir;

    /// A secure Apache Kafka, which runs as long as a test uses it.
    struct Broker {
        dir: TempDir,
        port: u16,
    }

    impl Broker {
        /// The broker that all running tests share.
        fn shared() -> Arc<Broker> {
            static SHARED: Mutex<Weak<Broker>> = Mutex::new(Weak::new());
            let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
            shared.upgrade().unwrap_or_else(|| {
                let broker = Arc::new(Broker::start());
                *shared = Arc::downgrade(&broker);
                broker
            })
        }

        fn start() -> Broker {
            // Below the ports that the system assigns, so that no client takes one in the meantime.
            let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
            let first = 20_000 + u16::try_from(std::process::id() % 6_000).unwrap() * 2;
            let port = (first..32_000).step_by(2).find(|port| free(port) && free(&(port + 1))).unwrap();
            let dir = tempfile::Builder::new().prefix("kuu-secure-").tempdir().unwrap();
            let broker = Broker { dir, port };
            broker.script(&["start", "--secure", "--port", &port.to_string()]);
            broker
        }

        fn script(&self, arguments: &[&str]) {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/kafka.sh");
            let done = Command::new(script).args(arguments).arg("--dir").arg(self.dir.path()).collected();
            assert!(done.status.success(), "kafka.sh {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        }

        /// A file that kafka.sh wrote for clients.
        fn config(&self, name: &str) -> String {
            self.dir.path().join(format!("{name}.properties")).to_str().unwrap().to_owned()
        }

        /// `client.properties` with some keys changed or removed.
        fn changed(&self, kuu: &Kuu, changes: &[(&str, Option<&str>)]) -> String {
            let text = fs::read_to_string(self.config("client")).unwrap();
            let kept = text.lines().filter(|line| !changes.iter().any(|(key, _)| line.starts_with(&format!("{key}="))));
            let set = changes.iter().filter_map(|(key, value)| Some(format!("{key}={}", (*value)?)));
            private(kuu, "changed.properties", &kept.map(str::to_owned).chain(set).collect::<Vec<_>>().join("\n"))
        }

        fn passwords(&self) -> Vec<String> {
            let text = fs::read_to_string(self.dir.path().join("passwords")).unwrap();
            text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
        }

        /// A transactional producer of user kuu.
        fn transactional(&self, id: &str) -> BaseProducer {
            let text = fs::read_to_string(self.config("client")).unwrap();
            let mut config = ClientConfig::new();
            for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
                config.set(key, value);
            }
            config.set("transactional.id", id).create().unwrap()
        }
    }

    impl Drop for Broker {
        fn drop(&mut self) {
            self.script(&["stop"]);
        }
    }

    /// The topics and the group of a test; user kuu may use names with this prefix.
    fn names(test: &str) -> (String, String, String) {
        (format!("messages-{test}"), format!("output-{test}"), format!("kuu-{test}"))
    }

    /// A final refusal ends the command long before the timeout.
    #[track_caller]
    fn refused_at_once(kuu: &Kuu, line: &str) -> Done {
        let done = kuu.run(&format!("{line} --timeout 60s")).exits(2);
        assert!(done.elapsed < Duration::from_secs(30), "{done}");
        assert!(!done.err.contains("within 60 s"), "{done}");
        done
    }

    #[test]
    #[ignore = "starts Kafka"]
    fn the_right_password() {
        let broker = Broker::shared();
        for mechanism in ["client", "plain"] {
            let kuu = Kuu::bare();
            let (messages, output, group) = names(mechanism);
            let file = kuu.file("a.jsonl", lines(&frames(700)));
            let config = broker.config(mechanism);
            let loud = "-X debug=all";
            let mut said = String::new();
            for (command, config) in [
                (format!("produce {file} --topic {messages}"), &config),
                (format!("count --topic {messages} --output {output} --group {group}"), &config),
                (format!("produce {file} --topic {messages} --recreate --json"), &config),
                (format!("count --topic {messages} --output {output} --group {group} --recreate --json"), &config),
                (format!("verify --topic {messages} --output {output}"), &config),
                (format!("verify --topic {messages} --output {output}"), &broker.config("reader")),
            ] {
                let done = kuu.run(&format!("{command} --config {config} {loud}")).exits(0);
                said += &(done.out + &done.err);
            }
            assert_eq!(kuu.record("count").config["-X sasl.password"], "***");
            assert_eq!(kuu.record("count").broker.unwrap().address, format!("localhost:{}", broker.port));
            for entry in fs::read_dir(kuu.path("results")).unwrap() {
                said += &fs::read_to_string(entry.unwrap().path()).unwrap();
            }
            assert!(said.contains("sasl.username") && said.contains("exact: 2 of 2 windows"), "{said}");
            for password in broker.passwords() {
                assert!(password.len() == 32 && !said.contains(&password), "a password shows: {said}");
            }
        }
    }

    #[test]
    #[ignore = "starts Kafka"]
    fn a_wrong_password() {
        let broker = Broker::shared();
        for (user, mechanism) in [("kuu", "SCRAM-SHA-512"), ("nobody", "SCRAM-SHA-512"), ("kuu", "PLAIN")] {
            let kuu = Kuu::bare();
            let changes = [
                ("sasl.mechanism", Some(mechanism)),
                ("sasl.username", Some(user)),
                ("sasl.password", Some("hunter2")),
            ];
            let config = broker.changed(&kuu, &changes);
            let file = kuu.file("a.jsonl", lines(&frames(3)));
            for command in [format!("produce {file}"), "count".into(), format!("verify {file}")] {
                let done = refused_at_once(&kuu, &format!("{command} --config {config} -X debug=all"));
                assert!(!done.err.contains("hunter2") && !done.out.contains("hunter2"), "{done}");
                done.complains(&format!(
                    "kuu: the broker at localhost:{} refuses user {user}: wrong name or password, or not known there by \
                     {mechanism}: correct sasl.username and sasl.password in the file of --config",
                    broker.port
                ));
            }
        }
    }

    #[test]
    #[ignore = "starts Kafka"]
    fn an_unknown_ca() {
        let broker = Broker::shared();
        for host in ["localhost", "127.0.0.1"] {
            let kuu = Kuu::bare();
            let config = broker.changed(&kuu, &[("ssl.ca.location", None)]);
            let address = format!("{host}:{}", broker.port);
            refused_at_once(&kuu, &format!("count --config {config} --brokers {address}")).complains(&format!(
                "kuu: the certificate of the broker at {address} is not signed by a CA that is trusted here, or is out of \
                 date: set ssl.ca.location to the file with its CA"
            ));
        }
    }

    #[test]
    #[ignore = "starts Kafka"]
    fn a_wrong_host_name() {
        let broker = Broker::shared();
        let kuu = Kuu::bare();
        let (config, address) = (broker.config("client"), format!("127.0.0.1:{}", broker.port));
        refused_at_once(&kuu, &format!("count --config {config} --brokers {address}")).complains(&format!(
            "kuu: the certificate of the broker at {address} is for another host name: name the broker as its certificate \
             does, with --brokers HOST:PORT"
        ));
    }

    #[test]
    #[ignore = "starts Kafka"]
    fn a_missing_acl() {
        let broker = Broker::shared();
        let kuu = Kuu::bare();
        let (messages, output, group) = names("acl");
        let (client, reader, stranger) = (broker.config("client"), broker.config("reader"), broker.config("stranger"));
        let file = kuu.file("a.jsonl", lines(&frames(30)));
        let ungrouped = format!("count --topic {messages} --output {output}");
        let count = format!("{ungrouped} --group {group}");
        kuu.run(&format!("produce {file} --topic {messages} --config {client}")).exits(0);
        kuu.run(&format!("{count} --config {client}")).exits(0);
        let lacks = |line: &str, user: &str, operation: &str, kind: &str, name: &str| {
            refused_at_once(&kuu, line).complains(&format!(
                "user {user} lacks the ACL {operation} on {kind} {name}: kafka-acls.sh --add --allow-principal User:{user} \
                 --operation {operation} --{kind} {name} gives it"
            ));
        };
        let produce = format!("produce {file} --topic");
        lacks(&format!("{produce} {messages} --config {stranger}"), "stranger", "Describe", "topic", &messages);
        lacks(&format!("{count} --config {stranger}"), "stranger", "Describe", "topic", &messages);
        let verify = format!("verify {file} --topic {messages} --output {output}");
        lacks(&format!("{verify} --config {stranger}"), "stranger", "Describe", "topic", &output);
        lacks(&format!("{produce} other --config {client}"), "kuu", "Describe", "topic", "other");
        lacks(&format!("{produce} {messages} --append --config {reader}"), "reader", "Write", "topic", &messages);
        lacks(&format!("{produce} {messages} --recreate --config {reader}"), "reader", "Delete", "topic", &messages);
        lacks(
            &format!("{produce} {messages}-new --config {reader}"),
            "reader",
            "Create",
            "topic",
            &format!("{messages}-new"),
        );
        lacks(&format!("{ungrouped} --group other --config {client}"), "kuu", "Describe", "topic", "other-state");
        let at_least_once = "--guarantee at-least-once";
        let other = format!("{ungrouped} --group other {at_least_once} --config {client}");
        lacks(&other, "kuu", "Read", "group", "other");
        refused_at_once(&kuu, &format!("{count} --config {reader}")).complains(&format!(
            "user reader lacks the ACL Write on transactional id {group}: kafka-acls.sh --add --allow-principal User:reader \
             --operation Write --transactional-id {group} gives it"
        ));
        // The count writes its name to the group before it writes results.
        lacks(&format!("{count} {at_least_once} --config {reader}"), "reader", "Read", "group", &group);
        // Of the two producers, the one that writes frames is idempotent.
        let empty = kuu.file("empty.jsonl", "");
        kuu.run(&format!("produce {empty} --topic {output}-o --config {client}")).exits(0);
        let count = format!("{ungrouped} {at_least_once} --config");
        lacks(&format!("{count} {reader} --group kuu-read-acl"), "reader", "Write", "topic", &output);
        let ordered = format!("{count} {reader} --group kuu-read-acl-o --ordered-output {output}-o");
        lacks(&ordered, "reader", "Write", "topic", &format!("{output}-o"));
    }

    #[test]
    #[ignore = "starts Kafka"]
    fn the_transactional_id() {
        let broker = Broker::shared();
        broker.transactional("kuu-transactions").init_transactions(PATIENCE).unwrap();
        let forbidden = broker.transactional("other").init_transactions(PATIENCE).unwrap_err();
        assert_eq!(forbidden.rdkafka_error_code(), Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed));
    }

    #[test]
    #[ignore = "starts Kafka"]
    fn another_protocol() {
        let broker = Broker::shared();
        let kuu = Kuu::bare();
        for (protocol, timeout) in [("plaintext", "3s"), ("ssl", "3s")] {
            let line = format!("count --brokers localhost:{} -X security.protocol={protocol}", broker.port);
            let ca = broker.changed(&kuu, &["sasl.mechanism", "sasl.username", "sasl.password"].map(|key| (key, None)));
            kuu.run(&format!("{line} --config {ca} --timeout {timeout}")).exits(2).complains(&format!(
                "kuu: the broker at localhost:{} hung up, as one does that wants another security.protocol than {protocol}",
                broker.port
            ));
        }
        let plain = Mock::new(1);
        let line = format!("count --config {} --brokers {} --timeout 3s", broker.config("client"), plain.address);
        kuu.run(&line).exits(2).complains(&plain.address);
    }

    #[test]
    #[ignore = "starts Kafka"]
    fn another_mechanism() {
        let broker = Broker::shared();
        let kuu = Kuu::bare();
        let tokens = [
            ("sasl.mechanism", Some("OAUTHBEARER")),
            ("enable.sasl.oauthbearer.unsecure.jwt", Some("true")),
            ("sasl.oauthbearer.config", Some("principal=admin")),
        ];
        for changes in [&tokens[..], &[("sasl.mechanism", Some("SCRAM-SHA-256"))]] {
            let config = broker.changed(&kuu, changes);
            refused_at_once(&kuu, &format!("count --config {config}")).complains(&format!(
                "kuu: the broker at localhost:{} has other mechanisms: set sasl.mechanism (SASL {} mechanism handshake \
                 failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: SCRAM-SHA-512,PLAIN",
                broker.port,
                changes[0].1.unwrap()
            ));
        }
    }
}
