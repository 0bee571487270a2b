//! Every parser must give the same answer as the plain one: `cargo +nightly fuzz run parser`.
#![no_main]

use kuu_frame::{FrameFormat, TsFormat, UidType, fast, plain};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Members in each place where the fast parser looks for them in another way.
static FORMATS: LazyLock<Vec<FrameFormat>> = LazyLock::new(|| {
    [
        ("uid", UidType::String, "ts", TsFormat::S),
        ("uid", UidType::Any, "ts", TsFormat::Ms),
        ("/a", UidType::Integer, "/ts", TsFormat::Rfc3339),
        ("/a/uid", UidType::Any, "/a/b", TsFormat::Ns),
        ("/a/b/c", UidType::String, "/ts", TsFormat::Us),
        ("/a/a/a/a/a", UidType::String, "/x~1y", TsFormat::S),
    ]
    .map(|(uid, uid_type, ts, ts_format)| FrameFormat {
        uid: uid.parse().expect("a pointer"),
        uid_type,
        ts: ts.parse().expect("a pointer"),
        ts_format,
    })
    .into()
});

fuzz_target!(|value: &[u8]| {
    for format in &*FORMATS {
        let mut plain = plain::PlainParser::new(format.clone());
        let expected = plain.root(value);
        // Scratch memory is kept from value to value, so each parser reads the value twice.
        for mut parser in fast::FastParser::all(format) {
            let engine = parser.engine();
            assert_eq!(parser.root(value), expected, "{engine}");
            assert_eq!(parser.root(value), expected, "{engine}, second time");
        }
    }
});
