//! Checks the topics on the command line: a topic must not have two uses.

use crate::cli::{Command, CountArgs, VerifyArgs, topic_name};
use crate::commands::session::Session;
use crate::kafka::admin::Cluster;
use crate::kafka::commit::state_topic::State;
use crate::terminal::Screen;
use anyhow::{Result, bail};
use kuu_core::configuration::Guarantee;
use std::time::Duration;

/// How often a topic that is awaited is looked up.
const LOOK: Duration = Duration::from_millis(200);

/// Waits until there is this topic; returns whether there is, as an interrupt ends the wait. `words` say who makes it.
///
/// # Errors
/// If the brokers do not answer.
pub fn awaited(session: &Session, cluster: &Cluster, topic: &str, words: &str) -> Result<bool> {
    let mut said = false;
    while cluster.partitions(topic)?.is_none() {
        if !said {
            let screen = Screen { to_stderr: true, ..session.screen };
            screen.say(format!("waits for topic {topic}: {words}"));
            said = true;
        }
        if session.stop.interrupted() {
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    }
    Ok(true)
}

/// Rejects a topic with two uses.
///
/// # Errors
/// If a topic has two uses; the error names both.
pub fn check(command: &Command) -> Result<()> {
    match command {
        Command::Count(count) if count.files.is_empty() => group(count).and_then(|()| distinct(&of_count(count))),
        Command::Verify(VerifyArgs { topic: Some(topic), output, .. }) => verified(topic, output),
        _ => Ok(()),
    }
}

/// Rejects a group whose state topic would have an invalid name.
fn group(count: &CountArgs) -> Result<()> {
    match topic_name(&State::topic(&count.group)) {
        Err(why) if count.guarantee == Guarantee::ExactlyOnce => {
            let group = &count.group;
            bail!("--group '{group}' cannot name the topic of its state, GROUP-state: {why}: name another group")
        }
        _ => Ok(()),
    }
}

/// Rejects the same topic for frames and results.
///
/// # Errors
/// If they are the same.
pub fn verified(topic: &str, output: &str) -> Result<()> {
    distinct(&[Use::new("--topic, with the frames", topic), Use::new("--output, with the results", output)])
}

/// Rejects a topic that holds the state of a group, as output or for deletion: its name says so, and it is compacted.
///
/// # Errors
/// If it holds a state; the error names the group.
pub fn no_state(topic: &str, cluster: &Cluster) -> Result<()> {
    match topic.strip_suffix("-state") {
        Some(group) if cluster.is_compacted(topic) == Some(true) => {
            bail!("topic {topic} holds the state of group {group}, which would be lost: name another topic")
        }
        _ => Ok(()),
    }
}

struct Use {
    what: String,
    topic: String,
}

impl Use {
    fn new(what: impl Into<String>, topic: &str) -> Use {
        Use { what: what.into(), topic: topic.into() }
    }
}

fn of_count(count: &CountArgs) -> Vec<Use> {
    let group = &count.group;
    let mut uses = vec![
        Use::new("--topic, which is read", &count.topic),
        Use::new("--output", &count.output),
        Use::new(format!("the state of --group {group}"), &State::topic(group)),
    ];
    uses.extend(count.dead_letter.as_ref().map(|topic| Use::new("--dead-letter", topic)));
    uses.extend(count.ordered_output.as_ref().map(|topic| Use::new("--ordered-output", topic)));
    uses
}

fn distinct(uses: &[Use]) -> Result<()> {
    for (i, one) in uses.iter().enumerate() {
        if let Some(other) = uses[..i].iter().find(|other| other.topic == one.topic) {
            bail!(
                "topic {} is named for two things, {} and {}, which would be mixed up: name two topics",
                one.topic,
                other.what,
                one.what
            );
        }
    }
    Ok(())
}
