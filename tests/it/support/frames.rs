//! Input with a known answer, which is computed here with plain sets.

use crate::support::wire::Window;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::sync::OnceLock;

/// 2016-07-11 13:39:00 UTC.
pub const MINUTE: i64 = 1_468_244_340;

pub const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stream.jsonl.gz");
pub const FIXTURE_FRAMES: u64 = 50_000;

/// Values that are not frames, with the reason that the rules give.
pub const DAMAGED: [(&str, &[u8]); 22] = [
    ("not_utf8", b"{\"uid\":\"\xff\",\"ts\":1468244341}"),
    ("not_utf8", b"\xc3\x28"),
    ("not_json", b"{\"uid\":\"a\",\"ts\":1468244341"),
    ("not_json", b"{\"uid\":\"a\",\"ts\":1468244341}}"),
    ("not_json", b"{\"uid\":\"a\",\"ts\":01}"),
    ("not_json", b"{\"uid\":\"a\",\"ts\":1,}"),
    ("not_json", b"uid a ts 1"),
    ("not_object", b"[1468244341]"),
    ("not_object", b"\"uid\""),
    ("not_object", b"null"),
    ("duplicate_key", b"{\"uid\":\"a\",\"ts\":1468244341,\"uid\":\"a\"}"),
    ("duplicate_key", b"{\"uid\":\"a\",\"ts\":1468244341,\"t\\u0073\":1468244341}"),
    ("no_uid", b"{\"ts\":1468244341,\"x\":{\"uid\":\"a\"}}"),
    ("no_uid", b"{}"),
    ("bad_uid", b"{\"uid\":\"\",\"ts\":1468244341}"),
    ("bad_uid", b"{\"uid\":7,\"ts\":1468244341}"),
    ("bad_uid", b"{\"uid\":\"\\ud800\",\"ts\":1468244341}"),
    ("no_ts", b"{\"uid\":\"a\"}"),
    ("bad_ts", b"{\"uid\":\"a\",\"ts\":1468244341.5}"),
    ("bad_ts", b"{\"uid\":\"a\",\"ts\":-1}"),
    ("bad_ts", b"{\"uid\":\"a\",\"ts\":253402300800}"),
    ("bad_ts", b"{\"uid\":\"a\",\"ts\":\"soon\"}"),
];

/// The windows of the fixture, as an independent program counted them.
pub fn fixture_windows() -> Vec<Window> {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stream.expected.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The first frames of the fixture.
pub fn fixture_lines(count: usize) -> &'static [Vec<u8>] {
    const MOST: usize = 8_000;
    static LINES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let lines = LINES.get_or_init(|| {
        let file = BufReader::new(MultiGzDecoder::new(File::open(FIXTURE).unwrap()));
        file.split(b'\n').take(MOST).map(Result::unwrap).collect()
    });
    &lines[..count]
}

/// A frame as the tests read it.
#[derive(Debug, Deserialize)]
pub struct Frame {
    pub uid: String,
    pub ts: i64,
}

/// Parses frames that are all valid.
pub fn parse(lines: &[Vec<u8>]) -> Vec<Frame> {
    lines.iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// The exact answer, by minute.
pub fn windows(lines: &[Vec<u8>]) -> Vec<Window> {
    windows_by("minute", lines, |ts| ts - ts % 60)
}

/// The exact answer, by windows that begin at `start` of a timestamp.
pub fn windows_by(unit: &str, lines: &[Vec<u8>], start: impl Fn(i64) -> i64) -> Vec<Window> {
    let mut sets: BTreeMap<i64, (BTreeSet<String>, u64)> = BTreeMap::new();
    for frame in parse(lines) {
        let (users, frames) = sets.entry(start(frame.ts)).or_default();
        users.insert(frame.uid);
        *frames += 1;
    }
    let window = |(start, (users, frames)): (i64, (BTreeSet<String>, u64))| Window {
        unit: unit.to_owned(),
        start,
        users: users.len() as u64,
        frames,
    };
    sets.into_iter().map(window).collect()
}

/// A frame with other members beside the two that count, among them a nested object with the same names.
pub fn frame(uid: &str, ts: i64) -> Vec<u8> {
    format!(r#"{{"ref":{{"uid":"nobody","ts":1}},"ts":{ts},"note":"a }} in \"text\"","uid":"{uid}","n":[1,{{}}]}}"#)
        .into_bytes()
}

/// `count` frames of 97 users, 7 a second from `start` on; every 50th frame comes a few seconds late.
pub fn frames_from(start: i64, count: usize) -> Vec<Vec<u8>> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let one = |i: usize| {
        let behind = if i % 50 == 49 { random(20) as i64 } else { 0 };
        frame(&format!("user-{}", random(97)), (start + i as i64 / 7 - behind).max(start))
    };
    (0..count).map(one).collect()
}

/// `count` frames from [`MINUTE`] on.
pub fn frames(count: usize) -> Vec<Vec<u8>> {
    frames_from(MINUTE, count)
}

/// Lines, each with a line end.
pub fn lines(frames: &[Vec<u8>]) -> Vec<u8> {
    joined(frames, b"\n")
}

/// Frames, each followed by `end`.
pub fn joined(frames: &[Vec<u8>], end: &[u8]) -> Vec<u8> {
    frames.iter().flat_map(|frame| [frame, end].concat()).collect()
}

/// One gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Many gzip members of `size` bytes each, cut at any place.
pub fn gzip_members(bytes: &[u8], size: usize) -> Vec<u8> {
    bytes.chunks(size).flat_map(gzip).collect()
}
