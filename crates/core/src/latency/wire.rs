//! Histograms in the format of a record.

use crate::latency::histogram::{Histogram, Summary};
use crate::latency::legs::{Leg, Legs};
use crate::latency::percentile::Percentile;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{
    DeserializeError, Deserializer, Serializer, V2DeflateSerializeError, V2DeflateSerializer,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// A histogram in a record.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct HistogramRecord {
    /// Number of values that are not negative: those in `histogram`.
    pub samples: u64,
    /// Number of values below zero; no other figure includes them.
    pub negative: u64,
    /// `null` if there are no samples.
    pub percentiles: Option<PercentilesUs>,
    /// HdrHistogram V2, compressed, in base64; values in microseconds.
    pub histogram: String,
}

/// The figures of a histogram, in microseconds. A percentile is left out if fewer than ten samples lie above it.
#[derive(Clone, Copy, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct PercentilesUs {
    /// The least value: the lower bound of its bucket.
    pub min_us: u64,
    /// The median, of 20 samples at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_us: Option<u64>,
    /// 90 % of the values are at most this, of 100 samples at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90_us: Option<u64>,
    /// 99 % of the values are at most this, of 1,000 samples at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<u64>,
    /// 99.9 % of the values are at most this, of 10,000 samples at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_9_us: Option<u64>,
    /// The greatest value: the upper bound of its bucket.
    pub max_us: u64,
    /// The arithmetic mean.
    pub mean_us: f64,
}

/// The legs in a record, by name; legs without a value are left out.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegRecords(pub BTreeMap<Leg, HistogramRecord>);

/// A histogram that cannot be written to a record, or cannot be read from one.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The format cannot hold the histogram.
    #[error("the histogram cannot be encoded: {0}")]
    Encode(#[from] V2DeflateSerializeError),
    /// The text is not base64.
    #[error("the histogram of the record is not base64: {0}; the record is damaged")]
    Base64(#[from] base64::DecodeError),
    /// The bytes are not an HdrHistogram.
    #[error("the record holds no HdrHistogram: {0}; the record is damaged")]
    Decode(#[from] DeserializeError),
    /// The histogram does not have the precision that this program writes.
    #[error("the histogram of the record has {digits} digits from {low} us, not {} from 1 us", Histogram::DIGITS)]
    Precision {
        /// Significant decimal digits.
        digits: u8,
        /// The lowest discernible value.
        low: u64,
    },
    /// The record contradicts itself.
    #[error("the record names {samples} samples, but its histogram holds {count}; the record is damaged")]
    Samples {
        /// The number in the record.
        samples: u64,
        /// The number in the histogram.
        count: u64,
    },
}

impl Histogram {
    /// The histogram as HdrHistogram V2, compressed, in base64, without negative values.
    ///
    /// # Errors
    /// A count exceeds what the format holds (2⁶³).
    pub fn to_base64(&self) -> Result<String, V2DeflateSerializeError> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&self.inner, &mut bytes)?;
        Ok(STANDARD.encode(bytes))
    }

    /// Reads a text of [`Histogram::to_base64`], and adds the number of negative values.
    ///
    /// # Errors
    /// The text is not base64, or not an HdrHistogram of three digits.
    pub fn from_base64(text: &str, negative: u64) -> Result<Histogram, RecordError> {
        let bytes = STANDARD.decode(text)?;
        let mut inner = Deserializer::new().deserialize::<u64, _>(&mut bytes.as_slice())?;
        let (digits, low) = (inner.sigfig(), inner.low());
        if (digits, low) != (Histogram::DIGITS, 1) {
            return Err(RecordError::Precision { digits, low });
        }
        inner.auto(true);
        Ok(Histogram { inner, negative })
    }
}

impl HistogramRecord {
    /// A percentile, if the samples support it: older records have all of them, however few samples there were.
    pub fn percentile(&self, percentile: Percentile) -> Option<u64> {
        let of = self.percentiles.filter(|_| percentile.is_supported_by(self.samples))?;
        match percentile {
            Percentile::P50 => of.p50_us,
            Percentile::P90 => of.p90_us,
            Percentile::P99 => of.p99_us,
            Percentile::P99_9 => of.p99_9_us,
        }
    }
}

impl TryFrom<&Histogram> for HistogramRecord {
    type Error = RecordError;

    fn try_from(histogram: &Histogram) -> Result<HistogramRecord, RecordError> {
        Ok(HistogramRecord {
            samples: histogram.count(),
            negative: histogram.negative(),
            percentiles: histogram.summary().map(PercentilesUs::from),
            histogram: histogram.to_base64()?,
        })
    }
}

impl TryFrom<&HistogramRecord> for Histogram {
    type Error = RecordError;

    fn try_from(record: &HistogramRecord) -> Result<Histogram, RecordError> {
        let histogram = Histogram::from_base64(&record.histogram, record.negative)?;
        let (samples, count) = (record.samples, histogram.count());
        if samples != count {
            return Err(RecordError::Samples { samples, count });
        }
        Ok(histogram)
    }
}

