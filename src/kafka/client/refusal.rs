//! Why a broker, or kuu itself, refuses a connection or a request, and the remedy.

use crate::kafka::client::context::Context;
use crate::kafka::client::descriptors::exhausted;
use crate::kafka::client::recognise::{Cause, Refusal};
use crate::kafka::client::settings::{Settings, unusable};
use crate::system::deadline::Deadline;
use anyhow::{Result, anyhow};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::time::Duration;
use thiserror::Error;

/// How long the second connection may take that tells a wrong host name from an unknown CA.
const SECOND_LOOK: Duration = Duration::from_secs(3);

/// The longest wait for one metadata request, before new errors are checked.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// The user interrupted the run before a broker answered.
#[derive(Debug, Error)]
#[error("interrupted: no Kafka broker answered at {0}")]
pub struct Interrupted(String);

impl Refusal {
    /// The error, and the remedy.
    pub fn explain(&self, settings: &Settings) -> String {
        let Refusal { broker, words, .. } = self;
        match self.cause {
            Cause::Credentials => format!(
                "the broker at {broker} refuses {}: wrong name or password, or not known there by {}: \
                 correct sasl.username and sasl.password in the file of --config ({words})",
                user(settings),
                settings.property("sasl.mechanism").unwrap_or("this mechanism"),
            ),
            Cause::Mechanism => format!("the broker at {broker} has other mechanisms: set sasl.mechanism ({words})"),
            Cause::Certificate if name_is_wrong(settings) => format!(
                "the certificate of the broker at {broker} is for another host name: \
                 name the broker as its certificate does, with --brokers HOST:PORT"
            ),
            Cause::Certificate => format!(
                "the certificate of the broker at {broker} is not signed by a CA that is trusted here, or is out of date: \
                 set ssl.ca.location to the file with its CA"
            ),
            Cause::Tls => format!("the broker at {broker} refuses the TLS connection: {words}"),
            Cause::Protocol => {
                let protocol = settings.property("security.protocol").unwrap_or("plaintext");
                let wants = format!(
                    "wants another security.protocol than {protocol}: set it to ssl, sasl_ssl, plaintext or sasl_plaintext"
                );
                match self.is_gone {
                    true => format!(
                        "the broker at {broker} hung up, as one does that is stopped: see that it runs. If it does, it {wants} \
                         ({words})"
                    ),
                    false => format!(
                        "the broker at {broker} hung up, as one does that {wants}. Or it was just being stopped: see that it runs \
                         ({words})"
                    ),
                }
            }
        }
    }
}

fn user(settings: &Settings) -> String {
    settings.property("sasl.username").map_or_else(|| "this client".into(), |name| format!("user {name}"))
}

/// Whether only the name in the broker's certificate is wrong. librdkafka reports both errors alike, so this connects
/// once more without a check of the name. It sends no password: the peer is not authenticated.
fn name_is_wrong(settings: &Settings) -> bool {
    let mut nameless = settings.clone();
    nameless.properties.retain(|(key, _)| !key.starts_with("sasl."));
    for (key, value) in [("security.protocol", "ssl"), ("ssl.endpoint.identification.algorithm", "none")] {
        nameless.properties.push((key.into(), value.into()));
    }
    let Ok(consumer) = client(&nameless, &[("group.id", "kuu-admin")]) else { return false };
    let deadline = Deadline::after(settings.timeout.min(SECOND_LOOK));
    while !deadline.is_over() {
        if consumer.fetch_metadata(None, Duration::from_millis(100)).is_ok() {
            return true;
        }
        hear(&consumer);
        match consumer.context().refusal() {
            Some(Refusal { cause: Cause::Certificate | Cause::Tls, .. }) => return false,
            // After TLS, a broker that requires SASL hangs up.
            Some(_) => return true,
            None => {}
        }
    }
    false
}

fn client(settings: &Settings, ours: &[(&str, &str)]) -> Result<BaseConsumer<Context>> {
    settings.client(ours).create_with_context(Context::default()).map_err(unusable)
}

/// Polls a consumer that reads nothing, so that it processes the errors in its queue.
pub fn hear(consumer: &BaseConsumer<Context>) {
    // With a timeout of 0, a poll returns after the first line of log.
    while consumer.poll(Duration::from_millis(10)).is_some() {}
}

/// Connects a client for requests; fails with the reason if no broker answers within the timeout.
///
/// # Errors
/// If the configuration is invalid, or no broker answers.
pub fn connect(settings: &Settings, ours: &[(&str, &str)]) -> Result<BaseConsumer<Context>> {
    let consumer = client(settings, ours)?;
    // A client that is refused immediately would retry very often.
    let mut deadline = Deadline::after(settings.timeout).backing_off(Duration::from_millis(100), LONGEST_LOOK);
    // If there are several brokers, another one may still answer.
    let only_one = !settings.brokers.contains(',');
    loop {
        let Err(error) = consumer.fetch_metadata(None, deadline.next_pause()) else { return Ok(consumer) };
        hear(&consumer);
        if let Some(words) = exhausted() {
            return Err(anyhow!(words));
        }
        if settings.stop.interrupted() {
            return Err(Interrupted(settings.brokers.clone()).into());
        }
        let refusal = consumer.context().refusal();
        let over = deadline.is_over();
        match refusal {
            Some(refusal) if over || (only_one && refusal.is_final()) => {
                return Err(anyhow!(refusal.explain(settings)));
            }
            None if over => {
                let why = consumer.context().last_error().unwrap_or_else(|| error.to_string());
                return Err(anyhow!(
                    "no Kafka broker answers at {} within {} s: {why}\n\
                     {}Start one (docker compose up -d, or scripts/kafka.sh start), or name another with --brokers HOST:PORT.",
                    settings.brokers,
                    settings.timeout.as_secs_f64(),
                    settings.brokers_from,
                ));
            }
            _ => {}
        }
    }
}

