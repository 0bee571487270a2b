//! Files that other tools read: interval logs (`.hlog`) and percentile distributions (`.hgrm`).

use super::{Histogram, Legs};
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, IntervalLogWriterError, Tag};
use hdrhistogram::serialization::{V2DeflateSerializeError, V2DeflateSerializer};
use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};
use thiserror::Error;

/// Rows for each halving of the distance to 100 %: what the Java tools use.
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
        log.write_histogram(histogram.inner(), Duration::ZERO, duration, Tag::new(leg.name()))?;
    }
    Ok(())
}

/// Writes a percentile distribution, values in milliseconds, laid out exactly like that of the Java tools.
///
/// # Errors
/// `out` fails.
pub fn write_hgrm(out: &mut impl Write, histogram: &Histogram) -> io::Result<()> {
    let inner = histogram.inner();
    let ms = |us: u64| us as f64 / US_PER_MS;
    writeln!(out, "{:>12} {:>14} {:>10} {:>14}\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")?;
    for Row { us, percent, count } in rows(inner) {
        write!(out, "{:12.3} {:2.12} {count:10}", ms(us), percent / 100.0)?;
        // The last row has no fourth column: it would be infinite.
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

/// What three significant digits need: the power of two above 2 × 10³.
const SUB_BUCKETS: u32 = 2048;

/// `count` of the values, at least `percent` of them all, are at most `us`.
struct Row {
    us: u64,
    percent: f64,
    count: u64,
}

/// The rows that the Java tools print. The crate's own iterator adds up fractions that binary cannot hold, so that
/// 60 % of 500 values are 301 of them; in percent, as Java has it, the sums are exact.
fn rows(histogram: &hdrhistogram::Histogram<u64>) -> Vec<Row> {
    let (mut rows, mut percent, mut count) = (Vec::new(), 0.0, 0);
    for bucket in histogram.iter_recorded() {
        let us = histogram.highest_equivalent(bucket.value_iterated_to());
        count += bucket.count_at_value();
        while percent <= 100.0 * count as f64 / histogram.len() as f64 {
            rows.push(Row { us, percent, count });
            if count == histogram.len() {
                rows.push(Row { us, percent: 100.0, count });
                break;
            }
            // The steps halve whenever the distance to 100 % has halved.
            let halvings = (100.0 / (100.0 - percent)).log2().floor();
            percent += 100.0 / (TICKS * (halvings + 1.0).exp2());
        }
    }
    rows
}
