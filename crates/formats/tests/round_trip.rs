//! Frames of every trouble, in every format: user id and event time come back as kuu's parser has them.

use kuu_core::configuration::Compression;
use kuu_core::workload::{GeneratedBlock, Generator, Kind, Meant, Spec, ValueKind};
use kuu_formats::{
    Batch, Encoding, FormatError, Original, Packer, STACK_BYTES, Validation, groups, read_all, write_all,
};
use kuu_frame::{FrameFormat, ParserOptions, TsFormat, UidType};
use proptest::prelude::*;

/// Frames may be nested deeper than the stack of a test takes.
fn on_deep_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap();
}

/// What comes back of frames: batches are written, compressed, inflated and read.
fn answers(
    encoding: Encoding,
    compression: Compression,
    validation: Validation,
    frames: &[Original],
    options: &ParserOptions,
) -> Result<Vec<(String, i64)>, FormatError> {
    let (mut codec, mut packer) = (encoding.codec(options)?, Packer::new(compression)?);
    let mut batches = Vec::new();
    write_all(encoding, &mut *codec, &mut packer, frames, &groups(encoding, frames), |packed, messages| {
        batches.push(Batch { packed: packed.to_vec(), messages });
    })?;
    let mut answers = Vec::new();
    read_all(&mut *codec, &mut packer, &batches, validation, &mut |uid, ts| answers.push((uid.to_owned(), ts)))?;
    Ok(answers)
}

fn check(frames: &[Original], compression: Compression, options: &ParserOptions) {
    let truth: Vec<(String, i64)> = frames.iter().map(|frame| (frame.uid.clone(), frame.ts)).collect();
    for encoding in Encoding::ALL {
        for validation in [Validation::Whole, Validation::Skip] {
            let answers = answers(*encoding, compression, validation, frames, options).unwrap();
            assert!(answers == truth, "{encoding}, {compression}, {validation:?}");
        }
    }
}

/// The frames of a stream, and how many of its lines are none.
fn made(spec: &Spec) -> (Vec<Original>, usize) {
    let generator = Generator::new(spec).unwrap();
    let (mut frames, mut malformed, mut block) = (Vec::new(), 0, GeneratedBlock::default());
    for number in 0..generator.blocks() {
        generator.fill(number, &mut block);
        for line in block.lines().filter(|line| line.meant != Meant::Blank) {
            match Original::read(line.bytes, &FrameFormat::default()) {
                Ok(frame) => frames.push(frame),
                Err(_) => malformed += 1,
            }
        }
    }
    (frames, malformed)
}

fn spec(kind: Kind, seed: u64, frame_bytes: u32, crlf: bool) -> Spec {
    let value = match kind.value_kind() {
        ValueKind::Share => "=0.3",
        _ => "",
    };
    let trouble = format!("{kind}{value}").parse().unwrap();
    Spec { frames: 40, users: 30, partitions: 2, seed, frame_bytes, crlf, troubles: vec![trouble], ..Spec::default() }
}

