//! Standard output and standard error of a program, in files.

use super::wire::Launch;
use anyhow::{Context as _, Result};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The file of standard output.
pub const STDOUT: &str = "stdout.log";

/// The file of standard error.
pub const STDERR: &str = "stderr.log";

/// How much of a file's end is read for its last lines.
const TAIL: u64 = 1 << 16;

/// The longest line that is shown, in characters.
const LONGEST: usize = 400;

/// The two files, open to append.
pub struct Logs {
    /// Standard output.
    pub stdout: File,
    /// Standard error.
    pub stderr: File,
}

impl Logs {
    /// Opens the files, and makes their directory.
    pub fn open(launch: &Launch) -> Result<Logs> {
        std::fs::create_dir_all(&launch.logs)
            .with_context(|| format!("{} cannot be made, for logs", launch.logs.display()))?;
        let open = |name| {
            let path = launch.logs.join(name);
            let file = OpenOptions::new().create(true).append(true).open(&path);
            file.with_context(|| format!("{} cannot be opened, for a log", path.display()))
        };
        Ok(Logs { stdout: open(STDOUT)?, stderr: open(STDERR)? })
    }

    /// Whether both together have more bytes than this.
    pub fn exceed(&self, limit: u64) -> bool {
        self.lengths().iter().sum::<u64>() > limit
    }

    /// Cuts both to this many bytes.
    pub fn cut(&self, limit: u64) {
        for (file, length) in [&self.stdout, &self.stderr].into_iter().zip(self.lengths()) {
            if length > limit {
                // Ignores an error: the file is only too long then.
                let _ = file.set_len(limit);
            }
        }
    }

    fn lengths(&self) -> [u64; 2] {
        [&self.stdout, &self.stderr].map(|file| file.metadata().map_or(0, |data| data.len()))
    }
}

/// The last lines of a file that are not empty, from this byte on; empty if there are none.
pub fn last_lines(path: &Path, from: u64, lines: usize) -> String {
    let read = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(TAIL)).min(length)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        std::io::Result::Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut last: Vec<String> =
        text.lines().rev().map(plain).filter(|line| !line.trim().is_empty()).take(lines).collect();
    last.reverse();
    last.join("\n")
}

/// A line without colours and other characters that would act on a terminal.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            // Ends with a letter, as in `ESC [ 31 m`.
            if rest.next() == Some('[') {
                let _ = rest.by_ref().find(char::is_ascii_alphabetic);
            }
        } else if !c.is_control() || c == '\t' {
            plain.push(c);
        }
    }
    match plain.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}...", &plain[..at]),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        assert_eq!(last_lines(&path, 0, 3), "");
        std::fs::write(&path, "one\n\n\u{1b}[31mtwo\u{1b}[0m\r\nth\u{7}ree\n \n").unwrap();
        assert_eq!(last_lines(&path, 0, 2), "two\nthree");
        assert_eq!(last_lines(&path, 4, 9), "two\nthree");
        assert_eq!(last_lines(&path, 400, 9), "");
        std::fs::write(&path, [b"x".repeat(1 << 20).as_slice(), b"\n\xff\n"].concat()).unwrap();
        assert_eq!(last_lines(&path, 0, 1), "\u{fffd}");
        assert_eq!(last_lines(&path, 0, 2).len(), 400 + "...\n\u{fffd}".len());
    }
}
