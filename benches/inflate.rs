//! The gzipped fixture as lines: the cost of reading them, and of the library alone.

use divan::{Bencher, counter::BytesCount};
use flate2::read::MultiGzDecoder;
use kuu::input::{Block, Input};
use std::io::Read;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stream.jsonl.gz");

fn main() {
    divan::main();
}

fn gzip() -> Vec<u8> {
    std::fs::read(FIXTURE).expect("the fixture is part of the repository")
}

fn inflated(gzip: &[u8]) -> usize {
    let mut buf = vec![0; 1 << 20];
    let mut gunzip = MultiGzDecoder::new(gzip);
    std::iter::from_fn(|| gunzip.read(&mut buf).ok().filter(|len| *len > 0)).sum()
}

#[divan::bench(sample_count = 10)]
fn library_alone(bencher: Bencher) {
    let gzip = gzip();
    bencher.counter(BytesCount::new(inflated(&gzip))).bench_local(|| inflated(&gzip));
}

#[divan::bench(sample_count = 10)]
fn lines(bencher: Bencher) {
    let gzip = gzip();
    bencher.counter(BytesCount::new(inflated(&gzip))).bench_local(|| {
        let mut input = Input::open(FIXTURE).expect("the fixture is part of the repository");
        let mut block = Block::default();
        let mut lines = 0;
        while input.read_block(&mut block).expect("the fixture is readable") {
            lines += block.lines().count();
        }
        lines
    });
}