impl From<Summary> for PercentilesUs {
    fn from(summary: Summary) -> PercentilesUs {
        let Summary { count: _, min_us, p50_us, p90_us, p99_us, p99_9_us, max_us, mean_us } = summary;
        PercentilesUs { min_us, p50_us, p90_us, p99_us, p99_9_us, max_us, mean_us }
    }
}

impl LegRecords {
    /// Whether no leg holds a value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<&Legs> for LegRecords {
    type Error = RecordError;

    fn try_from(legs: &Legs) -> Result<LegRecords, RecordError> {
        let records = legs.recorded().map(|(leg, histogram)| Ok((leg, histogram.try_into()?)));
        records.collect::<Result<_, _>>().map(LegRecords)
    }
}

impl TryFrom<&LegRecords> for Legs {
    type Error = RecordError;

    fn try_from(records: &LegRecords) -> Result<Legs, RecordError> {
        let mut legs = Legs::default();
        for (leg, record) in &records.0 {
            legs.merge_leg(*leg, &record.try_into()?);
        }
        Ok(legs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::V2Serializer;
    use proptest::prelude::*;

    fn legs() -> Legs {
        let mut legs = Legs::default();
        for us in 1..=1000 {
            legs.record(Leg::Schedule, us);
        }
        legs.record(Leg::Schedule, -7);
        legs.record(Leg::EndToEnd, -1);
        legs
    }

    #[test]
    fn what_stands_in_a_record() {
        let records = LegRecords::try_from(&legs()).unwrap();
        let histogram = &records.0[&Leg::Schedule].histogram;
        assert!(histogram.starts_with("HISTFAAAA"));
        let empty = &records.0[&Leg::EndToEnd].histogram;
        assert_eq!(
            serde_json::to_value(&records).unwrap(),
            serde_json::json!({
                "schedule": {
                    "samples": 1000,
                    "negative": 1,
                    "percentiles": {
                        "min_us": 1, "p50_us": 500, "p90_us": 900, "p99_us": 990, "max_us": 1000, "mean_us": 500.5
                    },
                    "histogram": histogram
                },
                "end_to_end": { "samples": 0, "negative": 1, "percentiles": null, "histogram": empty }
            })
        );
    }

    #[test]
    fn there_and_back() {
        let records = LegRecords::try_from(&legs()).unwrap();
        let text = serde_json::to_string(&records).unwrap();
        assert!(text.starts_with(r#"{"schedule":{"samples":1000,"negative":1,"percentiles":{"min_us":1,"#));
        let read: LegRecords = serde_json::from_str(&text).unwrap();
        assert_eq!(read, records);
        let mut back = Legs::try_from(&read).unwrap();
        assert_eq!(back, legs());
        // A restored histogram can grow like the recorded one.
        back.record(Leg::Schedule, 1 << 40);
        assert_eq!(back.get(Leg::Schedule).count(), 1001);
    }

    #[test]
    fn an_older_record_has_percentiles_that_its_samples_do_not_support() {
        let mut record = HistogramRecord::try_from(legs().get(Leg::Schedule)).unwrap();
        record.percentiles.as_mut().unwrap().p99_9_us = Some(999);
        let given: Vec<_> = Percentile::ALL.iter().map(|percentile| record.percentile(*percentile)).collect();
        assert_eq!(given, [Some(500), Some(900), Some(990), None]);
    }

    #[test]
    fn damaged_records() {
        let good = HistogramRecord::try_from(legs().get(Leg::Schedule)).unwrap();
        let text = |change: &dyn Fn(&mut HistogramRecord)| {
            let mut record = good.clone();
            change(&mut record);
            Histogram::try_from(&record).unwrap_err().to_string()
        };
        assert_eq!(
            text(&|record| record.samples = 7),
            "the record names 7 samples, but its histogram holds 1000; the record is damaged"
        );
        assert_eq!(
            text(&|record| record.histogram.insert(0, '!')),
            "the histogram of the record is not base64: Invalid symbol 33, offset 0.; the record is damaged"
        );
        assert_eq!(
            text(&|record| record.histogram = "AAAAAAAA".into()),
            "the record holds no HdrHistogram: The cookie (first 4 bytes) did not match that for any supported format; \
             the record is damaged"
        );
        let coarse = hdrhistogram::Histogram::<u64>::new_with_bounds(10, 1000, 2).unwrap();
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&coarse, &mut bytes).unwrap();
        assert_eq!(
            text(&|record| record.histogram = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &bytes)),
            "the histogram of the record has 2 digits from 10 us, not 3 from 1 us"
        );
    }

    proptest! {
        #[test]
        fn any_damage_is_an_error_or_a_histogram(at in 8..60_usize, byte in any::<u8>(), cut in 0..80_usize) {
            let mut bytes = Vec::new();
            V2Serializer::new().serialize(&legs().get(Leg::Schedule).inner, &mut bytes).unwrap();
            bytes[at] = byte;
            bytes.truncate(bytes.len() - cut);
            let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &bytes);
            let _ = Histogram::from_base64(&text, 0);
        }
    }
}
