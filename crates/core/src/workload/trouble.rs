//! What a stream may suffer from: `NAME`, or `NAME=VALUE`.

use kuu_frame::Malformed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use strum::{Display, EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// Every kind of trouble, in the order of the help.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    EnumMessage,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    /// frames that come up to the lateness after their time
    LateWithin,
    /// frames that come after the first result of their minute, but within retention
    LateBeyond,
    /// frames that come after the retention of their window
    LateRetention,
    /// frames with a stamp of one to ten years ago
    Past,
    /// frames exactly on the first or the last second of a window
    Edges,
    /// one stamp five years ahead: the first frame of the stream, put on this partition
    FutureFirst,
    /// one stamp five years ahead, in the middle of the stream, put on this partition
    FutureMiddle,
    /// one stamp five years ahead: the last frame of the stream, put on this partition
    FutureLast,
    /// a partition whose frames are ahead of the others by this time
    Ahead,
    /// a partition whose frames are behind the others by this time
    Behind,
    /// a partition that gets no frame from this percentage of the stream on
    Silent,
    /// a partition that never gets a frame
    Empty,
    /// time without a frame, in the middle of the stream
    Pause,
    /// frames of one and the same user
    Hot,
    /// frames that come twice, byte by byte, within 64 lines
    Duplicate,
    /// blank lines
    Blank,
    /// frames of about 1,000,000 bytes
    Big,
    /// frames of about 1,200,000 bytes: more than a topic takes by default
    Huge,
    /// frames whose ts is a string of digits
    TsText,
    /// frames with escapes in their uid
    EscapedUid,
    /// frames with escapes in the keys uid and ts
    EscapedKey,
    /// frames with nesting of 1,000 levels
    Deep,
    /// frames that end too early (not_json)
    Cut,
    /// frames with one flipped bit (not_utf8 or not_json)
    Flip,
    /// two frames in one line (not_json)
    Joined,
    /// lines that are no JSON at all (not_json)
    Garbage,
    /// frames with nesting of 1,025 levels (not_json)
    TooDeep,
    /// frames with a byte FF in a string (not_utf8)
    InvalidUtf8,
    /// JSON that is no object (not_object)
    NotObject,
    /// frames with two uid (duplicate_key)
    RepeatedUid,
    /// frames with two ts (duplicate_key)
    RepeatedTs,
    /// frames without uid (no_uid)
    NoUid,
    /// frames with an empty uid (bad_uid)
    EmptyUid,
    /// frames whose uid is null (bad_uid)
    NullUid,
    /// frames whose uid is a number, a bool, an array or an object (bad_uid)
    WrongUid,
    /// frames whose uid is half of a surrogate pair (bad_uid)
    SurrogateUid,
    /// frames without ts (no_ts)
    NoTs,
    /// frames with an empty ts (bad_ts)
    EmptyTs,
    /// frames whose ts is null (bad_ts)
    NullTs,
    /// frames whose ts is a fraction, negative, a bool, a text or beyond the year 9999 (bad_ts)
    WrongTs,
}

/// What the value of a trouble means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A share of all frames, 0 to 1.
    Share,
    /// How many frames of the stream, evenly spread.
    Count,
    /// The number of a partition.
    Partition,
    /// The number of a partition and a time: `2:10min`.
    PartitionTime,
    /// The number of a partition and a percentage of the stream: `2:50`.
    PartitionFrom,
    /// A time: `3d`.
    Time,
}

impl Kind {
    /// Every kind.
    pub const ALL: &[Kind] = Kind::VARIANTS;

    /// What the value means.
    pub fn value_kind(self) -> ValueKind {
        match self {
            Kind::FutureFirst | Kind::FutureMiddle | Kind::FutureLast | Kind::Empty => ValueKind::Partition,
            Kind::Ahead | Kind::Behind => ValueKind::PartitionTime,
            Kind::Silent => ValueKind::PartitionFrom,
            Kind::Pause => ValueKind::Time,
            Kind::Big | Kind::Huge => ValueKind::Count,
            _ => ValueKind::Share,
        }
    }

    /// The value if none is given.
    pub fn default_value(self) -> Amount {
        match self.value_kind() {
            ValueKind::Share => Amount::Share(Share(0.01)),
            ValueKind::Count => Amount::Count(1),
            ValueKind::Partition => Amount::Partition(0),
            ValueKind::PartitionTime => Amount::PartitionTime { partition: 0, seconds: 600 },
            ValueKind::PartitionFrom => Amount::PartitionFrom { partition: 0, percent: 50 },
            ValueKind::Time => Amount::Time(3 * 86_400),
        }
    }

    /// The only reason for which its lines are no frames; [`Kind::Flip`] has two.
    pub fn reason(self) -> Option<Malformed> {
        use Malformed::{BadTs, BadUid, DuplicateKey, NoTs, NoUid, NotJson, NotObject, NotUtf8};
        Some(match self {
            Kind::Cut | Kind::Joined | Kind::Garbage | Kind::TooDeep => NotJson,
            Kind::InvalidUtf8 => NotUtf8,
            Kind::NotObject => NotObject,
            Kind::RepeatedUid | Kind::RepeatedTs => DuplicateKey,
            Kind::NoUid => NoUid,
            Kind::EmptyUid | Kind::NullUid | Kind::WrongUid | Kind::SurrogateUid => BadUid,
            Kind::NoTs => NoTs,
            Kind::EmptyTs | Kind::NullTs | Kind::WrongTs => BadTs,
            _ => return None,
        })
    }
}

/// A part of a whole, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(f64);

impl Share {
    /// Nothing.
    pub const NONE: Share = Share(0.0);

