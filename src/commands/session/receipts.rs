//! Records of earlier runs: what is in a topic, and what it was counted to.

use crate::commands::session::Session;
use crate::record::store;
use anyhow::{Result, bail};
use kuu_core::record::Record;
use std::path::PathBuf;

/// `kuu produce`, whose records are by the topic that it filled.
pub const PRODUCE: &str = "produce";
/// `kuu count`, whose records are by the topic of its results.
pub const COUNT: &str = "count";

/// A record, and the name of its file.
pub struct Receipt {
    /// In the directory of the records.
    pub file: String,
    /// The record.
    pub record: Record,
}

/// Writes a record as that of the last run of its command, and as that of the last run about its topic; gives the path of
/// the latter, which stays.
///
/// # Errors
/// If it cannot be written.
pub fn store(session: &Session, topic: &str, record: &Record) -> Result<PathBuf> {
    session.store(&last_name(record.configuration.command()), record)?;
    session.store(&store::name_of(record.configuration.command(), topic), record)
}

/// The record of the last run of `command` about `topic`.
///
/// # Errors
/// If a record cannot be read.
pub fn find(session: &Session, command: &str, topic: &str) -> Result<Option<Receipt>> {
    let mut found: Option<Receipt> = None;
    // Before there were receipts by topic, there was only the last one. It is a copy where both are of one run.
    for file in [store::name_of(command, topic), last_name(command)] {
        let Some(record) = store::load(&session.common.results, &file)? else { continue };
        let is_newer = found.as_ref().is_none_or(|found| found.record.written < record.written);
        if is_newer && topic_of(&record) == Some(topic) {
            found = Some(Receipt { file, record });
        }
    }
    Ok(found)
}

/// The topic of the last run of `command`.
///
/// # Errors
/// If its record cannot be read.
pub fn last_topic(session: &Session, command: &str) -> Result<Option<String>> {
    let record = store::load(&session.common.results, &last_name(command))?;
    Ok(record.as_ref().and_then(topic_of).map(str::to_owned))
}

fn last_name(command: &str) -> String {
    format!("{command}.json")
}

/// The topic that a record is filed under.
fn topic_of(record: &Record) -> Option<&str> {
    match record.configuration.count() {
        Some(config) => Some(&config.output),
        None => record.topic.as_ref().map(|topic| topic.name.as_str()),
    }
}

/// How many frames the topic of a produce holds of which no receipt tells.
pub fn unlisted(record: &Record) -> u64 {
    record.configuration.produce().map_or(0, |config| config.unlisted_frames)
}

/// Checks that the produce that wrote the record came to its end.
///
/// # Errors
/// If it did not: then its record does not say what is in the topic.
pub fn complete(record: &Record) -> Result<()> {
    if record.configuration.produce().and_then(|config| config.complete) != Some(false) {
        return Ok(());
    }
    let topic = record.topic.as_ref().map_or("?", |topic| topic.name.as_str());
    let remedy = "fill the topic anew with `kuu produce --recreate FILE`";
    if let Some(why) = record.remarks.first() {
        bail!("the last `kuu produce` was not finished: {why}");
    }
    // One that was killed has no figures.
    match record.figures.get("delivered_frames") {
        None => {
            bail!("the last `kuu produce` into topic {topic} was killed, and what it had sent is not known: {remedy}")
        }
        Some(frames) => bail!(
            "the last `kuu produce` into topic {topic} was not finished: it was interrupted after {} frames: {remedy}",
            frames.value
        ),
    }
}
