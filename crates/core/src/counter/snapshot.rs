//! The state of a counter as upserts and deletions of small records: from a log of them, compacted by key or not, the
//! counter can be restored.
//!
//! | key | value |
//! |---|---|
//! | `counter` | JSON: clocks, watermark, ledger |
//! | `minute:1468244340` | JSON: frames, revision of a window that accepts frames, and its users if they are few |
//! | `minute:1468244340/0` | otherwise its users 0..65,536, a portable roaring bitmap; `/1` the next ones |
//! | `minute:1468244340/0` | of a sketch: the sketch in the format of Apache DataSketches; `/1` its bytes from 512 KiB on |
//! | `users/0` | JSON: a block of ids of the users from number 0 on; `users/1024` the next ones |

use crate::counter::config::Config;
use crate::counter::counting::{Counter, Queue};
use crate::counter::interner::Users;
use crate::counter::journal::{Change, Journal, chunk_key};
use crate::counter::members::{CHUNK, Many, Members, Sketched};
use crate::counter::open_windows::{ByEnd, Open};
use crate::counter::watermark::Clocks;
use crate::distinct::Distinct;
use crate::ledger::Ledger;
use crate::sketch::Sketch;
use kuu_frame::MAX_TS;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// The first week begins before 1970.
const WEEK: i64 = 7 * 86_400;
/// The bytes of a sketch in one record: a topic takes messages of a megabyte.
const PIECE: usize = 512 * 1024;
const COUNTER: &str = "counter";
const USERS: &str = "users/";

/// The records of a state by key, the last value of each.
pub type Records = BTreeMap<String, Vec<u8>>;

