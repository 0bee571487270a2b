//! Topics that are deleted while produce fills them. On real Kafka, which creates the missing topic again.

use crate::support::broker::{partitions, read};
use crate::support::frames::{frames, lines};
use crate::support::kuu::{Kuu, eventually};
use crate::support::topics::Topics;

#[test]
#[ignore = "needs Kafka"]
fn a_topic_that_is_deleted_while_it_is_filled() {
    let topics = Topics::new("refilled");
    let (address, name) = (&topics.address, &topics.messages);
    let kuu = Kuu::with(address);
    let all = frames(2_000);
    let file = kuu.file("all.jsonl", lines(&all));
    let mut running = kuu.spawn(&format!("produce - --topic {name}"));
    running.write(&lines(&all[..1_000]));
    eventually("the first frames", || {
        (partitions(address, name) == 4 && read(address, name).len() == 1_000).then_some(())
    });
    topics.delete(name);
    running.write(&lines(&all[1_000..]));
    let words = format!("topic {name} was deleted while it was filled");
    running.close().wait().exits(2).complains(&words).complains("--recreate");
    kuu.run(&format!("verify --topic {name}")).exits(2).complains(&words);
    kuu.run(&format!("produce {file} --topic {name} --append")).exits(2).complains(&words);
    kuu.run(&format!("produce {file} --topic {name} --recreate")).exits(0);
    assert_eq!(read(address, name).len(), 2_000);
}
