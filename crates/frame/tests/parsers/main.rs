//! Compares both frame parsers, and every engine of the fast one, with the rules and with each other.

use std::fs::File;
use std::io::{BufRead, BufReader};

use expected::*;
use flate2::read::MultiGzDecoder;
use formats::others;
use kuu_frame::{FrameFormat, Malformed, Member, Root, fast, plain};
use proptest::prelude::*;
use random::{object, pieces};

mod expected;
mod formats;
mod random;

/// Every parser of one format.
struct Parsers {
    plain: plain::PlainParser,
    fast: Vec<fast::FastParser>,
}

impl Parsers {
    fn new(format: &FrameFormat) -> Parsers {
        Parsers { plain: plain::PlainParser::new(format.clone()), fast: fast::FastParser::all(format) }
    }

    /// The verdict of the plain parser, after a check that all others agree.
    #[track_caller]
    fn root<'a>(&'a mut self, value: &'a [u8]) -> Result<Root<'a>, Malformed> {
        let plain = self.plain.root(value);
        for parser in &mut self.fast {
            let engine = parser.engine();
            let fast = parser.root(value);
            assert!(fast == plain, "{engine}: {fast:?}, plain: {plain:?}, for {}", excerpt(value));
        }
        plain
    }
}

/// Every parser of the usual format, and those of others.
struct All {
    usual: Parsers,
    others: Vec<Parsers>,
    turn: usize,
}

impl All {
    fn new() -> All {
        All {
            usual: Parsers::new(&FrameFormat::default()),
            others: others().iter().map(Parsers::new).collect(),
            turn: 0,
        }
    }

    /// The verdict in the usual format, after a check that all parsers agree on that and on another one, in turn.
    #[track_caller]
    fn root<'a>(&'a mut self, value: &'a [u8]) -> Result<Root<'a>, Malformed> {
        self.turn += 1;
        let turn = self.turn % self.others.len();
        _ = self.others[turn].root(value);
        self.usual.root(value)
    }
}

fn excerpt(value: &[u8]) -> String {
    let end = value.len().min(3000);
    format!("{} bytes: {}", value.len(), value[..end].escape_ascii())
}

fn fixture() -> impl Iterator<Item = Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/stream.jsonl.gz");
    let file = File::open(path).expect("the fixture is part of the repository");
    BufReader::new(MultiGzDecoder::new(file)).split(b'\n').map(|line| line.expect("the fixture is readable"))
}

/// The first `count` frames of the fixture that are not longer than 3,000 bytes.
fn frames(count: usize) -> Vec<Vec<u8>> {
    fixture().filter(|frame| frame.len() <= 3_000).take(count).collect()
}

#[test]
fn answers() {
    let mut all = All::new();
    for (value, expected) in EXPECTED {
        let root = all.root(value).map(|root| (root.uid, root.ts));
        assert_eq!(root, *expected, "for {}", excerpt(value));
    }
}

/// Moves each value of the table through all positions in a block, alone and as a member's value.
#[test]
fn answers_anywhere_in_a_block() {
    let mut all = All::new();
    for (value, expected) in EXPECTED {
        for spaces in 0..130 {
            let padded = [&b" ".repeat(spaces), *value, &b"\n".repeat(spaces / 3)].concat();
            let root = all.root(&padded).map(|root| (root.uid, root.ts));
            assert_eq!(root, *expected, "after {spaces} spaces, for {}", excerpt(value));
            let nested = [b"{\"pad\":\"", &b"-".repeat(spaces)[..], b"\",\"in\":", value, b"}"].concat();
            _ = all.root(&nested);
        }
    }
}

