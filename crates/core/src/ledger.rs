//! The fate of every frame.

use kuu_frame::Malformed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of frames by fate: `read = counted + malformed + too_late + too_far`.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Ledger {
    /// Values that were read, without blank lines.
    pub read: u64,
    /// Frames that at least one window counts.
    pub counted: u64,
    /// Values that are not frames, by reason, in the order of [`Malformed::ALL`]. Serialized by name.
    #[serde(with = "by_name")]
    #[schemars(with = "BTreeMap<String, u64>")]
    pub malformed: [u64; Malformed::ALL.len()],
    /// Frames whose window is past its retention.
    pub too_late: u64,
    /// Frames whose window is far from every clock, when too many such windows were open.
    #[serde(default)]
    pub too_far: u64,
    /// Blank lines of a file; not part of the balance.
    pub blank: u64,
    /// Counted frames whose window already had its on-time result; part of `counted`.
    #[serde(default)]
    pub late: u64,
    /// Counted frames that came too late for the ordered output; part of `counted`.
    #[serde(default)]
    pub out_of_order: u64,
}

impl Ledger {
    /// Counts a value that is not a frame.
    pub fn malformed(&mut self, reason: Malformed) {
        self.read += 1;
        self.malformed[reason as usize] += 1;
    }

    /// Adds the counts of a ledger of other frames.
    pub fn add(&mut self, other: &Ledger) {
        self.read += other.read;
        self.counted += other.counted;
        for (mine, theirs) in self.malformed.iter_mut().zip(other.malformed) {
            *mine += theirs;
        }
        self.too_late += other.too_late;
        self.too_far += other.too_far;
        self.blank += other.blank;
        self.late += other.late;
        self.out_of_order += other.out_of_order;
    }

    /// Values that are not frames, by the name of the reason; only reasons that occurred.
    pub fn reasons(&self) -> BTreeMap<&'static str, u64> {
        by_name::named(&self.malformed)
    }

    /// Values that are not frames, for any reason.
    pub fn malformed_total(&self) -> u64 {
        self.malformed.iter().sum()
    }

    /// Whether every value that was read has exactly one fate.
    pub fn balances(&self) -> bool {
        self.read == self.counted + self.malformed_total() + self.too_late + self.too_far
    }
}

/// Counts by reason as an object: the names of the reasons that occurred.
mod by_name {
    use super::{BTreeMap, Deserialize, Malformed};
    use serde::de::Error;
    use serde::{Deserializer, Serializer};

    type Counts = [u64; Malformed::ALL.len()];

    pub(super) fn named(counts: &Counts) -> BTreeMap<&'static str, u64> {
        let reasons = Malformed::ALL.iter().map(|reason| (reason.name(), counts[*reason as usize]));
        reasons.filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn serialize<S: Serializer>(counts: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(named(counts))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Counts, D::Error> {
        let mut counts = Counts::default();
        for (name, count) in BTreeMap::<String, u64>::deserialize(deserializer)? {
            let reason: Malformed = name.parse().map_err(|_| D::Error::custom(format!("unknown reason `{name}`")))?;
            counts[reason as usize] = count;
        }
        Ok(counts)
    }
}
