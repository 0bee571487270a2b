//! librdkafka's properties: from a file, and which of them are secrets.

use anyhow::{Context, Result, anyhow};
use std::fs;
use std::path::Path;

/// Keys and values. Of a key that occurs twice, the last value counts.
pub type Properties = Vec<(String, String)>;

/// How the names of properties end whose values nobody else may know.
const SECRETS: [&str; 6] = ["password", "passphrase", "secret", "key.pem", "oauthbearer.config", "jaas.config"];

/// Whether the value of this property must not be seen.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRETS.iter().any(|end| key.ends_with(end))
}

/// Reads lines `key=value`. Blank lines and lines that start with `#` are passed over, and so is white space around keys
/// and values.
///
/// # Errors
/// If the file cannot be read, or a line is none of these. Never repeats a line: it may hold a secret.
pub fn read(path: &Path) -> Result<Properties> {
    let name = path.display();
    let text = fs::read(path).with_context(|| format!("{name} cannot be read: check --config"))?;
    let text = String::from_utf8(text).map_err(|_| anyhow!("{name} is no text (UTF-8): check --config"))?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| match line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(anyhow!("{name}, line {}: write key=value, as in acks=all; # starts a comment", index + 1)),
        })
        .collect()
}

/// Whether other users of this machine may read the file.
#[cfg(unix)]
pub fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o044 != 0)
}

/// Whether other users of this machine may read the file: not known here.
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
        read(file.path())
    }

    #[test]
    fn lines() {
        let text = "\u{feff}# a comment\r\n\r\n  a.b = 1 \r\nc==d=\n\te=\n#f=g\nh=#i";
        let expected = [("a.b", "1"), ("c", "=d="), ("e", ""), ("h", "#i")];
        assert_eq!(parse(text).unwrap(), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn errors_name_the_line_and_keep_the_secret() {
        for text in ["a=b\n\nhunter2", "a=b\n\n = hunter2", "# \n#\nsasl.password hunter2"] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains("line 3: write key=value") && !error.contains("hunter2"), "{error}");
        }
        assert!(format!("{:#}", parse(b"a=\xff").unwrap_err()).contains("is no text"));
    }

    #[test]
    fn secrets() {
        for key in ["sasl.password", "SSL.Key.Password", "ssl.key.pem", "sasl.oauthbearer.client.secret"] {
            assert!(is_secret(key), "{key}");
        }
        for key in ["sasl.username", "ssl.ca.pem", "ssl.key.location", "sasl.oauthbearer.token.endpoint.url"] {
            assert!(!is_secret(key), "{key}");
        }
    }
}
