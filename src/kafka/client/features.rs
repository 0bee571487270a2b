//! What librdkafka reads over in an answer to ApiVersions: the finalized features of the cluster (KIP-584). One request by
//! hand: the crate kafka-protocol has all of Kafka's, and takes 14 s of processor time to build.

use crate::kafka::client::settings::Settings;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const API_VERSIONS: i16 = 18;
/// The first version with features; brokers since Apache Kafka 2.4 have it.
const VERSION: i16 = 3;
const CORRELATION: [u8; 4] = *b"kuu?";
/// The tag of `FinalizedFeatures` in the answer.
const FINALIZED: u64 = 2;
const PATIENCE: Duration = Duration::from_secs(1);
const LARGEST_ANSWER: u32 = 1 << 20;

/// The level of the feature `transaction.version`: 2 is that of KIP-890, 0 is none. Unknown if the brokers want TLS, or if
/// none of them says so within a second.
pub fn transaction_version(settings: &Settings) -> Option<u16> {
    // SASL begins after this request.
    let protocol = settings.property("security.protocol").unwrap_or("plaintext");
    if !["plaintext", "sasl_plaintext"].iter().any(|plain| protocol.eq_ignore_ascii_case(plain)) {
        return None;
    }
    let answer = settings.brokers.split(',').find_map(|broker| ask(broker.trim()).ok())?;
    level(&answer, b"transaction.version")
}

fn ask(broker: &str) -> std::io::Result<Vec<u8>> {
    let broker = broker.rsplit("//").next().unwrap_or_default();
    let has_port = broker.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
    let broker = if has_port { broker.to_owned() } else { format!("{broker}:9092") };
    let address = broker.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::NotFound)?;
    let mut broker = TcpStream::connect_timeout(&address, PATIENCE)?;
    broker.set_read_timeout(Some(PATIENCE))?;
    broker.set_write_timeout(Some(PATIENCE))?;
    broker.write_all(&request())?;
    let mut size = [0; 4];
    broker.read_exact(&mut size)?;
    let size = u32::from_be_bytes(size).min(LARGEST_ANSWER);
    let mut answer = vec![0; size as usize];
    broker.read_exact(&mut answer)?;
    Ok(answer)
}

fn request() -> Vec<u8> {
    let name = b"kuu";
    let compact = |text: &[u8]| [&[text.len() as u8 + 1], text].concat();
    let body = [
        &API_VERSIONS.to_be_bytes()[..],
        &VERSION.to_be_bytes(),
        &CORRELATION,
        &(name.len() as i16).to_be_bytes(),
        name,
        &[0],
        &compact(name),
        &compact(env!("CARGO_PKG_VERSION").as_bytes()),
        &[0],
    ]
    .concat();
    [&(body.len() as u32).to_be_bytes()[..], &body].concat()
}

/// The level that the answer has for a feature, 0 if it is not finalized; none if the answer is of another form.
fn level(answer: &[u8], feature: &[u8]) -> Option<u16> {
    let mut rest = Rest(answer);
    if rest.take(4)? != CORRELATION || rest.number()? != 0 {
        return None;
    }
    for _ in 0..rest.length()? {
        rest.take(6)?; // a request, and its lowest and highest version
        rest.tags(|_, _| ())?;
    }
    rest.take(4)?; // for how long the broker holds back
    let mut features = None;
    rest.tags(|tag, value| {
        if tag == FINALIZED {
            features = Some(value);
        }
    })?;
    let mut features = Rest(features.unwrap_or(&[1]));
    let mut found = 0;
    for _ in 0..features.length()? {
        let name_length = features.length()?;
        let name = features.take(name_length)?;
        let highest = features.number()?;
        features.number()?;
        features.tags(|_, _| ())?;
        if name == feature {
            found = highest;
        }
    }
    Some(found)
}

/// What is left of an answer; the types of Kafka's protocol (KIP-482 for the compact ones).
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// How many elements or bytes follow: compact lengths are one more, and 0 is null.
    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?.saturating_sub(1)).ok()
    }

    fn tags(&mut self, mut each: impl FnMut(u64, &'a [u8])) -> Option<()> {
        for _ in 0..self.varint()? {
            let tag = self.varint()?;
            let size = usize::try_from(self.varint()?).ok()?;
            each(tag, self.take(size)?);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Apache Kafka 4.1.1 answers, with two requests instead of all.
    fn answer() -> Vec<u8> {
        let requests = [3, 0, 0, 0, 0, 0, 13, 0, 0, 1, 0, 0, 0, 17, 0];
        let finalized =
            [&[3][..], &[17], b"metadata.version", &[0, 27, 0, 7, 0], &[20], b"transaction.version", &[0, 2, 0, 1, 0]]
                .concat();
        let tags = [&[2, 1, 8, 0, 0, 0, 0, 0, 0, 0, 9, 2, finalized.len() as u8][..], &finalized].concat();
        [&CORRELATION[..], &[0, 0], &requests, &[0, 0, 0, 0], &tags].concat()
    }

    #[test]
    fn levels_of_an_answer() {
        assert_eq!(level(&answer(), b"transaction.version"), Some(2));
        assert_eq!(level(&answer(), b"metadata.version"), Some(27));
        assert_eq!(level(&answer(), b"group.version"), Some(0));
        // A broker that does not know the version of the request answers in its oldest form.
        assert_eq!(level(&[&CORRELATION[..], &[0, 35], &[0, 0, 0, 0]].concat(), b"transaction.version"), None);
        let without_features = [&CORRELATION[..], &[0, 0], &[1], &[0, 0, 0, 0], &[0]].concat();
        assert_eq!(level(&without_features, b"transaction.version"), Some(0));
    }

    #[test]
    fn answers_that_end_early_or_are_damaged_are_none_or_a_level() {
        let whole = answer();
        for length in 0..whole.len() {
            assert_eq!(level(&whole[..length], b"transaction.version"), None, "{length} bytes");
        }
        for at in 0..whole.len() {
            for byte in [0, 0x7f, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                level(&damaged, b"transaction.version"); // must not panic
            }
        }
    }

    #[test]
    fn a_request_has_its_length_before_it() {
        let request = request();
        assert_eq!(u32::from_be_bytes(request[..4].try_into().unwrap()) as usize, request.len() - 4);
        assert_eq!(request[4..8], [0, 18, 0, 3]);
    }
}
