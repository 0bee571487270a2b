//! Compares the results, the topic and the ledger with the truth.

use crate::kafka::admin::{Cluster, Range};
use crate::kafka::consume::whole_topic::read_all;
use crate::terminal::ledger_line::ledger_line;
use crate::terminal::{count, plural};
use anyhow::{Result, bail};
use kuu_core::configuration::Guarantee;
use kuu_core::ledger::Ledger;
use kuu_core::record::{Verdict, WithinRecord};
use kuu_core::result::Count;
use kuu_core::truth::Truth;
use kuu_core::verdict::{Comparison, Fold, Line, Message, Repeats};
use std::time::Duration;

/// The outcome of a comparison.
pub struct Checked {
    /// The comparison window by window.
    pub comparison: Comparison,
    /// The verdict.
    pub verdict: Verdict,
    /// Remarks for the reader.
    pub remarks: Vec<String>,
}

/// How long a transaction that was committed may take to be visible.
const COMMIT: Duration = Duration::from_secs(1);

/// Whether a count with this guarantee may repeat results.
pub fn repeats(guarantee: Guarantee) -> Repeats {
    match guarantee {
        Guarantee::AtLeastOnce => Repeats::Allowed,
        Guarantee::ExactlyOnce => Repeats::Forbidden,
    }
}

/// Folds the rows of `output` and compares them with the truth.
///
/// # Errors
/// If the topic is missing or cannot be read.
pub fn check(cluster: &Cluster, output: &str, truth: &Truth, mut fold: Fold) -> Result<Checked> {
    if cluster.partitions(output)?.is_none() {
        bail!("there are no results: run `kuu count`, or name their topic with --output: there is no topic {output}");
    }
    // Reads the end first: rows that were hidden at that time and still are belong to an open transaction.
    let all = cluster.uncommitted_ranges(output)?;
    let ranges = cluster.committed_ranges(output, COMMIT)?;
    let rows = read_all(cluster.settings(), output, &ranges, |row| {
        fold.take(&Message { partition: row.partition, offset: row.offset, key: row.key, value: row.value });
        Ok(())
    })?;
    if were_removed(cluster, output, &ranges, rows) {
        fold.rows_were_removed();
    }
    let counts = truth.windows().into_iter();
    let comparison =
        fold.compare(counts.map(|count| (count.window, Count { users: count.users, frames: Some(count.frames) })));
    let mut remarks = hidden(output, "verify", &all, &ranges);
    if comparison.left_out > 0 {
        let rows = plural(comparison.left_out, "row");
        remarks.push(format!("{rows} of other units left out: --window names the units that are checked"));
    }
    Ok(Checked { verdict: verdict(output, &comparison), comparison, remarks })
}

fn verdict(output: &str, comparison: &Comparison) -> Verdict {
    let wrong = comparison.faults();
    let wrong_windows = wrong.len() as u64;
    let breaches = comparison.breaches().map(|breach| format!("{output}, {breach}"));
    let wrong = if comparison.is_misread() { Vec::new() } else { wrong };
    let faults: Vec<String> = breaches.chain(wrong).collect();
    let within = comparison.within.map(|bound| within(bound, comparison));
    Verdict {
        exact: faults.is_empty() && within.is_none(),
        windows: comparison.windows(),
        wrong: wrong_windows,
        exact_at_first: comparison.exact_at_first(),
        corrected: comparison.corrected(),
        first_unknown: comparison.first_unknown(),
        largest_first_error_users: comparison
            .largest_first_error()
            .and_then(Line::first_error)
            .unwrap_or(0)
            .unsigned_abs(),
        total_first_error_users: comparison.total_first_error(),
        within,
        faults,
    }
}

/// How near the answers are to the truth.
fn within(bound: f64, comparison: &Comparison) -> WithinRecord {
    let errors: Vec<f64> = comparison.lines.iter().filter_map(Line::error).collect();
    let mean_square = errors.iter().map(|error| error * error).sum::<f64>() / errors.len().max(1) as f64;
    WithinRecord {
        bound,
        inside: comparison.inside(),
        largest_error: errors.iter().copied().fold(0.0, f64::max),
        rms_error: mean_square.sqrt(),
    }
}

