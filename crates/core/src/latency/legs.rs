//! The legs of a frame's way, and the latency of each.

use crate::latency::histogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

/// A part of the way from the moment a frame is due to the moment its result can be read.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    JsonSchema,
    Serialize,
    Deserialize,
    Display,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Leg {
    /// From the moment a frame is due to the moment it is sent.
    Schedule,
    /// From sent to acknowledged.
    Ack,
    /// From sent to read.
    Transit,
    /// From the begin of a transaction of one record, beside the load, to the answer to its commit: the broker's part
    /// of the result latency. It is measured at other moments than the results: compare the medians.
    Transaction,
    /// From the earliest moment a result could exist (the arrival of the frame that moves the watermark past the
    /// window) to its visibility for a reader that sees committed results only.
    Result,
    /// From the moment that frame was due to the same visibility.
    EndToEnd,
}

impl Leg {
    /// Every leg, in the order of a table.
    pub const ALL: &[Leg] = Leg::VARIANTS;

    /// The name used in tables, tags and records.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// One histogram for each leg.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Legs([Histogram; Leg::ALL.len()]);

impl Legs {
    /// Records one latency in microseconds.
    #[inline]
    pub fn record(&mut self, leg: Leg, us: i64) {
        self.0[leg as usize].record(us);
    }

    /// The histogram of one leg.
    pub fn get(&self, leg: Leg) -> &Histogram {
        &self.0[leg as usize]
    }

    /// Adds the values of other histograms.
    pub fn merge(&mut self, other: &Legs) {
        for (mine, other) in self.0.iter_mut().zip(&other.0) {
            mine.merge(other);
        }
    }

    /// Adds the values of another histogram to one leg.
    pub fn merge_leg(&mut self, leg: Leg, other: &Histogram) {
        self.0[leg as usize].merge(other);
    }

    /// The legs with at least one value, in the order of a table.
    pub fn recorded(&self) -> impl Iterator<Item = (Leg, &Histogram)> {
        Leg::ALL.iter().copied().zip(&self.0).filter(|(_, histogram)| !histogram.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_serde_writes() {
        for leg in Leg::ALL.iter().copied() {
            assert_eq!(serde_json::to_string(&leg).unwrap(), format!("\"{leg}\""));
            assert_eq!(Leg::ALL[leg as usize], leg);
        }
        assert_eq!(format!("{:>12}", Leg::EndToEnd), "  end_to_end");
    }

    #[test]
    fn legs_are_apart() {
        let mut legs = Legs::default();
        legs.record(Leg::Ack, 5);
        legs.record(Leg::EndToEnd, -1);
        let mut sum = legs.clone();
        sum.merge(&legs);
        assert_eq!((sum.get(Leg::Ack).count(), sum.get(Leg::Ack).negative()), (2, 0));
        assert_eq!((sum.get(Leg::EndToEnd).count(), sum.get(Leg::EndToEnd).negative()), (0, 2));
        assert_eq!(sum.recorded().map(|(leg, _)| leg).collect::<Vec<_>>(), [Leg::Ack, Leg::EndToEnd]);
        assert!(sum.get(Leg::Result).is_empty());
    }
}
