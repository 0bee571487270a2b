//! The rows of other engines: which members they have, and how they are read.

use crate::result::row::{Count, Row, window_at};
use crate::result::start::{seconds, wrong};
use crate::window::Unit;
use kuu_frame::TsFormat;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;
use std::borrow::Cow;
use std::fmt;

/// How the rows of an engine are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFormat {
    /// The member with the start of the window.
    pub start: String,
    /// The member with the number of users.
    pub users: String,
    /// How starts are written; if none, as whole Unix seconds or RFC 3339.
    pub start_format: Option<TsFormat>,
    /// The unit of rows that do not name theirs.
    pub unit: Unit,
}

/// The format of kuu.
impl Default for RowFormat {
    fn default() -> RowFormat {
        RowFormat { start: "start".into(), users: "users".into(), start_format: None, unit: Unit::Minute }
    }
}

/// A row before its validation, so that an error can name the member.
#[derive(Default)]
pub struct RowMembers {
    unit: Option<Value>,
    start: Option<Value>,
    users: Option<Value>,
    frames: Option<Value>,
    revision: Option<Value>,
    timing: Option<Value>,
    distinct: Option<Value>,
}

impl RowFormat {
    /// Reads a row: an object with the members for start and users; `unit`, `frames`, `revision`, `timing` and `distinct`
    /// are optional, other members are ignored.
    ///
    /// # Errors
    /// What is wrong with the row, in a few words.
    pub fn parse(&self, value: &[u8]) -> Result<Row, String> {
        // serde_json does not validate the strings that it skips.
        let text = std::str::from_utf8(value).map_err(|_| "not UTF-8")?;
        let mut json = serde_json::Deserializer::from_str(text);
        let members = match self.deserialize(&mut json).and_then(|members| json.end().map(|()| members)) {
            Err(e) if e.classify() != Category::Data => return Err(format!("not JSON: {e}")),
            _ if !text.trim_ascii_start().starts_with('{') => {
                return Err("not a result row: it is not an object".into());
            }
            members => members.map_err(|e| format!("not a result row: {e}"))?,
        };
        let unit = match text_of("unit", present(members.unit))? {
            Some(unit) => unit.parse()?,
            None => self.unit,
        };
        let lacks = |member: &str| format!("not a result row: it has no `{member}`");
        let start = present(members.start).ok_or_else(|| lacks(&self.start))?;
        let start = seconds(&self.start, &start, self.start_format)?;
        let users = number_of(&self.users, present(members.users), u64::MAX)?.ok_or_else(|| lacks(&self.users))?;
        let revision = number_of("revision", present(members.revision), u32::MAX.into())?;
        Ok(Row {
            window: window_at(unit, start)?,
            count: Count { users, frames: number_of("frames", present(members.frames), u64::MAX)? },
            revision: revision.map(|revision| revision as u32),
            timing: text_of("timing", present(members.timing))?.and_then(|text| text.parse().ok()),
            // Another engine may have a number of that name.
            is_approximate: members.distinct.is_some_and(|how| how.as_str().is_some_and(|how| how != "exact")),
        })
    }
}

fn present(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_null())
}

impl<'de> DeserializeSeed<'de> for &RowFormat {
    type Value = RowMembers;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<RowMembers, D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// A name of a member, copied only if it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for &RowFormat {
    type Value = RowMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RowMembers, A::Error> {
        let mut members = RowMembers::default();
        while let Some(Name(name)) = map.next_key()? {
            let member = match &*name {
                name if name == self.start => &mut members.start,
                name if name == self.users => &mut members.users,
                "unit" => &mut members.unit,
                "frames" => &mut members.frames,
                "revision" => &mut members.revision,
                "timing" => &mut members.timing,
                "distinct" => &mut members.distinct,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if member.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
        }
        Ok(members)
    }
}

fn text_of(member: &str, value: Option<Value>) -> Result<Option<String>, String> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(member, &other, "a text")),
    }
}

fn number_of(member: &str, value: Option<Value>, most: u64) -> Result<Option<u64>, String> {
    let Some(value) = value else { return Ok(None) };
    let number = value.as_u64().filter(|number| *number <= most);
    number.map(Some).ok_or_else(|| wrong(member, &value, &format!("a whole number from 0 to {most}")))
}