#[test]
fn order_of_the_reasons() {
    let mut all = All::new();
    let cases: [(&[u8], Malformed); 8] = [
        (b"[ \xff", Malformed::NotUtf8),
        (b"[ ", Malformed::NotJson),
        (b"[]", Malformed::NotObject),
        (br#"{"ts":{},"ts":1}"#, Malformed::DuplicateKey),
        (br#"{"ts":{}}"#, Malformed::NoUid),
        (br#"{"uid":{}}"#, Malformed::BadUid),
        (br#"{"uid":"a"}"#, Malformed::NoTs),
        (br#"{"uid":"a","ts":{}}"#, Malformed::BadTs),
    ];
    for ((value, reason), expected) in cases.into_iter().zip(Malformed::ALL) {
        assert_eq!(reason, *expected);
        assert_eq!(all.root(value).and_then(Root::frame), Err(reason), "for {}", excerpt(value));
    }
}

#[test]
fn every_frame_of_the_fixture() {
    let mut all = All::new();
    let mut frames = 0;
    for frame in fixture() {
        all.root(&frame).and_then(Root::frame).expect("a frame");
        frames += 1;
    }
    assert_eq!(frames, 50_000);
}

#[test]
fn truncated_anywhere() {
    let mut all = All::new();
    for frame in frames(8) {
        for end in 0..frame.len() {
            let verdict = all.root(&frame[..end]);
            assert!(matches!(verdict, Err(Malformed::NotJson | Malformed::NotUtf8)), "at {end}: {verdict:?}");
        }
    }
}

#[test]
fn every_bit_flipped() {
    let mut all = All::new();
    for mut frame in frames(3) {
        for at in 0..frame.len() {
            for bit in 0..8 {
                frame[at] ^= 1 << bit;
                _ = all.root(&frame);
                frame[at] ^= 1 << bit;
            }
        }
    }
}

/// Bytes that have a meaning in the grammar, in UTF-8 or for a classifier.
const TELLING: &[u8] = b"\"\\{}[],: \t\n\r\0\x0b\x1f\x7f/ubfnrt019-+.eE\x80\xbf\xc3\xd0\xe2\xed\xf0\xff\x02\x1a;[^`'";

#[test]
fn every_byte_replaced_removed_or_doubled() {
    let mut all = All::new();
    for mut frame in frames(2) {
        for at in 0..frame.len() {
            let byte = frame[at];
            for other in TELLING {
                frame[at] = *other;
                _ = all.root(&frame);
            }
            frame[at] = byte;
            frame.insert(at, byte);
            _ = all.root(&frame);
            frame.remove(at);
            frame.remove(at);
            _ = all.root(&frame);
            frame.insert(at, byte);
        }
    }
}

/// The fast parser reads long values in chunks; moves each value of the table across the border of a chunk.
#[test]
fn expected_across_parts() {
    let mut all = All::new();
    for (value, _) in EXPECTED {
        for len in (3_900..4_100).step_by(3) {
            let value = [b"{\"pad\":\"", &b"-".repeat(len)[..], b"\",\"in\":", value, b",\"ts\":5}"].concat();
            _ = all.root(&value);
        }
    }
}

#[test]
fn long_values_damaged_anywhere() {
    let mut all = All::new();
    let frames = frames(5).join(&b","[..]);
    let mut value = [b"{\"frames\":[", &frames[..], b"],\"uid\":\"a\",\"ts\":5}"].concat();
    assert_eq!(all.root(&value).and_then(Root::frame).map(|frame| frame.ts), Ok(5));
    for at in 0..value.len() {
        let byte = value[at];
        value[at] = TELLING[at % TELLING.len()];
        _ = all.root(&value);
        value[at] = byte;
    }
}

#[test]
fn runs_of_backslashes_across_blocks() {
    let mut all = All::new();
    for before in 50..70 {
        for run in 0..140 {
            for after in ["\"", "\"}", "n\"}", "u0041\"}", "x\"}", "\"\":1}", "\",\"uid\":\"a\",\"ts\":5}"] {
                let value = format!("{{\"k\":\"{}{}{after}", "-".repeat(before), "\\".repeat(run));
                _ = all.root(value.as_bytes());
                let name = format!("{{\"{}{}{after}", "-".repeat(before), "\\".repeat(run));
                _ = all.root(name.as_bytes());
            }
        }
    }
}

#[test]
fn nesting_to_the_limit() {
    const LIMIT: usize = kuu_frame::MAX_DEPTH;
    let mut all = All::new();
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]"), (" [ ", " ] ")] {
        let levels = open.matches(['[', '{']).count();
        for depth in (LIMIT - 66..LIMIT + 66).filter(|depth| depth % levels == 0) {
            let (opens, closes) = (open.repeat(depth / levels), close.repeat(depth / levels));
            let array = format!("{opens}1{closes}");
            let expected = match open.trim().starts_with('[') {
                _ if depth > LIMIT => NOT_JSON,
                true => NOT_OBJECT,
                false => EMPTY,
            };
            assert_eq!(all.root(array.as_bytes()).map(|root| (root.uid, root.ts)), expected, "{depth} levels");

            let object = format!("{{\"x\":{opens}1{closes},\"uid\":\"a\",\"ts\":5}}");
            let expected = if depth + 1 > LIMIT { NOT_JSON } else { good("a", 5) };
            assert_eq!(all.root(object.as_bytes()).map(|root| (root.uid, root.ts)), expected, "{depth} levels inside");
        }
    }
    // The depth limit does not limit the width: closed brackets do not count.
    let wide = format!("{{\"x\":[{}[]],\"uid\":\"a\",\"ts\":5}}", "[{}],".repeat(5_000));
    assert_eq!(all.root(wide.as_bytes()).and_then(Root::frame).map(|frame| frame.ts), Ok(5));
}

#[test]
fn values_of_ten_megabytes() {
    const LEN: usize = 10_000_000;
    let mut all = All::new();
    for byte in [b"[", b"{", b"\"", b"\\", b" ", b"0", b"]", b"-", b"\0", b"\xff"] {
        assert!(all.root(&byte.repeat(LEN)).is_err());
    }
    assert_eq!(all.root(&b"{\"a\":".repeat(LEN / 5)), Err(Malformed::NotJson));
    let padding = "\\u0436 \\\\ ".repeat(LEN / 10);
    let frame = |uid: &str| format!("{{\"a\":\"{padding}\",\"ts\":5,\"uid\":\"{uid}\"}}");
    let whole = frame(&"\\u0436 \\\\ ".repeat(10));
    let root = all.root(whole.as_bytes()).and_then(Root::frame).expect("a frame");
    assert_eq!((root.uid.len(), root.ts), ("ж \\ ".len() * 10, 5));
    // The parser reads a uid of this length to its end, and then rejects it.
    assert_eq!(all.root(frame(&padding).as_bytes()).and_then(Root::frame), Err(Malformed::BadUid));
}

#[test]
fn numbers_of_every_form() {
    let mut all = All::new();
    let parts: [&[&str]; 6] = [
        &["", "-", "+", "--"],
        &["", "0", "00", "7", "07", "70", "1234567890123456789012345678901234567890"],
        &["", ".", ".0", ".007", ".."],
        &["", "e", "E", "ee", "e0", "E12345"],
        &["", "+", "-", "+1", "-0", "-12e"],
        &["", " ", "\t", "\0", "x", "\\", "\""],
    ];
    let mut numbers = vec![String::new()];
    for choices in parts {
        numbers = numbers.iter().flat_map(|start| choices.iter().map(move |end| format!("{start}{end}"))).collect();
    }
    for number in numbers {
        _ = all.root(number.as_bytes());
        _ = all.root(format!("{{\"uid\":\"a\",\"ts\":{number}}}").as_bytes());
        _ = all.root(format!("{{\"uid\":\"a\",\"ts\":\"{number}\"}}").as_bytes());
        _ = all.root(format!("[{number},{number}]").as_bytes());
    }
}

#[test]
fn escapes_of_every_code_unit() {
    let mut all = All::new();
    for unit in 0..=0xFFFF_u32 {
        let value = format!("{{\"\\u{unit:04x}s\":1,\"uid\":\"\\u{unit:04X}\",\"ts\":5}}");
        let root = all.root(value.as_bytes()).expect("an object");
        assert_eq!(root.key(), char::from_u32(unit).map(String::from).as_deref());
        assert_eq!(root.ts == Member::Repeated, unit == u32::from('t'));
    }
    for high in [0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000] {
        for low in [0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000] {
            let value = format!("{{\"uid\":\"\\u{high:04x}\\u{low:04x}\",\"ts\":5}}");
            let root = all.root(value.as_bytes()).expect("an object");
            assert_eq!(root.key(), String::from_utf16(&[high, low]).ok().as_deref());
        }
    }
}

proptest! {
    #[test]
    fn agree_on_bytes(value in prop::collection::vec(any::<u8>(), 0..200)) {
        _ = All::new().root(&value);
    }

    #[test]
    fn agree_on_pieces(value in pieces()) {
        _ = All::new().root(&value);
    }

    #[test]
    fn agree_on_objects(value in object()) {
        prop_assert!(All::new().root(value.as_bytes()).is_ok());
    }

    #[test]
    fn agree_on_damaged_objects(
        value in object(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(TELLING)), 1..4),
    ) {
        let mut value = value.into_bytes();
        for (at, byte) in damage {
            let at = at.index(value.len());
            value[at] = byte;
        }
        _ = All::new().root(&value);
    }
}