    /// How many of the 2^32 numbers of 32 bits are within the share.
    pub(super) fn threshold(self) -> u64 {
        (self.0 * 4_294_967_296.0) as u64
    }
}

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(share: f64) -> Result<Share, String> {
        if (0.0..=1.0).contains(&share) { Ok(Share(share)) } else { Err("a share is a number from 0 to 1".into()) }
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> f64 {
        share.0
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Share, String> {
        text.parse::<f64>().map_err(|_| "a share is a number from 0 to 1".to_owned())?.try_into()
    }
}

/// The value of a trouble.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Amount {
    Share(Share),
    Count(u32),
    Partition(u16),
    PartitionTime { partition: u16, seconds: i64 },
    PartitionFrom { partition: u16, percent: u8 },
    Time(i64),
}

/// One trouble of a stream.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Trouble {
    /// What it is.
    pub kind: Kind,
    /// How much of it, where, or for how long.
    pub value: Amount,
}

impl Trouble {
    /// The partition that the trouble names.
    pub fn partition(&self) -> Option<u16> {
        match self.value {
            Amount::Partition(partition)
            | Amount::PartitionTime { partition, .. }
            | Amount::PartitionFrom { partition, .. } => Some(partition),
            Amount::Share(_) | Amount::Count(_) | Amount::Time(_) => None,
        }
    }

    /// The time of the trouble; 0 if it has none.
    pub(super) fn seconds(&self) -> i64 {
        match self.value {
            Amount::PartitionTime { seconds, .. } | Amount::Time(seconds) => seconds,
            _ => 0,
        }
    }

    /// The share of the trouble; nothing if it has none.
    pub(super) fn share(&self) -> Share {
        if let Amount::Share(share) = self.value { share } else { Share::NONE }
    }
}

impl FromStr for Trouble {
    type Err = String;

    fn from_str(text: &str) -> Result<Trouble, String> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let kind: Kind = name.parse().map_err(|_| format!("no trouble `{name}`: `kuu generate --help` lists them"))?;
        let value = match value {
            None => kind.default_value(),
            Some(value) => read(kind.value_kind(), value).map_err(|error| format!("{kind}={value}: {error}"))?,
        };
        Ok(Trouble { kind, value })
    }
}

fn read(kind: ValueKind, text: &str) -> Result<Amount, String> {
    let partition = |text: &str| text.parse().map_err(|_| "a partition is a number from 0".to_owned());
    let both = || text.split_once(':').map_or((text, None), |(partition, rest)| (partition, Some(rest)));
    Ok(match kind {
        ValueKind::Share => Amount::Share(text.parse()?),
        ValueKind::Count => Amount::Count(text.parse().map_err(|_| "a number of frames, as in 3".to_owned())?),
        ValueKind::Partition => Amount::Partition(partition(text)?),
        ValueKind::PartitionTime => {
            let (first, time) = both();
            Amount::PartitionTime { partition: partition(first)?, seconds: time.map_or(Ok(600), seconds)? }
        }
        ValueKind::PartitionFrom => {
            let (first, percent) = both();
            let percent = percent.map_or(Some(50), |text| text.parse().ok().filter(|percent| *percent <= 100));
            let percent = percent.ok_or("PARTITION:PERCENT, as in 2:50")?;
            Amount::PartitionFrom { partition: partition(first)?, percent }
        }
        ValueKind::Time => Amount::Time(seconds(text)?),
    })
}

/// Whole seconds of a time with a unit, or without.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no time: write 90s, 10min, 2h or 3d");
    let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let length = match unit {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(i64::from(number) * length)
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.kind)?;
        match self.value {
            Amount::Share(share) => write!(f, "{}", share.0),
            Amount::Count(count) => write!(f, "{count}"),
            Amount::Partition(partition) => write!(f, "{partition}"),
            Amount::PartitionTime { partition, seconds } => write!(f, "{partition}:{seconds}s"),
            Amount::PartitionFrom { partition, percent } => write!(f, "{partition}:{percent}"),
            Amount::Time(seconds) => write!(f, "{seconds}s"),
        }
    }
}

impl TryFrom<String> for Trouble {
    type Error = String;

    fn try_from(text: String) -> Result<Trouble, String> {
        text.parse()
    }
}

impl From<Trouble> for String {
    fn from(trouble: Trouble) -> String {
        trouble.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for kind in Kind::ALL {
            let trouble: Trouble = kind.to_string().parse().unwrap();
            assert_eq!(trouble.value, kind.default_value());
            assert_eq!(trouble.to_string().parse(), Ok(trouble), "{trouble}");
        }
        for (text, means) in [
            ("late-beyond=0.03", "late-beyond=0.03"),
            ("ahead=2:10min", "ahead=2:600s"),
            ("behind=1", "behind=1:600s"),
            ("silent=3:25", "silent=3:25"),
            ("pause=3d", "pause=259200s"),
            ("big=7", "big=7"),
        ] {
            assert_eq!(text.parse::<Trouble>().unwrap().to_string(), means);
        }
    }

    #[test]
    fn what_is_none() {
        for (text, says) in [
            ("", "no trouble ``"),
            ("late", "no trouble `late`"),
            ("cut=2", "cut=2: a share is a number from 0 to 1"),
            ("cut=NaN", "from 0 to 1"),
            ("cut=-0.1", "from 0 to 1"),
            ("big=x", "a number of frames"),
            ("empty=70000", "a partition is a number"),
            ("silent=0:101", "PARTITION:PERCENT"),
            ("ahead=0:10 years", "is no time"),
            ("pause=99999999999d", "is no time"),
            ("pause=", "is no time"),
        ] {
            let error = text.parse::<Trouble>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
