//! Exact sets and sketches side by side, in the format of a record.

use crate::distinct::Distinct;
use crate::statistics::median;
use crate::turn::Turn;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One input, counted in several ways in turn.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct DistinctRecord {
    /// The file.
    pub name: String,
    /// Number of frames that were counted: those that memory holds.
    pub frames: u64,
    /// Number of different users in them.
    pub users: u64,
    /// Number of windows.
    pub windows: u64,
    /// Users of a window, the median.
    pub window_users: u64,
    /// Sum of the users of all windows.
    pub all_window_users: u64,
    /// Nanoseconds to parse a frame, by round.
    pub parse_ns: Vec<f64>,
    /// The ways to count, exact sets first.
    pub ways: Vec<WayRecord>,
    /// When each sample was taken: its place in the list is its slot. A stage is `parse`, or a way by its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
}

/// One way to count.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct WayRecord {
    /// How users are counted.
    pub distinct: Distinct,
    /// Nanoseconds to count a parsed frame, by round: look up or hash its user, find its windows, add the user, and at the
    /// end give every result.
    pub frame_ns: Vec<f64>,
    /// Bytes of memory of the users of all windows, and of their ids if they are kept.
    pub memory_bytes: u64,
    /// Bytes of the records that restore the counter.
    pub state_bytes: u64,
    /// The root of the mean square of the errors of all windows, each a share of the users in truth.
    pub rms_error: f64,
    /// The largest of these errors.
    pub largest_error: f64,
}

impl WayRecord {
    /// The time of each round by that of `other` in the same round.
    pub fn ratios(&self, other: &WayRecord) -> Vec<f64> {
        self.frame_ns.iter().zip(&other.frame_ns).map(|(ours, theirs)| ours / theirs.max(1e-9)).collect()
    }
}

impl DistinctRecord {
    /// The exact sets.
    pub fn exact(&self) -> Option<&WayRecord> {
        self.ways.iter().find(|way| way.distinct == Distinct::Exact)
    }

    /// The median of the ratios of this way to exact sets, in time.
    pub fn ratio(&self, way: &WayRecord) -> Option<f64> {
        Some(median(&way.ratios(self.exact()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_of_a_round() {
        let way = |distinct: &str, frame_ns: &[f64]| WayRecord {
            distinct: distinct.parse().unwrap(),
            frame_ns: frame_ns.to_vec(),
            ..WayRecord::default()
        };
        let ways = vec![way("exact", &[10.0, 20.0, 40.0]), way("hll:12", &[20.0, 20.0, 20.0])];
        let record = DistinctRecord { ways, ..DistinctRecord::default() };
        assert_eq!(record.ways[1].ratios(&record.ways[0]), [2.0, 1.0, 0.5]);
        assert_eq!([0, 1].map(|index| record.ratio(&record.ways[index])), [Some(1.0), Some(1.0)]);
        assert_eq!(DistinctRecord::default().ratio(&record.ways[1]), None);
    }
}
