//! Frames → user and time: this crate's parsers, and the libraries that check the whole value as well.
//!
//! `cargo bench -p kuu-frame`; only ratios within one run mean something. `simd_json` changes its input, so its time
//! includes a copy.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use flate2::read::MultiGzDecoder;
use kuu_frame::{FrameFormat, fast, plain};
use serde::Deserialize;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::LazyLock;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/stream.jsonl.gz");

/// This number of frames, about 2 KB each, is too many for a branch predictor to learn, and they exceed the
/// second-level cache.
const FRAMES: usize = 5_000;

static LINES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let file = File::open(FIXTURE).expect("the fixture is part of the repository");
    let lines = BufReader::new(MultiGzDecoder::new(file)).split(b'\n');
    lines.take(FRAMES).map(|line| line.expect("the fixture is readable")).collect()
});

fn main() {
    divan::main();
}

fn bytes() -> usize {
    LINES.iter().map(Vec::len).sum()
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
    ts: i64,
}

/// Runs `parse` over all frames; it gives the length of the user id and the time.
fn frames(bencher: Bencher, mut parse: impl FnMut(&[u8]) -> (usize, i64)) {
    let lines = &*LINES;
    bencher.counter(BytesCount::new(bytes())).bench_local(|| {
        for line in lines {
            black_box(parse(black_box(line)));
        }
    });
}

/// The fast parser with each set of vector instructions that this processor has.
#[divan::bench(args = engines())]
fn kuu_fast(bencher: Bencher, engine: &str) {
    let mut parsers = fast::FastParser::all(&FrameFormat::default());
    let parser = parsers.iter_mut().find(|parser| parser.engine() == engine).expect("it was listed");
    frames(bencher, |line| {
        let frame = parser.root(line).and_then(kuu_frame::Root::frame).expect("a frame");
        (frame.uid.len(), frame.ts)
    });
}

/// The same frames with the two members elsewhere: in the root under other names of the same lengths, and at depth 3.
#[divan::bench(args = ["/uid /ts", "/uie /tt", "/event/user/uid /event/ts"])]
fn kuu_pointers(bencher: Bencher, pointers: &str) {
    let [uid, ts] = pointers.split(' ').collect::<Vec<_>>()[..] else { unreachable!() };
    let format = FrameFormat { uid: uid.parse().unwrap(), ts: ts.parse().unwrap(), ..FrameFormat::default() };
    let lines: Vec<_> = LINES.iter().map(|line| moved(line, &format)).collect();
    let mut parser = fast::FastParser::new(&format);
    bencher.counter(BytesCount::new(lines.iter().map(Vec::len).sum::<usize>())).bench_local(|| {
        for line in &lines {
            let frame = parser.root(black_box(line)).and_then(kuu_frame::Root::frame).expect("a frame");
            black_box((frame.uid.len(), frame.ts));
        }
    });
}

/// A frame of the fixture with its two members where a format wants them, at about the same place in the text.
fn moved(line: &[u8], format: &FrameFormat) -> Vec<u8> {
    let text = std::str::from_utf8(line).expect("text");
    let frame =
        fast::FastParser::default().root(line).and_then(kuu_frame::Root::frame).map(|f| (f.uid.to_owned(), f.ts));
    let (uid, ts) = frame.expect("a frame");
    let [uid_names, ts_names] = [format.uid.names(), format.ts.names()];
    let instead = if uid_names.len() == 1 {
        format!("\"{}\":{ts},\"{}\":\"{uid}\"", ts_names[0], uid_names[0])
    } else {
        format!("\"event\":{{\"ts\":{ts},\"user\":{{\"uid\":\"{uid}\"}}}}")
    };
    let (one, other) = (format!("\"ts\":{ts},\"uid\":\"{uid}\""), format!("\"uid\":\"{uid}\",\"ts\":{ts}"));
    let both = if text.contains(&one) { one } else { other };
    assert!(text.contains(&both), "{text}");
    text.replacen(&both, &instead, 1).into_bytes()
}

fn engines() -> Vec<&'static str> {
    fast::FastParser::all(&FrameFormat::default()).iter().map(fast::FastParser::engine).collect()
}

#[divan::bench(max_time = 3)]
fn kuu_plain(bencher: Bencher) {
    let mut parser = plain::PlainParser::default();
    frames(bencher, |line| {
        let frame = parser.root(line).and_then(kuu_frame::Root::frame).expect("a frame");
        (frame.uid.len(), frame.ts)
    });
}

#[divan::bench]
fn sonic_rs(bencher: Bencher) {
    frames(bencher, |line| {
        let frame: Frame = sonic_rs::from_slice(line).expect("a frame");
        (frame.uid.len(), frame.ts)
    });
}

#[divan::bench(max_time = 3)]
fn serde_json(bencher: Bencher) {
    frames(bencher, |line| {
        let frame: Frame = serde_json::from_slice(line).expect("a frame");
        (frame.uid.len(), frame.ts)
    });
}

#[divan::bench(max_time = 3)]
fn simd_json(bencher: Bencher) {
    let mut buffers = simd_json::Buffers::default();
    let mut copy = Vec::new();
    frames(bencher, |line| {
        copy.clear();
        copy.extend_from_slice(line);
        let frame: Frame = simd_json::serde::from_slice_with_buffers(&mut copy, &mut buffers).expect("a frame");
        (frame.uid.len(), frame.ts)
    });
}

/// UTF-8 validation alone, which every validating parser needs.
#[divan::bench]
fn utf8_alone(bencher: Bencher) {
    frames(bencher, |line| (simdutf8::basic::from_utf8(line).expect("text").len(), 0));
}
