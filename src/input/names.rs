//! Checks inputs without reading them, and opens each of them only once, as a stream gives its bytes only once.

use crate::input::error::InputError;
use crate::input::stamp::FileId;
use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::path::PathBuf;

/// Checks that the inputs `names` exist and may be read, and that no stream is named twice. Reads no byte of a stream.
///
/// # Errors
/// The first input that fails a check.
pub fn check(names: &[String]) -> Result<(), InputError> {
    for name in names {
        let fail = |error| InputError::open(name.clone(), error);
        let meta = look(name).map_err(fail)?;
        if meta.is_dir() {
            return Err(InputError::Directory { file: name.clone() });
        }
        // Opening a pipe starts its writer, and closing it again ends the writer.
        if is_file(name, &meta) {
            File::open(name).map_err(fail)?;
        }
    }
    distinct(names)
}

/// Checks that no stream is named twice: each of its two readers would get only some of the bytes.
///
/// # Errors
/// If a stream is named twice.
pub fn distinct<'a>(names: impl IntoIterator<Item = &'a (impl AsRef<str> + 'a + ?Sized)>) -> Result<(), InputError> {
    struct Named<'a> {
        name: &'a str,
        is_file: bool,
    }
    let mut all: HashMap<FileId, Named<'_>> = HashMap::new();
    for name in names {
        let name = name.as_ref();
        // A missing input is reported when it is opened.
        let Ok(meta) = look(name) else { continue };
        let is_file = is_file(name, &meta);
        match all.insert(FileId::of(&meta), Named { name, is_file }) {
            Some(first) if !(first.is_file && is_file) => {
                return Err(InputError::NamedTwice { file: name.to_owned(), first: first.name.to_owned() });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether `name` in a record is an input that cannot be read again. (A file descriptor of one process is another file
/// in the next.)
pub fn is_stream(name: &str) -> bool {
    let is_of_process = ["/dev/fd/", "/dev/std", "/proc/"].iter().any(|start| name.starts_with(start));
    name == "-" || is_of_process || fs::metadata(name).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

fn look(name: &str) -> io::Result<Metadata> {
    if name == "-" { standard_input()?.metadata() } else { fs::metadata(name) }
}

/// Whether every reader of `name` gets all of its bytes. Standard input may be a file, but all readers share its
/// position.
fn is_file(name: &str, meta: &Metadata) -> bool {
    name != "-" && meta.is_file()
}

/// The file behind standard input.
pub(super) fn standard_input() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// A named pipe or a device. It is opened at the first read, because opening a pipe waits for its writer.
pub(super) struct Stream {
    path: PathBuf,
    file: Option<File>,
}

impl Stream {
    pub(super) fn new(name: &str) -> Stream {
        Stream { path: name.into(), file: None }
    }
}

impl Read for Stream {
    fn read(&mut self, dst: &mut [u8]) -> io::Result<usize> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(&self.path)?,
        };
        self.file.insert(file).read(dst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_has_open_is_no_file_for_the_next_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        for (name, expected) in [
            ("-", true),
            ("/dev/stdin", true),
            ("/dev/fd/63", true),
            ("/proc/self/fd/0", true),
            ("/dev/null", true),
            (path, false),
            // A file may also be in memory.
            ("/dev/shm/there-is-no-such-file", false),
        ] {
            assert_eq!(is_stream(name), expected, "{name}");
        }
    }
}
