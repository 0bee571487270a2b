//! Micro-benchmarks over the frames of the fixture: `cargo bench`, or one of them: `cargo bench parser`.
//!
//! Only ratios within one run mean something.

mod counter;
mod inflate;
mod parser;

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::LazyLock;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stream.jsonl.gz");

/// Frames that each figure of the parsers is for, of about 2 KB each.
const FRAMES: usize = 5_000;

/// The lines of the fixture.
fn fixture() -> impl Iterator<Item = Vec<u8>> {
    let file = File::open(FIXTURE).expect("the fixture is part of the repository");
    BufReader::new(MultiGzDecoder::new(file)).split(b'\n').map(|line| line.expect("the fixture is readable"))
}

/// So many that no branch predictor learns them by heart, and more than the second-level cache holds.
static LINES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| fixture().take(FRAMES).collect());

/// Their bytes.
fn bytes() -> usize {
    LINES.iter().map(Vec::len).sum()
}

fn main() {
    divan::main();
}
