//! Errors of an input: the fault, its place, and the remedy.

use crate::system::fault::died;
use std::{fmt, io};
use thiserror::Error;

/// An input that cannot be opened, or cannot be read to its end. All whole lines before the place were delivered.
#[derive(Debug, Error)]
pub enum InputError {
    /// There is no such file.
    #[error("{file}: there is no such file; check the path, or use - for standard input")]
    NotFound {
        /// The name that was given.
        file: String,
    },
    /// The file may not be read.
    #[error("{file}: permission denied; make it readable for this user, or pipe it in and use -")]
    PermissionDenied {
        /// The name that was given.
        file: String,
    },
    /// The path names a directory.
    #[error("{file}: is a directory; name the files in it")]
    Directory {
        /// The name that was given.
        file: String,
    },
    /// The file cannot be opened for another reason.
    #[error("{file}: cannot be opened: {source}")]
    Open {
        /// The name that was given.
        file: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The system failed to read.
    #[error("{file}: reading failed at byte {byte}: {source}; {cut}; check the disk or the pipe, then run it again")]
    Read {
        /// The name that was given.
        file: String,
        /// Position in the stored file, from 0.
        byte: u64,
        /// The lines that were delivered before.
        cut: Cut,
        /// The error of the system.
        source: io::Error,
    },
    /// The gzip data ends inside a member.
    #[error(
        "{file}: the gzip data ends too early, at byte {byte} of the compressed file, in the member that starts at \
         byte {member}; {cut}; copy, download or compress the file again"
    )]
    Truncated {
        /// The name that was given.
        file: String,
        /// Length of the compressed file, in bytes.
        byte: u64,
        /// First byte of the member.
        member: u64,
        /// The lines that were delivered before.
        cut: Cut,
    },
    /// The gzip data is damaged. Deflate data has no checksum except at the end of a member, so the lines of the
    /// damaged member (those after [`Cut::checked`]) may be wrong although they were delivered.
    #[error(
        "{file}: the gzip data is damaged at or before byte {byte} of the compressed file ({what}), in the member that \
         starts at byte {member}; {cut}{}; copy or download the file again", cut.doubt()
    )]
    Corrupt {
        /// The name that was given.
        file: String,
        /// Where decoding failed, in the compressed file.
        byte: u64,
        /// First byte of the member.
        member: u64,
        /// The kind of damage.
        what: &'static str,
        /// The lines that were delivered before.
        cut: Cut,
    },
    /// After a complete member there are bytes that are neither another member nor zero padding.
    #[error(
        "{file}: what follows at byte {byte} of the compressed file, after a complete gzip member, is neither a further \
         member nor zero padding; {cut}; copy the file again, or cut the rest off: head -c {byte}"
    )]
    TrailingGarbage {
        /// The name that was given.
        file: String,
        /// First of these bytes.
        byte: u64,
        /// The lines that were delivered before.
        cut: Cut,
    },
    /// The input is a stream, but must be read more than once.
    #[error("{file}: is not a regular file, but must be read several times; save it to a file and name that")]
    NoFile {
        /// The name that was given.
        file: String,
    },
    /// A stream is named twice.
    #[error(
        "{file}: this stream is named twice (before as {first}), but gives its bytes only once; name it once, or save it \
         to a file and name that"
    )]
    NamedTwice {
        /// The name that was given.
        file: String,
        /// The earlier name of the same stream.
        first: String,
    },
    /// The file was written to or replaced.
    #[error(
        "{file}: changed while it was read: {what}; what was read of it may be a mix of both states: run it again when \
         nobody writes to it, or read a copy"
    )]
    Changed {
        /// The name that was given.
        file: String,
        /// The evidence of the change.
        what: String,
    },
    /// The input is not lines of text.
    #[error("{file}: holds {what}, which is not read; pipe its text in: `{command} FILE | kuu COMMAND -`")]
    Foreign {
        /// The name that was given.
        file: String,
        /// The format of the content.
        what: &'static str,
        /// A command that prints the content as text.
        command: &'static str,
    },
    /// A thread that reads the input panicked.
    #[error(
        "{file}: the thread that reads it died at byte {byte}, which is a fault of kuu (its last words are above); {cut}; \
         run it again, and report it"
    )]
    Died {
        /// The name that was given.
        file: String,
        /// Position in the stored file, from 0.
        byte: u64,
        /// The lines that were delivered before.
        cut: Cut,
    },
    /// A thread that works on several inputs panicked.
    #[error("{}", died(thread))]
    Lost {
        /// The name of the thread.
        thread: &'static str,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread to read with: {0}; allow this user more threads: ulimit -u")]
    NoThread(io::Error),
    /// A line is longer than the limit.
    #[error("{file}: line {line} is longer than {limit} bytes; the input must have one JSON object a line")]
    LineTooLong {
        /// The name that was given.
        file: String,
        /// Number of the line, from 1.
        line: u64,
        /// Largest length, in bytes without the line end.
        limit: u64,
    },
}

