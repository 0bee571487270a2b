//! Whether the latency of the live phase is what it says: a proxy before the broker plants delays of a known size. The bounds
//! are those that the plant implies, and say nothing of the speed of a machine: a delay of every answer is in the least value
//! of a leg, and a leg without it has at least one smaller value.

use crate::support::broker::{Mock, ends};
use crate::support::frames::{MINUTE, lines};
use crate::support::kuu::{Kuu, PATIENCE, each, eventually};
use crate::support::own_broker::OwnBroker;
use crate::support::proxy::{ADD_OFFSETS, FETCH, PRODUCE, Plant, Proxy, asks, holds};
use crate::support::topics::Topics;
use kuu::bench::live::{self, LiveFigures, LivePlan};
use kuu::bench::load::Load;
use kuu::engine::stop::Stop;
use kuu::kafka::admin::Cluster;
use kuu::kafka::client::settings::Settings;
use kuu_core::configuration::Guarantee;
use kuu_core::counter::Config;
use kuu_core::latency::Leg;
use kuu_core::window::Unit;
use kuu_frame::ParserOptions;
use std::thread;
use std::time::Duration;

const FRAMES: &str = "the-frames";
const RESULTS: &str = "the-results";
const GROUP: &str = "the-group";
const BARE: &str = "the-bare-transactions";
const STALL: Duration = Duration::from_secs(2);
/// What every frame or result of the first tenth of a second of the stall waits for at least, in microseconds.
const STALLED_US: u64 = 1_900_000;
const PLANTED: Duration = Duration::from_millis(50);
const PLANTED_US: u64 = 50_000;

/// A frame for each second of event time, so that there are as many results as frames.
#[derive(Clone, Copy)]
struct Frames {
    count: i64,
    /// Frames per second.
    rate: f64,
    /// So many come in reverse: the first of them closes all windows of those before, and as many results are on their way at
    /// a time.
    reversed: i64,
}

/// Enough for a percentile of 99.9.
const MANY: Frames = Frames { count: 11_000, rate: 1_000.0, reversed: 20 };
/// So slow that a delay delays nothing else: the embedded broker answers a request with one batch.
const SLOW: Frames = Frames { count: 60, rate: 10.0, reversed: 1 };

impl Frames {
    fn lines(self) -> Vec<u8> {
        let Frames { count, reversed, .. } = self;
        let second = |n: i64| n - n % reversed + reversed - 1 - n % reversed;
        let frame = |n: i64| format!(r#"{{"uid":"user-{}","ts":{}}}"#, n % 7, MINUTE + second(n)).into_bytes();
        lines(&(0..count).map(frame).collect::<Vec<_>>())
    }
}

/// An embedded broker behind a proxy.
struct Lab {
    mock: Mock,
    proxy: Proxy,
}

impl Lab {
    fn new(plant: Option<Plant>) -> Lab {
        let mock = Mock::empty();
        [FRAMES, RESULTS, BARE].iter().for_each(|topic| mock.topic(topic, 1));
        mock.group(GROUP);
        let proxy = Proxy::before(&mock.address, plant);
        Lab { mock, proxy }
    }

