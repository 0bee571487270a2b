//! Keys and partitions: a user gets the same partition as with the Java client.

use crate::support::broker::{Mock, read};
use crate::support::frames::{FIXTURE, fixture_lines, frames, lines, parse};
use crate::support::kuu::Kuu;
use std::collections::BTreeMap;

/// `org.apache.kafka.common.utils.Utils.murmur2`.
fn murmur2(data: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut h = 0x9747_b28c_u32 ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        h = h.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    for (i, byte) in rest.iter().enumerate() {
        h ^= u32::from(*byte) << (8 * i);
    }
    if !rest.is_empty() {
        h = h.wrapping_mul(M);
    }
    h ^= h >> 13;
    h = h.wrapping_mul(M);
    (h ^ (h >> 15)) as i32
}

fn partition(key: &[u8], partitions: i32) -> i32 {
    (murmur2(key) & 0x7fff_ffff) % partitions
}

/// The test vectors of Kafka's own `UtilsTest`.
const VECTORS: [(&str, i32); 6] = [
    ("21", -973_932_308),
    ("foobar", -790_332_482),
    ("a-little-bit-long-string", -985_981_536),
    ("a-little-bit-longer-string", -1_486_304_829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
    ("abc", 479_470_107),
];

#[test]
fn murmur2_is_javas() {
    for (key, hash) in VECTORS {
        assert_eq!(murmur2(key.as_bytes()), hash, "{key}");
    }
}

#[test]
fn javas_own_keys_go_where_java_puts_them() {
    for partitions in [2, 5, 12] {
        let mock = Mock::new(partitions);
        let kuu = Kuu::with(&mock.address);
        let frames =
            VECTORS.map(|(key, _)| crate::support::frames::frame(key, crate::support::frames::MINUTE)).to_vec();
        let file = kuu.file("keys.jsonl", lines(&frames));
        kuu.run(&format!("produce {file}")).exits(0);
        let found: BTreeMap<Vec<u8>, i32> = read(&mock.address, "messages")
            .into_iter()
            .map(|message| (message.key.unwrap(), message.partition))
            .collect();
        let expected = VECTORS.map(|(key, hash)| (key.as_bytes().to_vec(), (hash & 0x7fff_ffff) % partitions));
        assert_eq!(found, expected.into_iter().collect());
    }
}

#[test]
fn every_user_stays_in_one_partition() {
    let mock = Mock::new(5);
    let kuu = Kuu::with(&mock.address);
    kuu.run(&format!("produce {FIXTURE} --limit 3000")).exits(0);
    let lines = fixture_lines(3_000);
    let messages = read(&mock.address, "messages");
    assert_eq!(messages.len(), lines.len());
    for number in 0..5 {
        let there: Vec<_> = messages.iter().filter(|message| message.partition == number).collect();
        let keyed = lines.iter().zip(parse(lines)).filter(|(_, frame)| partition(frame.uid.as_bytes(), 5) == number);
        let expected: Vec<_> = keyed.collect();
        assert_eq!(there.len(), expected.len());
        for (message, (line, frame)) in there.iter().zip(expected) {
            assert_eq!(message.value.as_ref(), Some(line));
            assert_eq!(message.key.as_deref(), Some(frame.uid.as_bytes()));
        }
    }
}

#[test]
fn the_key_is_the_unescaped_uid_or_none() {
    let cases: [(&[u8], Option<&str>); 13] = [
        (br#"{"uid":"\u0061b\"\u20ac","ts":1468244341}"#, Some("ab\"\u{20ac}")),
        (br#"{"\u0075id":"ab","ts":1468244341}"#, Some("ab")),
        (br#"{"x":{"uid":"inner"},"uid":"outer","ts":1}"#, Some("outer")),
        // Only the uid matters for the key.
        (br#"{"uid":"timeless"}"#, Some("timeless")),
        (br#"{"uid":"bad time","ts":"x"}"#, Some("bad time")),
        (br#"{"ts":1468244341}"#, None),
        (br#"{"uid":"","ts":1468244341}"#, None),
        (br#"{"uid":12,"ts":1468244341}"#, None),
        (br#"{"uid":"\ud800","ts":1468244341}"#, None),
        (br#"{"uid":"cut off","ts":14682443"#, None),
        (b"{\"uid\":\"\xff\",\"ts\":1468244341}", None),
        (b"no json", None),
        (b"[]", None),
    ];
    for parser in ["fast", "plain"] {
        let mock = Mock::new(4);
        let kuu = Kuu::with(&mock.address);
        let frames: Vec<_> = cases.iter().map(|(value, _)| value.to_vec()).collect();
        let file = kuu.file("cases.jsonl", lines(&frames));
        kuu.run(&format!("produce {file} --parser {parser}")).exits(0);
        let messages = read(&mock.address, "messages");
        for (value, key) in cases {
            let found: Vec<_> = messages.iter().filter(|message| message.value.as_deref() == Some(value)).collect();
            assert_eq!(found.len(), 1, "{}", String::from_utf8_lossy(value));
            assert_eq!(found[0].key.as_deref(), key.map(str::as_bytes), "{}", String::from_utf8_lossy(value));
            if let Some(key) = key {
                assert_eq!(found[0].partition, partition(key.as_bytes(), 4));
            }
        }
        assert_eq!(messages.len(), cases.len());
    }
}

#[test]
fn frames_without_a_key_are_spread() {
    let mock = Mock::new(3);
    let kuu = Kuu::with(&mock.address);
    let keyless: Vec<Vec<u8>> = (0..3_000).map(|i| format!("[{i}]").into_bytes()).collect();
    let file = kuu.file("keyless.jsonl", lines(&[keyless, frames(3)].concat()));
    kuu.run(&format!("produce {file} -X sticky.partitioning.linger.ms=0")).exits(0);
    let mut counts = [0; 3];
    for message in read(&mock.address, "messages").iter().filter(|message| message.key.is_none()) {
        counts[message.partition as usize] += 1;
    }
    assert_eq!(counts.iter().sum::<i32>(), 3_000);
    assert!(counts.iter().all(|count| *count > 100), "{counts:?}");
}
