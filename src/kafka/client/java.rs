//! What a file of properties of a Java client means to librdkafka: other names, key stores, and what only Java has.

use crate::kafka::client::jaas::login;
use crate::kafka::client::property::Property;
use anyhow::{Result, bail};
use std::fs::File;
use std::io::Read as _;

/// Where librdkafka has another name for the same.
const NAMES: [(&str, &str); 8] = [
    ("fetch.max.wait.ms", "fetch.wait.max.ms"),
    ("max.request.size", "message.max.bytes"),
    ("receive.buffer.bytes", "socket.receive.buffer.bytes"),
    ("sasl.oauthbearer.token.endpoint.uri", "sasl.oauthbearer.token.endpoint.url"),
    ("send.buffer.bytes", "socket.send.buffer.bytes"),
    ("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
    ("ssl.keystore.key", "ssl.key.pem"),
    ("ssl.truststore.certificates", "ssl.ca.pem"),
];

/// What only Java clients have, and a count does not need.
const IGNORED: [&str; 29] = [
    "auto.include.jmx.reporter",
    "buffer.memory",
    "default.api.timeout.ms",
    "exclude.internal.topics",
    "interceptor.classes",
    "max.block.ms",
    "max.poll.records",
    "metadata.max.idle.ms",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "partitioner.adaptive.partitioning.enable",
    "partitioner.availability.timeout.ms",
    "partitioner.ignore.keys",
    "sasl.kerberos.ticket.renew.jitter",
    "sasl.kerberos.ticket.renew.window.factor",
    "sasl.login.refresh.buffer.seconds",
    "sasl.login.refresh.min.period.seconds",
    "sasl.login.refresh.window.factor",
    "sasl.login.refresh.window.jitter",
    "security.providers",
    "socket.connection.setup.timeout.max.ms",
    "ssl.enabled.protocols",
    "ssl.keymanager.algorithm",
    "ssl.protocol",
    "ssl.provider",
    "ssl.secure.random.implementation",
    "ssl.trustmanager.algorithm",
];
/// The same, by how their names begin and end.
const IGNORED_FAMILIES: [&str; 5] =
    ["basic.auth.", "confluent.", "schema.registry.", "specific.avro.", "value.subject."];
const IGNORED_ENDS: [&str; 4] = [".serializer", ".deserializer", ".serde", "partitioner.class"];
/// Members of key stores, which are translated together.
const STORES: [&str; 6] = [
    "ssl.truststore.location",
    "ssl.truststore.type",
    "ssl.truststore.password",
    "ssl.keystore.location",
    "ssl.keystore.type",
    "ssl.keystore.password",
];

/// Whether only Java clients have this property. A file with one is read as Java does: with its escapes.
pub fn is_of_java(key: &str) -> bool {
    is_ignored(key)
        || key == "sasl.jaas.config"
        || key.starts_with("config.providers")
        || key.starts_with("ssl.truststore.")
        || ["ssl.keystore.type", "ssl.keystore.key", "ssl.keystore.certificate.chain"].contains(&key)
        || key.ends_with(".callback.handler.class")
}

fn is_ignored(key: &str) -> bool {
    IGNORED.contains(&key)
        || IGNORED_FAMILIES.iter().any(|family| key.starts_with(family))
        || IGNORED_ENDS.iter().any(|end| key.ends_with(end))
}

/// The text without the escapes of a Java file of properties.
pub fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(first) = chars.next() {
        if first != '\\' {
            out.push(first);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                out.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => out.extend(other),
        }
    }
    out
}

/// What librdkafka takes, and what is left out as only Java clients have it.
#[derive(Debug, Default)]
pub struct Translated {
    /// The properties of librdkafka.
    pub properties: Vec<Property>,
    /// Those that only Java clients have.
    pub ignored: Vec<Property>,
}