impl InputError {
    pub(super) fn open(file: String, source: io::Error) -> InputError {
        match source.kind() {
            io::ErrorKind::NotFound => InputError::NotFound { file },
            io::ErrorKind::PermissionDenied => InputError::PermissionDenied { file },
            io::ErrorKind::IsADirectory => InputError::Directory { file },
            _ => InputError::Open { file, source },
        }
    }

    pub(super) fn fault(file: String, fault: Fault, cut: Cut) -> InputError {
        match fault {
            Fault::Io { at: byte, source } => InputError::Read { file, byte, cut, source },
            Fault::Truncated { at: byte, member } => InputError::Truncated { file, byte, member, cut },
            Fault::Corrupt { at: byte, member, what } => InputError::Corrupt { file, byte, member, what, cut },
            Fault::Garbage { at: byte } => InputError::TrailingGarbage { file, byte, cut },
            Fault::Died { at: byte } => InputError::Died { file, byte, cut },
        }
    }

    /// Whether a thread died, and the input itself may be sound.
    pub fn is_death(&self) -> bool {
        matches!(self, InputError::Died { .. } | InputError::Lost { .. })
    }

    /// Whether the remaining bytes can be read: their content is of no use, but they belong to the hash of the file.
    pub(super) fn is_damage(&self) -> bool {
        use InputError::{Corrupt, TrailingGarbage, Truncated};
        matches!(self, Truncated { .. } | Corrupt { .. } | TrailingGarbage { .. })
    }
}

/// The lines of an input before the place that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Number of whole lines that were delivered.
    pub lines: u64,
    /// Number of these lines, from the first one on, that come from gzip members with a correct checksum.
    pub checked: u64,
    /// Bytes of the next line that were read and dropped, because the line is not complete.
    pub bytes: u64,
}

impl Cut {
    fn doubt(&self) -> String {
        match self.lines - self.checked {
            0 => String::new(),
            1 => format!("; line {} is in that member and may be wrong", self.lines),
            _ => format!("; lines {} to {} are in that member and may be wrong", self.checked + 1, self.lines),
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lines {
            0 => write!(f, "no whole line was read before it")?,
            1 => write!(f, "line 1 was read before it")?,
            lines => write!(f, "lines 1 to {lines} were read before it")?,
        }
        let unit = if self.bytes == 1 { "byte" } else { "bytes" };
        match self.bytes {
            0 => Ok(()),
            bytes => write!(f, ", {bytes} {unit} of line {} left out", self.lines + 1),
        }
    }
}

/// Why the bytes of an input end, before the affected lines are known. Positions count raw bytes, from 0.
#[derive(Debug)]
pub(super) enum Fault {
    Io { at: u64, source: io::Error },
    Truncated { at: u64, member: u64 },
    Corrupt { at: u64, member: u64, what: &'static str },
    Garbage { at: u64 },
    Died { at: u64 },
}
