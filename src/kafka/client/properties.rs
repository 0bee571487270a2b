//! librdkafka's properties: their file, and which of them are secret or reserved.

use crate::kafka::client::java::{self, Translated};
use crate::kafka::client::property::Property;
use anyhow::{Context, Result, anyhow, bail};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

/// Keys and values. If a key occurs twice, the last value counts.
pub type Properties = Vec<(String, String)>;

/// The largest file of properties in bytes: an endless file must not be read to its end.
const LONGEST: u64 = 1 << 20;

/// The endings of names of properties with secret values.
const SECRETS: [&str; 7] =
    ["password", "passphrase", "secret", "key.pem", "keystore.key", "oauthbearer.config", "jaas.config"];

/// Whether the value of this property is secret.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRETS.iter().any(|end| key.ends_with(end))
}

/// A property that kuu depends on.
pub struct Reserved {
    /// The name and librdkafka's aliases of it.
    names: &'static [&'static str],
    /// The values that are allowed, as they change nothing.
    pub fine: &'static [&'static str],
    /// Why others are refused.
    pub why: &'static str,
}

const fn reserved(names: &'static [&'static str], fine: &'static [&'static str], why: &'static str) -> Reserved {
    Reserved { names, fine, why }
}

const FALSE: [&str; 3] = ["false", "f", "0"];
const TRUE: [&str; 3] = ["true", "t", "1"];
const COMMITS: &str = "kuu itself commits positions, together with their results";
const MEMBERS: &str = "kuu gives its readers their partitions itself, and no broker or other member may move them";

/// Properties that kuu sets, or leaves alone, for a reason: with another value it would lose, mix or misreport data.
const RESERVED: [Reserved; 24] = [
    // Readers and positions depend on these.
    reserved(&["group.id"], &[], "the group is named by --group"),
    reserved(&["group.instance.id", "group.remote.assignor", "partition.assignment.strategy"], &[], MEMBERS),
    reserved(&["group.protocol"], &["classic"], MEMBERS),
    reserved(&["group.protocol.type"], &["consumer"], MEMBERS),
    reserved(&["enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store"], &FALSE, COMMITS),
    reserved(&["auto.commit.interval.ms", "offset.store.path", "offset.store.sync.interval.ms"], &[], COMMITS),
    reserved(&["offset.store.method"], &["broker"], COMMITS),
    reserved(&["auto.offset.reset"], &["error"], "deleted frames must end the run, not be skipped"),
    reserved(
        &["isolation.level"],
        &["read_committed"],
        "records of an aborted transaction must be neither counted nor compared",
    ),
    reserved(&["enable.partition.eof"], &[], "kuu sets it where a reader needs it"),
    reserved(&["consume.callback.max.messages"], &[], "kuu reads without callbacks, so it would do nothing"),
    // The sending of frames and results depends on these.
    reserved(&["transactional.id"], &[], "--group sets it too: that fences off a second count of the group"),
    reserved(&["enable.idempotence"], &TRUE, "a frame that is sent again must not be there twice, nor out of order"),
    reserved(
        &["acks", "request.required.acks"],
        &["all", "-1"],
        "a frame that only one broker has is lost with that broker, though it was reported as delivered",
    ),
    reserved(
        &["max.in.flight.requests.per.connection", "max.in.flight"],
        &["1"],
        "results must arrive in the order of their revisions: the last one wins",
    ),
    reserved(
        &["message.send.max.retries", "retries"],
        &["2147483647"],
        "a short outage of a broker must not lose a frame: message.timeout.ms says how long kuu tries",
    ),
    reserved(&["enable.gapless.guarantee"], &FALSE, "one refused frame would fail all that wait behind it"),
    reserved(&["delivery.report.only.error"], &FALSE, "a frame counts as delivered when that is reported"),
    reserved(&["queuing.strategy"], &["fifo"], "frames and results keep their order"),
    reserved(
        &["partitioner"],
        &["murmur2_random"],
        "a key must stay in one partition, whichever client wrote it, or the last result of a window is unknown",
    ),
    // The reports of kuu depend on these.
    reserved(&["statistics.interval.ms"], &["1000"], "lag is taken from the statistics"),
    reserved(&["allow.auto.create.topics"], &FALSE, "asking about a missing topic would create it"),
    reserved(&["topic.blacklist"], &[], "hidden topics look as if they were missing"),
    reserved(&["internal.termination.signal"], &[], "kuu handles signals itself"),
];

/// Why kuu depends on this property, if it does.
pub fn reservation(key: &str) -> Option<&'static Reserved> {
    RESERVED.iter().find(|reserved| reserved.names.contains(&key))
}

/// Why this property must not have this value, if it must not.
pub fn refusal(key: &str, value: &str) -> Option<&'static str> {
    let reserved = reservation(key)?;
    let fine = reserved.fine.iter().any(|fine| fine.eq_ignore_ascii_case(value.trim()));
    (!fine).then_some(reserved.why)
}

