//! The source of an engine: what its folder holds, but what a build or a run puts there.

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The name of the descriptor in an engine's folder.
pub const DESCRIPTOR: &str = "engine.toml";

/// Names of what is made. Names that start with a dot are, too.
const MADE: [&str; 4] = ["build", "target", "node_modules", "__pycache__"];

/// The SHA-256 of names and content of all source files, in hexadecimal. The descriptor is none of them.
///
/// # Errors
/// If a file cannot be read.
pub fn digest(dir: &Path) -> Result<String> {
    let mut files = Vec::new();
    find(dir, &mut files)?;
    files.sort();
    let mut all = Sha256::new();
    for file in files {
        let is_link = file.is_symlink();
        let content = if is_link {
            fs::read_link(&file).map(|path| path.into_os_string().into_encoded_bytes())
        } else {
            fs::read(&file)
        };
        let content = content.with_context(|| format!("{} cannot be read", file.display()))?;
        let name = file.strip_prefix(dir).unwrap_or(&file).as_os_str().as_encoded_bytes();
        // A name cannot have the byte 0, and a digest has one length: no two folders give the same text.
        all.update([name, b"\0", Sha256::digest(content).as_slice()].concat());
    }
    Ok(hexadecimal(&all.finalize()))
}

/// Bytes as text.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn find(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(dir).with_context(|| format!("{} cannot be read", dir.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let is_made = name.as_encoded_bytes().starts_with(b".") || MADE.iter().any(|made| name == *made);
        if is_made || name == DESCRIPTOR {
            continue;
        }
        if entry.file_type()?.is_dir() {
            find(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("count.py", "a");
        let first = digest(dir.path()).unwrap();
        for name in ["engine.toml", ".venv/x", "src/__pycache__/x", "target/x", "build/x", ".x"] {
            write(name, "made");
        }
        assert_eq!(digest(dir.path()).unwrap(), first);
        write("src/b.py", "");
        let second = digest(dir.path()).unwrap();
        write("src/b.py", "b");
        let third = digest(dir.path()).unwrap();
        assert!(first != second && second != third && first.len() == 64, "{first} {second} {third}");
    }
}