/// A state that no counter wrote.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the record `{key}` is damaged: {why}")]
pub struct Damaged {
    /// The key of the damaged record.
    pub key: String,
    /// What is wrong with the record.
    pub why: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CounterRecord {
    clocks: Clocks,
    ledger: Ledger,
    /// Number of distinct users, to detect a log that lost some of them.
    users: usize,
    /// Number of windows that accept frames, to detect a log that lost some of them.
    windows: usize,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WindowRecord {
    frames: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
    /// Whether the window changed since its last result.
    #[serde(skip_serializing_if = "is_false")]
    changed: bool,
    #[serde(skip_serializing_if = "is_false")]
    far: bool,
    /// The users by number, if they are few...
    #[serde(skip_serializing_if = "Vec::is_empty")]
    few: Vec<u32>,
    /// ...or else the number of users in the chunks. States of format 1 have no lists.
    #[serde(alias = "users", skip_serializing_if = "Option::is_none")]
    many: Option<u64>,
    /// The bytes of the sketch, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sketch: Option<usize>,
    /// Only in states of format 1: the end follows from the start.
    #[serde(rename = "end", skip_serializing)]
    _end: i64,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Counter {
    /// Starts to record changes, for [`Counter::changes`].
    pub fn keep_state(&mut self) {
        self.journal.get_or_insert_default();
        self.users.keep_blocks();
    }

    /// The changes since the last call, in the order in which they must be written; none if no value was observed.
    pub fn changes(&mut self) -> Vec<Change> {
        let Some(journal) = self.journal.as_mut().filter(|journal| journal.moved) else { return Vec::new() };
        let Journal { touched, gone, .. } = std::mem::take(journal);
        let mut changes: Vec<Change> = gone.into_iter().map(|key| Change { key, value: None }).collect();
        for (first, ids) in self.users.unsaved_blocks() {
            changes.push(json(format!("{USERS}{first}"), &ids));
        }
        for at in touched {
            let (lane, window) = self.locate(at);
            // A window that was evicted since is among the deleted records.
            let Some(open) = self.lanes[lane].get(&window) else { continue };
            open.unsaved = false;
            open.saved = true;
            let (frames, revision) = (open.frames, open.revision);
            let mut record =
                WindowRecord { frames, revision, changed: open.changed, far: open.far, ..WindowRecord::default() };
            match &mut open.users {
                Members::Few(users) => record.few.clone_from(users),
                Members::Many(many) => {
                    record.many = Some(many.users.len());
                    for number in std::mem::take(&mut many.grown) {
                        many.saved.insert(number);
                        let users = chunk(&many.users, number);
                        changes.push(Change { key: chunk_key(&window, number), value: Some(users) });
                    }
                }
                Members::Sketch(sketched) => {
                    let bytes = sketched.sketch.to_bytes();
                    record.sketch = Some(bytes.len());
                    for (number, piece) in (0..).zip(bytes.chunks(PIECE)) {
                        // It never gets smaller: no piece is left over.
                        sketched.saved = sketched.saved.max(number + 1);
                        changes.push(Change { key: chunk_key(&window, number), value: Some(piece.to_vec()) });
                    }
                }
            }
            changes.push(json(window.key(), &record));
        }
        let record = CounterRecord {
            clocks: self.clocks.clone(),
            ledger: self.ledger.clone(),
            users: self.users.count(),
            windows: self.pending.len() + self.closed.len(),
        };
        changes.push(json(COUNTER.into(), &record));
        changes
    }

    /// Restores the counter that wrote these records, which must have had the same configuration; a new counter if
    /// there are none. The counter records its changes. Keys of other records are ignored.
    ///
    /// # Errors
    /// If the records are not those of a counter with this configuration.
    pub fn restore(config: Config, partitions: usize, records: &Records) -> Result<Counter, Damaged> {
        let mut counter = Counter::new(config, partitions);
        counter.keep_state();
        let Some(value) = records.get(COUNTER) else { return Ok(counter) };
        let record: CounterRecord = parse(COUNTER, value)?;
        counter.clocks = record.clocks.awake().grown(partitions);
        counter.ledger = record.ledger;
        counter.users = users(records)?;
        counter.windows(records)?;
        let found = (counter.users.count(), counter.pending.len() + counter.closed.len());
        if found != (record.users, record.windows) {
            let why = format!(
                "it counts {} users and {} windows, but {} and {} are there",
                record.users, record.windows, found.0, found.1
            );
            return Err(Damaged { key: COUNTER.into(), why });
        }
        if counter.clocks.partitions() != partitions {
            let why = format!("it counts {} partitions instead of {partitions}", counter.clocks.partitions());
            return Err(Damaged { key: COUNTER.into(), why });
        }
        Ok(counter)
    }

    fn windows(&mut self, records: &Records) -> Result<(), Damaged> {
        let units = self.config.units.clone();
        for (lane, unit) in units.into_iter().enumerate() {
            let prefix = format!("{unit}:");
            let of_unit = records.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
            for (key, value) in of_unit.filter(|(key, _)| !key.contains('/')) {
                let record: WindowRecord = parse(key, value)?;
                let damaged = |why: &str| Damaged { key: key.clone(), why: why.into() };
                let start = key[prefix.len()..].parse().map_err(|_| damaged("its key has no start"))?;
                let window =
                    Some(start).filter(|start| (-WEEK..=MAX_TS).contains(start)).map(|start| unit.window(start));
                let Some(window) = window.filter(|window| window.start == start) else {
                    return Err(damaged("no such window starts there"));
                };
                let users = members(&record, self.config.distinct, records, key)?;
                let WindowRecord { frames, revision, changed, far, .. } = record;
                let open = self.lanes[lane].open(window);
                *open = Open { users, frames, revision, changed, far, unsaved: false, saved: true };
                self.far.add(open);
                let queue: &mut Queue = if open.revision.is_none() { &mut self.pending } else { &mut self.closed };
                queue.insert(ByEnd::from(window));
                if open.changed && open.revision.is_some() {
                    self.corrected.insert(ByEnd::from(window));
                }
            }
        }
        Ok(())
    }
}

/// The users of the window `key`.
fn members(record: &WindowRecord, distinct: Distinct, records: &Records, key: &str) -> Result<Members, Damaged> {
    let damaged = |why: String| Damaged { key: key.into(), why };
    match (distinct, record.sketch, record.many) {
        (Distinct::Exact, None, None) => Ok(Members::Few(record.few.clone())),
        (Distinct::Exact, None, Some(count)) => {
            let many = chunks(records, key)?;
            if many.users.len() != count {
                return Err(damaged(format!("{} users instead of {count}", many.users.len())));
            }
            Ok(Members::Many(Box::new(many)))
        }
        (Distinct::Hll(precision), Some(len), _) => {
            let pieces = (0..).map_while(|number| records.get(&format!("{key}/{number}")));
            let pieces: Vec<&[u8]> = pieces.map(Vec::as_slice).collect();
            let bytes = pieces.concat();
            if bytes.len() != len {
                return Err(damaged(format!("a sketch of {} bytes instead of {len}", bytes.len())));
            }
            let sketch = Sketch::from_bytes(&bytes, precision).map_err(|why| damaged(why.to_string()))?;
            Ok(Members::Sketch(Box::new(Sketched { sketch, saved: pieces.len() as u32 })))
        }
        (Distinct::Exact, Some(_), _) => Err(damaged("a sketch instead of a set of users".into())),
        (Distinct::Hll(_), None, _) => Err(damaged("a set of users instead of a sketch".into())),
    }
}

/// The users of the large window `key`.
fn chunks(records: &Records, key: &str) -> Result<Many, Damaged> {
    let mut many = Many::default();
    let prefix = format!("{key}/");
    for (key, value) in records.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix)) {
        let damaged = |why: String| Damaged { key: key.clone(), why };
        let number = key[prefix.len()..].parse().map_err(|_| damaged("its key has no number".into()))?;
        many.users |= RoaringBitmap::deserialize_from(&value[..]).map_err(|error| damaged(error.to_string()))?;
        many.saved.insert(number);
    }
    Ok(many)
}

fn users(records: &Records) -> Result<Users, Damaged> {
    let mut blocks = BTreeMap::new();
    for (key, value) in records.range(USERS.to_owned()..).take_while(|(key, _)| key.starts_with(USERS)) {
        let damaged = |why: &str| Damaged { key: key.clone(), why: why.into() };
        let first: u32 = key[USERS.len()..].parse().map_err(|_| damaged("its key has no number"))?;
        blocks.insert(first, (key, parse::<Vec<String>>(key, value)?));
    }
    let mut users = Users::default();
    users.keep_blocks();
    for (first, (key, ids)) in blocks {
        if users.restore_block(first, &ids).is_err() {
            return Err(Damaged { key: key.clone(), why: "its users do not follow those before it".into() });
        }
    }
    Ok(users)
}

fn chunk(users: &RoaringBitmap, number: u32) -> Vec<u8> {
    let first = number * CHUNK;
    let part: RoaringBitmap = users.range(first..=first + (CHUNK - 1)).collect();
    let mut bytes = Vec::with_capacity(part.serialized_size());
    part.serialize_into(&mut bytes).expect("a vector takes all bytes");
    bytes
}

fn json(key: String, value: &impl Serialize) -> Change {
    let value = serde_json::to_vec(value).expect("numbers and texts can be written as JSON");
    Change { key, value: Some(value) }
}

fn parse<'a, T: Deserialize<'a>>(key: &str, value: &'a [u8]) -> Result<T, Damaged> {
    serde_json::from_slice(value).map_err(|error| Damaged { key: key.into(), why: error.to_string() })
}
