//! The parser that defines the rules, with serde_json and no optimisation.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::rules::{MAX_DEPTH, MAX_TS, MAX_UID, Malformed, Member, Root};

/// The plain parser.
#[derive(Default)]
pub struct PlainParser {
    uid: String,
}

impl PlainParser {
    /// A parser with empty scratch memory.
    pub fn new() -> PlainParser {
        PlainParser::default()
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
        let Ok(members) = serde_json::from_str::<RootMembers>(text) else {
            return Err(Malformed::NotObject);
        };
        Ok(Root {
            uid: match members.uid {
                Member::Good(literal) => match unescape(literal) {
                    Some(uid) if !uid.is_empty() && uid.len() <= MAX_UID => {
                        self.uid = uid;
                        Member::Good(&self.uid)
                    }
                    _ => Member::Bad,
                },
                Member::Missing => Member::Missing,
                Member::Repeated => Member::Repeated,
                Member::Bad => Member::Bad,
            },
            ts: match members.ts {
                Member::Good(literal) => match seconds(literal) {
                    Some(ts) => Member::Good(ts),
                    None => Member::Bad,
                },
                Member::Missing => Member::Missing,
                Member::Repeated => Member::Repeated,
                Member::Bad => Member::Bad,
            },
        })
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

/// The time in the literal of a `ts`.
fn seconds(literal: &str) -> Option<i64> {
    let ts: i64 = if literal.starts_with('"') {
        let text = unescape(literal)?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        text.parse().ok()?
    } else {
        // Rejects fractions, exponents and everything that is not a number; `-0` is zero.
        literal.parse().ok()?
    };
    (0..=MAX_TS).contains(&ts).then_some(ts)
}

/// The literals of the root's two members; `Bad` is never used.
struct RootMembers<'a> {
    uid: Member<&'a str>,
    ts: Member<&'a str>,
}

impl<'de> Deserialize<'de> for RootMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = RootMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = RootMembers { uid: Member::Missing, ts: Member::Missing };
                while let Some((name, literal)) = map.next_entry::<Name, &RawValue>()? {
                    let member = match name {
                        Name::Uid => &mut members.uid,
                        Name::Ts => &mut members.ts,
                        Name::Other => continue,
                    };
                    *member = match member {
                        Member::Missing => Member::Good(literal.get()),
                        _ => Member::Repeated,
                    };
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// A root member's name, compared after unescaping.
enum Name {
    Uid,
    Ts,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
                Ok(match name {
                    b"uid" => Name::Uid,
                    b"ts" => Name::Ts,
                    _ => Name::Other,
                })
            }
        }

        // Reads bytes, because a name may have a lone surrogate, which no `str` can hold.
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_nesting_is_exact() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        let mut parser = PlainParser::new();
        assert!(parser.root(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(parser.root(nested(MAX_DEPTH + 1).as_bytes()), Err(Malformed::NotJson));
        assert_eq!(depth(r#"{"[[[\"[[":[{},[]]}"#), 3);
    }

    #[test]
    fn times() {
        assert_eq!(seconds("-0"), Some(0));
        assert_eq!(seconds(r#""\u0031""#), Some(1));
        assert_eq!(seconds("253402300799"), Some(MAX_TS));
        for literal in ["-1", "1.0", "1e3", "253402300800", r#""""#, r#""+1""#, r#""-0""#, r#""\ud800""#, "null", "[1]"]
        {
            assert_eq!(seconds(literal), None, "{literal}");
        }
    }

    #[test]
    fn only_the_members_of_the_root_count() {
        let mut parser = PlainParser::new();
        let root = parser.root(br#"{"a":{"ts":1},"\u0075id":"\u0061","uid":2,"\ud800":{}}"#);
        assert_eq!(root, Ok(Root { uid: Member::Repeated, ts: Member::Missing }));
    }
}
