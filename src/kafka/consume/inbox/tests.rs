use super::*;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

const TOPIC: &str = "frames";

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

fn inbox(brokers: &str) -> Inbox {
    let mut config = config(brokers);
    config.set("group.id", "test").set("enable.partition.eof", "true");
    Inbox::new(config.create_with_context(Context::default()).unwrap())
}

fn send(producer: &BaseProducer, partition: i32, values: &[String]) {
    for value in values {
        let header = Header { key: "length", value: Some(&[value.len() as u8]) };
        let headers = OwnedHeaders::new().insert(header).insert(Header { key: "none", value: None::<&[u8]> });
        let record = BaseRecord::to(TOPIC).partition(partition).key("k").payload(value).headers(headers);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(60)).unwrap();
}

/// The messages of both partitions until these ends come.
fn read(inbox: &Inbox, ends: [Option<i64>; 2]) -> [Vec<(i64, String)>; 2] {
    let (mut messages, mut came) = ([Vec::new(), Vec::new()], [None; 2]);
    for _ in 0..600 {
        match inbox.poll(Duration::from_millis(100)) {
            Some(Incoming::Message(message)) => {
                let value = String::from_utf8(message.value().unwrap().to_vec()).unwrap();
                let headers: Vec<_> = message.headers().collect();
                assert_eq!(headers, [(&b"length"[..], Some(&[value.len() as u8][..])), (&b"none"[..], None)]);
                assert_eq!((message.key(), message.taken_us > 0), (&b"k"[..], true));
                messages[message.partition()].push((message.offset(), value));
            }
            Some(Incoming::End { partition, offset }) => came[partition] = Some(offset),
            Some(Incoming::Error(error)) => panic!("{error}"),
            None => {}
        }
        if came == ends {
            return messages;
        }
    }
    panic!("{came:?} came, not {ends:?}");
}

#[test]
fn all_messages_come_in_order_and_positions_do_not_pass_an_end() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 2, 1).unwrap();
    let brokers = cluster.bootstrap_servers();
    let producer: BaseProducer = config(&brokers).create().unwrap();
    // Several batches.
    let values: Vec<String> = (0..3 * BATCH).map(|value| value.to_string()).collect();
    send(&producer, 0, &values);
    send(&producer, 1, &values[..3]);
    let inbox = inbox(&brokers);
    inbox.assign(TOPIC, [(0, 0), (1, 1)].into_iter()).unwrap();
    let all = 3 * BATCH as i64;
    let [first, second] = read(&inbox, [Some(all), Some(3)]);
    assert_eq!(first, (0..all).map(|offset| (offset, offset.to_string())).collect::<Vec<_>>());
    assert_eq!(second, [(1, "1".to_owned()), (2, "2".to_owned())]);
    let position = inbox.positions(TOPIC).unwrap();
    assert_eq!([0, 1, 2].map(position), [all, 3, -1]);
    send(&producer, 1, &values[9..10]);
    assert_eq!(read(&inbox, [None, Some(4)])[1], [(3, "9".to_owned())]);
    assert_eq!([0, 1].map(inbox.positions(TOPIC).unwrap()), [all, 4]);
    // What was taken and not polled is freed with the inbox.
    send(&producer, 0, &values);
    while inbox.poll(Duration::from_millis(100)).is_none() {}
}
