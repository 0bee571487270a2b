//! Parsed frames → windows of users.

use super::fixture;
use divan::{Bencher, counter::ItemsCount};
use kuu::core::frame::{Frame, fast};
use kuu::core::stream::{Config, Counter};
use kuu::core::window::Unit;

/// Four partitions in turn, as from a topic; with all windows emitted at the end.
fn observe(bencher: Bencher, units: &[Unit]) {
    const PARTITIONS: usize = 4;
    let mut parser = fast::Parser::new();
    let frames: Vec<(String, i64)> = fixture()
        .map(|line| {
            let frame = parser.root(&line).and_then(|root| root.frame()).expect("a frame");
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
    observe(bencher, &Unit::ALL);
}