/// Translates the properties of one file.
///
/// # Errors
/// If one cannot be translated: where, why, and what to write in its place. Never with a secret.
pub fn translate(all: Vec<Property>) -> Result<Translated> {
    let mut done = Translated::default();
    for property in &all {
        let Property { key, value, .. } = property;
        let place = property.place();
        if key == "sasl.jaas.config" {
            match login(value) {
                Ok(login) => {
                    done.properties.push(property.as_another("sasl.username", login.username));
                    done.properties.push(property.as_another("sasl.password", login.password));
                }
                Err(why) => bail!("{place}: sasl.jaas.config cannot be translated: {why}"),
            }
        } else if key.ends_with(".callback.handler.class") {
            bail!(
                "{place}: {key} is a Java class, which kuu cannot run: log in by PLAIN, SCRAM or OAUTHBEARER (sasl.mechanism)"
            );
        } else if key.starts_with("config.providers") {
            bail!(
                "{place}: kuu has no config.providers: write the values themselves into a file that only you can read"
            );
        } else if key == "ssl.endpoint.identification.algorithm" {
            let algorithm = if value.is_empty() { "none".into() } else { value.to_ascii_lowercase() };
            done.properties.push(property.as_another(key, algorithm));
        } else if is_ignored(key) {
            done.ignored.push(property.clone());
        } else if !STORES.contains(&key.as_str()) {
            let name = NAMES.iter().find(|(java, _)| java == key).map_or(key.as_str(), |(_, name)| name);
            done.properties.push(property.as_another(name, value.clone()));
        }
    }
    truststore(&all, &mut done)?;
    keystore(&all, &mut done)?;
    Ok(done)
}

/// The kind of a key store: as the file of properties says, else as the first bytes of the store do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    Pem,
    Pkcs12,
    Java,
    Unknown,
}

impl Store {
    fn of(location: &str, said: Option<&str>) -> Store {
        match said.map(str::to_ascii_uppercase).as_deref() {
            Some("PEM") => Store::Pem,
            Some("PKCS12") => Store::Pkcs12,
            Some(_) => Store::Java,
            None => Store::at(location),
        }
    }

    fn at(location: &str) -> Store {
        let mut first = [0; 4];
        match File::open(location).and_then(|mut file| file.read_exact(&mut first)) {
            Ok(()) if first == [0xfe, 0xed, 0xfe, 0xed] || first == [0xce; 4] => Store::Java,
            Ok(()) if first[0] == 0x30 => Store::Pkcs12,
            Ok(()) => Store::Pem,
            Err(_) => Store::Unknown,
        }
    }
}

fn last<'a>(all: &'a [Property], key: &str) -> Option<&'a Property> {
    all.iter().rfind(|property| property.key == key && !property.value.is_empty())
}

/// librdkafka reads certificates of CAs as PEM only.
fn truststore(all: &[Property], done: &mut Translated) -> Result<()> {
    let Some(location) = last(all, "ssl.truststore.location") else { return Ok(()) };
    let store = Store::of(&location.value, last(all, "ssl.truststore.type").map(|said| said.value.as_str()));
    if store == Store::Pem {
        done.properties.push(location.as_another("ssl.ca.location", location.value.clone()));
        return Ok(());
    }
    bail!(
        "{}: ssl.truststore.location={} is a key store of Java, and librdkafka reads PEM only: convert it with `keytool \
         -list -rfc -keystore {1} > ca.pem`, which asks for ssl.truststore.password, and write ssl.ca.location=ca.pem in \
         place of the lines ssl.truststore.*",
        location.place(),
        location.value
    )
}

/// librdkafka reads PKCS#12, and the key and the certificate as PEM.
fn keystore(all: &[Property], done: &mut Translated) -> Result<()> {
    let password = last(all, "ssl.keystore.password");
    let Some(location) = last(all, "ssl.keystore.location") else {
        done.properties.extend(password.cloned());
        return Ok(());
    };
    match Store::of(&location.value, last(all, "ssl.keystore.type").map(|said| said.value.as_str())) {
        Store::Pem => {
            done.properties.push(location.as_another("ssl.key.location", location.value.clone()));
            done.properties.push(location.as_another("ssl.certificate.location", location.value.clone()));
            Ok(())
        }
        Store::Java => bail!(
            "{}: ssl.keystore.location={} is a key store of Java, and librdkafka reads PKCS#12 or PEM: convert it with \
             `keytool -importkeystore -srckeystore {1} -destkeystore keystore.p12 -deststoretype PKCS12`, and write \
             ssl.keystore.location=keystore.p12 and ssl.keystore.type=PKCS12 in its place",
            location.place(),
            location.value
        ),
        Store::Pkcs12 | Store::Unknown => {
            done.properties.push(location.clone());
            done.properties.extend(password.cloned());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
