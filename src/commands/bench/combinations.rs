//! `kuu bench --partitions 1,4 --threads 1,2`: a run of each combination, and one table.

use crate::bench::tables::milliseconds;
use crate::cli::BenchArgs;
use crate::commands::bench::runs::{self, LeftOut, RunDone, own_program};
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{Session, print_json};
use crate::terminal::{complain, rate, table};
use anyhow::Result;
use kuu_core::latency::{HistogramRecord, Leg, Percentile};
use kuu_core::record::Record;
use std::ffi::OsString;

/// The options of which each run has one value.
const LEFT_OUT: LeftOut = LeftOut { with_value: &["--partitions", "--compression", "--threads"], without: &[] };
/// Figures of the table: each with its share of the ceiling.
const FIGURES: [&str; 2] = ["produce", "count"];

/// One value of each option, by the option's name.
type Combination = Vec<(&'static str, String)>;

/// Runs every combination in turn; each has a record of its own, as if it had been run alone.
///
/// # Errors
/// If a run cannot be started, or a combination fails: the others are run nonetheless.
pub fn run(arguments: &BenchArgs, session: &Session) -> Result<ExitStatus> {
    let (program, combinations) = (own_program()?, combinations(arguments));
    let directory = session.common.results.join(format!("combinations-{}", session.begun.compact()));
    let number = combinations.len();
    session.screen.say(format!("{number} runs, one of each combination; their records are in {}", directory.display()));
    let (mut records, mut statuses) = (Vec::new(), Vec::new());
    for (index, combination) in combinations.into_iter().enumerate() {
        let mut options = LEFT_OUT.options();
        for (name, value) in &combination {
            options.extend([format!("--{name}"), value.clone()].map(OsString::from));
        }
        let values: Vec<String> = combination.iter().map(|(name, value)| format!("{name}-{value}")).collect();
        let name = format!("{:02}-{}", index + 1, values.join("-"));
        let done = runs::one(&program, &options, &directory.join(&name));
        if session.stop.interrupted() {
            session.screen.say("interrupted");
            return Ok(ExitStatus::Interrupted);
        }
        match done {
            Ok(RunDone { record, code, complaint }) => {
                session.screen.say(format!("{} of {number}: {}", index + 1, values.join(" ")));
                if let Some(words) = complaint.filter(|_| code != Some(0)) {
                    complain(format!("{name}: {}", words.trim_start_matches("kuu: ")));
                }
                statuses.push(ExitStatus::of(code));
                records.push((combination, record));
            }
            Err(error) => {
                complain(format!("{name}: {error:#}"));
                statuses.push(ExitStatus::Incomplete);
            }
        }
    }
    if session.common.json {
        print_json(&records.iter().map(|(_, record)| record).collect::<Vec<_>>())?;
    }
    if !records.is_empty() {
        session.screen.say(format!("\n{}", text(&records)));
    }
    Ok(worst(&statuses))
}

/// All combinations of the given values; the last option changes fastest. What is not given is left to each run.
fn combinations(arguments: &BenchArgs) -> Vec<Combination> {
    let values = |values: &[u16]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    let options = [
        ("partitions", values(&arguments.partitions)),
        ("threads", values(&arguments.threads)),
        ("compression", arguments.compression.iter().map(ToString::to_string).collect()),
    ];
    let mut all: Vec<Combination> = vec![Vec::new()];
    for (name, values) in options.into_iter().filter(|(_, values)| !values.is_empty()) {
        let with = |one: &Combination| {
            let one = one.clone();
            values.iter().map(move |value| [&one[..], &[(name, value.clone())]].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

/// The status that says most: a wrong answer before all others.
fn worst(statuses: &[ExitStatus]) -> ExitStatus {
    use ExitStatus::{Behind, Incomplete, Inconclusive, Regression, Wrong};
    let found =
        [Wrong, Incomplete, Regression, Behind, Inconclusive].into_iter().find(|status| statuses.contains(status));
    found.unwrap_or(ExitStatus::Fine)
}

fn text(records: &[(Combination, Record)]) -> String {
    let has_sweep = records.iter().any(|(_, record)| record.sweep.is_some());
    let live: &[&str] =
        if has_sweep { &["highest sustained"] } else { &["result p50", "p99", "max", "end_to_end p50", "p99", "max"] };
    let names = records.iter().take(1).flat_map(|(combination, _)| combination.iter().map(|(name, _)| *name));
    let titles = names.chain(["produce", "share", "count", "share"]).chain(live.iter().copied()).map(str::to_owned);
    let mut rows = vec![titles.collect::<Vec<_>>()];
    for (combination, record) in records {
        let mut row: Vec<String> = combination.iter().map(|(_, value)| value.clone()).collect();
        row.extend(FIGURES.iter().flat_map(|name| speed(record, name)));
        if has_sweep {
            let most = record.figures.get("live_sustained_frames_per_s");
            row.push(most.map_or_else(|| "-".into(), |most| rate(most.value)));
        } else {
            row.extend([Leg::Result, Leg::EndToEnd].into_iter().flat_map(|leg| latency(record, leg)));
        }
        rows.push(row);
    }
    table(&rows)
}

/// Frames per second, and the share of the ceiling; a wrong answer has none.
fn speed(record: &Record, name: &str) -> [String; 2] {
    let figure = record.figures.get(&format!("{name}_frames_per_s"));
    let share = figure.and_then(|figure| figure.ceiling.as_ref()).map(|ceiling| format!("{:.2}", ceiling.share));
    let dash = || "-".to_owned();
    let wrong = record.verdict.as_ref().is_some_and(|verdict| !verdict.exact);
    let speed = figure.map_or_else(|| if wrong { "wrong".into() } else { dash() }, |figure| rate(figure.value));
    [speed, share.unwrap_or_else(dash)]
}

/// Median, 99th percentile and maximum of a leg; none if the load was not sustained.
fn latency(record: &Record, leg: Leg) -> [String; 3] {
    let holds = |name: &str| record.figures.get(name).is_some_and(|figure| figure.value > 0.0);
    let is_valid = holds("live_sustained") && holds("live_on_schedule");
    let of = record.latency.0.get(&leg).filter(|_| is_valid);
    let percentile = |at| of.and_then(|of: &HistogramRecord| of.percentile(at));
    let max = of.and_then(|of| of.percentiles).map(|of| of.max_us);
    [percentile(Percentile::P50), percentile(Percentile::P99), max].map(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_comes_before_all_else() {
        use ExitStatus::{Behind, Fine, Incomplete, Inconclusive, Regression, Wrong};
        assert_eq!(worst(&[Fine, Incomplete, Wrong, Behind]), Wrong);
        assert_eq!(worst(&[Fine, Inconclusive, Regression]), Regression);
        assert_eq!(worst(&[Fine, Fine]), Fine);
    }
}
