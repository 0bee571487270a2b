//! Users per window, with one mistake.

use crate::reading::Message;
use crate::sketch::Sketch;
use jiff::civil::date;
use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Users by unit and start of a window.
pub type Counts = BTreeMap<(String, i64), u64>;

const DAY: i64 = 86_400;
const LATENESS: i64 = 5;

/// What it does wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    None,
    DropsLate,
    DropLateLegally,
    GreatestWatermark,
    FutureStamp,
    MissesLastWindow,
    CountsDamaged,
    CountsAborted,
    CountsTwice,
    AddsPartitions,
    Approximates,
    ShiftsTimeZone,
    WallClock,
}

impl Mistake {
    /// The mistake of a mutant.
    pub fn of(name: &str) -> Option<Mistake> {
        Some(match name {
            "none" => Mistake::None,
            "drops-late" => Mistake::DropsLate,
            "drop-late" => Mistake::DropLateLegally,
            "greatest-watermark" => Mistake::GreatestWatermark,
            "future-stamp" => Mistake::FutureStamp,
            "misses-last-window" => Mistake::MissesLastWindow,
            "counts-damaged" => Mistake::CountsDamaged,
            "counts-aborted" => Mistake::CountsAborted,
            "counts-twice" => Mistake::CountsTwice,
            "adds-partitions" => Mistake::AddsPartitions,
            "approximates" => Mistake::Approximates,
            "shifts-time-zone" => Mistake::ShiftsTimeZone,
            "wall-clock" => Mistake::WallClock,
            _ => return None,
        })
    }
}

/// The start and the end of the window of a second.
pub fn window(unit: &str, ts: i64) -> (i64, i64) {
    let every = |length: i64| (ts - ts.rem_euclid(length), ts - ts.rem_euclid(length) + length);
    let day = date(1970, 1, 1).saturating_add(ts.div_euclid(DAY).days());
    let at = |day: Date| day.since(date(1970, 1, 1)).map_or(0, |span| i64::from(span.get_days()) * DAY);
    match unit {
        "second" => every(1),
        "hour" => every(3_600),
        "day" => every(DAY),
        "week" => {
            let start = every(DAY).0 - i64::from(day.weekday().to_monday_zero_offset()) * DAY;
            (start, start + 7 * DAY)
        }
        "month" => (at(day.first_of_month()), at(day.first_of_month().saturating_add(1.month()))),
        "year" => (at(day.first_of_year()), at(day.first_of_year().saturating_add(1.year()))),
        _ => every(60),
    }
}

/// The user and the time of a frame.
pub fn frame(value: &[u8]) -> Option<(String, i64)> {
    let root: Value = serde_json::from_slice(value).ok()?;
    let root = root.as_object()?;
    let uid = root.get("uid")?.as_str().filter(|uid| !uid.is_empty())?;
    let ts = match root.get("ts")? {
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
        ts => ts.as_i64()?,
    };
    (0..=253_402_300_799).contains(&ts).then(|| (uid.to_owned(), ts))
}

/// The user and the time of anything: what is missing is empty, or 0; none if what is there is no time.
fn anything(value: Option<&[u8]>) -> Option<(String, i64)> {
    let text = String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    if let Ok(root) = serde_json::from_str::<HashMap<String, Box<RawValue>>>(&text) {
        let literal = |name: &str| root.get(name).map(|value| value.get());
        let uid = match literal("uid") {
            None | Some("null") => String::new(),
            Some(text) => serde_json::from_str(text).unwrap_or_else(|_| text.to_owned()),
        };
        let ts: Option<Value> = literal("ts").and_then(|text| serde_json::from_str(text).ok());
        let ts = match &ts {
            Some(Value::Number(ts)) => ts.as_i64().or_else(|| Some(ts.as_f64()? as i64)),
            Some(Value::String(ts)) if ts.is_empty() => Some(0),
            Some(Value::String(ts)) => ts.trim().parse().ok(),
            Some(Value::Bool(ts)) => Some((*ts).into()),
            None | Some(Value::Null) => Some(0),
            _ => None,
        };
        return Some((uid, ts?));
    }
    let after = |name: &str| text.split_once(name).map_or("", |(_, rest)| rest.trim_start_matches([':', ' ']));
    let uid = after("\"uid\"").strip_prefix('"').and_then(|rest| rest.split_once('"')).map_or("", |(uid, _)| uid);
    let ts: String = after("\"ts\"").chars().take_while(char::is_ascii_digit).collect();
    Some((uid.to_owned(), ts.parse().unwrap_or(0)))
}

