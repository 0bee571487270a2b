//! Kills while users are counted by sketches: the estimates are those of a count that nothing interrupted. On real Kafka.

use crate::crash::case::{Case, Random};
use crate::support::broker::rows;
use crate::support::frames::frames;
use crate::support::wire::{Window, settle};
use std::time::Duration;

const OPTIONS: &str = "--commit-interval 0ms --distinct hll:12";

#[test]
#[ignore = "needs Kafka"]
fn kills_change_no_sketch() {
    let mut random = Random::new("kills_change_no_sketch");
    let case = Case::new("kills-sketches", frames(60_000));
    case.produce();
    let batch = case.kuu.run(&format!("batch {} --distinct hll:12", case.file)).exits(0);
    let plain = batch.out.replace(", \"distinct\": \"hll\"", "");
    let expected: Vec<Window> = plain.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (mut runs, mut hit, mut most) = (0, 0, Duration::from_millis(700));
    while hit < 8 {
        assert!(runs < 60, "of {runs} runs {hit} were killed");
        let before = case.position();
        let running = case.kuu.spawn(&case.count(OPTIONS));
        random.nap(most);
        hit += usize::from(running.kill());
        runs += 1;
        if case.position() == before {
            most += Duration::from_millis(50);
        }
        if case.position() as usize == case.all.len() {
            break;
        }
    }
    assert!(hit > 0, "{runs} runs, and none was killed");
    case.kuu.run(&case.count(OPTIONS)).exits(0);
    assert_eq!(settle(&rows(&case.topics.address, &case.topics.output)), expected);
}
