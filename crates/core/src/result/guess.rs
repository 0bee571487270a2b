//! Rows that could be read with other options.

use crate::result::format::RowFormat;
use crate::result::row::window_at;
use crate::result::start::{seconds, words};
use crate::window::{Unit, Window};
use kuu_frame::TsFormat;
use serde_json::{Map, Value};
use strum::VariantArray;

/// A number is taken for a start in a member of any name only from 2001-09-09 on: a smaller one may be a count.
const FIRST_START: i64 = 1_000_000_000;
/// Number of members that are listed.
const LISTED: usize = 12;

/// How a message that is no row could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// What it has instead of what is expected.
    pub finding: String,
    /// The options that read it, as in `--start-format ms`.
    pub options: String,
}

/// A member that may hold the start, and its format, if that is not the expected one.
struct Start<'a> {
    member: &'a str,
    format: Option<TsFormat>,
    window: Window,
}

impl RowFormat {
    /// Guesses the options for a message that [`RowFormat::parse`] refuses; none if other options do not help.
    pub fn guess(&self, value: &[u8]) -> Option<Guess> {
        let row: Map<String, Value> = serde_json::from_slice(value).ok()?;
        let unit = match row.get("unit") {
            None | Some(Value::Null) => self.unit,
            Some(name) => name.as_str()?.parse().ok()?,
        };
        let has = |member: &str| row.get(member).is_some_and(|value| !value.is_null());
        let (has_start, has_users) = (has(&self.start), has(&self.users));
        let start = match row.get_key_value(&self.start).filter(|_| has_start) {
            Some((member, value)) => self.start_in(member, value, unit),
            None => self.start_elsewhere(&row, unit),
        };
        let mut options = Vec::new();
        if !has_start {
            options.push(format!("--start-field {}", start.as_ref().map_or("NAME", |start| word(start.member))));
        }
        if !has_users {
            options.push(format!("--users-field {}", self.users_elsewhere(&row, unit).map_or("NAME", word)));
        }
        options.extend(start.as_ref().and_then(|start| start.format).map(|format| format!("--start-format {format}")));
        if options.is_empty() || row.is_empty() {
            return None;
        }
        let mut lacks: Vec<String> = Vec::new();
        lacks.extend((!has_start).then(|| format!("`{}`", self.start)));
        lacks.extend((!has_users).then(|| format!("`{}`", self.users)));
        let mut findings = Vec::new();
        if !lacks.is_empty() {
            let names: Vec<String> = row.keys().take(LISTED).map(|name| format!("`{}`", name.escape_debug())).collect();
            let more = if row.len() > LISTED { ", ..." } else { "" };
            findings.push(format!("it has no {}, but {}{more}", lacks.join(" and no "), names.join(", ")));
        }
        if let Some(Start { member, format: Some(format), window }) = &start {
            let value = &row[*member];
            findings.push(format!("`{member}` is {value}, which would be {unit} {window} in {}", words(*format)));
        }
        Some(Guess { finding: findings.join("; "), options: options.join(" ") })
    }

    /// The start in `value`, in the first format that gives one.
    fn start_in<'a>(&self, member: &'a str, value: &Value, unit: Unit) -> Option<Start<'a>> {
        let others = TsFormat::VARIANTS.iter().copied().map(Some);
        let mut formats = std::iter::once(self.start_format).chain(others);
        formats.find_map(|format| {
            let window = window_at(unit, seconds(member, value, format).ok()?).ok()?;
            Some(Start { member, format: format.filter(|_| format != self.start_format), window })
        })
    }

    /// The only other member that may hold a start, or the only one of them that is called so.
    fn start_elsewhere<'a>(&self, row: &'a Map<String, Value>, unit: Unit) -> Option<Start<'a>> {
        let others = row.iter().filter(|(name, _)| *name != &self.users);
        let starts = others.filter_map(|(name, value)| self.start_in(name, value, unit));
        only(starts.filter(|start| start.window.start >= FIRST_START).collect(), |start| start.member, "start")
    }

    /// The only other member that may hold the number of users, or the only one of them that is called so.
    fn users_elsewhere<'a>(&self, row: &'a Map<String, Value>, unit: Unit) -> Option<&'a str> {
        let known = ["unit", "frames", "revision", "timing", &self.start];
        let others = row.iter().filter(|(name, value)| !known.contains(&name.as_str()) && value.is_u64());
        let is_start = |name: &str, value: &Value| {
            self.start_in(name, value, unit).is_some_and(|start| start.window.start >= FIRST_START)
        };
        let counts = others.filter(|(name, value)| !is_start(name, value));
        only(counts.map(|(name, _)| name.as_str()).collect(), |name| name, "user")
    }
}

fn only<T>(mut found: Vec<T>, name: impl Fn(&T) -> &str, word: &str) -> Option<T> {
    if found.len() > 1 {
        found.retain(|one| name(one).to_lowercase().contains(word));
    }
    if found.len() == 1 { found.pop() } else { None }
}

/// The name, if a command line takes it without quotes.
fn word(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.starts_with('-') || !name.chars().all(plain) { "NAME" } else { name }
}
