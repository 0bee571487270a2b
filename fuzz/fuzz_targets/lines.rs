//! The line reader, on plain text and on anything that begins like gzip: `cargo +nightly fuzz run lines`.
#![no_main]

use kuu_fuzz::input::{Block, Input, InputError};
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::from_reader("fuzz", Cursor::new(data.to_vec()));
    let mut block = Block::default();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let failed = loop {
        match input.read_block(&mut block) {
            Ok(true) => {
                assert_eq!(block.first_line(), lines.len() as u64 + 1);
                lines.extend(block.lines().map(|(_, line)| line.to_vec()));
            }
            Ok(false) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(!input.read_block(&mut block).unwrap_or(false), "nothing comes after the end");
    if matches!(failed, Some(InputError::Foreign { .. })) {
        assert!(lines.is_empty(), "a refused input has no lines");
        return;
    }
    // A file that ends after the first byte of gzip's magic number is a truncated gzip.
    if !data.starts_with(b"\x1f\x8b") && data != b"\x1f" {
        // Plain text never fails, and its lines are those of a plain split.
        assert!(failed.is_none());
        let text = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
        let mut expected: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        // The part after the last line feed is a line only if it is not empty, and it keeps its CR.
        let last = expected.pop().unwrap_or_default();
        let mut expected: Vec<Vec<u8>> =
            expected.iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()).collect();
        if !last.is_empty() {
            expected.push(last.to_vec());
        }
        assert_eq!(lines, expected);
    }
    let is_whole = failed.is_none();
    let bytes = input.finish(failed).digest.bytes;
    assert!(if is_whole { bytes == data.len() as u64 } else { bytes <= data.len() as u64 });
});
