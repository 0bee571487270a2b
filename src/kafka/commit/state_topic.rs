//! The topic with the state of a group: the counter's records, and a record of the count that they belong to.

use crate::kafka::admin::Cluster;
use crate::kafka::consume::whole_topic::read_all;
use crate::kafka::topics::identity::Ids;
use crate::kafka::topics::written::Written;
use anyhow::{Context as _, Result, bail};
use kuu_core::counter::Records;
use kuu_core::ordered::Held;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the state: raised when a record changes its meaning. Format 1 had no topic ids; kuu reads it, and writes
/// the ids from then on.
pub const STATE_FORMAT: u32 = 2;
const OLDEST_FORMAT: u32 = 1;

/// Key of the record with the last instance that had the group's transactional id.
pub const OWNER: &str = "owner";

/// The configuration of the topic. Segments are small, as the newest one is never compacted, so that a restart reads
/// only megabytes; tombstones stay for an hour, longer than any restart reads.
const COMPACTED: [(&str, &str); 5] = [
    ("cleanup.policy", "compact"),
    ("segment.bytes", "16777216"),
    ("min.cleanable.dirty.ratio", "0.1"),
    ("delete.retention.ms", "3600000"),
    // The broker's default.
    ("max.message.bytes", "1048588"),
];

/// The count that a state belongs to, and its progress: written with every change of the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    format: u32,
    /// The settings that the counts depend on, by their names on the command line.
    settings: BTreeMap<String, String>,
    /// The ids of the topics: empty in format 1, or from a broker without topic ids.
    #[serde(default)]
    pub topics: Ids,
    /// The number of partitions of the topic of results, if known.
    #[serde(default)]
    pub output_partitions: Option<usize>,
    /// For each partition the next offset to read, -1 if none was read.
    pub positions: Vec<i64>,
    /// The state of the ordered output, if there is one.
    pub held: Option<Held>,
    /// The last offsets that this count wrote to its topics.
    pub written: Vec<Written>,
}

impl Origin {
    /// Key of this record.
    pub const KEY: &str = "source";

    /// The origin of a count with these settings and topics.
    pub fn new(settings: BTreeMap<String, String>, topics: Ids) -> Origin {
        Origin {
            format: STATE_FORMAT,
            settings,
            topics,
            output_partitions: None,
            positions: Vec::new(),
            held: None,
            written: Vec::new(),
        }
    }

    /// The ids of a topic in this state and in `now`, if both are known and they differ.
    pub fn differs<'a>(&'a self, topic: &str, now: &'a Ids) -> Option<(&'a str, &'a str)> {
        let (then, now) = (self.topics.get(topic)?, now.get(topic)?);
        (then != now).then_some((then.as_str(), now.as_str()))
    }

    /// The record with these positions.
    pub fn at(&self, positions: &[i64], held: Option<Held>, written: Vec<Written>) -> Vec<u8> {
        let record = Origin { positions: positions.to_vec(), held, written, ..self.clone() };
        serde_json::to_vec(&record).expect("texts and numbers can be written as JSON")
    }
}

/// The state that a restart reads.
#[derive(Default)]
pub struct State {
    /// The counter's records.
    pub records: Records,
    /// The count and its progress, none before the first commit.
    pub origin: Option<Origin>,
    /// The instance that wrote the state last.
    pub owner: Option<String>,
    /// The owner before that one, if the topic still has its name.
    before: Option<String>,
}

impl State {
    /// The owner before `this` one. A commit ends before each partition has its marker (KIP-98), so the name of `this` may
    /// not be there yet.
    pub fn owner_before(&self, this: &str) -> Option<&str> {
        let has_this = self.owner.as_deref() == Some(this);
        if has_this { self.before.as_deref() } else { self.owner.as_deref() }
    }

    /// Name of the state topic of a group.
    pub fn topic(group: &str) -> String {
        format!("{group}-state")
    }

    /// Creates the topic, if it is missing.
    ///
    /// # Errors
    /// If the broker rejects the request.
    pub fn prepare(cluster: &Cluster, group: &str) -> Result<()> {
        let topic = State::topic(group);
        match cluster.partitions(&topic)? {
            None => cluster.create(&topic, 1, -1, &COMPACTED),
            Some(1) => Ok(()),
            Some(partitions) => {
                bail!("topic {topic} has {partitions} partitions, a state has one: use another --group, or delete it")
            }
        }
    }

