//! A value as any reader may see it: all its members called `uid` and `ts`, and what is found where it is damaged.

use super::lenience::{Found, Lenience, found, scan, time, users};
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The deepest nesting of a frame.
const MOST_LEVELS: usize = 1_024;

/// Levels that every parser takes.
const SAFE_LEVELS: usize = 100;

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedValue {
    /// How many of the members called `uid` and `ts` come before it.
    pub(super) place: usize,
    /// Whether the name is written with an escape.
    pub(super) is_escaped: bool,
    /// The text of the value.
    pub(super) literal: String,
}

/// The members of an object, in their order, and how deep it nests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ObjectText {
    pub(super) uids: Vec<NamedValue>,
    pub(super) times: Vec<NamedValue>,
    pub(super) is_deep: bool,
}

/// What a value says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A frame, which every reader takes for the same.
    Frame { uid: String, ts: i64 },
    /// An object that sane readers may take for different things.
    Dialect(ObjectText),
    /// No frame: what lenient readers find, those with the fewest needs last.
    Damaged(Vec<Found>),
}

/// Reads a value.
pub(super) fn read(value: &[u8]) -> Said {
    let text = String::from_utf8_lossy(value);
    let needs = if std::str::from_utf8(value).is_ok() { 0 } else { Lenience::NotUtf8.bit() };
    if serde_json::from_str::<IgnoredAny>(&text).is_err() {
        return Said::Damaged(no_json(&text, needs));
    }
    let levels = depth(&text);
    let needs = if levels > MOST_LEVELS { needs | Lenience::TooDeep.bit() } else { needs };
    let trimmed = text.trim();
    if !trimmed.starts_with('{') {
        let needs = needs | Lenience::NotObject.bit();
        let inner = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        return Said::Damaged(
            inner.and_then(object).map_or_else(|| found(needs, None, None), |inner| first(needs, &inner)),
        );
    }
    let Some(object) = object(trimmed) else { return Said::Damaged(Vec::new()) };
    let object = ObjectText { is_deep: levels > SAFE_LEVELS, ..object };
    match (&object.uids[..], &object.times[..]) {
        _ if needs > 0 => {}
        ([], _) | (_, []) => {}
        ([uid], [ts]) => {
            let (users, time) = (users(Some(&uid.literal)), time(Some(&ts.literal)));
            if let ([(0, user)], Some((0, second))) = (&users[..], time) {
                let is_plain = !uid.is_escaped && !uid.literal.contains('\\') && !ts.is_escaped && !object.is_deep;
                return if is_plain && !ts.literal.starts_with('"') {
                    Said::Frame { uid: user.clone(), ts: second }
                } else {
                    Said::Dialect(object)
                };
            }
        }
        _ => return Said::Dialect(object),
    }
    Said::Damaged(first(needs, &object))
}

/// What is found in the first members of an object.
fn first(needs: u32, object: &ObjectText) -> Vec<Found> {
    let literal = |all: &'_ [NamedValue]| all.first().map(|member| member.literal.clone());
    found(needs, literal(&object.uids).as_deref(), literal(&object.times).as_deref())
}

/// What is found in a text that is no JSON.
fn no_json(text: &str, needs: u32) -> Vec<Found> {
    let mut all = Vec::new();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().map_while(Result::ok);
    if let Some(before) = values.next().and_then(|value| object(value.get())) {
        let of_first = first(needs | Lenience::Trailing.bit(), &before);
        if let Some(after) = values.next().and_then(|value| object(value.get())) {
            for (one, other) in of_first.iter().zip(first(needs | Lenience::Second.bit(), &after)) {
                let frames = [&one.frames[..], &other.frames].concat();
                all.push(Found { needs: one.needs | other.needs, frames });
            }
        }
        all.extend(of_first);
    }
    let [uid, ts] = scan(text);
    all.extend(found(needs | Lenience::NotJson.bit(), uid, ts));
    all
}

/// The deepest nesting of a text that is JSON.
fn depth(json: &str) -> usize {
    let (mut now, mut most, mut is_string, mut is_escape) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escape => is_escape = false,
            b'\\' => is_escape = true,
            b'"' => is_string = !is_string,
            b'{' | b'[' if !is_string => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !is_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// The members of a text that is an object.
fn object(text: &str) -> Option<ObjectText> {
    struct Root;
    impl<'de> Visitor<'de> for Root {
        type Value = ObjectText;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ObjectText, A::Error> {
            let mut object = ObjectText::default();
            while let Some(name) = map.next_key::<&RawValue>()? {
                let literal = map.next_value::<&RawValue>()?.get().to_owned();
                let place = object.uids.len() + object.times.len();
                let members = match serde_json::from_str::<String>(name.get()).as_deref() {
                    Ok("uid") => &mut object.uids,
                    Ok("ts") => &mut object.times,
                    _ => continue,
                };
                members.push(NamedValue { place, is_escaped: name.get().contains('\\'), literal });
            }
            Ok(object)
        }
    }
    serde_json::Deserializer::from_str(text).deserialize_map(Root).ok()
}
