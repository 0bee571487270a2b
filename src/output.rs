//! Writes files of frames: plain or in gzip members, completely or not at all.

use anyhow::{Context as _, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// A file that is being written.
pub struct FrameFile {
    path: PathBuf,
    to: To,
    may_replace: bool,
}

enum To {
    Stdout,
    /// What is no file, such as a pipe: nothing can be taken back.
    Device(File),
    /// A file that has its name once it is complete.
    Draft(NamedTempFile),
}

impl FrameFile {
    /// Opens `name`; `-` is standard output. A file that exists is an error unless `may_replace` is set.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub fn open(name: &str, may_replace: bool) -> Result<FrameFile> {
        let path = PathBuf::from(name);
        let metadata = path.metadata();
        let to = if name == "-" {
            To::Stdout
        } else if metadata.as_ref().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            let opened = OpenOptions::new().write(true).open(&path);
            To::Device(opened.with_context(|| format!("{name} cannot be written"))?)
        } else {
            if metadata.is_ok_and(|found| !found.is_dir()) && !may_replace {
                bail!("{name} exists: --force replaces it");
            }
            To::Draft(draft(&path).with_context(|| format!("{name} cannot be written"))?)
        };
        Ok(FrameFile { path, to, may_replace })
    }

    /// Writes the next bytes.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.to {
            To::Stdout => io::stdout().write_all(bytes),
            To::Device(file) => file.write_all(bytes),
            To::Draft(file) => file.write_all(bytes),
        }
    }

    /// Gives the complete file its name.
    ///
    /// # Errors
    /// If the last bytes cannot be written, or a file with this name appeared meanwhile.
    pub fn finish(self) -> Result<()> {
        let done = match self.to {
            To::Stdout => match io::stdout().flush() {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                flushed => flushed,
            },
            To::Device(mut file) => file.flush(),
            To::Draft(file) if self.may_replace => file.persist(&self.path).map(drop).map_err(|error| error.error),
            To::Draft(file) => file.persist_noclobber(&self.path).map(drop).map_err(|error| error.error),
        };
        done.with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

fn draft(path: &Path) -> io::Result<NamedTempFile> {
    let is_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    let (Some(name), Some(dir), false) = (path.file_name(), path.parent(), is_folder) else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it names no file"));
    };
    if path.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is a directory"));
    }
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let prefix = format!(".{}.", name.to_string_lossy());
    Builder::new().prefix(&prefix).permissions(Permissions::from_mode(0o666)).tempfile_in(dir)
}

/// Packs `bytes` into a gzip member of its own, in place of what `packed` holds.
pub fn pack(bytes: &[u8], level: u32, packed: &mut Vec<u8>) {
    let mut storage = std::mem::take(packed);
    storage.clear();
    let mut encoder = GzEncoder::new(storage, Compression::new(level));
    // A vector takes everything.
    *packed = encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_file_has_its_name_once_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let name = path.to_str().unwrap();
        let mut output = FrameFile::open(name, false).unwrap();
        output.write(b"first").unwrap();
        assert!(!path.exists());
        output.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert!(FrameFile::open(name, false).err().unwrap().to_string().contains("exists: --force replaces it"));
        let mut output = FrameFile::open(name, true).unwrap();
        output.write(b"second").unwrap();
        drop(output);
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        for name in [dir.path().to_str().unwrap(), &format!("{name}.new/"), "", "/"] {
            assert!(FrameFile::open(name, true).is_err(), "{name}");
        }
    }

    #[test]
    fn a_member_is_gzip() {
        let mut packed = b"old".to_vec();
        pack(b"frames\n", 6, &mut packed);
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "frames\n");
    }
}
