//! Every parser must give the same answer as the plain one: `cargo +nightly fuzz run parser`.
#![no_main]

use kuu_frame::{fast, plain};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    let mut plain = plain::PlainParser::new();
    let expected = plain.root(value);
    // A parser reuses its scratch memory, so it reads the value twice.
    for mut parser in fast::FastParser::all() {
        let engine = parser.engine();
        assert_eq!(parser.root(value), expected, "{engine}");
        assert_eq!(parser.root(value), expected, "{engine}, second time");
    }
});
