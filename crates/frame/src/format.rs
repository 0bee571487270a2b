//! Where a frame has its two members, and how they are written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use strum::{Display, EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// The shape of the frames of a stream. The default is that of the challenge: `uid`, a string, and `ts`, in seconds.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct FrameFormat {
    /// The member that names the user.
    pub uid: Pointer,
    /// Its type.
    pub uid_type: UidType,
    /// The member with the event time.
    pub ts: Pointer,
    /// How it is written.
    pub ts_format: TsFormat,
}

impl Default for FrameFormat {
    fn default() -> FrameFormat {
        FrameFormat {
            uid: Pointer(vec!["uid".into()]),
            uid_type: UidType::default(),
            ts: Pointer(vec!["ts".into()]),
            ts_format: TsFormat::default(),
        }
    }
}

/// A JSON Pointer (RFC 6901) to a member, through objects only: a number in it is a name too.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// The names of the members on the way, from the root on; at least one.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// Reads `/event/user/id`; a text that does not start with `/` is the name of a member of the root.
impl FromStr for Pointer {
    type Err = String;

    fn from_str(text: &str) -> Result<Pointer, String> {
        let Some(path) = text.strip_prefix('/') else {
            return if text.is_empty() {
                Err("the empty pointer means the whole frame: name a member, as in /uid".into())
            } else {
                Ok(Pointer(vec![text.into()]))
            };
        };
        path.split('/').map(name).collect::<Result<_, _>>().map(Pointer)
    }
}

/// The name that a token of a pointer stands for: `~1` is a slash, `~0` a tilde.
fn name(token: &str) -> Result<String, String> {
    let mut parts = token.split('~');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (mark, rest) = part.split_at_checked(1).unwrap_or_default();
        name.push(match mark {
            "0" => '~',
            "1" => '/',
            _ => return Err(format!("in `{token}`, write ~0 for a tilde and ~1 for a slash (RFC 6901)")),
        });
        name.push_str(rest);
    }
    Ok(name)
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Pointer, String> {
        text.parse()
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> String {
        pointer.to_string()
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|name| write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")))
    }
}

/// Which JSON values name a user.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    JsonSchema,
    Serialize,
    Deserialize,
    Display,
    EnumMessage,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum UidType {
    /// A string, compared after unescaping
    #[default]
    String,
    /// A number without fraction and exponent, of any size; -0 is 0
    Integer,
    /// Both; "7" and 7 are two users, as the id of a string has its quotes
    Any,
}

/// How the event time is written: as a number without fraction, as a string of digits, or as text.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    JsonSchema,
    Serialize,
    Deserialize,
    Display,
    EnumMessage,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum TsFormat {
    /// Unix seconds
    #[default]
    S,
    /// Unix milliseconds
    Ms,
    /// Unix microseconds
    Us,
    /// Unix nanoseconds
    Ns,
    /// Text as in 2026-03-01T00:00:00.123Z (RFC 3339)
    Rfc3339,
}

impl TsFormat {
    /// How many units of a number make a second; none for text.
    pub fn per_second(self) -> Option<u128> {
        match self {
            TsFormat::S => Some(1),
            TsFormat::Ms => Some(1_000),
            TsFormat::Us => Some(1_000_000),
            TsFormat::Ns => Some(1_000_000_000),
            TsFormat::Rfc3339 => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers() {
        let names = |text: &str| text.parse::<Pointer>().map(|pointer| pointer.0);
        assert_eq!(names("/event/user/id"), Ok(vec!["event".into(), "user".into(), "id".into()]));
        assert_eq!(names("user_id"), Ok(vec!["user_id".into()]));
        assert_eq!(names("a~1b/c"), Ok(vec!["a~1b/c".into()]), "a bare name has no escapes");
        assert_eq!(names("/a~1b/~0~01/"), Ok(vec!["a/b".into(), "~~1".into(), String::new()]));
        assert_eq!(names("/"), Ok(vec![String::new()]));
        for text in ["", "/a~", "/~2", "/a/~é"] {
            assert!(names(text).is_err(), "{text}");
        }
        for text in ["/uid", "/a~1b/~0~01/", "/"] {
            assert_eq!(text.parse::<Pointer>().unwrap().to_string(), text);
        }
        assert_eq!(FrameFormat::default().uid.to_string(), "/uid");
    }
}
