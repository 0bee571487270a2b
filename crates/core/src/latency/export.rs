//! Files for other tools: interval logs (`.hlog`) and percentile distributions (`.hgrm`).

use crate::latency::histogram::Histogram;
use crate::latency::legs::Legs;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, IntervalLogWriterError, Tag};
use hdrhistogram::serialization::{V2DeflateSerializeError, V2DeflateSerializer};
use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};
use thiserror::Error;

/// Rows for each halving of the distance to 100 %: the Java tools use the same number.
const TICKS: f64 = 5.0;
const US_PER_MS: f64 = 1000.0;

/// A latency file that cannot be written.
#[derive(Debug, Error)]
pub enum ExportError {
    /// Writing failed.
    #[error("the latency file cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The format cannot hold the histogram.
    #[error("the histogram cannot be encoded: {0}")]
    Encode(V2DeflateSerializeError),
}

impl From<IntervalLogWriterError<V2DeflateSerializeError>> for ExportError {
    fn from(error: IntervalLogWriterError<V2DeflateSerializeError>) -> ExportError {
        match error {
            IntervalLogWriterError::IoError(error) => ExportError::Io(error),
            IntervalLogWriterError::SerializeError(error) => ExportError::Encode(error),
        }
    }
}

/// Writes an HdrHistogram interval log with one interval, the whole run, for each leg that holds a value; the tag is
/// the name of the leg. `start_us` is Unix time in microseconds, `duration_us` the length of the run.
///
/// # Errors
/// `out` fails, or a count exceeds what the format holds.
pub fn write_hlog(out: &mut impl Write, legs: &Legs, start_us: u64, duration_us: u64) -> Result<(), ExportError> {
    let start = UNIX_EPOCH + Duration::from_micros(start_us);
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("[Values are microseconds, Interval_Max is milliseconds]")
        .add_comment("[Histogram log format version 1.3]")
        .with_start_time(start)
        .with_base_time(start)
        .with_max_value_divisor(US_PER_MS)
        .begin_log_with(out, &mut serializer)?;
    for (leg, histogram) in legs.recorded() {
        if histogram.negative() > 0 {
            log.write_comment(&format!("[{leg}: {} negative values left out]", histogram.negative()))?;
        }
        let duration = Duration::from_micros(duration_us);
        log.write_histogram(&histogram.inner, Duration::ZERO, duration, Tag::new(leg.name()))?;
    }
    Ok(())
}

/// Writes a percentile distribution, values in milliseconds, in exactly the layout of the Java tools. (The last digit
/// of a tie may differ: Java rounds halves up.)
///
/// # Errors
/// `out` fails.
pub fn write_hgrm(out: &mut impl Write, histogram: &Histogram) -> io::Result<()> {
    let inner = &histogram.inner;
    let ms = |us: u64| us as f64 / US_PER_MS;
    writeln!(out, "{:>12} {:>14} {:>10} {:>14}\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")?;
    for PercentileRow { us, percent, count } in rows(inner) {
        write!(out, "{:12.3} {:2.12} {count:10}", ms(us), percent / 100.0)?;
        // The last row has no fourth column: its value would be infinite.
        if percent < 100.0 {
            write!(out, " {:14.2}", 100.0 / (100.0 - percent))?;
        }
        writeln!(out)?;
    }
    let (mean, deviation) = (inner.mean() / US_PER_MS, inner.stdev() / US_PER_MS);
    writeln!(out, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]")?;
    writeln!(out, "#[Max     = {:12.3}, Total count    = {:12}]", ms(inner.max()), inner.len())?;
    writeln!(out, "#[Buckets = {:12}, SubBuckets     = {:12}]", inner.buckets(), SUB_BUCKETS)?;
    if histogram.negative() > 0 {
        writeln!(out, "#[Negative values left out: {}]", histogram.negative())?;
    }
    Ok(())
}

/// Three significant digits need the power of two above 2 × 10³.
const SUB_BUCKETS: u32 = 2048;

/// `count` of the values, at least `percent` of them all, are at most `us`.
pub(crate) struct PercentileRow {
    pub us: u64,
    pub percent: f64,
    pub count: u64,
}

/// The distribution of a histogram, in rows as of [`write_hgrm`].
pub(crate) fn distribution(histogram: &Histogram) -> Vec<PercentileRow> {
    rows(&histogram.inner)
}

