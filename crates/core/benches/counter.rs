//! Parsed frames → windows of users: `cargo bench -p kuu-core`.

use divan::{Bencher, counter::ItemsCount};
use flate2::read::MultiGzDecoder;
use kuu_core::counter::{Config, Counter};
use kuu_core::window::Unit;
use kuu_frame::{Frame, fast};
use std::fs::File;
use std::io::{BufRead, BufReader};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/stream.jsonl.gz");

fn main() {
    divan::main();
}

fn fixture() -> impl Iterator<Item = Vec<u8>> {
    let file = File::open(FIXTURE).expect("the fixture is part of the repository");
    BufReader::new(MultiGzDecoder::new(file)).split(b'\n').map(|line| line.expect("the fixture is readable"))
}

/// Feeds four partitions in turn, as a topic does; all windows are emitted at the end.
fn observe(bencher: Bencher, units: &[Unit]) {
    const PARTITIONS: usize = 4;
    let mut parser = fast::FastParser::default();
    let frames: Vec<(String, i64)> = fixture()
        .map(|line| {
            let frame = parser.root(&line).and_then(kuu_frame::Root::frame).expect("a frame");
            (frame.uid.to_owned(), frame.ts)
        })
        .collect();
    let config = Config { units: units.to_vec(), ..Config::default() };
    bencher.counter(ItemsCount::new(frames.len())).bench_local(|| {
        let mut counter = Counter::new(config.clone(), PARTITIONS);
        for (index, (uid, ts)) in frames.iter().enumerate() {
            counter.observe(index % PARTITIONS, Ok(Frame { uid, ts: *ts }));
        }
        counter.finish();
        counter.drain().count()
    });
}

#[divan::bench]
fn minutes(bencher: Bencher) {
    observe(bencher, &[Unit::Minute]);
}

#[divan::bench]
fn every_unit(bencher: Bencher) {
    observe(bencher, Unit::NAMED);
}
