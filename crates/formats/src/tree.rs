//! A JSON value in memory, as a program has it that writes frames.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// A JSON value. Names keep their order and may repeat. Numbers lose their form: 1.0 and 1.00 are one number.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number without fraction and exponent; -0 is 0.
    Integer(i64),
    /// The same beyond [`i64::MAX`].
    Unsigned(u64),
    /// Any other number; beyond the range of a double it is infinite.
    Double(f64),
    /// A text; lone surrogates become U+FFFD.
    Text(String),
    /// An array.
    Array(Vec<Tree>),
    /// An object.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads a JSON value; nesting is not limited here.
    ///
    /// # Errors
    /// If the text is not JSON.
    pub fn read(json: &str) -> Result<Tree, serde_json::Error> {
        let json = json.trim_matches([' ', '\t', '\n', '\r']);
        Ok(match json.as_bytes().first() {
            Some(b'{') => {
                let Entries(entries) = serde_json::from_str(json)?;
                let tree = |(name, value): (String, &RawValue)| Ok((name, Tree::read(value.get())?));
                Tree::Object(entries.into_iter().map(tree).collect::<Result<_, serde_json::Error>>()?)
            }
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(json)?;
                Tree::Array(values.iter().map(|value| Tree::read(value.get())).collect::<Result<_, _>>()?)
            }
            Some(b'"') => {
                let Text(text) = serde_json::from_str(json)?;
                Tree::Text(text)
            }
            Some(b'-' | b'0'..=b'9') => number(json)?,
            _ => serde_json::from_str::<Option<bool>>(json)?.map_or(Tree::Null, Tree::Bool),
        })
    }

    /// Removes the members of this name below the names before it.
    pub(crate) fn remove(&mut self, path: &[String]) {
        let (Some((first, rest)), Tree::Object(entries)) = (path.split_first(), self) else { return };
        if rest.is_empty() {
            return entries.retain(|(name, _)| name != first);
        }
        entries.iter_mut().filter(|(name, _)| name == first).for_each(|(_, value)| value.remove(rest));
    }

    /// How many members share their name with another one of the same object, those below included.
    pub fn repeated_names(&self) -> usize {
        match self {
            Tree::Array(values) => values.iter().map(Tree::repeated_names).sum(),
            Tree::Object(entries) => {
                let mut names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                let repeated = names.windows(2).filter(|pair| pair[0] == pair[1]).count();
                repeated + entries.iter().map(|(_, value)| value.repeated_names()).sum::<usize>()
            }
            _ => 0,
        }
    }
}

fn number(json: &str) -> Result<Tree, serde_json::Error> {
    if let Ok(number) = json.parse() {
        return Ok(Tree::Integer(number));
    }
    if let Ok(number) = json.parse() {
        return Ok(Tree::Unsigned(number));
    }
    json.parse().map(Tree::Double).map_err(serde_json::Error::custom)
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Null => serializer.serialize_unit(),
            Tree::Bool(value) => serializer.serialize_bool(*value),
            Tree::Integer(value) => serializer.serialize_i64(*value),
            Tree::Unsigned(value) => serializer.serialize_u64(*value),
            Tree::Double(value) => serializer.serialize_f64(*value),
            Tree::Text(value) => serializer.serialize_str(value),
            Tree::Array(values) => serializer.collect_seq(values),
            Tree::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}

/// The members of an object, in order.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries<'a>, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    entries.push((name, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

/// A text, or a name. serde_json reads lone surrogates as bytes only.
pub(crate) struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
        }
        deserializer.deserialize_bytes(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_keeps_order_and_repeats() {
        let text = r#" {"b":[1,-0,1e2,18446744073709551615,null],"a":"\u0061\ud800","b":{"":true}} "#;
        let tree = Tree::read(text).unwrap();
        let array = Tree::Array(vec![
            Tree::Integer(1),
            Tree::Integer(0),
            Tree::Double(100.0),
            Tree::Unsigned(u64::MAX),
            Tree::Null,
        ]);
        let below = Tree::Object(vec![(String::new(), Tree::Bool(true))]);
        // A lone surrogate takes three bytes, none of which is UTF-8.
        let entries = [("b", array), ("a", Tree::Text("a\u{fffd}\u{fffd}\u{fffd}".into())), ("b", below)];
        assert_eq!(tree, Tree::Object(entries.map(|(name, value)| (name.to_owned(), value)).into()));
        assert_eq!(tree.repeated_names(), 1);
        let written = serde_json::to_string(&tree).unwrap();
        assert!(written.starts_with(r#"{"b":[1,0,100.0,18446744073709551615,null],"a":"#), "{written}");
    }

    #[test]
    fn members_are_removed_by_their_path() {
        let mut tree = Tree::read(r#"{"a":{"b":1,"c":2},"b":3}"#).unwrap();
        tree.remove(&["a".into(), "b".into()]);
        assert_eq!(serde_json::to_string(&tree).unwrap(), r#"{"a":{"c":2},"b":3}"#);
        tree.remove(&["b".into()]);
        assert_eq!(serde_json::to_string(&tree).unwrap(), r#"{"a":{"c":2}}"#);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "[1,]", "tru", "1x", "\"\\x\"", "{\"a\" 1}"] {
            assert!(Tree::read(text).is_err(), "{text}");
        }
    }
}