    /// Reads the state of a group up to the last stable offset, and checks that its count has the settings of `wanted`;
    /// calls `tell` with the number of offsets read, and of all offsets.
    ///
    /// # Errors
    /// If the state cannot be read, or has another format or count.
    pub fn read(cluster: &Cluster, group: &str, wanted: &Origin, mut tell: impl FnMut(u64, u64)) -> Result<State> {
        let topic = State::topic(group);
        let ranges = cluster.ranges(&topic)?;
        let total = ranges.iter().map(super::super::admin::Range::len).sum();
        let mut state = State::default();
        let mut origin = None;
        let mut read = 0;
        read_all(cluster.settings(), &topic, &ranges, |record| {
            read += 1;
            if read % 1024 == 0 {
                tell(read, total);
            }
            let key = std::str::from_utf8(record.key)
                .with_context(|| format!("topic {topic}, offset {}: the key is not text", record.offset))?;
            match record.value {
                Some(value) if key == Origin::KEY => origin = Some(value.to_vec()),
                Some(value) if key == OWNER => state.belongs_to(String::from_utf8_lossy(value).into_owned()),
                Some(value) => drop(state.records.insert(key.to_owned(), value.to_vec())),
                None => drop(state.records.remove(key)),
            }
            Ok(())
        })?;
        let remedy =
            format!("use another --group, or --recreate to count anew (it deletes the results and topic {topic})");
        state.origin = match origin {
            Some(origin) => Some(Origin::parse(&origin, wanted).with_context(|| {
                format!("the state of group {group} in topic {topic} belongs to another count: {remedy}")
            })?),
            None if state.records.is_empty() => None,
            None => bail!("topic {topic} holds records that are not state: {remedy}"),
        };
        Ok(state)
    }

    fn belongs_to(&mut self, owner: String) {
        let before = self.owner.replace(owner);
        if before.is_some() && before != self.owner {
            self.before = before;
        }
    }
}

impl Origin {
    fn parse(value: &[u8], wanted: &Origin) -> Result<Origin> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let Version { format } = serde_json::from_slice(value).context("it does not name its format")?;
        if !(OLDEST_FORMAT..=STATE_FORMAT).contains(&format) {
            bail!("it has format {format}, this kuu reads {OLDEST_FORMAT} to {STATE_FORMAT}");
        }
        let origin: Origin = serde_json::from_slice(value).context("it is damaged")?;
        let nothing = String::new();
        for (name, now) in &wanted.settings {
            let then = origin.settings.get(name).unwrap_or(&nothing);
            match (then.as_str(), now.as_str()) {
                (then, now) if then == now => {}
                ("", now) => bail!("it was made without {name}, not with {name} {now}"),
                (then, "") => bail!("it was made with {name} {then}, not without it"),
                (then, now) => bail!("it was made with {name} {then}, not {now}"),
            }
        }
        Ok(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(window: &str) -> Origin {
        let settings = [("--window".to_owned(), window.to_owned()), ("--ordered-output".into(), String::new())];
        Origin::new(settings.into(), [("messages".to_owned(), "an-id".to_owned())].into())
    }

    #[test]
    fn settings_and_format_are_compared() {
        let minute = origin("minute");
        let text = minute.at(&[5, -1], None, Vec::new());
        let read = Origin::parse(&text, &minute).unwrap();
        assert_eq!((read.positions.clone(), read.held.clone()), (vec![5, -1], None));
        let why = |text: &[u8], wanted: &Origin| Origin::parse(text, wanted).unwrap_err().to_string();
        assert_eq!(why(&text, &origin("hour")), "it was made with --window minute, not hour");
        let mut ordered = minute.clone();
        ordered.settings.insert("--ordered-output".into(), "sorted".into());
        assert_eq!(why(&text, &ordered), "it was made without --ordered-output, not with --ordered-output sorted");
        assert_eq!(
            why(&ordered.at(&[7], None, Vec::new()), &minute),
            "it was made with --ordered-output sorted, not without it"
        );
        assert_eq!(why(br#"{"format":3,"more":1}"#, &minute), "it has format 3, this kuu reads 1 to 2");
        assert_eq!(why(b"{}", &minute), "it does not name its format");
        assert_eq!(why(br#"{"format":1}"#, &minute), "it is damaged");
    }

    #[test]
    fn a_state_without_ids_is_read_and_gets_them() {
        let minute = origin("minute");
        let old = br#"{"format":1,"settings":{"--window":"minute"},"positions":[7],"held":null,"written":[]}"#;
        let read = Origin::parse(old, &minute).unwrap();
        assert_eq!((read.topics.len(), &read.positions[..]), (0, &[7][..]));
        assert_eq!(read.differs("messages", &minute.topics), None);
        let read = Origin::parse(&minute.at(&[8], None, Vec::new()), &minute).unwrap();
        assert_eq!(read.topics, minute.topics);
        let other: Ids = [("messages".to_owned(), "another".to_owned())].into();
        assert_eq!(read.differs("messages", &other), Some(("an-id", "another")));
        assert_eq!(read.differs("output", &other), None);
    }
}