/// Whether the topic has lost rows. Compaction leaves gaps between offsets, but so do transaction markers.
fn were_removed(cluster: &Cluster, output: &str, ranges: &[Range], rows: u64) -> bool {
    let has_holes = rows < ranges.iter().map(Range::len).sum();
    ranges.iter().any(|range| range.low > 0) || has_holes && cluster.is_compacted(output).unwrap_or(true)
}

/// The offsets that an open transaction hides from every read_committed reader, `command` included. The ends in `all`
/// must be read before those in `stable`.
pub fn hidden(topic: &str, command: &str, all: &[Range], stable: &[Range]) -> Vec<String> {
    let partitions = all.iter().zip(stable).enumerate().filter(|(_, (all, stable))| all.high > stable.high);
    partitions
        .map(|(partition, (all, Range { high: stable, .. }))| {
            format!(
                "{topic}, partition {partition}: a transaction is open since offset {stable}, and hides it and all that \
                 follows, {}, from every read_committed reader, {command} too. It ends when its producer ends it, or after the \
                 producer's transaction.timeout.ms; if the producer is gone: kafka-transactions.sh abort --topic {topic} \
                 --partition {partition} --start-offset {stable}; then {command} again",
                plural((all.high - stable).unsigned_abs(), "offset")
            )
        })
        .collect()
}

/// Adds faults of the frames: truth, topic and ledger must count the same ones.
///
/// # Errors
/// If the topic cannot be read, unless the results are wrong already: that finding must stay.
pub fn reconcile(
    checked: &mut Checked,
    cluster: &Cluster,
    topic: &str,
    truth: &Truth,
    ledger: Option<&Ledger>,
) -> Result<()> {
    match add_up(checked, cluster, topic, truth, ledger) {
        Err(error) if !checked.verdict.is_right() => {
            checked.remarks.push(format!("frames and ledger were not compared: {error:#}"));
            Ok(())
        }
        added => added,
    }
}

fn add_up(checked: &mut Checked, cluster: &Cluster, topic: &str, truth: &Truth, ledger: Option<&Ledger>) -> Result<()> {
    let faults = &mut checked.verdict.faults;
    let read = truth.ledger().read;
    if cluster.partitions(topic)?.is_some() {
        let ranges = cluster.ranges(topic)?;
        let held = held(cluster, topic, &ranges, read, ledger)?;
        let removed = ranges.iter().map(|range| range.low.unsigned_abs()).sum::<u64>();
        if held < read && removed > 0 {
            checked.remarks.push(format!(
                "topic {topic} holds {} of the {} frames of the files: its first {} were deleted since",
                count(held),
                count(read),
                plural(removed, "offset")
            ));
            if let Some(ledger) = ledger.filter(|ledger| ledger.read != read) {
                faults.push(format!("the ledger has {} frames read, the files {}", count(ledger.read), count(read)));
            }
        } else {
            if held != read {
                faults.push(format!("topic {topic} holds {} frames, the files {}", count(held), count(read)));
                checked.remarks.extend(hidden(topic, "verify", &cluster.uncommitted_ranges(topic)?, &ranges));
            }
            if let Some(ledger) = ledger.filter(|ledger| ledger.read != held) {
                faults.push(format!(
                    "the ledger has {} frames read, topic {topic} holds {}",
                    count(ledger.read),
                    count(held)
                ));
            }
        }
    }
    let true_ledger = truth.ledger();
    if let Some(ledger) = ledger.filter(|ledger| ledger.malformed != true_ledger.malformed) {
        let (said, is) = (ledger_line(ledger), ledger_line(true_ledger));
        faults.push(format!("the ledger has other malformed frames than the truth: {said}; truth: {is}"));
    }
    if let Some(ledger) = ledger.filter(|ledger| !ledger.balances()) {
        faults.push(format!("the ledger does not balance: {}", ledger_line(ledger)));
    }
    checked.verdict.exact = faults.is_empty() && checked.verdict.within.is_none();
    Ok(())
}

/// The number of messages in the topic. Offsets are used only if files and ledger have the same number: transaction
/// markers, and aborted or compacted messages, have offsets too.
fn held(cluster: &Cluster, topic: &str, ranges: &[Range], read: u64, ledger: Option<&Ledger>) -> Result<u64> {
    let offsets = ranges.iter().map(Range::len).sum::<u64>();
    if offsets == read && ledger.is_none_or(|ledger| ledger.read == read) {
        return Ok(offsets);
    }
    read_all(cluster.settings(), topic, ranges, |_| Ok(()))
}
