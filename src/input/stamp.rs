//! Whether a file is still the one that was opened, with what it held then.

use crate::input::error::InputError;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use std::{fs, io};

/// What tells one file, or one pipe, from every other, by whatever names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(super) fn of(meta: &Metadata) -> FileId {
        FileId { device: meta.dev(), inode: meta.ino() }
    }
}

/// What changes when a file is written to or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    identity: FileId,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    pub(super) fn of(meta: &Metadata) -> Stamp {
        Stamp { identity: FileId::of(meta), bytes: meta.len(), modified: meta.modified().ok() }
    }

    /// What happened to the file since, if anything did.
    fn change(&self, now: io::Result<Metadata>) -> Option<String> {
        let now = match now {
            Ok(meta) => Stamp::of(&meta),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some("its name is gone".into()),
            Err(error) => return Some(error.to_string()),
        };
        if self.identity != now.identity {
            Some("another file took its name".into())
        } else if self.bytes != now.bytes {
            Some(format!("it had {} bytes and has {}", self.bytes, now.bytes))
        } else if self.modified != now.modified {
            Some("it was written to".into())
        } else {
            None
        }
    }
}

/// An open regular file, and what it was when it was opened.
pub(super) struct Watch {
    file: Arc<File>,
    path: Option<PathBuf>,
    stamp: Stamp,
}

impl Watch {
    pub(super) fn new(file: Arc<File>, path: Option<&Path>, meta: &Metadata) -> Watch {
        Watch { file, path: path.map(Path::to_owned), stamp: Stamp::of(meta) }
    }

    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// What happened to the open file, or to its name, since it was opened.
    pub(super) fn change(&self) -> Option<String> {
        let open = self.stamp.change(self.file.metadata());
        open.or_else(|| self.path.as_ref().and_then(|path| self.stamp.change(fs::metadata(path))))
    }
}

/// Files that are read several times, and what they were before the first time.
#[derive(Default)]
pub struct Originals(Vec<Original>);

struct Original {
    name: String,
    stamp: Stamp,
}

impl Originals {
    /// Notes what the files `names` are.
    ///
    /// # Errors
    /// If one is no regular file: whatever else can be read only once.
    pub fn note(names: &[String]) -> Result<Originals, InputError> {
        let note = |name: &String| {
            let file = || name.clone();
            if name == "-" {
                return Err(InputError::NoFile { file: file() });
            }
            let meta = fs::metadata(name).map_err(|error| InputError::open(file(), error))?;
            match meta.is_file() {
                true => Ok(Original { name: file(), stamp: Stamp::of(&meta) }),
                false if meta.is_dir() => Err(InputError::Directory { file: file() }),
                false => Err(InputError::NoFile { file: file() }),
            }
        };
        names.iter().map(note).collect::<Result<_, _>>().map(Originals)
    }

    /// Checks that the files are what they were.
    ///
    /// # Errors
    /// If one changed.
    pub fn unchanged(&self) -> Result<(), InputError> {
        self.0.iter().try_for_each(|Original { name, stamp }| match stamp.change(fs::metadata(name)) {
            Some(what) => Err(InputError::Changed { file: name.clone(), what }),
            None => Ok(()),
        })
    }
}
