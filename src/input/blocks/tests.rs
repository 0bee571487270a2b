use super::*;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use proptest::prelude::*;
use std::io::{self, Write};

mod refused;

const SMALL: Sizes = Sizes { block: 16, line: 64 };

/// Returns at most `step` bytes a call, interrupts every other call, and can fail at the end.
struct Dribble {
    data: Vec<u8>,
    at: usize,
    step: usize,
    interrupt: bool,
    fails: bool,
}

impl Read for Dribble {
    fn read(&mut self, dst: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.at == self.data.len() && self.fails {
            return Err(io::Error::other("unplugged"));
        }
        let n = self.step.min(dst.len()).min(self.data.len() - self.at);
        dst[..n].copy_from_slice(&self.data[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

fn input(data: &[u8], step: usize, size: Option<u64>, sizes: Sizes) -> Input {
    let reader = Dribble { data: data.to_vec(), at: 0, step, interrupt: false, fails: false };
    Input::with("x.gz", Box::new(reader), size, sizes)
}

/// The lines of an input, whose numbers must be 1, 2, ..., and the error at its end.
fn drain(input: &mut Input) -> (Vec<Vec<u8>>, Option<InputError>) {
    let (mut lines, mut block) = (Vec::new(), Block::default());
    let error = loop {
        match input.read_block(&mut block) {
            Ok(true) => {
                assert!(!block.bytes().is_empty());
                for (number, line) in block.lines() {
                    lines.push(line.to_vec());
                    assert_eq!(number, lines.len() as u64);
                }
            }
            Ok(false) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(block.bytes().is_empty());
    assert!(!input.read_block(&mut block).unwrap());
    (lines, error)
}

fn read(data: &[u8]) -> (Vec<Vec<u8>>, Option<InputError>) {
    drain(&mut input(data, 7, Some(0), SMALL))
}

fn lines(data: &[u8]) -> Vec<Vec<u8>> {
    let data = data.strip_prefix(BOM).unwrap_or(data);
    let mut lines: Vec<_> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let rest = lines.pop().filter(|rest| !rest.is_empty());
    for line in &mut lines {
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    lines.extend(rest);
    lines
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn sha256(data: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn small_inputs() {
    for (data, expected) in [
        (&b""[..], &[][..]),
        (b"\n", &[&b""[..]]),
        (b"a", &[b"a"]),
        (b"a\r\n\r\nb\r", &[b"a", b"", b"b\r"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", &[b"a", b"\xef\xbb\xbfb"]),
        (b"\xef\xbb\xbf", &[]),
        (b"\xef\xbb", &[b"\xef\xbb"]),
        (b"\xef\xbb\xbf\n", &[b""]),
        (b"\x1e", &[b"\x1e"]),
    ] {
        for data in [data.to_vec(), gzip(data)] {
            let (lines, error) = read(&data);
            assert_eq!(lines, expected);
            assert!(error.is_none());
        }
    }
}

#[test]
fn members_headers_and_padding() {
    let named = {
        let builder = GzBuilder::new().filename("n").comment("c").extra(vec![1; 300]).mtime(9);
        let mut encoder = builder.write(Vec::new(), Compression::best());
        encoder.write_all(b"b\nc").unwrap();
        encoder.finish().unwrap()
    };
    let mut with_header_crc = gzip(b"d\n");
    with_header_crc[3] = 2;
    let mut crc = flate2::Crc::new();
    crc.update(&with_header_crc[..10]);
    with_header_crc.splice(10..10, (crc.sum() as u16).to_le_bytes());
    let data = [gzip(b"a\n"), gzip(b""), named, with_header_crc, vec![0; 1000]].concat();
    let (lines, error) = read(&data);
    assert_eq!(lines, [b"a".as_slice(), b"b", b"cd"]);
    assert!(error.is_none());
}

#[test]
fn any_byte_missing_at_the_end() {
    let text = b"first\nsecond line\n\nfourth, which is long enough for two blocks\r\nlast";
    let data = gzip(text);
    let all = lines(text);
    for length in 1..data.len() {
        let (lines, error) = read(&data[..length]);
        assert_eq!(lines, all[..lines.len()]);
        let Some(InputError::Truncated { byte, member: 0, cut, .. }) = error else { panic!("{length}: {error:?}") };
        assert_eq!((byte, cut.lines, cut.checked), (length as u64, lines.len() as u64, 0));
        let next = all.get(lines.len()).map_or(0, Vec::len);
        assert!(cut.bytes as usize <= next + 1, "{length}: {cut:?}");
    }
    let (lines, error) = read(&data[..data.len() - 1]);
    assert_eq!(lines, all[..4]);
    assert_eq!(
        error.unwrap().to_string(),
        format!(
            "x.gz: the gzip data ends too early, at byte {} of the compressed file, in the member that starts at byte 0; \
             lines 1 to 4 were read before it, 4 bytes of line 5 left out; copy, download or compress the file again",
            data.len() - 1
        )
    );
}

#[test]
fn any_bit_flipped() {
    let (one, two) = (b"first\nsecond line\n\nfourth\n", b"fifth\nsixth line and the rest of it\nlast");
    let first = gzip(one);
    let data = [first.clone(), gzip(two)].concat();
    let all = lines(&[one.as_slice(), two].concat());
    let mut unseen = Vec::new();
    for at in 0..data.len() {
        for bit in 0..8 {
            let mut damaged = data.clone();
            damaged[at] ^= 1 << bit;
            let (lines, error) = drain(&mut input(&damaged, 7, Some(0), Sizes { block: 16, line: 1000 }));
            let cut = match error {
                None if at < 2 => continue, // read as text, see the module
                None => {
                    assert_eq!(lines, all);
                    unseen.push(at);
                    continue;
                }
                Some(
                    InputError::Corrupt { byte, member, cut, .. } | InputError::Truncated { byte, member, cut, .. },
                ) => {
                    assert!(member <= byte && byte <= data.len() as u64);
                    cut
                }
                Some(InputError::TrailingGarbage { byte, cut, .. }) => {
                    assert_eq!((byte, cut.lines, cut.checked), (first.len() as u64, 4, 4));
                    cut
                }
                Some(error) => panic!("{error}"),
            };
            assert_eq!(cut.lines, lines.len() as u64);
            assert_eq!(cut.checked, if at < first.len() { 0 } else { 4 });
            assert_eq!(lines[..cut.checked as usize], all[..cut.checked as usize]);
        }
    }
    // Text flag, time, extra flags and system in the header; the last byte of deflate data, which is padded with bits.
    unseen.dedup();
    let harmless = |start: usize, end: usize| [(start + 3..start + 10).collect(), vec![end - 9]].concat();
    assert_eq!(unseen, [harmless(0, first.len()), harmless(first.len(), data.len())].concat());
}

#[test]
fn all_before_a_damaged_place_is_delivered() {
    let text: Vec<u8> = (0..20_000).flat_map(|i| format!("line {i}\n").into_bytes()).collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(&text).unwrap();
    let mut data = encoder.finish().unwrap();
    // Stored blocks: final bit and type, length, and its complement.
    let first = usize::from(u16::from_le_bytes([data[11], data[12]]));
    let second = 10 + 5 + first;
    data[second + 3] ^= 1;
    let whole = whole_lines(&text[..first]);
    for sizes in [SMALL, SIZES] {
        let (got, error) = drain(&mut input(&data, 1000, Some(0), sizes));
        assert_eq!(got, lines(&text[..whole]));
        let Some(InputError::Corrupt { byte, member: 0, what: "invalid deflate data", cut, .. }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(byte, second as u64 + 5);
        assert_eq!(cut, Cut { lines: got.len() as u64, checked: 0, bytes: (first - whole) as u64 });
    }
}

#[test]
fn wrong_checksum_and_length() {
    let good = gzip(b"good\n");
    for (back, what) in [(8, "wrong checksum"), (4, "wrong length")] {
        let mut bad = gzip(b"bad\nworse\nworst");
        let at = bad.len() - back;
        bad[at] ^= 1;
        let (lines, error) = read(&[good.clone(), bad].concat());
        assert_eq!(lines, [b"good".as_slice(), b"bad", b"worse"]);
        let (start, at) = (good.len(), good.len() + at);
        assert_eq!(
            error.unwrap().to_string(),
            format!(
                "x.gz: the gzip data is damaged at or before byte {at} of the compressed file ({what}), in the member \
                 that starts at byte {start}; lines 1 to 3 were read before it, 5 bytes of line 4 left out; lines 2 to \
                 3 are in that member and may be wrong; copy or download the file again"
            )
        );
    }
}

#[test]
fn unreadable_headers() {
    for (at, value, byte, what) in
        [(2, 7, 10, "unknown compression method"), (3, 0x20, 10, "reserved flag in a header"), (3, 2, 10, "header crc")]
    {
        let mut data = gzip(b"a\n");
        data[at] = value;
        let (lines, error) = read(&data);
        assert!(lines.is_empty());
        let Some(InputError::Corrupt { byte: found, .. }) = error else { panic!("{what}: {error:?}") };
        assert_eq!(found, byte, "{what}");
    }
}

#[test]
fn garbage_after_the_last_member() {
    let member = gzip(b"a\nb");
    for (rest, at) in [(&b"x"[..], 0), (b"\x1fx", 0), (b"\0\0x", 2), (b"\0\x1f\x8b", 1)] {
        let (lines, error) = read(&[&member, rest].concat());
        assert_eq!(lines, [b"a"]);
        let Some(InputError::TrailingGarbage { byte, cut, .. }) = error else { panic!("{error:?}") };
        assert_eq!(byte, (member.len() + at) as u64);
        assert_eq!(cut, Cut { lines: 1, checked: 1, bytes: 1 });
    }
    let (lines, error) = read(&[&member, &b"\x1f"[..]].concat());
    assert_eq!(lines, [b"a"]);
    assert!(matches!(error, Some(InputError::Truncated { .. })));
}

#[test]
fn long_lines() {
    let long = |length: usize| [b"a\r\n".to_vec(), vec![b'x'; length], b"\r\nb\n".to_vec()].concat();
    for step in [1, 1000] {
        for size in [None, Some(0)] {
            let (got, error) = drain(&mut input(&long(64), step, size, SMALL));
            assert_eq!(got, lines(&long(64)));
            assert!(error.is_none());
            for length in [65, 66, 67, 1000] {
                let (got, error) = drain(&mut input(&long(length), step, size, SMALL));
                assert_eq!(got, [b"a"], "{length}");
                let error = error.unwrap().to_string();
                assert_eq!(error, "x.gz: line 2 is longer than 64 bytes; the input must have one JSON object a line");
            }
        }
    }
}

#[test]
fn a_reader_that_fails() {
    let reader = Dribble { data: b"a\nbcd".to_vec(), at: 0, step: 9, interrupt: false, fails: true };
    let (lines, error) = drain(&mut Input::from_reader("standard input", reader));
    assert_eq!(lines, [b"a"]);
    assert_eq!(
        error.unwrap().to_string(),
        "standard input: reading failed at byte 5: unplugged; line 1 was read before it, 3 bytes of line 2 left out; \
         check the disk or the pipe, then run it again"
    );
}

#[test]
fn a_pipe_gives_each_line_at_once() {
    let mut input = input(b"a\nb\n", 2, None, SIZES);
    let mut block = Block::default();
    for line in [b"a\n", b"b\n"] {
        assert!(input.read_block(&mut block).unwrap());
        assert_eq!(block.bytes(), line);
    }
    assert!(!input.read_block(&mut block).unwrap());
}

#[test]
fn digest_and_progress() {
    let data = gzip(&b"some line\n".repeat(100));
    let digest = Digest { bytes: data.len() as u64, sha256: sha256(&data) };
    for blocks in [0, 1, 1000] {
        let mut input = input(&data, 5, Some(77), SMALL);
        let progress = input.progress();
        assert_eq!((progress.bytes(), progress.size()), (0, Some(77)));
        let mut block = Block::default();
        for _ in 0..blocks {
            input.read_block(&mut block).unwrap();
        }
        assert_eq!(input.finish(None).digest, digest);
        assert_eq!(progress.bytes(), data.len() as u64);
    }
}

#[test]
fn files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("frames");
    let name = path.to_str().unwrap();
    let text = |result: Result<Input, InputError>| result.err().unwrap().to_string();
    assert_eq!(
        text(Input::open(name)),
        format!("{name}: there is no such file; check the path, or use - for standard input")
    );
    let parent = dir.path().to_str().unwrap();
    assert_eq!(text(Input::open(parent)), format!("{parent}: is a directory; name the files in it"));
    let denied = InputError::open("f".into(), io::ErrorKind::PermissionDenied.into());
    assert_eq!(denied.to_string(), "f: permission denied; make it readable for this user, or pipe it in and use -");
    let other = InputError::open("f".into(), io::Error::other("broken"));
    assert_eq!(other.to_string(), "f: cannot be opened: broken");

    std::fs::write(&path, gzip(b"a\nb\n")).unwrap();
    let mut input = Input::open(name).unwrap();
    assert_eq!((input.name(), input.progress().size()), (name, Some(gzip(b"a\nb\n").len() as u64)));
    assert_eq!(drain(&mut input).0, [b"a", b"b"]);
    assert_eq!(Input::open("-").unwrap().name(), "standard input");
}

#[test]
fn can_move_to_another_thread() {
    fn send<T: Send>() {}
    send::<Input>();
    send::<Block>();
    send::<InputError>();
}

proptest! {
    #[test]
    fn any_members_and_any_chunks(
        parts in prop::collection::vec("[ab\r\n\u{feff}]{0,40}", 0..8),
        bom in any::<bool>(),
        plain in any::<bool>(),
        step in 1..50_usize,
        block in 1..40_usize,
        size in any::<bool>(),
    ) {
        let mut text = if bom { BOM.to_vec() } else { Vec::new() };
        text.extend(parts.concat().into_bytes());
        let data = if plain {
            text.clone()
        } else {
            let head = gzip(if bom { BOM } else { b"" });
            parts.iter().fold(head, |data, part| [data, gzip(part.as_bytes())].concat())
        };
        let sizes = Sizes { block, line: 1000 };
        let mut input = input(&data, step, size.then_some(0), sizes);
        let (got, error) = drain(&mut input);
        prop_assert!(error.is_none());
        prop_assert_eq!(got, lines(&text));
        prop_assert_eq!(input.checked, if plain { 0 } else { input.lines });
        prop_assert_eq!(input.finish(None).digest, Digest { bytes: data.len() as u64, sha256: sha256(&data) });
    }

    #[test]
    fn any_bytes_are_survived(data in prop::collection::vec(any::<u8>(), 0..300), gzip in any::<bool>()) {
        let data = if gzip { [b"\x1f\x8b\x08".to_vec(), data].concat() } else { data };
        let (got, error) = read(&data);
        if error.is_none() && !is_gzip(&data) {
            prop_assert_eq!(got, lines(&data));
        }
    }
}
