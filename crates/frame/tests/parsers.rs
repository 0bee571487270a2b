//! Both frame parsers, and every engine of the fast one, against the rules and against each other.

use std::fs::File;
use std::io::{BufRead, BufReader};

use flate2::read::MultiGzDecoder;
use kuu_frame::{Malformed, Member, Root, fast, plain};
use proptest::prelude::*;

/// Every parser there is.
struct All {
    plain: plain::Parser,
    fast: Vec<fast::Parser>,
}

impl All {
    fn new() -> All {
        All { plain: plain::Parser::new(), fast: fast::Parser::all() }
    }

    /// The verdict of the plain parser, after the others have come to the same.
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

type Verdict = Result<(Member<&'static str>, Member<i64>), Malformed>;

const fn good(uid: &'static str, ts: i64) -> Verdict {
    Ok((Member::Good(uid), Member::Good(ts)))
}

const fn uid(uid: Member<&'static str>) -> Verdict {
    Ok((uid, Member::Good(5)))
}

const fn ts(ts: Member<i64>) -> Verdict {
    Ok((Member::Good("a"), ts))
}

const EMPTY: Verdict = Ok((Member::Missing, Member::Missing));
const NOT_UTF8: Verdict = Err(Malformed::NotUtf8);
const NOT_JSON: Verdict = Err(Malformed::NotJson);
const NOT_OBJECT: Verdict = Err(Malformed::NotObject);

/// What the rules say, value by value.
const VERDICTS: &[(&[u8], Verdict)] = &[
    // Plain frames, in either order, with white space wherever the grammar has it.
    (br#"{"uid":"a","ts":5}"#, good("a", 5)),
    (br#"{"ts":5,"uid":"a"}"#, good("a", 5)),
    (b"\t\r\n { \"uid\"\n:\r\"a\" ,\t\"ts\" : 5 } \n", good("a", 5)),
    (br#"{"uid":"a","ts":"5"}"#, good("a", 5)),
    (br#"{"x":{"uid":"b","ts":6},"y":[{"uid":7}],"uid":"a","ts":5,"x":1,"x":2}"#, good("a", 5)),
    (br#"{"uid":"uid","ts":5,"v":"ts"}"#, good("uid", 5)),
    ("{\"uid\":\"\u{43f}\u{1f600}\",\"ts\":5}".as_bytes(), good("\u{43f}\u{1f600}", 5)),
    // Nothing but the root's own members, under exactly these names.
    (b"{}", EMPTY),
    (b" { } ", EMPTY),
    (br#"{"UID":"a","Ts":5,"uid ":1," ts":2,"":3,"id":4,"s":5,"uidd":6,"tss":7,"t":8,"ui":9}"#, EMPTY),
    (br#"{"a\"uid":1,"\"ts":2,"\\uid":3,"\\ts":4}"#, EMPTY),
    (br#"{"a":["uid","ts"],"b":{"ts":"uid"}}"#, EMPTY),
    // Repeated names. What else a root member holds twice is no matter.
    (br#"{"uid":"a","ts":5,"uid":"a"}"#, uid(Member::Repeated)),
    (br#"{"uid":"a","ts":5,"uid":1,"uid":null}"#, uid(Member::Repeated)),
    (br#"{"uid":"a","ts":5,"ts":[]}"#, ts(Member::Repeated)),
    (br#"{"uid":"a","ts":5,"t\u0073":5}"#, ts(Member::Repeated)),
    // Escaped names.
    (br#"{"\u0075id":"a","\u0074s":5}"#, good("a", 5)),
    (br#"{"u\u0069d":"a","\u0074\u0073":"\u0035"}"#, good("a", 5)),
    (br#"{"\ud800":1,"\udc00":2,"uid\udc00":3,"uid":"a","ts":5}"#, good("a", 5)),
    (br#"{"\u0055id":"b","uid\u0000":"c","uid":"a","ts":5}"#, good("a", 5)),
    (br#"{"x":{"\u0075id":"b"},"y":["\u0074s"],"uid":"a","ts":5}"#, good("a", 5)),
    (br#"{"\n":"uid","uid":"a","\/":{"ts":1},"ts":5}"#, good("a", 5)),
    // The user id: a string, not empty, Unicode.
    (br#"{"uid":"","ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":1,"ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":null,"ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":true,"ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":["a"],"ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":{"uid":"a"},"ts":5}"#, uid(Member::Bad)),
    (br#"{"uid": "a\"\\\/\b\f\n\r\t\u0041\u00e9" ,"ts":5}"#, good("a\"\\/\u{8}\u{c}\n\r\tA\u{e9}", 5)),
    (br#"{"uid":"\u0000","ts":5}"#, good("\0", 5)),
    (br#"{"uid":"\ud83d\ude00\uD83D\uDE00","ts":5}"#, good("\u{1f600}\u{1f600}", 5)),
    (br#"{"uid":"\ud83d","ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":"\ude00","ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":"\ude00\ud83d","ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":"\ud83d\ud83d\ude00","ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":"\ud83dx\ude00","ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":"\ud83d\n","ts":5}"#, uid(Member::Bad)),
    (br#"{"uid":"a","ts":5,"x":"\ud83d","y":"\ude00\ud83d","z":["\udfff"]}"#, good("a", 5)),
    // The time: an integer or a string of digits, in range.
    (br#"{"uid":"a","ts":0}"#, ts(Member::Good(0))),
    (br#"{"uid":"a","ts":-0}"#, ts(Member::Good(0))),
    (br#"{"uid":"a","ts":"0"}"#, ts(Member::Good(0))),
    (br#"{"uid":"a","ts":"-0"}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":-1}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":-0.0}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":-0e0}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":5.0}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":5e0}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":5E+0}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":1e999}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":253402300799}"#, ts(Member::Good(253_402_300_799))),
    (br#"{"uid":"a","ts":253402300800}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":9223372036854775808}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":18446744073709551617}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":100000000000000000000000000000000000000000}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":"00000000000000000000000000000000000000253402300799"}"#, ts(Member::Good(253_402_300_799))),
    (br#"{"uid":"a","ts":"00000000000000000000000000000000000000253402300800"}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":"18446744073709551617"}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":"000"}"#, ts(Member::Good(0))),
    (br#"{"uid":"a","ts":"\u0031\u0032"}"#, ts(Member::Good(12))),
    (br#"{"uid":"a","ts":"1\ud800"}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":"1\n"}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":""}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":" 5"}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":"+5"}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":"5.0"}"#, ts(Member::Bad)),
    ("{\"uid\":\"a\",\"ts\":\"\u{665}\"}".as_bytes(), ts(Member::Bad)),
    (br#"{"uid":"a","ts":null}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":false}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":[5]}"#, ts(Member::Bad)),
    (br#"{"uid":"a","ts":{}}"#, ts(Member::Bad)),
    // Numbers of any size are JSON.
    (br#"{"a":[1e999,-1E-999,0,-0,0.0,1e+0,1E00,123456789012345678901234567890.5e12345678901234567890]}"#, EMPTY),
    (br#"{"a":01}"#, NOT_JSON),
    (br#"{"a":-}"#, NOT_JSON),
    (br#"{"a":-01}"#, NOT_JSON),
    (br#"{"a":+1}"#, NOT_JSON),
    (br#"{"a":.5}"#, NOT_JSON),
    (br#"{"a":5.}"#, NOT_JSON),
    (br#"{"a":5.e1}"#, NOT_JSON),
    (br#"{"a":5e}"#, NOT_JSON),
    (br#"{"a":5e+}"#, NOT_JSON),
    (br#"{"a":5e1.5}"#, NOT_JSON),
    (br#"{"a":0x10}"#, NOT_JSON),
    (br#"{"a":1-2}"#, NOT_JSON),
    (br#"{"a":NaN}"#, NOT_JSON),
    (br#"{"a":-Infinity}"#, NOT_JSON),
    (br#"{"a":[true,false,null]}"#, EMPTY),
    (br#"{"a":True}"#, NOT_JSON),
    (br#"{"a":tru}"#, NOT_JSON),
    (br#"{"a":truee}"#, NOT_JSON),
    (br#"{"a":nulll}"#, NOT_JSON),
    (br#"{"a":t rue}"#, NOT_JSON),
    // Strings: control characters and other escapes are not JSON, everything else is.
    (b"{\"a\":\"\x7f \xc2\x80\"}", EMPTY),
    (b"{\"a\":\"\x00\"}", NOT_JSON),
    (b"{\"a\":\"\x1f\"}", NOT_JSON),
    (b"{\"a\":\"\n\"}", NOT_JSON),
    (b"{\"a\n\":1}", NOT_JSON),
    (b"{\"a\":\"\\\n\"}", NOT_JSON),
    (br#"{"a":"\a"}"#, NOT_JSON),
    (br#"{"a":"\U0041"}"#, NOT_JSON),
    (br#"{"a":"\'"}"#, NOT_JSON),
    (br#"{"a":"\x41"}"#, NOT_JSON),
    (br#"{"a":"\u"}"#, NOT_JSON),
    (br#"{"a":"\u004"}"#, NOT_JSON),
    (br#"{"a":"\u004g"}"#, NOT_JSON),
    (br#"{"a":"\u+041"}"#, NOT_JSON),
    (br#"{"a":"\uABCD\uabcd\u0aF9"}"#, EMPTY),
    (br#"{"a":"\ud8"}"#, NOT_JSON),
    (br#"{"\a":1}"#, NOT_JSON),
    (br#"{"a":"\"}"#, NOT_JSON),
    (br#"{"a":"\\"}"#, EMPTY),
    (br#"{"a":"\\\"}"#, NOT_JSON),
    (b"{\"a\":\"\\\xd0\xb0\"}", NOT_JSON),
    // Structure.
    (b"", NOT_JSON),
    (b"  \n", NOT_JSON),
    (b"{", NOT_JSON),
    (b"}", NOT_JSON),
    (b"{]", NOT_JSON),
    (b"[}", NOT_JSON),
    (b"{}}", NOT_JSON),
    (b"{}{}", NOT_JSON),
    (b"{},", NOT_JSON),
    (b"{} x", NOT_JSON),
    (b"{}\0", NOT_JSON),
    (b"{}\x0b", NOT_JSON),
    (b"\0{}", NOT_JSON),
    (b"\x0c{}", NOT_JSON),
    (b"{\x0b}", NOT_JSON),
    (b"{\"a\"\x00:1}", NOT_JSON),
    (b"\xc2\xa0{}", NOT_JSON),
    (b"\xef\xbb\xbf{\"uid\":\"a\",\"ts\":5}", NOT_JSON),
    (br#"{,}"#, NOT_JSON),
    (br#"{:}"#, NOT_JSON),
    (br#"{"a"}"#, NOT_JSON),
    (br#"{"a":}"#, NOT_JSON),
    (br#"{"a" 1}"#, NOT_JSON),
    (br#"{"a",1}"#, NOT_JSON),
    (br#"{"a"::1}"#, NOT_JSON),
    (br#"{"a":1,}"#, NOT_JSON),
    (br#"{,"a":1}"#, NOT_JSON),
    (br#"{"a":1,,"b":2}"#, NOT_JSON),
    (br#"{"a":1 "b":2}"#, NOT_JSON),
    (br#"{"a":1:2}"#, NOT_JSON),
    (br#"{"a":"b":"c"}"#, NOT_JSON),
    (br#"{"a":"b""c":1}"#, NOT_JSON),
    (br#"{"a""b":1}"#, NOT_JSON),
    (br#"{"a":1"b":1}"#, NOT_JSON),
    (br#"{"a":"b"1}"#, NOT_JSON),
    (br#"{"a":[1 2]}"#, NOT_JSON),
    (br#"{"a":[1,]}"#, NOT_JSON),
    (br#"{"a":[,1]}"#, NOT_JSON),
    (br#"{"a":[1:2]}"#, NOT_JSON),
    (br#"{"a":["b":2]}"#, NOT_JSON),
    (br#"{"a":[1}"#, NOT_JSON),
    (br#"{"a":[1]]}"#, NOT_JSON),
    (br#"{"a":{]}"#, NOT_JSON),
    (br#"{"a":[][]}"#, NOT_JSON),
    (br#"{"a":{}{}}"#, NOT_JSON),
    (br#"{"a":[]{}}"#, NOT_JSON),
    (br#"{1:2}"#, NOT_JSON),
    (br#"{null:2}"#, NOT_JSON),
    (br#"{[]:2}"#, NOT_JSON),
    (br#"{{}:2}"#, NOT_JSON),
    (br#"{a:2}"#, NOT_JSON),
    (br#"{'a':2}"#, NOT_JSON),
    (br#"{"a":'b'}"#, NOT_JSON),
    (br#"{"a":1}//"#, NOT_JSON),
    (br#"{"a":/**/1}"#, NOT_JSON),
    (br#"{"a":\u0031}"#, NOT_JSON),
    (br#"{\"a\":1}"#, NOT_JSON),
    (br#"{"a":1\}"#, NOT_JSON),
    (b"{\"a\":\xd0\xb0}", NOT_JSON),
    (br#"{"uid":"a","ts":5"#, NOT_JSON),
    (br#"{"uid":"a","ts":5}]"#, NOT_JSON),
    (br#"{"uid":"a","ts":5}{"uid":"a","ts":5}"#, NOT_JSON),
    (br#"{"a":[[],{},[{}],{"b":[]},[ ],{ }]}"#, EMPTY),
    // JSON, but no object.
    (b"[]", NOT_OBJECT),
    (br#" [{"uid":"a","ts":5}] "#, NOT_OBJECT),
    (b"[1,]", NOT_JSON),
    (b"[", NOT_JSON),
    (br#""a""#, NOT_OBJECT),
    (br#" "\ud800\"\\\/\b\f\n\r\t" "#, NOT_OBJECT),
    (b"\"", NOT_JSON),
    (b"\"\\", NOT_JSON),
    (b"\"\\\"", NOT_JSON),
    (br#""\u00""#, NOT_JSON),
    (br#""\a""#, NOT_JSON),
    (b"\"\x01\"", NOT_JSON),
    (br#""a"b"#, NOT_JSON),
    (br#""a" "b""#, NOT_JSON),
    (br#""a","b""#, NOT_JSON),
    (b"0", NOT_OBJECT),
    (b"\n-1.5e+10 ", NOT_OBJECT),
    (b"1e999", NOT_OBJECT),
    (b"01", NOT_JSON),
    (b"1 2", NOT_JSON),
    (b"1,2", NOT_JSON),
    (b"1]", NOT_JSON),
    (b"1}", NOT_JSON),
    (b"-", NOT_JSON),
    (b"true", NOT_OBJECT),
    (b" false", NOT_OBJECT),
    (b"null ", NOT_OBJECT),
    (b"nul", NOT_JSON),
    (b"nullnull", NOT_JSON),
    (b"x", NOT_JSON),
    (b":", NOT_JSON),
    // UTF-8 is judged first, over the whole value.
    (b"{\"uid\":\"a\",\"ts\":5,\"x\":\"\xff\"}", NOT_UTF8),
    (b"{\"x\":\"\xc0\xaf\"}", NOT_UTF8),
    (b"{\"x\":\"\xed\xa0\x80\"}", NOT_UTF8),
    (b"{\"x\":\"\xf4\x90\x80\x80\"}", NOT_UTF8),
    (b"{\"x\":\"\xd0\"}", NOT_UTF8),
    (b"{\"x\":\"\xd0", NOT_UTF8),
    (b"x \xff", NOT_UTF8),
    (b"{} \x80", NOT_UTF8),
    (b"[[[ \xe2\x82", NOT_UTF8),
    (b"\"\xe2\x82", NOT_UTF8),
    (b"\xff\xfe{\0}\0", NOT_UTF8),
];

#[test]
fn verdicts() {
    let mut all = All::new();
    for (value, expected) in VERDICTS {
        let root = all.root(value).map(|root| (root.uid, root.ts));
        assert_eq!(root, *expected, "for {}", excerpt(value));
    }
}

/// Moves each value of the table through all positions in a block, alone and as a member's value.
#[test]
fn verdicts_anywhere_in_a_block() {
    let mut all = All::new();
    for (value, expected) in VERDICTS {
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
        assert_eq!(reason, expected);
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

/// Bytes that mean something to the grammar, to UTF-8 or to a classifier.
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

/// The fast parser works through long values in parts; moves each value of the table across such a border.
#[test]
fn verdicts_across_parts() {
    let mut all = All::new();
    for (value, _) in VERDICTS {
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
    // As wide as one likes: brackets that close no longer count.
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
    // So long a uid is read to its end, and then refused.
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

/// Text made of the pieces of which frames are made, so that much of it is nearly JSON.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            " ",
            "\n",
            "\"uid\"",
            "\"ts\"",
            "\"uid\":\"a\"",
            "\"ts\":5",
            "true",
            "false",
            "null",
            "0",
            "-1.5e3",
            "\"\\u0075id\"",
            "\"\\ud800\"",
            "\"\"",
            "\"x\":",
            "[]",
            "{}",
            "\u{436}",
            "\0",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        "[ -~]{0,40}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The text of an object, with white space here and there.
fn object() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[a-z]{0,3}",
        "[ -!#-\\[\\]-~а-я]{0,70}",
        prop::collection::vec(
            prop::sample::select(vec!["\\\\", "\\\"", "\\n", "\\/", "\\u0436", "\\ud83d", "\\ude00", "\\u0075", "x"]),
            0..50
        )
        .prop_map(|parts| parts.concat()),
    ]
    .prop_map(|text| format!("\"{text}\""));
    let name = prop_oneof![
        text.clone(),
        prop::sample::select(vec!["\"uid\"", "\"ts\"", "\"\\u0075id\"", "\"t\\u0073\""]).prop_map(String::from)
    ];
    let space = prop_oneof![9 => Just(""), 1 => Just(" "), 1 => Just("\n\t")];
    let leaf = prop_oneof![
        text,
        prop::sample::select(vec!["true", "false", "null", "5", "-0", "1468244384", "0.63558", "1e999"])
            .prop_map(String::from),
    ];
    let members = {
        let (name, space) = (name.clone(), space.clone());
        move |value: BoxedStrategy<String>| {
            prop::collection::vec((name.clone(), space.clone(), value), 0..6).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, space, value)| format!("{space}{name}{space}:{space}{value}")).collect();
                format!("{{{}}}", members.join(","))
            })
        }
    };
    let value = leaf.prop_recursive(5, 60, 6, {
        let members = members.clone();
        move |value| {
            prop_oneof![
                prop::collection::vec(value.clone(), 0..6).prop_map(|values| format!("[{}]", values.join(" ,"))),
                members(value.boxed()),
            ]
        }
    });
    members(value.boxed())
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