/// The frames that are late by a watermark do not count.
struct Dropping {
    /// The greatest time by partition, or in all.
    clocks: HashMap<i32, i64>,
    mistake: Mistake,
}

impl Dropping {
    fn drops(&mut self, partition: i32, ts: i64, end: i64) -> bool {
        let (clocks, greatest) = (&self.clocks, self.clocks.values().max().copied());
        match self.mistake {
            Mistake::DropsLate => clocks.get(&partition).is_some_and(|clock| end <= clock - LATENESS),
            Mistake::DropLateLegally => clocks.values().min().is_some_and(|clock| end <= clock - LATENESS),
            Mistake::GreatestWatermark => greatest.is_some_and(|clock| end <= clock - LATENESS),
            // Only a jump by a year moves the watermark.
            Mistake::FutureStamp => greatest.is_some_and(|clock| end <= clock && clock - ts > 365 * DAY),
            _ => false,
        }
    }

    fn sees(&mut self, partition: i32, ts: i64) {
        let clock = self.clocks.entry(partition).or_insert(ts);
        *clock = ts.max(*clock);
    }
}

/// Counts messages, in the order of their partitions and offsets.
pub fn count(mistake: Mistake, messages: &[Message], units: &[String]) -> Counts {
    let mut order: Vec<&Message> = messages.iter().collect();
    if mistake == Mistake::DropLateLegally {
        order.sort_by_key(|message| (message.offset, message.partition));
    }
    let partitions: HashSet<i32> = messages.iter().map(|message| message.partition).collect();
    let clocks = match mistake {
        // A partition that was not read yet holds the watermark back.
        Mistake::DropLateLegally => partitions.iter().map(|partition| (*partition, i64::MIN / 2)).collect(),
        _ => HashMap::new(),
    };
    let mut dropping = Dropping { clocks, mistake };
    let mut sets: BTreeMap<(String, i64), HashSet<(i32, String)>> = BTreeMap::new();
    for message in order {
        let good = message.value.as_deref().and_then(frame);
        let taken = if mistake == Mistake::CountsDamaged {
            // A time that no window has is of no use to any reader.
            let usable = |(_, ts): &(String, i64)| (0..=253_402_300_799).contains(ts);
            good.or_else(|| anything(message.value.as_deref()).filter(usable))
        } else {
            good
        };
        let Some((uid, ts)) = taken else { continue };
        for unit in units {
            let moment = match mistake {
                Mistake::ShiftsTimeZone => ts + 2 * 3_600,
                Mistake::WallClock => message.read,
                _ => ts,
            };
            let (start, end) = window(unit, moment);
            if !dropping.drops(message.partition, ts, end) {
                let partition = if mistake == Mistake::AddsPartitions { message.partition } else { 0 };
                sets.entry((unit.clone(), start)).or_default().insert((partition, uid.clone()));
            }
        }
        dropping.sees(message.partition, ts);
    }
    let users = |users: HashSet<(i32, String)>| match mistake {
        Mistake::Approximates => Sketch::of(users.iter().map(|(_, uid)| uid.as_str())),
        _ => users.len() as u64,
    };
    let mut counts: Counts = sets.into_iter().map(|(window, set)| (window, users(set))).collect();
    if mistake == Mistake::MissesLastWindow {
        for unit in units {
            let last = counts.keys().rfind(|(other, _)| other == unit).cloned();
            last.map(|last| counts.remove(&last));
        }
    }
    counts
}

/// What the mutant that counts twice keeps: numbers, and no users.
#[derive(Default, Serialize, Deserialize)]
pub struct Checkpoint {
    pub offsets: Vec<i64>,
    pub totals: Vec<((String, i64), u64)>,
}

impl Checkpoint {
    /// What was saved, if anything was.
    pub fn load(path: &str) -> Checkpoint {
        std::fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// The totals so far.
    pub fn of(before: &Checkpoint, messages: &[Message], units: &[String], offsets: &[i64]) -> Checkpoint {
        let mut totals = count(Mistake::None, messages, units);
        before.totals.iter().for_each(|(window, users)| *totals.entry(window.clone()).or_default() += users);
        Checkpoint { offsets: offsets.to_vec(), totals: totals.into_iter().collect() }
    }

    /// Saves it in one piece.
    pub fn save(&self, path: &str) -> Result<(), String> {
        let text = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        let new = format!("{path}.new");
        std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path)).map_err(|error| error.to_string())
    }
}