/// The type and name of the resource that an ACL covers.
fn resource(code: RDKafkaErrorCode, name: &str) -> Option<(String, String)> {
    let (kind, option) = match code {
        RDKafkaErrorCode::TopicAuthorizationFailed => ("topic", "--topic"),
        RDKafkaErrorCode::GroupAuthorizationFailed => ("group", "--group"),
        RDKafkaErrorCode::TransactionalIdAuthorizationFailed => ("transactional id", "--transactional-id"),
        RDKafkaErrorCode::ClusterAuthorizationFailed => return Some(("the cluster".into(), "--cluster".into())),
        _ => return None,
    };
    Some((format!("{kind} {name}"), format!("{option} {name}")))
}

/// The ACL that the user lacks for `operation` on the resource `name`, if `code` is an authorization error.
pub fn lack(settings: &Settings, code: RDKafkaErrorCode, operation: &str, name: &str) -> Option<String> {
    let (what, option) = resource(code, name)?;
    let principal = settings.property("sasl.username").unwrap_or("NAME");
    Some(format!(
        "{} lacks the ACL {operation} on {what}: \
         kafka-acls.sh --add --allow-principal User:{principal} --operation {operation} {option} gives it",
        user(settings),
    ))
}

/// The result of [`lack`], or else the error itself.
pub fn denied(settings: &Settings, error: KafkaError, operation: &str, name: &str) -> anyhow::Error {
    let lack = error.rdkafka_error_code().and_then(|code| lack(settings, code, operation, name));
    lack.map_or_else(|| anyhow!(error), |lack| anyhow!(lack))
}

/// Adds the remedy to an error without one: what kuu needs, if an ACL is missing, or what to do about too few file
/// descriptors.
pub fn explained(error: anyhow::Error, settings: &Settings) -> anyhow::Error {
    if let Some(words) = exhausted() {
        let said = error.to_string() == words;
        return if said { error } else { anyhow!("{words} ({error:#})") };
    }
    let code = error.chain().find_map(|cause| cause.downcast_ref::<KafkaError>()?.rdkafka_error_code());
    let needed = match code {
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
            "Read on topics that it reads, Write on topics that it writes"
        }
        Some(RDKafkaErrorCode::GroupAuthorizationFailed) => "Read on the group of --group",
        Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed) => {
            "Write and Describe on the transactional id, which is named as the group"
        }
        Some(RDKafkaErrorCode::ClusterAuthorizationFailed) => "Write on a topic, or IdempotentWrite on the cluster",
        // A client that is refused at the start has its explanation already; this one was accepted before.
        Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed) => {
            return anyhow!(
                "{error:#}: the brokers accepted {} before, but no longer: if the password was changed, correct sasl.username and \
                 sasl.password in the file of --config, then run again",
                user(settings)
            );
        }
        _ => return error,
    };
    anyhow!("{error}: {} lacks an ACL: kuu needs {needed} (docs/security.md)", user(settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stop::Stop;
    use rdkafka::client::ClientContext as _;
    use rdkafka::config::RDKafkaLogLevel;
    use std::cmp::Ordering;

    fn settings(user: &str) -> Settings {
        let properties = vec![("sasl.username".into(), user.into())];
        Settings {
            brokers: "kafka:9092".into(),
            brokers_from: String::new(),
            properties,
            timeout: Duration::ZERO,
            stop: Stop::default(),
        }
    }

    /// A broker that hung up may speak another protocol, or may have stopped: the message names both, the likelier one
    /// first.
    #[test]
    fn a_broker_that_hung_up() {
        let context = Context::default();
        let hung_up = "[thrd:kafka:9092/1]: kafka:9092/1: Disconnected: closed by peer (after 3ms in state UP)";
        let refused =
            "kafka:9092/1: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)";
        let order = |context: &Context| {
            let words = context.refusal().unwrap().explain(&settings("alice"));
            let at = |part: &str| words.find(part).unwrap_or_else(|| panic!("{words}"));
            at("another security.protocol than plaintext").cmp(&at("see that it runs"))
        };
        let log = |words: &str| context.log(RDKafkaLogLevel::Info, "", words);
        let error = |words: &str| context.error(KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure), words);
        log(hung_up);
        assert_eq!(order(&context), Ordering::Less);
        error(&refused.replace("kafka:", "other:"));
        assert_eq!(order(&context), Ordering::Less);
        error(refused);
        assert_eq!(order(&context), Ordering::Greater);
        // The broker is back, and still hangs up.
        log(hung_up);
        assert_eq!(order(&context), Ordering::Less);
    }

    #[test]
    fn a_password_that_was_changed() {
        let refused = KafkaError::MessageConsumption(RDKafkaErrorCode::Authentication);
        let error =
            explained(anyhow!(refused).context("topic messages cannot be read"), &settings("alice")).to_string();
        assert!(error.starts_with("topic messages cannot be read: "), "{error}");
        assert!(error.contains("accepted user alice before, but no longer"), "{error}");
        assert!(error.contains("correct sasl.username and sasl.password in the file of --config"), "{error}");
    }

    #[test]
    fn a_missing_acl() {
        let lack = |code| lack(&settings("alice"), code, "Write", "output");
        assert_eq!(
            lack(RDKafkaErrorCode::TopicAuthorizationFailed).unwrap(),
            "user alice lacks the ACL Write on topic output: kafka-acls.sh --add --allow-principal User:alice \
             --operation Write --topic output gives it"
        );
        assert_eq!(lack(RDKafkaErrorCode::UnknownTopicOrPartition), None);
    }
}
