//! OpenMetrics 1.0 text, as <https://github.com/OpenObservability/OpenMetrics> specifies it: base units, a `# UNIT` that ends
//! the name, no family in two pieces, `# EOF`.

use super::figures::{FigureUnit, measured};
use super::latencies::{LatencyOf, latencies};
use super::named::{ExportRefusal, NamedRecord};
use crate::comparison::percentiles;
use crate::record::{Broker, Program, Record};
use crate::statistics::median;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What stands before the samples of a family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Family {
    /// Without the unit.
    name: &'static str,
    /// Empty, if it has none.
    unit: &'static str,
    kind: &'static str,
    help: &'static str,
}

const BUILD: Family = Family { kind: "info", name: "kuu_build", unit: "", help: "The build that made the record." };
const RUN: Family = Family { kind: "info", name: "kuu_run", unit: "", help: "The run that the record is of." };
const CELL: Family = Family {
    kind: "info",
    name: "kuu_cell",
    unit: "",
    help: "The verdict on an engine and a workload of a scorecard.",
};
const LEDGER: Family =
    Family { kind: "gauge", name: "kuu_ledger", unit: "frames", help: "What became of the frames of the run." };
const FIGURE: Family =
    Family { kind: "gauge", name: "kuu_figure", unit: "", help: "The median of the samples of a figure." };
const LATENCY: Family = Family {
    kind: "summary",
    name: "kuu_latency",
    unit: "seconds",
    help: "Latency of each leg; only quantiles with ten samples above them.",
};

/// The samples of each family.
#[derive(Default)]
struct Exposition {
    families: BTreeMap<Family, String>,
    /// Labels and time of the record at hand.
    record: String,
    /// In Unix seconds.
    at: i64,
}

/// All records, one after the other in each family.
pub(super) fn text(records: &[NamedRecord]) -> Result<String, ExportRefusal> {
    let mut exposition = Exposition::default();
    for NamedRecord { name, record } in records {
        let damaged = |_| ExportRefusal::Time { record: name.clone(), text: record.written.clone() };
        exposition.at = record.written.parse::<Timestamp>().map_err(damaged)?.as_second();
        exposition.record.clone_from(name);
        add_infos(&mut exposition, record);
        add_ledger(&mut exposition, record);
        for (key, of) in measured(record) {
            let (unit, parts) = base(key.unit);
            let labels = [("figure", key.name.as_str()), ("engine", key.engine.as_deref().unwrap_or_default())];
            exposition.add(Family { unit, ..FIGURE }, "", &labels, &float(median(&of.values()) / parts));
        }
        latencies(record).iter().for_each(|of| add_latency(&mut exposition, of));
    }
    Ok(exposition.written())
}

impl Exposition {
    /// Adds a sample with the label of the record and these, without those that are empty.
    fn add(&mut self, family: Family, suffix: &str, labels: &[(&str, &str)], value: &str) {
        let record = [("record", self.record.as_str())];
        let all = record.iter().chain(labels).filter(|(_, value)| !value.is_empty());
        let labels: Vec<String> = all.map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let line = format!("{}{suffix}{{{}}} {value} {}\n", family.full_name(), labels.join(","), self.at);
        *self.families.entry(family).or_default() += &line;
    }

    fn written(&self) -> String {
        let mut text = String::new();
        for (family, samples) in &self.families {
            let Family { kind, unit, help, .. } = family;
            let name = family.full_name();
            let _ = writeln!(text, "# TYPE {name} {kind}");
            if !unit.is_empty() {
                let _ = writeln!(text, "# UNIT {name} {unit}");
            }
            let _ = write!(text, "# HELP {name} {help}\n{samples}");
        }
        text + "# EOF\n"
    }
}

impl Family {
    fn full_name(&self) -> String {
        if self.unit.is_empty() { self.name.to_owned() } else { format!("{}_{}", self.name, self.unit) }
    }
}

fn add_infos(exposition: &mut Exposition, record: &Record) {
    let Program { version, git, rustc, librdkafka } = &record.program;
    let build = [("version", version), ("git", git), ("rustc", rustc), ("librdkafka", librdkafka)];
    exposition.add(BUILD, "_info", &build.map(|(label, value)| (label, value.as_str())), "1");
    let (machine, none, cores) = (&record.machine, Broker::default(), record.machine.cores.to_string());
    let broker = record.broker.as_ref().unwrap_or(&none);
    let run: [(&str, &str); 6] = [
        ("command", record.configuration.command()),
        ("cpu", &machine.cpu),
        ("cores", &cores),
        ("kernel", &machine.kernel),
        ("broker", &broker.kind),
        ("broker_version", broker.version.as_deref().unwrap_or_default()),
    ];
    exposition.add(RUN, "_info", &run, "1");
    for cell in &record.cells {
        let verdict: &str = (&cell.verdict).into();
        let labels: [(&str, &str); 3] = [("engine", &cell.engine), ("workload", &cell.workload), ("verdict", verdict)];
        exposition.add(CELL, "_info", &labels, "1");
    }
}

fn add_ledger(exposition: &mut Exposition, record: &Record) {
    let Some(ledger) = &record.ledger else { return };
    for (fate, frames) in
        [("read", ledger.read), ("counted", ledger.counted), ("too_late", ledger.too_late), ("too_far", ledger.too_far)]
    {
        exposition.add(LEDGER, "", &[("fate", fate)], &frames.to_string());
    }
    for (reason, frames) in ledger.reasons() {
        exposition.add(LEDGER, "", &[("fate", "malformed"), ("reason", reason)], &frames.to_string());
    }
}

fn add_latency(exposition: &mut Exposition, of: &LatencyOf<'_>) {
    let Some(known) = &of.histogram.percentiles else { return };
    let number = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
    let (round, rate) = (number(of.round), of.rate.map_or_else(String::new, |rate| rate.to_string()));
    let own: [(&str, &str); 4] =
        [("leg", of.leg), ("engine", of.engine.unwrap_or_default()), ("rate", &rate), ("round", &round)];
    for percentile in percentiles(of.histogram) {
        let at = float(percentile.at);
        let labels = [&own[..], &[("quantile", at.as_str())]].concat();
        exposition.add(LATENCY, "", &labels, &float(percentile.us / 1e6));
    }
    let samples = of.histogram.samples;
    exposition.add(LATENCY, "_count", &own, &samples.to_string());
    exposition.add(LATENCY, "_sum", &own, &float(known.mean_us * samples as f64 / 1e6));
}

/// The base unit, and how many of the units of a record it has.
fn base(unit: FigureUnit) -> (&'static str, f64) {
    match unit {
        FigureUnit::FramesPerS => ("frames_per_second", 1.0),
        FigureUnit::BytesPerS => ("bytes_per_second", 1.0),
        FigureUnit::NsPerFrame => ("seconds_per_frame", 1e9),
        FigureUnit::UsPerFrame => ("seconds_per_frame", 1e6),
        FigureUnit::Share => ("ratio", 1.0),
        FigureUnit::Bytes => ("bytes", 1.0),
        FigureUnit::Frames => ("frames", 1.0),
        FigureUnit::Rows => ("rows", 1.0),
        FigureUnit::Us => ("seconds", 1e6),
        FigureUnit::S => ("seconds", 1.0),
        FigureUnit::None => ("", 1.0),
    }
}

/// With a decimal point or an exponent, as the specification wants it of what is no integer.
fn float(value: f64) -> String {
    format!("{value:?}")
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
