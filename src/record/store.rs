//! Reads and writes the records in `results/`.

use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use kuu_core::record::{FORMAT, Record};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::Builder;

/// File systems allow names of 255 bytes; the rest is for the text around the topic's name.
const LONGEST: usize = 200;

/// Who may read a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody whom the umask allows.
    Umask,
    /// Only the owner of the file.
    Owner,
}

/// The file name of a command's record about a topic, as in `produce-messages.json`: valid for every name of a topic.
pub fn name_of(command: &str, topic: &str) -> String {
    let mut safe = String::new();
    for byte in topic.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => safe.push(byte.into()),
            _ => drop(write!(safe, "%{byte:02x}")),
        }
    }
    if safe.len() > LONGEST {
        let digest = Sha256::digest(topic).iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        safe.truncate(LONGEST);
        safe += &format!("%{digest:016x}");
    }
    format!("{command}-{safe}.json")
}

/// Writes a record as `dir/name`, completely or not at all.
///
/// # Errors
/// If the directory or the file cannot be written.
pub fn save(dir: &Path, name: &str, record: &Record, access: Access) -> Result<PathBuf> {
    let mut text = serde_json::to_vec_pretty(record)?;
    text.push(b'\n');
    write_for(dir, name, &text, access)
}

/// Writes a file as `dir/name`, completely or not at all.
///
/// # Errors
/// If the directory or the file cannot be written.
pub fn write(dir: &Path, name: &str, content: &[u8]) -> Result<PathBuf> {
    write_for(dir, name, content, Access::Umask)
}

fn write_for(dir: &Path, name: &str, content: &[u8], access: Access) -> Result<PathBuf> {
    let path = dir.join(name);
    let mode = match access {
        Access::Umask => 0o666,
        Access::Owner => 0o600,
    };
    let write = || {
        fs::create_dir_all(dir)?;
        let mut draft =
            Builder::new().prefix(&format!(".{name}.")).permissions(Permissions::from_mode(mode)).tempfile_in(dir)?;
        draft.write_all(content)?;
        // The file under this name must have its content even after a power cut.
        draft.as_file().sync_all()?;
        draft.persist(&path).map(drop).map_err(|error| error.error)
    };
    if let Err(error) = write() {
        return Err(error).with_context(|| {
            format!("{} cannot be written: name a writable directory with --results", path.display())
        });
    }
    Ok(path)
}

/// Reads the record `dir/name`, none if there is no such file.
///
/// # Errors
/// If it cannot be read, or has another format.
pub fn load(dir: &Path, name: &str) -> Result<Option<Record>> {
    let path = dir.join(name);
    match fs::read(&path) {
        Ok(text) => parse(&path, &text, "delete it").map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Reads a record of any name, also a gzipped one.
///
/// # Errors
/// If it cannot be read, or has another format.
pub fn read(path: &Path) -> Result<Record> {
    let cannot = || format!("{} cannot be read", path.display());
    let mut text = fs::read(path).with_context(cannot)?;
    if text.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        MultiGzDecoder::new(text.as_slice()).read_to_end(&mut plain).with_context(cannot)?;
        text = plain;
    }
    parse(path, &text, "name records that kuu wrote")
}

fn parse(path: &Path, text: &[u8], remedy: &str) -> Result<Record> {
    let record: Record =
        serde_json::from_slice(text).with_context(|| format!("{} is not a record of kuu: {remedy}", path.display()))?;
    if record.format != FORMAT {
        bail!(
            "{} has format {}, this kuu reads {FORMAT}: run the command again that wrote it",
            path.display(),
            record.format
        );
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_differ() {
        let longest = "a".repeat(249);
        let other = format!("{}b", "a".repeat(248));
        let topics = ["messages", "a.b_c-D", "..", "a/b", "a%2fb", "../a", "", "é", &longest, &other];
        let names: Vec<String> = topics.iter().map(|topic| name_of("produce", topic)).collect();
        assert_eq!(names[..4], ["messages", "a.b_c-D", "..", "a%2fb"].map(|name| format!("produce-{name}.json")));
        assert_eq!(names[4], "produce-a%252fb.json");
        for (i, name) in names.iter().enumerate() {
            assert!(name.len() < 240 && !name.contains('/'), "{name}");
            assert!(!names[..i].contains(name), "{name}");
        }
    }
}
