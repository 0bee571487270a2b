//! Names of a bench's topics and groups on Kafka: they say which process they belong to, so that those of one that was
//! killed are told from those of one that runs.

use crate::edge::kafka::Cluster;
use crate::edge::{clock, host};
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::Path;

const START: &str = "kuu-bench-";

/// What all names of this process's topics and groups start with.
pub fn prefix() -> String {
    format!("{START}{}-{}-{}", clock::now_compact(), host::name(), std::process::id())
}

/// Deletes the topics of a bench and its groups, which are named as its topics are, but for the end of those of states.
///
/// # Errors
/// If the broker refuses.
pub fn delete(cluster: &Cluster, prefix: &str) -> Result<()> {
    if cluster.is_embedded() {
        return Ok(());
    }
    let made: Vec<String> = cluster.topics()?.into_iter().filter(|topic| topic.starts_with(prefix)).collect();
    for group in made.iter().map(|topic| topic.strip_suffix("-state").unwrap_or(topic)) {
        cluster.delete_group(group)?;
    }
    cluster.delete(&made.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What a bench left that was killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// What its topics' names start with.
    pub prefix: String,
    /// How many there are.
    pub topics: u64,
}

/// What benches of this machine left that no longer run. Those of other machines may run there.
///
/// # Errors
/// If the broker does not name its topics.
pub fn find(cluster: &Cluster) -> Result<Vec<Leftover>> {
    Ok(among(&cluster.topics()?, &host::name(), runs))
}

fn among(topics: &[String], here: &str, runs: impl Fn(u32) -> bool) -> Vec<Leftover> {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for owner in topics.iter().filter_map(|topic| Owner::of(topic)) {
        if owner.host == here && !runs(owner.process) {
            *found.entry(owner.prefix).or_default() += 1;
        }
    }
    found.into_iter().map(|(prefix, topics)| Leftover { prefix, topics }).collect()
}

struct Owner {
    prefix: String,
    host: String,
    process: u32,
}

impl Owner {
    /// Whose a topic is; none if it is no bench's.
    fn of(topic: &str) -> Option<Owner> {
        let mut parts = topic.strip_prefix(START)?.splitn(4, '-');
        let (time, host, process) = (parts.next()?, parts.next()?, parts.next()?);
        let prefix = format!("{START}{time}-{host}-{process}");
        Some(Owner { prefix, host: host.into(), process: process.parse().ok()? })
    }
}

/// Whether this process is a bench that runs. Where that is not to be seen, it does.
fn runs(process: u32) -> bool {
    if !Path::new("/proc/1").exists() {
        return true;
    }
    let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|argument| argument == b"bench")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_whose_topics_they_are() {
        let own = format!("{}-live-output", prefix());
        let owner = Owner::of(&own).unwrap();
        assert_eq!((owner.host.as_str(), owner.process), (host::name().as_str(), std::process::id()));
        assert_eq!(owner.prefix, own.strip_suffix("-live-output").unwrap());
        for other in ["messages", "kuu-bench-", "kuu-bench-20261125T123246Z-23433-bare", "kuu-benchmark-1-2-3-4"] {
            assert!(Owner::of(other).is_none(), "{other}");
        }
    }

    #[test]
    fn what_runs_here_and_what_is_of_elsewhere_is_left_alone() {
        let topics = [
            "messages",
            "kuu-bench-20261125T123246Z-here-7-live",
            "kuu-bench-20261125T123246Z-here-7-catch-up-4-messages-1",
            "kuu-bench-20261125T123247Z-here-8-live",
            "kuu-bench-20261125T123248Z-there-7-live",
            "kuu-bench-20261125T123249Z-here-9-bare",
        ];
        let found = among(&topics.map(String::from), "here", |process| process == 8);
        let expected = [("kuu-bench-20261125T123246Z-here-7", 2), ("kuu-bench-20261125T123249Z-here-9", 1)];
        assert_eq!(found, expected.map(|(prefix, topics)| Leftover { prefix: prefix.into(), topics }));
    }

    #[test]
    fn a_test_is_no_bench_that_runs() {
        assert_eq!(runs(std::process::id()), !Path::new("/proc/1").exists());
    }
}
