//! Names of a bench's topics and groups on Kafka: they contain the process, so that those of a killed bench can be told
//! from those of a running one.

use crate::kafka::admin::Cluster;
use crate::system::{clock, host};
use crate::terminal::plural;
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::Path;

const START: &str = "kuu-bench-";

/// The prefix of the names of this process's topics and groups.
pub fn prefix() -> String {
    format!("{START}{}-{}-{}", clock::Time::now().compact(), host::name(), std::process::id())
}

/// Deletes the topics and groups of a bench.
///
/// # Errors
/// If the broker rejects the request.
pub fn delete(cluster: &Cluster, prefix: &str) -> Result<()> {
    if cluster.is_embedded() {
        return Ok(());
    }
    // The number of another process may begin with the number of this one.
    let own = |name: &String| name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    for group in cluster.groups()?.iter().filter(|name| own(name)) {
        cluster.delete_group(group)?;
    }
    let topics: Vec<String> = cluster.topics()?.into_iter().filter(own).collect();
    cluster.delete(&topics.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Topics and groups of benches of this machine that have ended. Benches of other machines may still run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// The prefixes of their names.
    prefixes: BTreeSet<String>,
    topics: Vec<String>,
    groups: Vec<String>,
}

impl Leftovers {
    /// Searches the broker for them.
    ///
    /// # Errors
    /// If the broker does not list its topics and groups.
    pub fn find(cluster: &Cluster) -> Result<Leftovers> {
        Ok(Leftovers::among(cluster.topics()?, cluster.groups()?, &host::name(), runs))
    }

    fn among(topics: Vec<String>, groups: Vec<String>, here: &str, runs: impl Fn(u32) -> bool) -> Leftovers {
        let mut left = Leftovers::default();
        let mut keep = |name: &String| {
            let owner = Owner::of(name).filter(|owner| owner.host == here && !runs(owner.process));
            owner.map(|owner| left.prefixes.insert(owner.prefix)).is_some()
        };
        let (topics, groups) =
            (topics.into_iter().filter(&mut keep).collect(), groups.into_iter().filter(&mut keep).collect());
        Leftovers { topics, groups, ..left }
    }

    /// A description, and the commands that delete them; none if there are none.
    pub fn remedy(&self, brokers: &str) -> Option<String> {
        let prefixes: Vec<&str> = self.prefixes.iter().map(String::as_str).collect();
        if prefixes.is_empty() {
            return None;
        }
        let (topics, groups) = (self.topics.len() as u64, self.groups.len() as u64);
        let mut text = format!(
            "{} and {} are left of a bench that was killed ({}). To delete them:",
            plural(topics, "topic"),
            plural(groups, "group"),
            prefixes.join(", ")
        );
        if topics > 0 {
            let all = prefixes.join("|");
            text += &format!("\n  kafka-topics.sh --bootstrap-server {brokers} --delete --topic '({all})-.*'");
        }
        if groups > 0 {
            let all: String = self.groups.iter().map(|group| format!(" --group {group}")).collect();
            text += &format!("\n  kafka-consumer-groups.sh --bootstrap-server {brokers} --delete{all}");
        }
        Some(text)
    }
}

struct Owner {
    prefix: String,
    host: String,
    process: u32,
}

impl Owner {
    /// The owner of a topic or a group; none if its name is not a bench's.
    fn of(topic: &str) -> Option<Owner> {
        let mut parts = topic.strip_prefix(START)?.splitn(4, '-');
        let (time, host, process) = (parts.next()?, parts.next()?, parts.next()?);
        let prefix = format!("{START}{time}-{host}-{process}");
        Some(Owner { prefix, host: host.into(), process: process.parse().ok()? })
    }
}

/// Whether this process is a running bench. If that cannot be checked, assumes that it is.
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
        ];
        let groups = ["kuu", "kuu-bench-20261125T123246Z-here-7", "kuu-bench-20261125T123249Z-here-9-bare"];
        let none = || Vec::new();
        let among = |topics, groups| Leftovers::among(topics, groups, "here", |process| process == 8);
        let left = among(topics.map(String::from).into(), groups.map(String::from).into());
        assert_eq!(
            left.remedy("b:1").unwrap(),
            "2 topics and 2 groups are left of a bench that was killed (kuu-bench-20261125T123246Z-here-7, \
             kuu-bench-20261125T123249Z-here-9). To delete them:\n  \
             kafka-topics.sh --bootstrap-server b:1 --delete --topic \
             '(kuu-bench-20261125T123246Z-here-7|kuu-bench-20261125T123249Z-here-9)-.*'\n  \
             kafka-consumer-groups.sh --bootstrap-server b:1 --delete --group kuu-bench-20261125T123246Z-here-7 \
             --group kuu-bench-20261125T123249Z-here-9-bare"
        );
        assert_eq!(among(none(), none()).remedy("b:1"), None);
    }

    #[test]
    fn a_test_is_no_bench_that_runs() {
        assert_eq!(runs(std::process::id()), !Path::new("/proc/1").exists());
    }
}
