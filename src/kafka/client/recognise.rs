//! Recognises in librdkafka's reports that a broker refuses the connection.

use rdkafka::error::RDKafkaErrorCode;

/// Why a connection fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(super) cause: Cause,
    /// `host:port` of the broker.
    pub(super) broker: String,
    /// The text of librdkafka's report.
    pub(super) words: String,
    /// Whether the broker has answered in this protocol before, or no longer accepts connections.
    pub(super) is_gone: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A wrong name or password.
    Credentials,
    /// The broker supports only other mechanisms.
    Mechanism,
    /// The broker's certificate cannot be verified.
    Certificate,
    /// TLS failed for another reason.
    Tls,
    /// The broker hung up like one that speaks another protocol, or one that stops.
    Protocol,
}

impl Refusal {
    /// The refusal that an error of librdkafka reports, or a line of its log, which has no code; none for other
    /// reports.
    pub fn of(code: Option<RDKafkaErrorCode>, words: &str) -> Option<Refusal> {
        let has = |part: &str| words.contains(part);
        let cause = match code {
            Some(RDKafkaErrorCode::Authentication) if has("mechanism handshake failed") => Cause::Mechanism,
            Some(RDKafkaErrorCode::Authentication) => Cause::Credentials,
            // librdkafka reports this as an error of TLS or of transport, depending on timing.
            Some(_) if has("certificate verify failed") => Cause::Certificate,
            Some(RDKafkaErrorCode::SSL) => Cause::Tls,
            _ if hung_up_at_once(words) || has("PLAINTEXT broker listener") => Cause::Protocol,
            _ => return None,
        };
        // The format is `[thrd:...]: sasl_ssl://localhost:9092/bootstrap: SSL handshake failed: ...`, in an error
        // without the `[]`.
        let words = words.strip_prefix('[').and_then(|words| words.split_once("]: ")).map_or(words, |(_, words)| words);
        let (name, words) = words.split_once(": ")?;
        let broker = name.split_once("://").map_or(name, |(_, broker)| broker);
        let broker = broker.split_once('/').map_or(broker, |(broker, _)| broker);
        Some(Refusal { cause, broker: broker.into(), words: words.into(), is_gone: false })
    }

    /// The same refusal, by a broker that answered before, in the same protocol, or that no longer accepts connections.
    pub fn of_one_that_is_gone(self) -> Refusal {
        Refusal { is_gone: true, ..self }
    }

    /// Whether this report of librdkafka says that the broker that hung up no longer accepts connections.
    pub fn is_outdated(&self, words: &str) -> bool {
        let is_refused = words.contains("Connect to") && words.contains("failed: ");
        self.cause == Cause::Protocol && is_refused && words.contains(&self.broker)
    }

    /// Whether a retry cannot succeed.
    pub fn is_final(&self) -> bool {
        self.cause != Cause::Protocol
    }
}

/// Whether the broker closed the connection before any exchange, as in
/// `...: Disconnected: ... (after 1ms in state UP)`.
fn hung_up_at_once(words: &str) -> bool {
    let Some((what, when)) = words.rsplit_once("(after ") else { return false };
    let Some((milliseconds, state)) = when.split_once("ms in state ") else { return false };
    let early = milliseconds.parse::<u32>().is_ok_and(|milliseconds| milliseconds < 2_000);
    // After SASL, the protocol cannot be the wrong one.
    let stranger = state.starts_with("APIVERSION_QUERY") || (state.starts_with("UP") && !what.contains("sasl_"));
    what.contains("Disconnected") && early && stranger
}

#[cfg(test)]
mod tests {
    use super::*;
    use RDKafkaErrorCode::{Authentication, BrokerTransportFailure, SSL};

    #[test]
    fn what_librdkafka_reports() {
        for (code, words, cause) in [
            (Authentication, "SASL authentication error: Authentication failed", Cause::Credentials),
            (Authentication, "SASL OAUTHBEARER mechanism handshake failed: Broker: ...", Cause::Mechanism),
            (SSL, "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed", Cause::Certificate),
            (BrokerTransportFailure, "error:0A000086:SSL routines::certificate verify failed", Cause::Certificate),
            (SSL, "SSL handshake failed: ...: client SSL authentication might be required", Cause::Tls),
            (
                BrokerTransportFailure,
                "Disconnected: connection reset (after 0ms in state APIVERSION_QUERY)",
                Cause::Protocol,
            ),
        ] {
            let refusal = Refusal::of(Some(code), &format!("sasl_ssl://kafka:9092/bootstrap: {words}")).unwrap();
            assert_eq!(refusal, Refusal { cause, broker: "kafka:9092".into(), words: words.into(), is_gone: false });
            assert_eq!(refusal.is_final(), cause != Cause::Protocol);
        }
        let log = "[thrd:ssl://kafka:9092/0]: ssl://kafka:9092/0: Disconnected: closed by peer (after 3ms in state UP, 1 ...)";
        assert_eq!(Refusal::of(None, log).unwrap().broker, "kafka:9092");
        assert_eq!(Refusal::of(None, &log.replace("after 3ms", "after 30000ms")), None);
        assert_eq!(Refusal::of(None, &log.replace("ssl:", "sasl_ssl:")), None);
        let gone = "kafka:9092/1: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms)";
        assert_eq!(Refusal::of(Some(BrokerTransportFailure), gone), None);
    }
}
