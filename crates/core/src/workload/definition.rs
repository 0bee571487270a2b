//! What a workload is: a file `workloads/NAME.toml`.

use super::incident::{self, Incident};
use super::spec::Spec;
use super::trouble::Share;
use crate::compression::Compression;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// Frames of known truth, how they reach the topic, and what is expected of a count.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workload {
    /// Why it is there, in a sentence.
    pub why: String,
    /// What every engine owes.
    pub tier: Tier,
    /// The mistakes that give a wrong answer here.
    #[serde(default)]
    pub targets: Vec<Mistake>,
    /// The answers that are right here, where engines may differ: of the tier `dialect`.
    #[serde(default)]
    pub accepts: Vec<Answer>,
    /// Whether frames of later hours follow, so that an engine without an end closes its last window.
    #[serde(default)]
    pub epilogue: bool,
    /// The file with the frames, as seen from the workload's own; none if they are made. Each goes to the partition of
    /// its key, or to each in turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How much of the file, in a race.
    #[serde(skip)]
    pub part: FilePart,
    /// How frames are made; of those of a file, only the partitions and the windows.
    #[serde(default)]
    pub frames: Spec,
    /// How they are delivered.
    #[serde(default)]
    pub delivery: DeliveryPlan,
    /// What happens meanwhile; a race carries it out.
    #[serde(default)]
    pub meanwhile: Vec<Incident>,
    /// What a count of the topic has in its ledger.
    pub expect: Expected,
}

/// The part of a file on which engines race.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilePart {
    /// The number of frames, from the first one; none: all.
    pub frames: Option<u64>,
    /// Whether each partition ends with a frame of a user of its own, so that no answer is right before all was read.
    pub last_users: bool,
}

/// What an engine owes on a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize, Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Tier {
    /// Every sane engine is right.
    Contract,
    /// Sane engines differ.
    Dialect,
    /// Something breaks meanwhile.
    Fault,
}

/// A way to count that is wrong.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    JsonSchema,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Mistake {
    /// Drops frames that are later than the lateness.
    DropsLate,
    /// Takes the greatest watermark of the partitions.
    GreatestWatermark,
    /// Drops all after a stamp in the future.
    FutureStamp,
    /// Misses the last window.
    MissesLastWindow,
    /// Counts a damaged frame.
    CountsDamaged,
    /// Counts frames of aborted transactions.
    CountsAborted,
    /// Counts frames twice after a crash.
    CountsTwice,
    /// Loses frames after a crash.
    LosesFrames,
    /// Adds up the users of the partitions.
    AddsPartitions,
    /// Approximates.
    Approximates,
    /// Shifts windows by a time zone.
    ShiftsTimeZone,
    /// Takes the time of the machine for event time.
    WallClock,
}

/// An answer that is accepted where sane engines differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize, Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Answer {
    /// Of members with one name, the first counts.
    First,
    /// The last one counts.
    Last,
    /// The frame does not count.
    Reject,
    /// The frame counts.
    Take,
}

/// How frames reach the topic. The partitions are those of the frames.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct DeliveryPlan {
    /// The key of the messages.
    pub key: Key,
    /// Compression of the batches.
    pub compression: Compression,
    /// Most messages of a batch; none: as many as librdkafka puts into one.
    pub batch_frames: Option<u32>,
    /// The producer's own transactions.
    pub transactions: Option<Transactions>,
    /// How many messages without a value stand between the frames, as a share of these.
    pub tombstones: Option<Share>,
    /// Whether messages have headers.
    pub headers: bool,
    /// Frames per second; none: as fast as it goes.
    pub rate: Option<f64>,
    /// The largest batch that the topic takes, in bytes; none: what the broker has.
    pub max_message_bytes: Option<u32>,
}

/// The key of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    /// The user id, if the frame has one.
    #[default]
    User,
    /// None.
    None,
}

/// Transactions in which frames are written.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transactions {
    /// Frames of a transaction.
    pub frames: u32,
    /// Before how many of them another one is aborted, with as many frames of users that nobody else has.
    pub abort: Share,
}

