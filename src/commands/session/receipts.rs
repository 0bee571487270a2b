//! Records of earlier runs: the content of a topic, and the counts of it.

use crate::commands::session::Session;
use crate::record::store;
use anyhow::{Result, bail};
use kuu_core::record::Record;
use std::path::PathBuf;

/// `kuu produce`, whose records are filed under the topic that it filled.
pub const PRODUCE: &str = "produce";
/// `kuu count`, whose records are filed under the topic of its results.
pub const COUNT: &str = "count";

/// A record, and the name of its file.
pub struct Receipt {
    /// The name in the directory of records.
    pub file: String,
    /// The record.
    pub record: Record,
}

/// Writes a record as the last one of its command, and as the last one about its topic; returns the path of the latter,
/// which later runs about other topics do not overwrite.
///
/// # Errors
/// If the record cannot be written.
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
    // Old versions wrote only the last record of a command. The two files are equal if both are from the same run.
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

/// The topic under which a record is filed.
fn topic_of(record: &Record) -> Option<&str> {
    match record.configuration.count() {
        Some(config) => Some(&config.output),
        None => record.topic.as_ref().map(|topic| topic.name.as_str()),
    }
}

/// The number of frames in the topic without a receipt.
pub fn unlisted(record: &Record) -> u64 {
    record.configuration.produce().map_or(0, |config| config.unlisted_frames)
}

/// Checks that the produce run of this record was complete.
///
/// # Errors
/// If it was not: then the record does not describe the content of the topic.
pub fn complete(record: &Record) -> Result<()> {
    if record.configuration.produce().and_then(|config| config.complete) != Some(false) {
        return Ok(());
    }
    let topic = record.topic.as_ref().map_or("?", |topic| topic.name.as_str());
    let remedy = "fill the topic anew with `kuu produce --recreate FILE`";
    if let Some(why) = record.remarks.first() {
        bail!("the last `kuu produce` was not finished: {why}");
    }
    // The receipt of a run that was killed has no figures.
    match record.figures.get("delivered_frames") {
        None => {
            bail!("the last `kuu produce` into topic {topic} was killed, and what it had sent is unknown: {remedy}")
        }
        Some(frames) => bail!(
            "the last `kuu produce` into topic {topic} was not finished: it was interrupted after {} frames: {remedy}",
            frames.value
        ),
    }
}
