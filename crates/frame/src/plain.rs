//! The parser that defines the rules, with serde_json and no optimisation.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::format::{FrameFormat, TsFormat, UidType};
use crate::rules::{MAX_DEPTH, MAX_TS, MAX_UID, Malformed, Member, Root};

/// The plain parser.
#[derive(Default)]
pub struct PlainParser {
    format: FrameFormat,
    uid: String,
}

impl PlainParser {
    /// A parser with empty scratch memory.
    pub fn new(format: FrameFormat) -> PlainParser {
        PlainParser { format, uid: String::new() }
    }

    /// See [`crate::Parser::root`].
    ///
    /// # Errors
    /// [`Malformed::NotUtf8`], [`Malformed::NotJson`] or [`Malformed::NotObject`].
    pub fn root<'a>(&'a mut self, value: &'a [u8]) -> Result<Root<'a>, Malformed> {
        let text = std::str::from_utf8(value).map_err(|_| Malformed::NotUtf8)?;
        // Ignored values are checked against the grammar without recursion, and numbers are not converted.
        serde_json::from_str::<IgnoredAny>(text).map_err(|_| Malformed::NotJson)?;
        if depth(text) > MAX_DEPTH {
            return Err(Malformed::NotJson);
        }
        let FrameFormat { uid, uid_type, ts, ts_format } = &self.format;
        let Some(found) = members(text, [uid.names().first(), ts.names().first()]) else {
            return Err(Malformed::NotObject);
        };
        let below = |member, names: &[String]| names.iter().skip(1).fold(member, |member, name| below(member, name));
        let [at_uid, at_ts] = found;
        let uid = match below(at_uid, uid.names()) {
            Member::Good(literal) => match user(literal, *uid_type) {
                Some(uid) => {
                    self.uid = uid;
                    Member::Good(self.uid.as_str())
                }
                None => Member::Bad,
            },
            other => other,
        };
        let ts = match below(at_ts, ts.names()) {
            Member::Good(literal) => seconds(literal, *ts_format).map_or(Member::Bad, Member::Good),
            Member::Missing => Member::Missing,
            Member::Repeated => Member::Repeated,
            Member::Bad => Member::Bad,
        };
        Ok(Root { uid, ts })
    }
}

/// The member of this name in an object that is a member itself; what is no object has no members.
fn below<'a>(member: Member<&'a str>, name: &String) -> Member<&'a str> {
    match member {
        Member::Good(literal) => members(literal, [Some(name)]).map_or(Member::Missing, |[member]| member),
        other => other,
    }
}

/// The deepest nesting of a text that is JSON.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0, 0);
    let mut in_string = false;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => _ = bytes.next(),
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
    }
    deepest
}

/// The text of a string literal; `None` for any other value, or if it has a lone surrogate.
fn unescape(literal: &str) -> Option<String> {
    serde_json::from_str(literal).ok()
}

/// The user id in a literal.
fn user(literal: &str, uid_type: UidType) -> Option<String> {
    let is_string = literal.starts_with('"');
    let uid = if is_string { unescape(literal)? } else { integer(literal)? };
    let has_type = match uid_type {
        UidType::String => is_string,
        UidType::Integer => !is_string,
        UidType::Any => true,
    };
    let fits = has_type && !uid.is_empty() && uid.len() <= MAX_UID;
    fits.then(|| if is_string && uid_type == UidType::Any { format!("\"{uid}\"") } else { uid })
}

/// The text of a number without fraction and exponent; `None` for any other value.
fn integer(literal: &str) -> Option<String> {
    let is_integer = literal.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    is_integer.then(|| if literal == "-0" { "0".into() } else { literal.into() })
}

/// The time in a literal.
fn seconds(literal: &str, format: TsFormat) -> Option<i64> {
    let text = if literal.starts_with('"') { Some(unescape(literal)?) } else { None };
    let Some(per_second) = format.per_second() else { return rfc3339(&text?) };
    let number: u128 = match text {
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
        Some(_) => return None,
        // Rejects fractions, exponents and everything that is not a number; `-0` is zero.
        None => u128::try_from(literal.parse::<i128>().ok()?).ok()?,
    };
    i64::try_from(number / per_second).ok().filter(|ts| *ts <= MAX_TS)
}

/// The second of a time as RFC 3339 has it. `jiff` takes more kinds of text, and less digits after the point.
fn rfc3339(text: &str) -> Option<i64> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let shape: String = date_time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if !matches!(shape.as_str(), "0000-00-00T00:00:00" | "0000-00-00t00:00:00" | "0000-00-00 00:00:00") {
        return None;
    }
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            fraction.strip_prefix(|c: char| c.is_ascii_digit())?.trim_start_matches(|c: char| c.is_ascii_digit())
        }
        None => rest,
    };
    let shape: String = offset.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let east = match shape.as_str() {
        "Z" | "z" => 0,
        "+00:00" | "-00:00" => {
            let (hours, minutes): (i64, i64) = (offset[1..3].parse().ok()?, offset[4..6].parse().ok()?);
            let seconds = (hours < 24 && minutes < 60).then_some(3_600 * hours + 60 * minutes)?;
            if offset.starts_with('-') { -seconds } else { seconds }
        }
        _ => return None,
    };
    let local: jiff::civil::DateTime = date_time.to_uppercase().parse().ok()?;
    let epoch = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
    let ts = local.duration_since(epoch).as_secs() - east;
    (0..=MAX_TS).contains(&ts).then_some(ts)
}

