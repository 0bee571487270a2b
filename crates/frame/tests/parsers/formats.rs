//! Frames of other formats than the usual one.

use super::Parsers;
use kuu_frame::{FrameFormat, Malformed, Member, Root, TsFormat, UidType};
use proptest::prelude::*;

fn format(uid: &str, uid_type: UidType, ts: &str, ts_format: TsFormat) -> FrameFormat {
    FrameFormat { uid: uid.parse().unwrap(), uid_type, ts: ts.parse().unwrap(), ts_format }
}

/// A format for each way in which the fast parser looks for members, with names that occur in the tests.
pub fn others() -> Vec<FrameFormat> {
    vec![
        format("uid", UidType::Any, "ts", TsFormat::Ms),
        format("/dolore", UidType::Any, "/ts", TsFormat::Us),
        format("/in/uid", UidType::Integer, "/ts", TsFormat::Rfc3339),
        format("/x/uid", UidType::String, "/dolore/ts", TsFormat::S),
        format("/a/a/uid", UidType::Any, "/a/ts", TsFormat::Ns),
        format("/in/a/x/uid", UidType::Any, "/in/a/x/ts", TsFormat::Ms),
        format("/a/a/a/a/a", UidType::String, "/a/a", TsFormat::S),
        format("/x~1y", UidType::String, "/", TsFormat::S),
        format("/pad", UidType::String, "/uid/ts", TsFormat::S),
    ]
}

