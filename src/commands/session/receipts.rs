//! Records of earlier runs: the content of a topic, and the counts of it.

use crate::commands::session::Session;
use crate::input::is_stream;
use crate::kafka::admin::Cluster;
use crate::record::store;
use crate::terminal::count;
use anyhow::{Result, bail};
use kuu_core::record::{Record, Topic};
use std::path::PathBuf;

/// `kuu produce`, whose records are filed under the topic that it filled.
pub const PRODUCE: &str = "produce";
/// `kuu count`, whose records are filed under the topic of its results.
pub const COUNT: &str = "count";

/// A record, and its file.
pub struct Receipt {
    /// The file.
    pub path: PathBuf,
    /// The record.
    pub record: Record,
}

/// A topic as receipts name it: by its id too, if the broker tells it.
pub fn topic(cluster: &Cluster, name: &str) -> Topic {
    Topic { name: name.into(), partitions: 0, id: cluster.id(name).ok().flatten() }
}

/// Writes a record as the last one of its command, and as the last one about its topic; returns the path of the latter,
/// which later runs about other topics do not overwrite. A copy goes where runs in other directories find it.
///
/// # Errors
/// If the record cannot be written.
pub fn store(session: &Session, topic: &Topic, record: &Record) -> Result<PathBuf> {
    let command = record.configuration.command();
    session.store(&last_name(command), record)?;
    let path = session.store(&store::name_of(command, &topic.name), record)?;
    if let Some(dir) = state_dir(topic) {
        // It is only a copy: a home that cannot be written is no error.
        let _ = session.store_in(&dir, &last_name(command), &with_whole_paths(record));
    }
    Ok(path)
}

/// The record of the last run of `command` about `topic`.
///
/// # Errors
/// If a record cannot be read.
pub fn find(session: &Session, command: &str, topic: &Topic) -> Result<Option<Receipt>> {
    let mut found: Option<Receipt> = None;
    let results = &session.common.results;
    // Old versions wrote only the last record of a command. All files are of one run, unless others ran elsewhere.
    let mut records = Vec::new();
    for file in [store::name_of(command, &topic.name), last_name(command)] {
        records.push((results.join(&file), store::load(results, &file)?));
    }
    if let Some(dir) = state_dir(topic) {
        // Another version of kuu may have written it, for which it is no error.
        let file = last_name(command);
        records.push((dir.join(&file), store::load(&dir, &file).ok().flatten()));
    }
    for (path, record) in records {
        let Some(record) = record else { continue };
        let is_newer = found.as_ref().is_none_or(|found| found.record.written < record.written);
        if is_newer && is_about(&record, topic) {
            found = Some(Receipt { path, record });
        }
    }
    Ok(found)
}

/// Whether a record is filed under this topic, and not under another one of the same name.
fn is_about(record: &Record, topic: &Topic) -> bool {
    let filled = record.topic.as_ref().filter(|_| record.configuration.count().is_none());
    let is_other =
        filled.and_then(|filled| filled.id.as_ref()).zip(topic.id.as_ref()).is_some_and(|(then, now)| then != now);
    topic_of(record) == Some(&topic.name) && !is_other
}

/// The directory of the user's receipts about a topic (XDG Base Directory Specification); none for a topic without an id, or a
/// user without a home.
fn state_dir(topic: &Topic) -> Option<PathBuf> {
    let id = topic.id.as_ref()?.replace('/', "_");
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("kuu").join("topics").join(id))
}

/// A record that names its files from the root of the file system.
fn with_whole_paths(record: &Record) -> Record {
    let mut record = record.clone();
    for source in record.input.iter_mut().filter(|source| !is_stream(&source.name)) {
        if let Ok(path) = std::path::absolute(&source.name) {
            source.name = path.to_string_lossy().into_owned();
        }
    }
    record
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
            count(frames.value as u64)
        ),
    }
}
