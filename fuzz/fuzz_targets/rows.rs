//! The reader of result rows, which other programs write: `cargo +nightly fuzz run rows`.
#![no_main]

use kuu_core::result::{RowFormat, parse_key};
use kuu_core::verdict::{Fold, Message, Repeats};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut fold = Fold::new(Repeats::Forbidden, None);
    for (offset, part) in data.split(|byte| *byte == b'\n').enumerate() {
        let message = Message { partition: 0, offset: offset as i64, key: part, value: None };
        let format = RowFormat::default();
        // Other options may help or not: they are no reason to panic.
        drop(format.guess(part));
        if let Ok(row) = format.parse(part) {
            // Every window has its key, and the key leads back to it.
            assert_eq!(parse_key(row.window.key().as_bytes()), Ok(row.window));
            assert!(row.window.start < row.window.end);
            fold.take(&Message { key: b"", value: Some(part), ..message });
        }
        if let Ok(window) = parse_key(part) {
            assert_eq!(window.unit.window(window.start), window);
            fold.take(&message);
        }
    }
    let comparison = fold.compare([]);
    let extra = comparison.lines.iter().filter(|line| line.answer.is_some()).count();
    assert_eq!(comparison.faults().len(), extra, "without a truth, every window is extra");
});
