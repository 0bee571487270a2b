//! The records in `results/`.

use crate::core::record::{FORMAT, Record};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes a record as `dir/name`, whole or not at all.
///
/// # Errors
/// If the directory or the file cannot be written.
pub fn save(dir: &Path, name: &str, record: &Record) -> Result<PathBuf> {
    let mut text = serde_json::to_vec_pretty(record)?;
    text.push(b'\n');
    write(dir, name, &text)
}

/// Writes a file as `dir/name`, whole or not at all.
///
/// # Errors
/// If the directory or the file cannot be written.
pub fn write(dir: &Path, name: &str, content: &[u8]) -> Result<PathBuf> {
    let path = dir.join(name);
    let draft = dir.join(format!(".{name}.{}", std::process::id()));
    let write = || {
        fs::create_dir_all(dir)?;
        fs::write(&draft, content)?;
        fs::rename(&draft, &path)
    };
    if let Err(error) = write() {
        let _ = fs::remove_file(&draft);
        return Err(error).with_context(|| {
            format!("{} cannot be written: name a writable directory with --results", path.display())
        });
    }
    Ok(path)
}

/// Reads the record `dir/name`, none if there is no such file.
///
/// # Errors
/// If it cannot be read, or is of another format.
pub fn load(dir: &Path, name: &str) -> Result<Option<Record>> {
    let path = dir.join(name);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    let record: Record =
        serde_json::from_slice(&text).with_context(|| format!("{} is no record of kuu: delete it", path.display()))?;
    if record.format != FORMAT {
        bail!(
            "{} has format {}, this kuu reads {FORMAT}: delete it and run the command again",
            path.display(),
            record.format
        );
    }
    Ok(Some(record))
}
