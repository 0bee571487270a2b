//! Input that cannot be read to its end: the lines before that place count, the error names the place, and the exit
//! status is 2.

use crate::support::broker::{Mock, read, values};
use crate::support::frames::{frames, gzip, lines, windows};
use crate::support::kuu::{Kuu, each};
use crate::support::wire::settle;
use std::io::Read;

/// The bytes that flate2 itself can decode from a damaged file.
fn readable(bytes: &[u8]) -> Vec<u8> {
    let mut reader = flate2::read::MultiGzDecoder::new(bytes);
    let (mut text, mut byte) = (Vec::new(), [0]);
    while matches!(reader.read(&mut byte), Ok(1)) {
        text.push(byte[0]);
    }
    text
}

#[test]
fn a_truncated_gzip() {
    let frames = frames(2_000);
    let first = gzip(&lines(&frames[..1_000]));
    let whole = [&first[..], &gzip(&lines(&frames[1_000..]))].concat();
    let cuts = [first.len() + 3, first.len() + 10, whole.len() - 2_000, whole.len() - 9, whole.len() - 1];
    each(&cuts, |&cut| {
        let delivered = readable(&whole[..cut]).split(|byte| *byte == b'\n').count() - 1;
        assert!(delivered >= 1_000);
        let mock = Mock::new(1);
        let kuu = Kuu::with(&mock.address);
        let file = kuu.file("cut.jsonl.gz", &whole[..cut]);
        let place = format!("{file}: the gzip data ends too early, at byte {cut} of the compressed file");

        let done = kuu.run(&format!("produce {file}")).exits(2).complains(&place);
        assert_eq!(values(&mock.address, "messages"), frames[..delivered], "cut at {cut}");
        let numbers = match delivered {
            1_000 => "1,000 frames read, 1,000 delivered".to_owned(),
            n => format!("1,{:03} frames read, 1,{:03} delivered", n - 1_000, n - 1_000),
        };
        done.complains(if delivered == 2_000 { "2,000 frames read, 2,000 delivered" } else { &numbers });
        assert_eq!(kuu.record("produce").figure("delivered_frames"), delivered as f64);

        let truth = kuu.run(&format!("batch {file}")).exits(2).complains(&place);
        assert_eq!(truth.windows(), windows(&frames[..delivered]));
        let count = kuu.run(&format!("count {file}")).exits(2).complains(&place);
        assert_eq!(settle(&count.rows()), windows(&frames[..delivered]));
        // There is no truth about a file that cannot be read.
        kuu.run(&format!("verify {file}")).exits(2).complains(&place);
    });
}

#[test]
fn a_corrupt_gzip() {
    let frames = frames(2_000);
    let first = gzip(&lines(&frames[..1_000]));
    let second = gzip(&lines(&frames[1_000..]));
    let mut checksum = [&first[..], &second].concat();
    let at = checksum.len() - 8;
    checksum[at] ^= 1;
    let mut header = [&first[..], &second].concat();
    header[first.len() + 2] = 7; // no such method
    let mut middle = [&first[..], &second].concat();
    middle[first.len() + second.len() / 2..][..200].fill(0xff);
    let cases = [("checksum", checksum, 2_000), ("header", header, 1_000), ("middle", middle, 1_000)];
    each(&cases, |(what, bytes, least)| {
        let (what, least) = (*what, *least);
        let mock = Mock::new(1);
        let kuu = Kuu::with(&mock.address);
        let file = kuu.file("corrupt.jsonl.gz", bytes);
        let done = kuu.run(&format!("produce {file}")).exits(2).complains(&format!("{file}: "));
        let member = format!("starts at byte {}", first.len());
        if what == "header" {
            done.complains(&format!("byte {}", first.len()));
        } else {
            done.complains("the gzip data is damaged at or before byte ").complains(&member);
        }
        let delivered = values(&mock.address, "messages");
        assert!(delivered.len() >= least, "{what}: {}", delivered.len());
        assert_eq!(delivered[..least], frames[..least], "{what}");
        assert_eq!(kuu.record("produce").figure("delivered_frames"), delivered.len() as f64);
        kuu.run(&format!("batch {file}")).exits(2).complains(&format!("{file}: "));
        kuu.run(&format!("count {file}")).exits(2).complains(&format!("{file}: "));
    });
}

#[test]
fn bytes_after_the_gzip() {
    let frames = frames(100);
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let gz = gzip(&lines(&frames));
    let file = kuu.file("tail.jsonl.gz", [&gz[..], b"not gzip"].concat());
    let place = format!("at byte {} of the compressed file", gz.len());
    kuu.run(&format!("produce {file}")).exits(2).complains(&place);
    assert_eq!(values(&mock.address, "messages"), frames);
    assert_eq!(kuu.run(&format!("batch {file}")).exits(2).complains(&place).windows(), windows(&frames));
}

#[test]
fn a_good_file_after_a_damaged_one_is_not_sent() {
    let frames = frames(300);
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let gz = gzip(&lines(&frames[..200]));
    let bad = kuu.file("bad.jsonl.gz", &gz[..gz.len() - 4]);
    let good = kuu.file("good.jsonl", lines(&frames[200..]));
    kuu.run(&format!("produce {bad} {good}")).exits(2).complains("bad.jsonl.gz");
    assert_eq!(values(&mock.address, "messages"), frames[..200]);
}

#[test]
fn a_frame_larger_than_the_topic_takes_is_named_by_its_line() {
    let mut frames = frames(50);
    let large = format!(r#"{{"uid":"large","ts":1468244341,"pad":"{}"}}"#, "x".repeat(1_100_000));
    frames.insert(20, large.into_bytes());
    frames.insert(40, b"[]".to_vec());
    let mock = Mock::new(3);
    let kuu = Kuu::with(&mock.address);
    let small = kuu.file("small.jsonl", lines(&frames[..20]));
    let file = kuu.file("large.jsonl", lines(&frames[20..]));
    kuu.run(&format!("produce {small} {file}"))
        .exits(2)
        .complains("large.jsonl, line 1 was not delivered: larger than the topic takes")
        .complains("52 frames read, 51 delivered");
    let mut delivered: Vec<_> = read(&mock.address, "messages").into_iter().map(|found| found.value.unwrap()).collect();
    frames.remove(20);
    delivered.sort();
    frames.sort();
    assert_eq!(delivered, frames);
    let record = kuu.record("produce");
    assert_eq!((record.figure("read_frames"), record.figure("delivered_frames")), (52.0, 51.0));
}

#[test]
fn a_missing_file_touches_no_topic() {
    let frames = frames(30);
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let good = kuu.file("good.jsonl", lines(&frames));
    kuu.run(&format!("produce {good} missing.jsonl")).exits(2).complains("missing.jsonl: there is no such file");
    kuu.run(&format!("produce --recreate {good} missing.jsonl")).exits(2).complains("missing.jsonl");
    kuu.run("produce .").exits(2).complains(".: is a directory");
    assert_eq!(values(&mock.address, "messages"), [] as [Vec<u8>; 0]);
    for command in ["batch", "count", "verify"] {
        kuu.run(&format!("{command} missing.jsonl")).exits(2).complains("missing.jsonl: there is no such file");
    }
    assert_eq!(values(&mock.address, "output"), [] as [Vec<u8>; 0]);
}
