//! Finds the baseline of a run, and shows the comparison.

use crate::bench::gate::{Baseline, Compared, Conditions, FORMAT, Measured};
use crate::commands::bench::setup::{BenchRun, CATCH_UP_RATIO};
use crate::commands::session;
use crate::kafka::client::properties::is_secret;
use crate::system::host;
use crate::terminal::{plural, table};
use anyhow::{Context as _, Result, bail};
use kuu_core::record::Record;
use kuu_frame::fast;
use std::path::Path;

/// How to create a baseline.
const REMEDY: &str = "scripts/baseline.py, with the same files and options, measures this machine, a run an hour for twelve \
                      hours";

/// Reads a baseline.
///
/// # Errors
/// If it cannot be read, or has another format.
pub fn read(path: &Path) -> Result<Baseline> {
    #[derive(serde::Deserialize)]
    struct Version {
        format: Option<u32>,
    }
    let name = path.display();
    let text = std::fs::read(path).with_context(|| format!("{name} cannot be read: check --baseline"))?;
    let unusable = || format!("{name} is not a baseline: delete it; {REMEDY}");
    let Version { format } = serde_json::from_slice(&text).with_context(unusable)?;
    if format.is_some_and(|format| format != FORMAT) {
        bail!("{name} has another format than {FORMAT}, which this kuu reads: delete it; {REMEDY}");
    }
    serde_json::from_slice(&text).with_context(unusable)
}

/// Conditions besides kuu that change the shares of a run. The parser is none: it is a part of kuu, and a slow one must
/// show.
pub fn conditions(run: &BenchRun<'_>) -> Conditions {
    let arguments = run.arguments;
    let broker = session::broker(run.cluster);
    // The embedded broker belongs to kuu; the version of Kafka makes a difference.
    let version = broker.version.filter(|_| !run.cluster.is_embedded()).map_or_else(String::new, |it| format!(" {it}"));
    let inputs: Vec<&str> = run.load.sources.iter().map(|source| source.sha256.as_str()).collect();
    let units: Vec<String> = session::units(&arguments.windows.window).iter().map(ToString::to_string).collect();
    let known = |properties: &[(String, String)]| {
        let open = properties.iter().filter(|(key, _)| !is_secret(key));
        open.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    };
    let time = &arguments.event_time;
    [
        ("broker", format!("{}{version}", broker.kind)),
        ("processor", host::processor()),
        ("vector unit", fast::FastParser::default().engine().into()),
        ("cores", host::machine().cores.to_string()),
        ("threads a core", host::threads_a_core().map_or_else(|| "unknown".into(), |threads| threads.to_string())),
        ("build", if cfg!(debug_assertions) { "debug" } else { "release" }.into()),
        ("input sha256", inputs.join(" ")),
        ("partitions", run.partitions(CATCH_UP_RATIO).to_string()),
        ("threads", run.threads().to_string()),
        ("guarantee", arguments.guarantee.to_string()),
        ("compression", run.compression().to_string()),
        ("rounds", arguments.rounds.to_string()),
        ("windows", units.join(" ")),
        ("lateness", format!("{} s", time.lateness.as_secs())),
        ("retention", format!("{} s", time.retention.as_secs())),
        ("max jump", format!("{} s", time.max_jump.as_secs())),
        ("properties", known(&run.session.settings().properties)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The runs to compare with; if there are none, prints the reason and the remedy.
pub fn find<'a>(
    baseline: &'a Baseline,
    conditions: &Conditions,
    run: &BenchRun<'_>,
    record: &mut Record,
) -> Option<&'a Measured> {
    match baseline.under(conditions) {
        Ok(measured) => Some(measured),
        Err(why) => {
            let remark = format!("not compared: {why}: {REMEDY}");
            run.session.screen.say(&remark);
            record.remarks.push(remark);
            None
        }
    }
}

/// The comparison, as a table and a sentence.
pub fn show(measured: &Measured, compared: &[Compared]) -> (String, String) {
    let number = |share: f64| format!("{share:.2}");
    let mut rows = vec![["share", "now", "median", "lowest", "falls below"].map(String::from).to_vec()];
    for Compared { phase, share, median, lowest, line } in compared {
        let line = line.map_or_else(|| "not compared: too unsteady".into(), number);
        rows.push(vec![phase.clone(), number(*share), number(*median), number(*lowest), line]);
    }
    let fell: Vec<&str> = compared.iter().filter(|it| it.fell()).map(|it| it.phase.as_str()).collect();
    let (first, last) = measured.period().unwrap_or_default();
    let sentence = format!(
        "compared with {} in {} on such a machine, {first} to {last}: {}",
        plural(measured.runs.len() as u64, "run"),
        plural(measured.hours() as u64, "hour"),
        if fell.is_empty() { "no share fell".into() } else { format!("{} fell", fell.join(", ")) },
    );
    (table(&rows), sentence)
}

/// A share that fell, in words.
pub fn fall(compared: &Compared) -> String {
    let Compared { phase, share, median, lowest, line } = compared;
    format!(
        "{phase} reached {share:.2} of its ceiling, the baseline {median:.2}, {lowest:.2} at least; below {:.2} it fell",
        line.unwrap_or_default()
    )
}