#[test]
fn every_format_gives_every_trouble_back() {
    on_deep_stack(|| {
        for (at, kind) in Kind::ALL.iter().enumerate() {
            let (frames, malformed) = made(&spec(*kind, 7, 300, false));
            assert_eq!(malformed > 0, kind.reason().is_some() || *kind == Kind::Flip, "{kind}");
            assert!(frames.len() >= 10, "{kind}: {}", frames.len());
            check(&frames, Packer::KNOWN[at % Packer::KNOWN.len()], &ParserOptions::default());
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn every_format_gives_any_stream_back(
        kind in proptest::sample::select(Kind::ALL),
        seed in any::<u64>(),
        frame_bytes in 100_u32..2_500,
        crlf in any::<bool>(),
        compression in proptest::sample::select(&Packer::KNOWN[..]),
    ) {
        on_deep_stack(move || {
            check(&made(&spec(kind, seed, frame_bytes, crlf)).0, compression, &ParserOptions::default());
        });
    }
}

/// Frames, written by hand, that have their members as `format` says.
fn originals(texts: &[&str], format: &FrameFormat) -> Vec<Original> {
    texts.iter().map(|text| Original::read(text.as_bytes(), format).unwrap()).collect()
}

#[test]
fn members_may_be_anywhere_and_of_any_type() {
    let format = |uid: &str, uid_type, ts: &str, ts_format| FrameFormat {
        uid: uid.parse().unwrap(),
        uid_type,
        ts: ts.parse().unwrap(),
        ts_format,
    };
    let cases: [(FrameFormat, &[&str]); 6] = [
        (
            FrameFormat::default(),
            &[
                " { \"a\" : [ { \"uid\" : 1 , \"ts\":2 } , \"]}\\\"\" ] , \"uid\" : \"\\u0061\\n\" , \"ts\" : -0 } ",
                r#"{"\u0075id":"\ud83d\ude00","t\u0073":"007","":{"uid":"x"},"x":1,"x":{},"x":[[],{}]}"#,
                r#"{"ts":0,"a":1e400,"b":18446744073709551615,"c":1e-7,"d":-9223372036854775808,"uid":"b"}"#,
                r#"{"lone \ud800":"\udfff","ts":253402300799,"n":null,"t":true,"uid":"c","f":-0.0}"#,
            ],
        ),
        (
            format("/u/id", UidType::Any, "/t~1s", TsFormat::Ms),
            &[
                r#"{"u":{"x":{"id":1},"id":7,"y":2},"t/s":1468244384123}"#,
                r#"{"t/s":"999","u":{"id":"7"},"id":3}"#,
                r#"{"t/s":-0,"u":{"id":-9223372036854775808}}"#,
                r#"{"t/s":253402300799999,"u":{"id":18446744073709551615}}"#,
            ],
        ),
        (
            format("id", UidType::Integer, "/at/ns", TsFormat::Ns),
            &[r#"{"id":-0,"at":{"ns":1468244384000000000}}"#, r#"{"at":{"a":[{}],"ns":"1"},"id":-17}"#],
        ),
        (
            format("/e/uid", UidType::String, "/e/ts", TsFormat::Rfc3339),
            &[
                r#"{"e":{"ts":"2026-03-01T00:00:00.123+01:00","uid":"a"}}"#,
                r#"{"e":{"uid":"b","ts":"1970-01-01t00:00:00Z"}}"#,
            ],
        ),
        (format("/ts", UidType::Integer, "/ts", TsFormat::S), &[r#"{"ts":5}"#]),
        (format("/uid", UidType::String, "ts", TsFormat::Us), &[r#"{"uid":"a","ts":1468244384000000}"#]),
    ];
    on_deep_stack(move || {
        for (format, texts) in cases {
            let frames = originals(texts, &format);
            let options = ParserOptions { format, ..ParserOptions::default() };
            check(&frames, Compression::Lz4, &options);
        }
    });
}

/// What a format cannot have is an error of reading, and no other answer.
#[test]
fn an_id_beyond_64_bits_is_none_in_two_formats() {
    let format = FrameFormat { uid_type: UidType::Integer, ..FrameFormat::default() };
    let frames = originals(&[r#"{"uid":123456789012345678901234567890,"ts":1}"#], &format);
    let options = ParserOptions { format, ..ParserOptions::default() };
    for encoding in Encoding::ALL {
        let found = answers(*encoding, Compression::None, Validation::Skip, &frames, &options);
        if [Encoding::Messagepack, Encoding::Cbor].contains(encoding) {
            assert_eq!(found.unwrap_err().to_string(), "the message has no user id that can be read");
        } else {
            assert_eq!(found.unwrap(), [("123456789012345678901234567890".to_owned(), 1)], "{encoding}");
        }
    }
}

/// A part of a message is refused or, where what is missing was not needed, gives the same answer; it never panics.
#[test]
fn a_message_that_is_cut_gives_no_other_answer() {
    let frames = originals(&[r#"{"a":[1,"x",{"b":2.5}],"uid":"u","ts":7,"z":"end"}"#], &FrameFormat::default());
    for encoding in Encoding::ALL {
        let mut codec = encoding.codec(&ParserOptions::default()).unwrap();
        let mut message = Vec::new();
        codec.encode(&frames, &mut message).unwrap();
        let mut refused = [0, 0];
        for len in 0..message.len() {
            for (at, validation) in [Validation::Whole, Validation::Skip].into_iter().enumerate() {
                let mut found = Vec::new();
                let read = codec.read(&message[..len], validation, &mut |uid, ts| found.push((uid.to_owned(), ts)));
                refused[at] += usize::from(read.is_err());
                // Fields of Protocol Buffers that are missing have their defaults, and a stream of Arrow may be empty.
                let is_partial = matches!(encoding, Encoding::ProtobufStruct | Encoding::ProtobufBytes);
                assert!(
                    read.is_err() || is_partial || found.is_empty() || found == [("u".to_owned(), 7)],
                    "{encoding}"
                );
            }
        }
        assert!(refused[0] >= refused[1] && refused[1] > 0, "{encoding}: {refused:?}");
    }
}

#[test]
fn the_json_formats_lose_nothing_but_white_space() {
    let text = r#"{"uid" : "a", "ts":1.0e0 , "ts2": 1.50, "x": "\u0041 b", "x":[ ]}"#;
    let text = text.replace("1.0e0", "1");
    let frames = originals(&[&text], &FrameFormat::default());
    let bytes = |encoding: Encoding| {
        let mut message = Vec::new();
        encoding.codec(&ParserOptions::default()).unwrap().encode(&frames, &mut message).unwrap();
        String::from_utf8(message).unwrap()
    };
    assert_eq!(bytes(Encoding::Json), text);
    assert_eq!(bytes(Encoding::JsonMinified), r#"{"uid":"a","ts":1,"ts2":1.50,"x":"\u0041 b","x":[]}"#);
    assert_eq!(bytes(Encoding::HeaderJson), format!("\u{1}\0\0\0\0\0\0\0\u{1}\0\0\0a{text}"));
}

#[test]
fn a_columnar_message_has_as_many_frames_as_fit() {
    let frame =
        originals(&[&format!(r#"{{"uid":"a","ts":1,"pad":"{}"}}"#, "x".repeat(1_000))], &FrameFormat::default());
    let frames = vec![frame[0].clone(); 2_000];
    let columns = groups(Encoding::Arrow, &frames);
    assert_eq!(columns.iter().map(std::ops::Range::len).collect::<Vec<_>>(), [849, 849, 302]);
    assert_eq!(groups(Encoding::Cbor, &frames).len(), 2_000);
    let mut message = Vec::new();
    Encoding::Arrow
        .codec(&ParserOptions::default())
        .unwrap()
        .encode(&frames[columns[0].clone()], &mut message)
        .unwrap();
    assert!((800_000..1_000_000).contains(&message.len()), "{}", message.len());
}