/// What a count of the topic has in its ledger, with the default lateness and retention.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expected {
    /// Messages of the data.
    pub read: u64,
    /// Frames that a window counts.
    pub counted: u64,
    /// Messages that are no frames, by reason.
    #[serde(default)]
    pub malformed: BTreeMap<String, u64>,
    /// Frames after the retention of their window.
    #[serde(default)]
    pub too_late: u64,
    /// Windows of the data.
    pub windows: u64,
}

impl Workload {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Workload, String> {
        let workload: Workload = toml::from_str(text).map_err(|error| error.to_string())?;
        workload.check()?;
        Ok(workload)
    }

    fn check(&self) -> Result<(), String> {
        self.frames.check()?;
        let fine = |is_fine: bool, words: &str| if is_fine { Ok(()) } else { Err(words.to_owned()) };
        fine(!self.why.trim().is_empty(), "why: a sentence is missing")?;
        let Spec { partitions, window, .. } = &self.frames;
        let alone = Spec { partitions: *partitions, window: window.clone(), ..Spec::default() };
        let is_file = self.file.is_some();
        fine(!is_file || self.frames == alone, "frames: of a file there are only partitions and window")?;
        fine(!is_file || !self.epilogue, "epilogue: only after frames that are made")?;
        let is_dialect = self.tier == Tier::Dialect;
        fine(is_dialect != self.accepts.is_empty(), "accepts: the right answers of a dialect, and of no other tier")?;
        let is_fault = self.tier == Tier::Fault;
        fine(is_fault != self.meanwhile.is_empty(), "meanwhile: what happens in a fault, and in no other tier")?;
        incident::check(&self.meanwhile)?;
        let fits = self.delivery.batch_frames != Some(0) && self.delivery.max_message_bytes != Some(0);
        fine(fits, "delivery: a batch has at least a frame")?;
        fine(
            self.delivery.rate.is_none_or(|rate| rate.is_finite() && rate > 0.0),
            "rate: more than 0 frames a second",
        )?;
        fine(self.delivery.transactions.is_none_or(|t| t.frames > 0), "transactions: of at least a frame")
    }
}

#[cfg(test)]
mod tests {
    use super::super::incident::{Action, When};
    use super::*;

    const TEXT: &str = r#"
        why = "Late frames."
        tier = "fault"
        targets = ["drops-late"]
        meanwhile = ["at 40 %: kill -9 engine"]
        [frames]
        frames = 100
        troubles = ["late-beyond=0.1"]
        [delivery]
        key = "none"
        compression = "zstd"
        transactions = { frames = 10, abort = 0.5 }
        [expect]
        read = 100
        counted = 100
        windows = 1
    "#;

    #[test]
    fn a_file() {
        let workload = Workload::parse(TEXT).unwrap();
        assert_eq!(workload.targets, [Mistake::DropsLate]);
        assert_eq!(workload.meanwhile, [Incident { when: When::At { percent: 40 }, action: Action::KillEngine }]);
        assert_eq!(workload.delivery.transactions.map(|t| (t.frames, f64::from(t.abort))), Some((10, 0.5)));
        assert_eq!((workload.frames.frames, workload.frames.users), (100, Spec::default().users));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (from, to, says) in [
            ("why = ", "file = \"a\"\nwhy = ", "frames: of a file there are only partitions and window"),
            ("why = ", "because = ", "unknown field `because`"),
            ("key = ", "keys = ", "unknown field `keys`"),
            ("\"none\"", "\"nobody\"", "unknown variant `nobody`"),
            ("drops-late", "is-slow", "unknown variant `is-slow`"),
            ("kill -9 engine", "unplug broker", "`at 40 %: unplug broker` is no event"),
            ("40 %", "140 %", "is no event"),
            ("at 40 %", "6 times at random", "at most 5 events at random"),
            ("late-beyond=0.1", "late=1", "no trouble `late`"),
            ("meanwhile", "#meanwhile", "meanwhile: what happens in a fault"),
            ("\"fault\"", "\"dialect\"", "accepts: the right answers of a dialect"),
            ("Late frames.", " ", "why: a sentence is missing"),
            ("frames = 10,", "frames = 0,", "transactions: of at least a frame"),
            ("abort = 0.5", "abort = 5", "a share is a number from 0 to 1"),
        ] {
            let error = Workload::parse(&TEXT.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(says), "{from} -> {to}: {error}");
        }
    }
}