    /// Measures while nothing passes for two seconds, from the moment at which results are on their way.
    fn measure_with_stall(&self, frames: Frames, properties: &[(&str, &str)]) -> LiveFigures {
        let address = self.proxy.address.as_str();
        let figures = thread::scope(|scope| {
            let measured = scope.spawn(|| measure(address, frames, properties));
            eventually("some frames", || (ends(&self.mock.address, FRAMES)[0] > frames.count / 4).then_some(()));
            self.proxy.stand_still(STALL, |request| asks(request, PRODUCE, RESULTS.as_bytes()));
            measured.join().unwrap()
        });
        assert_eq!(self.proxy.stood_still(), 1);
        figures
    }
}

/// The live phase of `kuu bench`, with the broker at this address.
fn measure(brokers: &str, frames: Frames, properties: &[(&str, &str)]) -> LiveFigures {
    let kuu = Kuu::new();
    let file = kuu.path(&kuu.file("f.jsonl", frames.lines())).to_str().unwrap().to_owned();
    let (stop, parser) = (Stop::default(), ParserOptions::default());
    let load = Load::read(&[file], &parser, &stop).unwrap();
    // Without compression, the proxy sees what a message holds.
    let properties = [&[("compression.type", "none")], properties].concat();
    let settings = Settings {
        brokers: brokers.to_owned(),
        brokers_from: String::new(),
        properties: properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        timeout: PATIENCE,
        stop: stop.clone(),
    };
    let plan = LivePlan {
        rate: frames.rate,
        frames: frames.count as u64,
        harmless_lag: Duration::from_millis(500),
        parser,
        counting: Config { units: vec![Unit::Second], lateness: frames.reversed, ..Config::default() },
        threads: 1,
        compression: "none",
        messages: FRAMES.into(),
        output: RESULTS.into(),
        group: GROUP.into(),
        bare: BARE.into(),
        guarantee: Guarantee::ExactlyOnce,
    };
    let figures = live::measure(&plan, &load, &Cluster::connect(&settings).unwrap(), &stop, |_| {}).unwrap();
    assert_eq!((figures.ledger.counted, figures.results), (frames.count as u64, frames.count as u64));
    figures
}

fn max_us(figures: &LiveFigures, leg: Leg) -> u64 {
    figures.legs.get(leg).summary().unwrap().max_us
}

/// Coordinated omission would hide the stall: a closed loop sends no frame during it, and has one slow answer.
#[test]
fn a_path_that_stands_still_is_in_the_percentiles_of_every_leg_that_it_crosses() {
    let figures = Lab::new(None).measure_with_stall(MANY, &[]);
    for leg in [Leg::Ack, Leg::Result, Leg::EndToEnd] {
        let summary = figures.legs.get(leg).summary().unwrap();
        let p99_9_us = summary.p99_9_us.unwrap_or_else(|| panic!("{leg}: {summary:?}"));
        assert!(summary.max_us >= STALLED_US && p99_9_us >= STALLED_US, "{leg}: {summary:?}");
    }
    // A thousand frames were due in its first second, and so were the frames that close a thousand windows: they waited for
    // more than the second one, whether or not earlier ones were answered. A tenth of them is left to chance.
    for leg in [Leg::Ack, Leg::EndToEnd] {
        let histogram = figures.legs.get(leg);
        let waited = histogram.at_quantile(1.0 - 900.0 / histogram.count() as f64);
        assert!(waited >= 1_000_000, "{leg}: {waited} us, {:?}", histogram.summary());
    }
}

/// A generator whose queue is full waits; the time is not lost, but in the lateness of the frames.
#[test]
fn a_generator_that_has_to_wait_says_so() {
    let figures =
        Lab::new(None).measure_with_stall(Frames { count: 6_000, ..MANY }, &[("queue.buffering.max.messages", "100")]);
    // The queue takes the frames of a tenth of a second.
    assert!(max_us(&figures, Leg::Schedule) >= STALLED_US - 200_000, "{:?}", figures.legs.get(Leg::Schedule).summary());
    assert!(max_us(&figures, Leg::EndToEnd) >= STALLED_US, "{:?}", figures.legs.get(Leg::EndToEnd).summary());
}

#[test]
fn a_delay_in_one_leg_is_in_that_leg_only() {
    let plant = |of| Some(Plant { delay: PLANTED, of });
    let cases: [(Option<Plant>, &[Leg]); 5] = [
        (None, &[]),
        (plant(|of| of.is(PRODUCE) && holds(&of.request, FRAMES.as_bytes())), &[Leg::Ack]),
        (plant(|of| of.is(FETCH) && holds(&of.answer, br#""uid""#)), &[Leg::Transit, Leg::EndToEnd]),
        (plant(|of| of.is(ADD_OFFSETS) && holds(&of.request, BARE.as_bytes())), &[Leg::Transaction]),
        (plant(|of| of.is(FETCH) && holds(&of.answer, br#""users""#)), &[Leg::Result, Leg::EndToEnd]),
    ];
    each(&cases, |(plant, expected)| {
        let figures = measure(&Lab::new(*plant).proxy.address, SLOW, &[]);
        let least = |leg: &&Leg| figures.legs.get(**leg).summary().unwrap_or_else(|| panic!("{leg}")).min_us;
        let delayed: Vec<&Leg> = Leg::ALL.iter().filter(|leg| least(leg) >= PLANTED_US).collect();
        assert_eq!(delayed, expected.iter().collect::<Vec<_>>());
    });
}

/// The same as above, with a whole bench on a Kafka that is suspended.
#[test]
#[ignore = "needs Kafka"]
fn a_kafka_that_is_suspended_is_in_the_record_of_a_bench() {
    let broker = OwnBroker::start();
    let topics = Topics::at(&broker.address(), "suspended");
    let kuu = Kuu::bare();
    kuu.file("f.jsonl", MANY.lines());
    let running = kuu.spawn(&format!(
        "bench f.jsonl --rounds 1 --rate {} --lateness {}s --threads 1 --partitions 1 -X linger.ms=30 --brokers {}",
        MANY.rate,
        MANY.reversed,
        broker.address()
    ));
    let live = eventually("the live phase", || topics.all().into_iter().find(|name| name.ends_with("-live")));
    let sent = || ends(&broker.address(), &live).iter().sum::<i64>();
    eventually("some frames", || (sent() > 4_000).then_some(()));
    broker.signal("STOP");
    thread::sleep(STALL);
    broker.signal("CONT");
    running.close().wait().exits(0).says(", sustained");
    let record = kuu.record("bench");
    for leg in ["ack", "result", "end_to_end"] {
        let of = &record.latency[leg]["percentiles"];
        for figure in ["max_us", "p99_9_us"] {
            assert!(of[figure].as_u64().is_some_and(|us| us >= STALLED_US), "{leg}: {of}");
        }
    }
}
