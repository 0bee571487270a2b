//! Inputs that are rejected as a whole, or whose fault shows at the end.

use super::*;
use crate::input::stamp::Originals;

/// The error about a file that `change` modifies while it is read.
#[track_caller]
fn meanwhile(change: impl Fn(&std::path::Path)) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frames");
    std::fs::write(&path, "a\nb\n".repeat(1_000)).unwrap();
    let mut input = Input::open(path.to_str().unwrap()).unwrap();
    let mut block = Block::default();
    assert!(input.read_block(&mut block).unwrap());
    change(&path);
    while input.read_block(&mut block).unwrap() {}
    let Finished { digest, error } = input.finish(None);
    assert!(digest.bytes >= 4_000 && digest.sha256.len() == 64);
    error.map(|error| {
        let InputError::Changed { file, what } = error else { panic!("{error}") };
        assert_eq!(file, path.to_str().unwrap());
        what
    })
}

#[test]
fn a_file_that_changes_while_it_is_read() {
    use std::fs::{File, OpenOptions};
    let write = |path: &std::path::Path| OpenOptions::new().write(true).open(path).unwrap();
    assert_eq!(meanwhile(|path| drop(File::open(path).unwrap())), None);
    let appended = meanwhile(|path| write(path).set_len(4_001).unwrap());
    assert_eq!(appended.unwrap(), "it had 4,000 bytes and has 4,001");
    let truncated = meanwhile(|path| write(path).set_len(0).unwrap());
    assert_eq!(truncated.unwrap(), "it had 4,000 bytes and has 0");
    let overwritten = meanwhile(|path| {
        write(path).write_all(b"c").unwrap();
        // The clock of a file system may not advance for a few milliseconds.
        write(path).set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    });
    assert_eq!(overwritten.unwrap(), "it was written to");
    let replaced = meanwhile(|path| {
        std::fs::copy(path, path.with_extension("new")).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
    });
    assert_eq!(replaced.unwrap(), "another file took its name");
    assert_eq!(meanwhile(|path| std::fs::remove_file(path).unwrap()).unwrap(), "its name is gone");
}

#[test]
fn files_that_are_read_several_times() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frames");
    let names = [path.to_str().unwrap().to_owned()];
    std::fs::write(&path, "a\n").unwrap();
    let originals = Originals::note(&names).unwrap();
    originals.unchanged().unwrap();
    std::fs::write(&path, "a\nb\n").unwrap();
    let said = originals.unchanged().unwrap_err().to_string();
    assert!(said.contains("changed while it was read: it had 2 bytes and has 4;"), "{said}");
    for name in ["-", "/dev/null"] {
        let said = Originals::note(&[name.to_owned()]).err().unwrap().to_string();
        assert!(said.starts_with(&format!("{name}: is not a regular file")), "{said}");
    }
}

#[test]
fn a_stream_that_is_not_read_to_its_end_has_no_hash_and_is_not_read_on() {
    struct Endless;
    impl Read for Endless {
        fn read(&mut self, dst: &mut [u8]) -> io::Result<usize> {
            dst.fill(b'x');
            dst[0] = b'\n';
            Ok(dst.len())
        }
    }
    let mut input = Input::from_reader("standard input", Endless);
    assert!(input.read_block(&mut Block::default()).unwrap());
    let Finished { digest, error } = input.finish(None);
    assert_eq!((digest.bytes > 0, digest.sha256.as_str(), error.is_none()), (true, "", true));
    let mut input = Input::with(
        "standard input",
        Box::new(Dribble { data: vec![b'x'; 99], at: 0, step: 9, interrupt: false, fails: true }),
        None,
        SMALL,
    );
    let error = input.read_block(&mut Block::default()).unwrap_err();
    let Finished { digest, error } = input.finish(Some(error));
    assert!(digest.sha256.is_empty() && matches!(error, Some(InputError::LineTooLong { .. })));
}

#[test]
fn other_formats_are_named() {
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect::<Vec<u8>>()
    };
    let mut tar = [b"frames.jsonl".to_vec(), vec![0; 245], b"ustar\x0000".to_vec()].concat();
    tar.resize(512, 0);
    let text = "{\"uid\":\"a\",\"ts\":1}\n";
    for (data, what, command) in [
        (b"\x28\xb5\x2f\xfd\n".to_vec(), "zstd data", "zstdcat"),
        (b"\x5a\x2a\x4d\x18\x04\0\0\0".to_vec(), "zstd data", "zstdcat"),
        (b"BZh91AY&SY\n".to_vec(), "bzip2 data", "bzcat"),
        (b"BZh1\x17\x72\x45\x38\x50\x90".to_vec(), "bzip2 data", "bzcat"),
        (b"\xfd7zXZ\0\0\x04".to_vec(), "xz data", "xzcat"),
        (b"\x04\x22\x4d\x18\x64\n".to_vec(), "LZ4 data", "lz4 -dc"),
        (b"\x02\x21\x4c\x18\n".to_vec(), "LZ4 data", "lz4 -dc"),
        (b"PK\x03\x04\x14\0\n".to_vec(), "a zip archive", "unzip -p"),
        (b"\x1f\x9d\x90\n".to_vec(), "data of compress", "zcat"),
        (gzip(&gzip(b"a\n")), "gzip data inside gzip data", "zcat"),
        (utf16(text, u16::to_le_bytes), "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
        (utf16(text, u16::to_be_bytes), "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
        (b"\xff\xfe\0\0{\0\0\0}\0\0\0".to_vec(), "UTF-32 text", "iconv -f UTF-32 -t UTF-8"),
        (tar, "a tar archive", "tar -xOf"),
        // A line that is too long follows.
        ([b"\xfe\xff".to_vec(), vec![1; 500]].concat(), "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
    ] {
        for data in [data.clone(), gzip(&data)] {
            for (step, size) in [(1, None), (1_000, Some(0))] {
                let sizes = Sizes { block: 300, line: 400 };
                let (lines, error) = drain(&mut input(&data, step, size, sizes));
                assert!(lines.is_empty());
                let said = error.unwrap().to_string();
                let expected = format!(
                    "x.gz: holds {what}, which is not read; pipe its text in: `{command} FILE | kuu COMMAND -`"
                );
                assert_eq!(said, expected);
            }
        }
    }
}
