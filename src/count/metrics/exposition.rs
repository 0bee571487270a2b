//! OpenMetrics text. Names, labels and units follow Prometheus: docs/operation.md explains each.

use crate::count::metrics::gathered::{Figures, Metrics};
use crate::system::clock::now_us;
use crate::system::host;
use kuu_core::counter::Timing;
use kuu_core::ledger::Ledger;
use kuu_core::record::Program;
use kuu_frame::Malformed;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt::{Error, Result};

/// The timings of results, in the order of their counts.
pub(super) const TIMINGS: [Timing; 3] = [Timing::Early, Timing::OnTime, Timing::Late];

/// The type of the text, for HTTP.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Metrics {
    /// All metrics of this moment.
    ///
    /// # Errors
    /// If the text cannot be made.
    pub fn text(&self) -> std::result::Result<String, Error> {
        let mut registry = Registry::default();
        let Program { version, git, rustc, librdkafka } = &self.0.program;
        let build = [("version", version), ("git", git), ("rustc", rustc), ("librdkafka", librdkafka)];
        let build = build.map(|(label, value)| (label.to_owned(), value.clone())).to_vec();
        registry.register("kuu_build", "The build of kuu that counts", Info::new(build));
        registry.register_with_unit(
            "kuu_commit_duration",
            "How long commits took that had anything to do",
            Unit::Seconds,
            self.0.commits.clone(),
        );
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

impl Collector for Metrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result {
        let figures = self.figures().clone();
        let mut families = Families(encoder);
        committed(&mut families, &figures)?;
        at_present(&mut families, &figures)?;
        let lags = self.0.lags.by_partition().into_iter();
        let lags = lags.map(|(partition, lag)| ([("partition", partition.to_string())], ConstGauge::new(lag)));
        let help = "Offsets of the partition that are not read yet";
        families.family("kuu_lag", help, Some(frames()), lags)?;
        process(&mut families)
    }
}

/// What the last commit covers.
fn committed(families: &mut Families<'_>, figures: &Figures) -> Result {
    let Figures { ledger, read_bytes, results, setbacks, committed_us, .. } = figures;
    let help = "Values that were read, as far as they are committed; the group's earlier runs included";
    families.counter("kuu", help, Some(frames()), ledger.read)?;
    let help = "Bytes of the values that this process read, as far as they are committed";
    families.counter("kuu_read", help, Some(Unit::Bytes), *read_bytes)?;
    let help = "What became of the values that were read: their sum is kuu_frames_total";
    families.family("kuu_ledger", help, Some(frames()), fates(ledger).into_iter())?;
    let help = "Counted frames whose window already had its on-time result";
    families.counter("kuu_late", help, Some(frames()), ledger.late)?;
    let help = "Counted frames that came too late for the ordered output";
    families.counter("kuu_out_of_order", help, Some(frames()), ledger.out_of_order)?;
    let results = TIMINGS.iter().zip(results);
    let results = results.map(|(timing, results)| ([("timing", timing.name())], ConstCounter::new(*results)));
    families.family("kuu_results", "Results that this process committed, by timing", None, results)?;
    families.counter("kuu_setbacks", "How often the count went back to its last commit", None, *setbacks)?;
    let help = "When the last commit ended that had anything to do";
    let at = committed_us.map(|us| us as f64 / 1e6);
    families.gauge("kuu_last_commit_timestamp", help, Some(Unit::Seconds), at)
}

/// The state of the count at present.
fn at_present(families: &mut Families<'_>, figures: &Figures) -> Result {
    let Figures { status, hidden, setback, .. } = figures;
    families.gauge(
        "kuu_in_setback",
        "1 while the count goes back to its last commit, else 0",
        None,
        Some(f64::from(setback.is_some())),
    )?;
    families.gauge("kuu_open_windows", "Windows without an on-time result", None, Some(status.pending as f64))?;
    families.gauge(
        "kuu_hidden_offsets",
        "Offsets behind an open transaction of a producer",
        None,
        Some(*hidden as f64),
    )?;
    let watermark = status.watermark.map(|at| at as f64);
    let age = watermark.map(|at| now_us() as f64 / 1e6 - at);
    families.gauge(
        "kuu_watermark_timestamp",
        "The event time that all windows before have results for",
        Some(Unit::Seconds),
        watermark,
    )?;
    families.gauge(
        "kuu_watermark_age",
        "How far the watermark is behind the clock of this machine",
        Some(Unit::Seconds),
        age,
    )
}

/// This process, under the names that client libraries of Prometheus use.
fn process(families: &mut Families<'_>) -> Result {
    if let Some(seconds) = host::cpu_seconds() {
        let help = "Processor time of this process, user and system";
        families.family("process_cpu", help, Some(Unit::Seconds), [(NONE, ConstCounter::new(seconds))].into_iter())?;
    }
    let resident = host::resident_bytes().map(|bytes| bytes as f64);
    families.gauge("process_resident_memory", "Resident memory of this process", Some(Unit::Bytes), resident)
}

/// Name and value of each.
type Labels = Vec<(&'static str, &'static str)>;

/// Each fate of a frame, malformed ones by reason.
fn fates(ledger: &Ledger) -> Vec<(Labels, ConstCounter<u64>)> {
    let plain = [("counted", ledger.counted), ("too_late", ledger.too_late), ("too_far", ledger.too_far)];
    let plain = plain.map(|(fate, frames)| (vec![("fate", fate)], ConstCounter::new(frames)));
    let malformed = Malformed::ALL.iter().map(|reason| {
        let labels = vec![("fate", "malformed"), ("reason", reason.name())];
        (labels, ConstCounter::new(ledger.malformed[*reason as usize]))
    });
    plain.into_iter().chain(malformed).collect()
}

fn frames() -> Unit {
    Unit::Other("frames".into())
}

const NONE: [(&str, &str); 0] = [];

/// Writes one family after another.
struct Families<'a>(DescriptorEncoder<'a>);

impl Families<'_> {
    fn counter(&mut self, name: &str, help: &str, unit: Option<Unit>, value: u64) -> Result {
        self.family(name, help, unit, [(NONE, ConstCounter::new(value))].into_iter())
    }

    /// A gauge, left out while its value is unknown.
    fn gauge(&mut self, name: &str, help: &str, unit: Option<Unit>, value: Option<f64>) -> Result {
        self.family(name, help, unit, value.map(|value| (NONE, ConstGauge::new(value))).into_iter())
    }

    /// A metric for each set of labels; a family without any is left out.
    fn family<L: EncodeLabelSet, M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        metrics: impl Iterator<Item = (L, M)>,
    ) -> Result {
        let mut metrics = metrics.peekable();
        let Some((_, first)) = metrics.peek() else { return Ok(()) };
        let mut encoder = self.0.encode_descriptor(name, help, unit.as_ref(), first.metric_type())?;
        metrics.try_for_each(|(labels, metric)| metric.encode(encoder.encode_family(&labels)?))
    }
}