/// Reads lines `key=value`, as librdkafka's own tools and Java clients have them. Blank lines, lines that start with `#`
/// or `!`, and white space around keys and values are ignored; a backslash at the end continues a line. What a Java
/// client has is translated; only in such a file have backslashes within lines a meaning.
///
/// # Errors
/// If the file cannot be read, a line has another form, or cannot be translated. The error never repeats a secret.
pub fn read(path: &Path) -> Result<Translated> {
    let name = path.display();
    let mut text = Vec::new();
    let file = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut text));
    file.with_context(|| format!("{name} cannot be read: check --config"))?;
    if text.len() as u64 > LONGEST {
        bail!("{name} has more than 1 MiB, which no file of properties has: check --config");
    }
    let text = String::from_utf8(text).map_err(|_| anyhow!("{name} is not UTF-8 text: check --config"))?;
    let property = |(number, line): (usize, String)| match line.split_once(['=', ':']) {
        Some((key, value)) if !key.trim().is_empty() => Ok(Property {
            key: key.trim().to_owned(),
            value: value.trim().to_owned(),
            from: name.to_string(),
            line: Some(number),
        }),
        _ => Err(anyhow!("{name}, line {number}: write key=value, as in acks=all; # starts a comment")),
    };
    let mut all = lines(&text).into_iter().map(property).collect::<Result<Vec<_>>>()?;
    if all.iter().any(|property| java::is_of_java(&property.key)) {
        all.iter_mut().for_each(|property| property.value = java::unescaped(&property.value));
    }
    java::translate(all)
}

/// The lines that hold something, with the number of their first line in the file; a backslash at the end continues one.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (index, line) in text.trim_start_matches('\u{feff}').lines().map(str::trim).enumerate() {
        if !continues && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        let part = if backslashes % 2 == 1 { &line[..line.len() - 1] } else { line };
        match found.last_mut().filter(|_| continues) {
            Some((_, whole)) => whole.push_str(part),
            None => found.push((index + 1, part.to_owned())),
        }
        continues = backslashes % 2 == 1;
    }
    found
}

/// Whether other users of this machine may read the file.
#[cfg(unix)]
pub fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o044 != 0)
}

/// Whether other users of this machine may read the file: unknown on this system.
#[cfg(not(unix))]
pub fn is_exposed(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: impl AsRef<[u8]>) -> Result<Properties> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), text)?;
        Ok(read(file.path())?.properties.into_iter().map(|property| (property.key, property.value)).collect())
    }

    #[test]
    fn lines() {
        let text = "\u{feff}# a comment\r\n\r\n  a.b = 1 \r\nc==d=\n\te=\n#f=g\nh=#i";
        let expected = [("a.b", "1"), ("c", "=d="), ("e", ""), ("h", "#i")];
        assert_eq!(parse(text).unwrap(), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn lines_of_java() {
        let text = "! a comment\nbootstrap.servers: a:1,\\\n   b:2\nsasl.jaas.config=x.PlainLoginModule required \\\n  \
                    username=\"a\" \\\n# no comment \\\n  password=\"b\\=\\\\\\\\\";\nkey.serializer=x\n";
        let expected = [("bootstrap.servers", "a:1,b:2"), ("sasl.username", "a"), ("sasl.password", "b=\\")];
        assert_eq!(parse(text).unwrap(), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        // Elsewhere a backslash is one.
        assert_eq!(parse("sasl.password=a\\=b\\\\").unwrap(), [("sasl.password".into(), "a\\=b\\\\".into())]);
        let error = parse("a=b\\\nc\n\nhunter2").unwrap_err().to_string();
        assert!(error.contains("line 4: write key=value"), "{error}");
    }

    #[test]
    fn errors_name_the_line_and_keep_the_secret() {
        for text in ["a=b\n\nhunter2", "a=b\n\n = hunter2", "# \n#\nsasl.password hunter2"] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains("line 3: write key=value") && !error.contains("hunter2"), "{error}");
        }
        assert!(format!("{:#}", parse(b"a=\xff").unwrap_err()).contains("is not UTF-8 text"));
    }

    #[test]
    fn what_kuu_depends_on_is_refused() {
        for (key, value) in [
            ("acks", "1"),
            ("request.required.acks", "0"),
            ("delivery.report.only.error", "true"),
            ("enable.idempotence", "false"),
            ("retries", "0"),
            ("isolation.level", "read_uncommitted"),
            ("isolation.level", ""),
            ("group.id", "kuu"),
        ] {
            assert!(refusal(key, value).is_some(), "{key}={value}");
        }
        for (key, value) in [
            ("acks", "All"),
            ("acks", "-1"),
            ("enable.auto.commit", "FALSE"),
            ("linger.ms", "5"),
            ("fetch.wait.max.ms", "9"),
            ("queued.max.messages.kbytes", "1024"),
            ("socket.keepalive.enable", "true"),
            ("compression.type", "zstd"),
            ("message.timeout.ms", "3000"),
            ("transaction.timeout.ms", "2000"),
            ("check.crcs", "true"),
            ("client.rack", "a"),
            ("security.protocol", "sasl_ssl"),
            ("debug", "all"),
        ] {
            assert_eq!(refusal(key, value), None, "{key}={value}");
        }
    }

    #[test]
    fn each_reserved_property_is_named_once_and_known_to_librdkafka() {
        let mut names: Vec<&str> = RESERVED.iter().flat_map(|reserved| reserved.names).copied().collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        for (name, fine) in RESERVED.iter().flat_map(|it| it.names.iter().map(move |name| (*name, it.fine))) {
            for value in fine {
                let mut config = rdkafka::ClientConfig::new();
                config.set(name, *value);
                assert!(config.create_native_config().is_ok(), "{name}={value}");
            }
        }
    }

    #[test]
    fn secrets() {
        for key in
            ["sasl.password", "SSL.Key.Password", "ssl.key.pem", "sasl.oauthbearer.client.secret", "ssl.keystore.key"]
        {
            assert!(is_secret(key), "{key}");
        }
        for key in ["sasl.username", "ssl.ca.pem", "ssl.key.location", "sasl.oauthbearer.token.endpoint.url"] {
            assert!(!is_secret(key), "{key}");
        }
    }
}
