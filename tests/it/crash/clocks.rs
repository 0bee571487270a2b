//! Clocks that disagree, while a count follows and is killed: no result is delayed, repeated or lost, and no frame
//! holds the position back. On real Kafka.

use crate::crash::case::{Case, Random};
use crate::support::broker::read;
use crate::support::frames::{MINUTE, frame, parse, windows};
use crate::support::kuu::eventually;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const KILLS: usize = 8;
const STEPS: i64 = 900;
const SOON: Duration = Duration::from_secs(60);

/// The frames of partitions 0 and 1 in a second of event time: one has a good clock, but now and then a frame years
/// ahead; the other has a frame from each of two clocks in turn.
fn step(second: i64) -> [Vec<Vec<u8>>; 2] {
    let user = |clock: &str| format!("{clock}-{}", second % 31);
    let mut good: Vec<_> = (0..8).map(|i| frame(&format!("{}-{i}", user("good")), MINUTE + second)).collect();
    if second % 20 == 5 {
        good.push(frame(&user("wild"), MINUTE + 300_000_000 + second * 5_000));
    }
    [good, vec![frame(&user("two"), MINUTE + second + second % 2 * 7_200)]]
}

fn send(case: &Case, producer: &BaseProducer, second: i64) {
    for (partition, frames) in step(second).into_iter().enumerate() {
        for frame in frames {
            let record = BaseRecord::<str, _>::to(&case.topics.messages).partition(partition as i32).payload(&frame);
            assert!(producer.send(record).is_ok());
        }
    }
    producer.poll(Duration::ZERO);
}

fn values(case: &Case, topic: &str) -> Vec<Vec<u8>> {
    read(&case.topics.address, topic).into_iter().map(|message| message.value.unwrap()).collect()
}

/// The `held.from` and `positions` of the state.
fn held(case: &Case) -> Option<(Vec<i64>, Vec<i64>)> {
    let last = read(&case.topics.address, &case.topics.state())
        .into_iter()
        .rfind(|it| it.key.as_deref() == Some(b"source"))?;
    let source: serde_json::Value = serde_json::from_slice(&last.value?).unwrap();
    let numbers = |value: &serde_json::Value| serde_json::from_value(value.clone()).unwrap();
    Some((numbers(&source["held"]["from"]), numbers(&source["positions"])))
}

#[test]
#[ignore = "needs Kafka"]
fn kills_under_clocks_that_disagree() {
    let mut random = Random::new("kills_under_clocks_that_disagree");
    let all: Vec<Vec<u8>> = (0..STEPS).flat_map(|second| step(second).concat()).collect();
    let case = Case::new("clocks", all);
    let (ordered, dead) = (format!("{}-ordered", case.topics.messages), format!("{}-dead", case.topics.messages));
    let order = format!("--ordered-output {ordered} --dead-letter {dead}");
    let options = format!("--follow --idle 300ms --commit-interval 20ms {order}");
    case.topics.make(&case.topics.messages, 2, &[]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let address = &case.topics.address;
            let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
            for second in 0..STEPS {
                send(&case, &producer, second);
                if !done.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(25));
                }
            }
            producer.flush(SOON).unwrap();
        });
        for _ in 0..KILLS {
            let running = case.kuu.spawn(&case.count(&options));
            random.nap(Duration::from_millis(1_500));
            assert!(running.kill());
            case.settled();
        }
        // Two clocks delay no result: windows close while frames arrive.
        let running = case.kuu.spawn(&case.count(&options));
        let before = case.settled().len();
        eventually("another window", || (case.settled().len() > before).then_some(()));
        done.store(true, Ordering::Relaxed);
        let frames = case.all.len() as i64;
        eventually("the position", || (case.position() == frames).then_some(()));
        running.signal("INT");
        running.wait_for(SOON).exits(130).says("partition 1: its frames do not agree on the time");
    });
    // Of 8,100 offsets no more than the last few wait: frames years ahead do not hold the position back.
    let (from, positions) = held(&case).unwrap();
    assert!(positions[0] - from[0] < 200, "{from:?} of {positions:?} are held");
    // The next run releases the frames that waited at the stop.
    case.settles(&order, &windows(&case.all));
    let sorted = values(&case, &ordered);
    assert!(parse(&sorted).is_sorted_by_key(|frame| frame.ts), "the ordered output is not in order");
    assert!(parse(&sorted).iter().all(|frame| frame.ts < MINUTE + 300_000_000), "a wild frame took a place in it");
    let mut seen = [sorted, values(&case, &dead)].concat();
    let mut wanted = case.all.clone();
    seen.sort();
    wanted.sort();
    assert!(seen == wanted, "{} frames came out of {}", seen.len(), wanted.len());
    assert_eq!(case.kuu.record("count").ledger().out_of_order as usize, values(&case, &dead).len());
    case.topics.delete(&ordered);
    case.topics.delete(&dead);
}