/// The literals of the members of an object by these names; `None` if the text is no object. `Bad` is never used.
fn members<'a, const N: usize>(text: &'a str, names: [Option<&String>; N]) -> Option<[Member<&'a str>; N]> {
    Object(names).deserialize(&mut serde_json::Deserializer::from_str(text)).ok()
}

struct Object<'n, const N: usize>([Option<&'n String>; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Object<'_, N> {
    type Value = [Member<&'de str>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Object<'_, N> {
    type Value = [Member<&'de str>; N];

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = [Member::Missing; N];
        while let Some(is_name) = map.next_key_seed(Name(self.0))? {
            let literal: &RawValue = map.next_value()?;
            for (member, _) in members.iter_mut().zip(is_name).filter(|(_, is_name)| *is_name) {
                *member = if *member == Member::Missing { Member::Good(literal.get()) } else { Member::Repeated };
            }
        }
        Ok(members)
    }
}

/// Whether the name of a member is one of these names, after unescaping.
struct Name<'n, const N: usize>([Option<&'n String>; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Name<'_, N> {
    type Value = [bool; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // Reads bytes, because a name may have a lone surrogate, which no `str` can hold.
        deserializer.deserialize_bytes(self)
    }
}

impl<const N: usize> Visitor<'_> for Name<'_, N> {
    type Value = [bool; N];

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, found: &[u8]) -> Result<[bool; N], E> {
        Ok(self.0.map(|name| name.is_some_and(|name| name.as_bytes() == found)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_nesting_is_exact() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        let mut parser = PlainParser::default();
        assert!(parser.root(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(parser.root(nested(MAX_DEPTH + 1).as_bytes()), Err(Malformed::NotJson));
        assert_eq!(depth(r#"{"[[[\"[[":[{},[]]}"#), 3);
    }

    #[test]
    fn times() {
        let s = |literal| seconds(literal, TsFormat::S);
        assert_eq!(s("-0"), Some(0));
        assert_eq!(s(r#""\u0031""#), Some(1));
        assert_eq!(s("253402300799"), Some(MAX_TS));
        for literal in ["-1", "1.0", "1e3", "253402300800", r#""""#, r#""+1""#, r#""-0""#, r#""\ud800""#, "null", "[1]"]
        {
            assert_eq!(s(literal), None, "{literal}");
        }
        assert_eq!(seconds("253402300799999", TsFormat::Ms), Some(MAX_TS));
        assert_eq!(seconds("253402300800000", TsFormat::Ms), None);
        assert_eq!(seconds(r#""1999999""#, TsFormat::Us), Some(1));
        assert_eq!(seconds("253402300799999999999", TsFormat::Ns), Some(MAX_TS));
        assert_eq!(seconds("253402300800000000000", TsFormat::Ns), None);
        assert_eq!(seconds(r#""2026-03-01T00:00:60.5+00:30""#, TsFormat::Rfc3339), Some(1_772_321_459));
        assert_eq!(seconds("1772323200", TsFormat::Rfc3339), None);
        assert_eq!(seconds(r#""2026-03-01T00:00:00Z""#, TsFormat::S), None);
    }

    #[test]
    fn users() {
        assert_eq!(user("-0", UidType::Integer).as_deref(), Some("0"));
        assert_eq!(user("-17", UidType::Any).as_deref(), Some("-17"));
        assert_eq!(user(r#""\u0037""#, UidType::Any).as_deref(), Some("\"7\""));
        assert_eq!(user(&"9".repeat(MAX_UID), UidType::Integer).map(|uid| uid.len()), Some(MAX_UID));
        assert_eq!(user(&"9".repeat(MAX_UID + 1), UidType::Integer), None);
        for (literal, uid_type) in [
            ("7", UidType::String),
            (r#""7""#, UidType::Integer),
            ("7.0", UidType::Integer),
            ("7e0", UidType::Any),
            ("null", UidType::Any),
            (r#""""#, UidType::Any),
            ("{}", UidType::Any),
        ] {
            assert_eq!(user(literal, uid_type), None, "{literal}");
        }
    }

    #[test]
    fn only_the_members_of_the_root_count() {
        let mut parser = PlainParser::default();
        let root = parser.root(br#"{"a":{"ts":1},"\u0075id":"\u0061","uid":2,"\ud800":{}}"#);
        assert_eq!(root, Ok(Root { uid: Member::Repeated, ts: Member::Missing }));
    }
}