/// A value, and its user id and time.
type Case<'a> = (&'a str, Result<(&'a str, i64), Malformed>);

#[track_caller]
fn check(format: &FrameFormat, cases: &[Case]) {
    let mut parsers = Parsers::new(format);
    for (value, expected) in cases {
        for spaces in [0, 1, 57, 63, 64, 4_090] {
            let value = [&b" ".repeat(spaces), value.as_bytes()].concat();
            let found = parsers.root(&value).and_then(Root::frame).map(|frame| (frame.uid, frame.ts));
            assert_eq!(found, *expected, "{}", value.escape_ascii());
            // The same after many separators, with the frame's object as the rest of a larger one.
            if let Some(rest) = value.strip_prefix(b"{") {
                let value = [b"{\"pad\":[", &b"[],".repeat(spaces)[..], b"1],", rest].concat();
                let is_empty = rest.starts_with(b"}");
                let found = parsers.root(&value).and_then(Root::frame).map(|frame| (frame.uid, frame.ts));
                let expected = if is_empty { Err(Malformed::NotJson) } else { *expected };
                assert_eq!(found, expected, "{}", value.escape_ascii());
            }
        }
    }
}

#[test]
fn members_of_members() {
    use Malformed::*;
    let format = format("/event/user/id", UidType::Integer, "/at", TsFormat::Rfc3339);
    check(
        &format,
        &[
            (r#"{"event":{"user":{"id":17}},"at":"2026-03-01T00:00:00.123Z"}"#, Ok(("17", 1_772_323_200))),
            (r#"{"at":"2026-03-01T00:00:00Z","event":{"user":{"id":-0}}}"#, Ok(("0", 1_772_323_200))),
            (
                r#"{"id":1,"user":{"id":2},"event":{"id":3,"user":{"x":{"id":4},"id":5}},"at":"1970-01-01T00:00:09Z"}"#,
                Ok(("5", 9)),
            ),
            (r#"{"ev\u0065nt":{"us\u0065r":{"\u0069d":6}},"\u0061t":"1970-01-01t00:00:09\u005a"}"#, Ok(("6", 9))),
            (r#"{"event":{"user":{"id":"17"}},"at":"1970-01-01T00:00:09Z"}"#, Err(BadUid)),
            (r#"{"event":{"user":{"id":1.0}},"at":"1970-01-01T00:00:09Z"}"#, Err(BadUid)),
            (r#"{"event":{"user":{"id":null}},"at":"1970-01-01T00:00:09Z"}"#, Err(BadUid)),
            (r#"{"event":{"user":[{"id":1}]},"at":"1970-01-01T00:00:09Z"}"#, Err(NoUid)),
            (r#"{"event":[{"user":{"id":1}}],"at":"1970-01-01T00:00:09Z"}"#, Err(NoUid)),
            (r#"{"event":{"user":17},"at":"1970-01-01T00:00:09Z"}"#, Err(NoUid)),
            (r#"{"event":{"user":{}},"at":"1970-01-01T00:00:09Z"}"#, Err(NoUid)),
            (r#"{"event":{"user":1},"other":{"user":{"id":1}},"at":"1970-01-01T00:00:09Z"}"#, Err(NoUid)),
            (r#"{"event":{"user":{"id":1},"user":1},"at":"1970-01-01T00:00:09Z"}"#, Err(DuplicateKey)),
            (r#"{"event":{"user":{"id":1,"id":1}},"at":"1970-01-01T00:00:09Z"}"#, Err(DuplicateKey)),
            (r#"{"event":{},"event":{"user":{"id":1}},"at":"1970-01-01T00:00:09Z"}"#, Err(DuplicateKey)),
            (r#"{"event":{"user":{"id":1}},"at":"1970-01-01T00:00:09Z","at":1}"#, Err(DuplicateKey)),
            (r#"{"event":{"user":{"id":1}}}"#, Err(NoTs)),
            (r#"{"event":{"user":{"id":1}},"at":9}"#, Err(BadTs)),
            (r#"{"event":{"user":{"id":1}},"at":"1970-01-01T00:00:09"}"#, Err(BadTs)),
        ],
    );
}

#[test]
fn both_types_of_ids() {
    use Malformed::*;
    let long = format!("-1{}", "0".repeat(65_534));
    let longer = format!("-1{}", "0".repeat(65_535));
    let (good, bad) = (format!(r#"{{"uid":{long},"ts":5}}"#), format!(r#"{{"uid":{longer},"ts":5}}"#));
    check(
        &format("/uid", UidType::Any, "/ts", TsFormat::S),
        &[
            (r#"{"uid":7,"ts":5}"#, Ok(("7", 5))),
            (r#"{"uid":"7","ts":5}"#, Ok(("\"7\"", 5))),
            (r#"{"uid":"\u0037","ts":5}"#, Ok(("\"7\"", 5))),
            (r#"{"uid": -0 ,"ts":5}"#, Ok(("0", 5))),
            (r#"{"uid":123456789012345678901234567890,"ts":5}"#, Ok(("123456789012345678901234567890", 5))),
            (&good, Ok((&long, 5))),
            (&bad, Err(BadUid)),
            (r#"{"uid":"","ts":5}"#, Err(BadUid)),
            (r#"{"uid":1e1,"ts":5}"#, Err(BadUid)),
            (r#"{"uid":true,"ts":5}"#, Err(BadUid)),
            (r#"{"uid":"\ud800","ts":5}"#, Err(BadUid)),
        ],
    );
}

#[test]
fn times_in_parts_of_a_second() {
    use Malformed::*;
    check(
        &format("uid", UidType::String, "/t", TsFormat::Ms),
        &[
            (r#"{"uid":"a","t":1772323200123}"#, Ok(("a", 1_772_323_200))),
            (r#"{"uid":"a","t":"0001999"}"#, Ok(("a", 1))),
            (r#"{"uid":"a","t":999}"#, Ok(("a", 0))),
            (r#"{"uid":"a","t":0}"#, Ok(("a", 0))),
            (r#"{"uid":"a","t":-0}"#, Ok(("a", 0))),
            (r#"{"uid":"a","t":253402300799999}"#, Ok(("a", 253_402_300_799))),
            (r#"{"uid":"a","t":253402300800000}"#, Err(BadTs)),
            (r#"{"uid":"a","t":-1}"#, Err(BadTs)),
            (r#"{"uid":"a","t":""}"#, Err(BadTs)),
            (r#"{"uid":"a","t":"1x9"}"#, Err(BadTs)),
            (r#"{"uid":"a","t":1.5e3}"#, Err(BadTs)),
        ],
    );
    check(
        &format("uid", UidType::String, "/t", TsFormat::Ns),
        &[
            (r#"{"uid":"a","t":253402300799999999999}"#, Ok(("a", 253_402_300_799))),
            (r#"{"uid":"a","t":253402300800000000000}"#, Err(BadTs)),
            (r#"{"uid":"a","t":1000000000}"#, Ok(("a", 1))),
            (r#"{"uid":"a","t":99999999999999999999999999999999999999999999}"#, Err(BadTs)),
        ],
    );
}

/// Names that pointers and objects share; as JSON text, without the quotes.
const NAMES: &[&str] = &[
    "a",
    "b",
    "ab",
    "é",
    "a/b",
    "q\\\"",
    "",
    "long name of a member, longer than a block of 64 bytes, that nobody likes",
];

/// A few names often, so that objects have what pointers name.
fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => prop::sample::select(&NAMES[..2]), 1 => prop::sample::select(NAMES)]
}

/// Some names are written with an escape, one with more than it has.
fn written() -> impl Strategy<Value = String> {
    let other = prop::sample::select(vec![
        "\\u0061",
        "\\u00e9",
        "\\u00E9",
        "a\\/b",
        "a\\u002fb",
        "q\\u0022",
        "\\ud800",
        "q\\\\\\\"",
        "c",
        "abc",
        "\\\"a",
    ]);
    prop_oneof![4 => name().prop_map(String::from), 1 => other.prop_map(String::from)]
}

fn object() -> impl Strategy<Value = String> {
    let space =
        prop_oneof![9 => Just(String::new()), 1 => Just(" ".into()), 1 => (0usize..70).prop_map(|n| "\n".repeat(n))];
    let times = vec![
        "5",
        "\"5\"",
        "1772323200123",
        "\"2026-03-01T00:00:00Z\"",
        "-0",
        "7.5",
        "\"x\"",
        "\"\"",
        "null",
        "[]",
        "{}",
    ];
    let pad = (0usize..3_000).prop_map(|len| format!("\"{}\"", "p".repeat(len)));
    let commas = (1usize..200).prop_map(|len| format!("[{}0]", "1,".repeat(len)));
    let leaf = prop_oneof![20 => prop::sample::select(times).prop_map(String::from), 1 => pad, 1 => commas];
    let members = move |value: BoxedStrategy<String>| {
        prop::collection::vec((written(), space.clone(), value), 0..6).prop_map(|members| {
            let members: Vec<_> =
                members.iter().map(|(name, space, value)| format!("{space}\"{name}\"{space}:{space}{value}")).collect();
            format!("{{{}}}", members.join(","))
        })
    };
    let value = leaf.prop_recursive(5, 80, 6, {
        let members = members.clone();
        move |value| {
            prop_oneof![
                1 => prop::collection::vec(value.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(", "))),
                4 => members(value.boxed()),
            ]
        }
    });
    members(value.boxed())
}

fn pointer() -> impl Strategy<Value = String> {
    let token = name().prop_map(|name| name.replace("\\\"", "\"").replace('~', "~0").replace('/', "~1"));
    prop::collection::vec(token, 1..6).prop_map(|tokens| tokens.iter().map(|token| format!("/{token}")).collect())
}

fn any_format() -> impl Strategy<Value = FrameFormat> {
    let types = prop::sample::select(vec![UidType::String, UidType::Integer, UidType::Any]);
    let formats = vec![TsFormat::S, TsFormat::Ms, TsFormat::Us, TsFormat::Ns, TsFormat::Rfc3339];
    (pointer(), types, pointer(), prop::sample::select(formats))
        .prop_map(|(uid, uid_type, ts, ts_format)| format(&uid, uid_type, &ts, ts_format))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn agree_on_members_anywhere(format in any_format(), value in object()) {
        prop_assert!(Parsers::new(&format).root(value.as_bytes()).is_ok());
    }

    /// An object on the way to the member makes it likely that there is one.
    #[test]
    fn agree_on_members_of_members(format in any_format(), values in prop::collection::vec(object(), 1..4)) {
        let mut parsers = Parsers::new(&format);
        for at in [&format.uid, &format.ts] {
            let (last, way) = at.names().split_last().unwrap();
            let quoted = |name: &String| serde_json::to_string(name).unwrap();
            let ways: String = way.iter().map(|name| format!("{{{}:", quoted(name))).collect();
            let inner: Vec<_> = values.iter().map(|value| format!("\"in\":{value}")).collect();
            let value = format!("{ways}{{{},{}:5}}{}", inner.join(","), quoted(last), "}".repeat(way.len()));
            let root = parsers.root(value.as_bytes());
            prop_assert!(root.is_ok());
            let alone = format!("{ways}{{{}:\"5\"}}{}", quoted(last), "}".repeat(way.len()));
            let root = parsers.root(alone.as_bytes()).unwrap();
            prop_assert!(root.uid != Member::Missing || root.ts != Member::Missing);
        }
    }

    #[test]
    fn agree_on_times(
        time in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,12})?(Z|z|[+-][0-2][0-9]:[0-6][0-9])?",
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b" 0129-:.TZz+".to_vec())), 0..2),
    ) {
        let mut time = time.into_bytes();
        for (at, byte) in damage {
            let at = at.index(time.len());
            time[at] = byte;
        }
        let value = [br#"{"uid":"a","ts":""#, &time[..], br#""}"#].concat();
        let format = format("uid", UidType::String, "ts", TsFormat::Rfc3339);
        _ = Parsers::new(&format).root(&value);
    }
}
