//! The output of a bench.

use crate::bench::figures::{self, per_second};
use crate::bench::live::LiveFigures;
use crate::bench::load::Load;
use crate::bench::stage::{Samples, Stage};
use crate::kafka::client::settings::librdkafka_version;
use crate::system::host;
use crate::terminal::{count, megabytes, plural, rate, size, table};
use crate::verification::check::Checked;
use kuu_core::record::Broker;
use kuu_core::statistics::median;

/// The version, the machine, the broker and the input of the measurement.
pub fn header(broker: &Broker, load: &Load) -> String {
    let program = host::program(librdkafka_version());
    let machine = host::machine();
    let broker = match broker.kind.as_str() {
        "embedded" => "embedded broker (librdkafka mock, not Apache Kafka)".into(),
        _ => format!(
            "Kafka{} at {}",
            broker.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default(),
            broker.address
        ),
    };
    let mut rows = Vec::new();
    for source in &load.sources {
        rows.push(vec![
            format!("input   {}", source.name),
            plural(source.frames, "frame"),
            size(source.frame_bytes),
            format!("{} on disk", size(source.bytes)),
            format!("sha256 {}", source.sha256.get(..8).unwrap_or_default()),
        ]);
    }
    format!(
        "kuu {} ({}), {broker}, {} {}\n{}",
        program.version,
        program.git,
        plural(machine.cores as u64, "core"),
        machine.cpu,
        table(&rows)
    )
}

/// The table of the steps of the processing of a frame, each measured alone.
pub fn stages(load: &Load, samples: &Samples) -> String {
    let mut rows = vec![["stage", "ns/frame", "frames/s", "MB/s"].map(String::from).to_vec()];
    for step in Stage::STEPS {
        let (frames, bytes) = load.amounts(step.is_of_kept());
        rows.push(speed(step.name(), frames, bytes, &samples[step]));
    }
    table(&rows)
}

/// The table of the phases and their ceilings.
pub fn phases(load: &Load, samples: &Samples) -> String {
    let title = ["phase", "ns/frame", "frames/s", "MB/s", "ceiling", "frames/s", "share"];
    let mut rows = vec![title.map(String::from).to_vec()];
    let mut add = |name: &str, phase: Stage, ceiling: Stage| {
        let mut row = speed(name, load.frames, load.bytes, &samples[phase]);
        row.push(ceiling.name().into());
        row.push(rate(median(&per_second(load.frames, &samples[ceiling]))));
        row.push(format!("{:.2}", samples.share(phase, ceiling)));
        rows.push(row);
    };
    for (phase, ceiling) in Stage::phases() {
        add(phase.name(), phase, ceiling);
    }
    if !samples[Stage::CountAtLeastOnce].is_empty() {
        add("exactly once", Stage::Count, Stage::CountAtLeastOnce);
    }
    // It is not the quotient of the two medians beside it, which may be of different rounds.
    format!("{}\nshare: the median of the quotients of each round, of a phase and its ceiling", table(&rows))
}

fn speed(name: &str, frames: u64, bytes: u64, seconds: &[f64]) -> Vec<String> {
    vec![
        name.into(),
        rate(median(&figures::ns_per_frame(frames, seconds))),
        rate(median(&per_second(frames, seconds))),
        megabytes(median(&per_second(bytes, seconds))),
    ]
}

/// The live phase: its load, and the latency by leg unless it is invalid.
pub fn live(live: &LiveFigures, checked: &Checked) -> String {
    let title = format!(
        "live: {} frames/s for {:.0} s, {} of one second, {}",
        rate(live.rate),
        live.frames as f64 / live.rate,
        plural(checked.verdict.windows, "window"),
        if live.sustained { "sustained" } else { "NOT sustained" },
    );
    if !live.on_schedule {
        return format!(
            "{title}\nthe load generator fell behind its schedule: latency is invalid. Use a lower --rate."
        );
    }
    if !live.sustained {
        let lag = live.lag.last().copied().unwrap_or(0);
        return format!("{title}\nlag grew to {}: latency is invalid. Use a lower --rate.", plural(lag, "frame"));
    }
    let mut rows = vec![["leg", "p50", "p99", "p99.9", "max", "samples"].map(String::from).to_vec()];
    for (leg, histogram) in live.legs.recorded() {
        let Some(summary) = histogram.summary() else { continue };
        let times = [summary.p50_us, summary.p99_us, summary.p99_9_us, Some(summary.max_us)].map(milliseconds);
        let mut row = vec![leg.name().to_owned()];
        row.extend(times);
        row.push(count(summary.count));
        if histogram.negative() > 0 {
            row.push(format!("({} negative)", count(histogram.negative())));
        }
        rows.push(row);
    }
    let mut text = format!("{title}\n{}", table(&rows));
    if rows.iter().flatten().any(|cell| cell == "-") {
        text += "\n-: fewer than ten samples lie above it";
    }
    live.bare_error.iter().for_each(|error| text += &format!("\n{error}"));
    text
}

/// A latency, or `-` for a percentile that too few samples support.
pub fn milliseconds(us: Option<u64>) -> String {
    us.map_or_else(|| "-".into(), |us| format!("{:.2} ms", us as f64 / 1000.0))
}
