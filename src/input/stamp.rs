//! Detects that a file was changed or replaced after it was opened.

use crate::input::error::InputError;
use kuu_core::grouped::grouped;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use std::{fs, io};

/// The identity of a file or pipe, which is the same under every name.
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

/// The properties that change when a file is written to or replaced.
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

    /// The change of the file since, if there was one.
    fn change(&self, now: io::Result<Metadata>) -> Option<String> {
        let now = match now {
            Ok(meta) => Stamp::of(&meta),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some("its name is gone".into()),
            Err(error) => return Some(error.to_string()),
        };
        if self.identity != now.identity {
            Some("another file took its name".into())
        } else if self.bytes != now.bytes {
            Some(format!("it had {} bytes and has {}", grouped(self.bytes), grouped(now.bytes)))
        } else if self.modified != now.modified {
            Some("it was written to".into())
        } else {
            None
        }
    }
}

/// An open regular file, and its state when it was opened.
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

    /// The change of the open file, or of the file with its name, since it was opened.
    pub(super) fn change(&self) -> Option<String> {
        let open = self.stamp.change(self.file.metadata());
        open.or_else(|| self.path.as_ref().and_then(|path| self.stamp.change(fs::metadata(path))))
    }
}

/// Files that are read several times, with their state before the first time.
#[derive(Default)]
pub struct Originals(Vec<Original>);

struct Original {
    name: String,
    stamp: Stamp,
}

impl Originals {
    /// Records the state of the files `names`.
    ///
    /// # Errors
    /// If one is not a regular file: other inputs can be read only once.
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

    /// Checks that no file has changed.
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
