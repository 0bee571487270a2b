//! The reader of result rows, which other programs write: `cargo +nightly fuzz run rows`.
#![no_main]

use kuu_fuzz::core::verdict::{Fold, Row, parse_key};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut fold = Fold::default();
    for part in data.split(|byte| *byte == b'\n') {
        if let Ok(row) = Row::parse(part) {
            // Every window has its key, and the key leads back to it.
            assert_eq!(parse_key(row.window.key().as_bytes()), Ok(row.window));
            assert!(row.window.start < row.window.end);
            fold.add(row);
        }
        if let Ok(window) = parse_key(part) {
            assert_eq!(window.unit.window(window.start), window);
            fold.remove(window);
        }
    }
    let comparison = fold.compare([]);
    let extra = comparison.lines.len();
    assert_eq!(comparison.faults().len(), extra, "without a truth, every window is extra");
});