/// The rows that the Java tools print. The iterator of hdrhistogram adds up fractions that are not exact in binary, so
/// that 60 % of 500 values are 301 of them; sums in percent, as in Java, are exact.
fn rows(histogram: &hdrhistogram::Histogram<u64>) -> Vec<PercentileRow> {
    let (mut rows, mut percent, mut count) = (Vec::new(), 0.0, 0);
    for bucket in histogram.iter_recorded() {
        let us = histogram.highest_equivalent(bucket.value_iterated_to());
        count += bucket.count_at_value();
        while percent <= 100.0 * count as f64 / histogram.len() as f64 {
            rows.push(PercentileRow { us, percent, count });
            if count == histogram.len() {
                rows.push(PercentileRow { us, percent: 100.0, count });
                break;
            }
            // The steps halve whenever the distance to 100 % has halved.
            let halvings = (100.0 / (100.0 - percent)).log2().floor();
            percent += 100.0 / (TICKS * (halvings + 1.0).exp2());
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Leg;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    fn legs() -> Legs {
        let mut legs = Legs::default();
        for us in 1..=1499 {
            legs.record(Leg::Schedule, us);
        }
        legs.record(Leg::Ack, -1);
        legs.record(Leg::Ack, 12_345_678);
        legs
    }

    fn hgrm(histogram: &Histogram) -> String {
        let mut out = Vec::new();
        write_hgrm(&mut out, histogram).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// HdrHistogram 2.2.2 for Java prints all these golden texts for the same values.
    #[test]
    fn distribution() {
        let printed = hgrm(legs().get(Leg::Schedule));
        let lines: Vec<_> = printed.lines().collect();
        assert_eq!(
            lines[..8],
            [
                "       Value     Percentile TotalCount 1/(1-Percentile)",
                "",
                "       0.001 0.000000000000          1           1.00",
                "       0.150 0.100000000000        150           1.11",
                "       0.300 0.200000000000        300           1.25",
                "       0.450 0.300000000000        450           1.43",
                "       0.600 0.400000000000        600           1.67",
                "       0.750 0.500000000000        750           2.00",
            ]
        );
        assert_eq!(
            lines[lines.len() - 5..],
            [
                "       1.499 0.999414062500       1499        1706.67",
                "       1.499 1.000000000000       1499",
                "#[Mean    =        0.750, StdDeviation   =        0.433]",
                "#[Max     =        1.499, Total count    =         1499]",
                "#[Buckets =            1, SubBuckets     =         2048]",
            ]
        );
    }

    #[test]
    fn distribution_of_one_value_and_of_none() {
        assert_eq!(
            hgrm(legs().get(Leg::Ack)),
            "       Value     Percentile TotalCount 1/(1-Percentile)\n\
             \n\
             \x20  12353.535 0.000000000000          1           1.00\n\
             \x20  12353.535 1.000000000000          1\n\
             #[Mean    =    12349.440, StdDeviation   =        0.000]\n\
             #[Max     =    12353.535, Total count    =            1]\n\
             #[Buckets =           14, SubBuckets     =         2048]\n\
             #[Negative values left out: 1]\n"
        );
        assert_eq!(
            hgrm(&Histogram::default()),
            "       Value     Percentile TotalCount 1/(1-Percentile)\n\
             \n\
             #[Mean    =        0.000, StdDeviation   =        0.000]\n\
             #[Max     =        0.000, Total count    =            0]\n\
             #[Buckets =            1, SubBuckets     =         2048]\n"
        );
    }

    #[test]
    fn interval_log() {
        let (legs, mut out) = (legs(), Vec::new());
        write_hlog(&mut out, &legs, 1_468_244_340_123_456, 10_500_000).unwrap();
        let text = String::from_utf8(out.clone()).unwrap();
        let heads: Vec<_> = text.lines().map(|line| line.split("HISTF").next().unwrap()).collect();
        assert_eq!(
            heads,
            [
                "#[Values are microseconds, Interval_Max is milliseconds]",
                "#[Histogram log format version 1.3]",
                "#[StartTime: 1468244340.123 (seconds since epoch)]",
                "#[BaseTime: 1468244340.123 (seconds since epoch)]",
                "#[MaxValueDivisor: 1000.000]",
                "Tag=schedule,0.000,10.500,1.499,",
                "#[ack: 1 negative values left out]",
                "Tag=ack,0.000,10.500,12353.535,",
            ]
        );
        let mut read = Vec::new();
        for entry in IntervalLogIterator::new(&out) {
            if let LogEntry::Interval(interval) = entry.unwrap() {
                let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, interval.encoded_histogram());
                let histogram = Deserializer::new().deserialize::<u64, _>(&mut bytes.unwrap().as_slice()).unwrap();
                read.push((interval.tag().unwrap().as_str().to_owned(), histogram));
            }
        }
        let expected: Vec<_> = legs.recorded().map(|(leg, of)| (leg.to_string(), of.inner.clone())).collect();
        assert_eq!(read, expected);
    }
}
