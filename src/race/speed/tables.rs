//! The tables of a race for speed.

use crate::race::speed::estimates::{controls, ranking, twin};
use crate::terminal::{count, plural, size, table};
use kuu_core::scorecard::CellVerdict;
use kuu_core::speed::{RacedEngine, Ranking, SpeedEstimate, SpeedPhase, SpeedSample};
use kuu_core::statistics::{Interval, RatioEstimate, RatioVerdict, median};

/// The table of one input: engines that were right, the fastest first; controls; then engines that estimate.
pub fn input_table(
    estimates: &[SpeedEstimate],
    samples: &[SpeedSample],
    reference: &str,
    engines: &[RacedEngine],
) -> String {
    let own = estimates.iter().filter(|one| twin(&one.engine).is_none());
    let (approximate, exact): (Vec<_>, Vec<_>) =
        own.partition(|one| ranking(&one.engine, engines) == Ranking::Approximate);
    let head = ["engine", "seconds", "frames/s", "95 %", &format!("ratio to {reference}"), "95 %", "", "rank"];
    let is_steady = estimates.iter().any(|one| one.phase == SpeedPhase::Steady);
    let head = head.into_iter().chain(["CPU s/M", "broker s/M", "PSS", "state"]).chain(is_steady.then_some("steady"));
    let mut rows = vec![head.map(str::to_owned).collect::<Vec<String>>()];
    rows.extend(exact.iter().map(|one| row(one, samples, reference)));
    let mut text = table(&rows);
    for control in controls(estimates) {
        let RatioEstimate { ratio, interval, .. } = control.ratio;
        let even =
            if interval.contains(1.0) { "even" } else { "not even: smaller differences than this mean nothing here" };
        text += &format!("\ncontrol: {} against itself: {ratio:.3} [{}]: {even}", control.engine, ends(interval, 3));
    }
    if !approximate.is_empty() {
        let mut rows = vec![rows.swap_remove(0)];
        rows.extend(approximate.iter().map(|one| row(one, samples, reference)));
        rows[0].push("largest error".into());
        rows[1..].iter_mut().zip(&approximate).for_each(|(row, one)| row.push(largest_error(one, samples)));
        text += &format!("\n\nengines that estimate, with their error:\n{}", table(&rows));
    }
    text
}

/// By how much the answer of an engine was off in its worst run.
fn largest_error(of: &SpeedEstimate, samples: &[SpeedSample]) -> String {
    let error = |sample: &&SpeedSample| match sample.verdict {
        CellVerdict::WithinPolicy { windows, more, fewer } => (more + fewer, windows, more, fewer),
        _ => (0, 0, 0, 0),
    };
    let worst = samples_of(of, samples).iter().map(error).max();
    let (_, windows, more, fewer) = worst.unwrap_or_default();
    format!("+{} -{} users in {}", count(more), count(fewer), plural(windows, "window"))
}

fn samples_of<'a>(estimate: &SpeedEstimate, samples: &'a [SpeedSample]) -> Vec<&'a SpeedSample> {
    let of = |sample: &&SpeedSample| {
        let key = &sample.key;
        (key.phase, key.frames, &key.engine) == (estimate.phase, estimate.frames, &estimate.engine)
    };
    samples.iter().filter(of).collect()
}

fn row(estimate: &SpeedEstimate, samples: &[SpeedSample], reference: &str) -> Vec<String> {
    let of = samples_of(estimate, samples);
    let middle = |value: &dyn Fn(&SpeedSample) -> Option<f64>| {
        let values: Vec<f64> = of.iter().filter_map(|sample| value(sample)).collect();
        (!values.is_empty()).then(|| median(&values))
    };
    let cell = |value: Option<f64>, words: &dyn Fn(f64) -> String| value.map_or_else(|| "-".to_owned(), words);
    let two = |value: f64| format!("{value:.2}");
    let bytes = |value: f64| size(value as u64);
    let whole = |value: f64| count(value as u64);
    let seconds = match estimate.phase {
        SpeedPhase::Cold => cell(middle(&|sample| sample.times.right_us.map(|us| us as f64 / 1e6)), &two),
        SpeedPhase::Steady => cell(middle(&|sample| sample.frontier.last().map(|point| point.seconds)), &two),
    };
    let speed = estimate.speed;
    let is_reference = estimate.engine == reference;
    let steady = of.iter().filter(|sample| sample.steady.is_some_and(|steady| steady.is_steady())).count();
    let steady = (estimate.phase == SpeedPhase::Steady).then(|| format!("{steady} of {}", of.len()));
    let mut cells = vec![
        estimate.engine.clone(),
        seconds,
        cell(speed.map(|speed| speed.ratio), &whole),
        speed.map_or_else(String::new, |speed| {
            format!("{} to {}", whole(speed.interval.low), whole(speed.interval.high))
        }),
        if is_reference {
            "1".into()
        } else {
            cell(estimate.ratio.map(|ratio| ratio.ratio), &|ratio| format!("{ratio:.3}"))
        },
        estimate.ratio.map_or_else(String::new, |ratio| ends(ratio.interval, 3)),
        estimate.verdict.map_or("", words).to_owned(),
        estimate.rank.clone().unwrap_or_else(|| "-".into()),
        cell(middle(&SpeedSample::cpu_s_per_million), &two),
        cell(middle(&SpeedSample::broker_cpu_s_per_million), &two),
        cell(middle(&|sample| Some(sample.used.peak_pss_bytes as f64)), &bytes),
        cell(middle(&|sample| Some(sample.beside.state_bytes as f64)), &bytes),
    ];
    cells.extend(steady);
    cells
}

fn ends(interval: Interval, digits: usize) -> String {
    format!("{:.digits$} to {:.digits$}", interval.low, interval.high)
}

fn words(verdict: RatioVerdict) -> &'static str {
    match verdict {
        RatioVerdict::Faster => "faster",
        RatioVerdict::Slower => "slower",
        RatioVerdict::Same => "same",
        RatioVerdict::Undecided => "undecided",
    }
}

/// A line for a sample: what, who, how it came out.
pub fn sample_line(sample: &SpeedSample) -> String {
    let key = &sample.key;
    let what = match key.phase {
        SpeedPhase::Cold => format!("cold, {} frames, round {}: {}", count(key.frames), key.round, key.engine),
        SpeedPhase::Steady => format!("steady, round {}: {}", key.round, key.engine),
    };
    let result = match (&sample.verdict, key.phase, sample.speed()) {
        (verdict, _, _) if !verdict.is_right() => verdict.to_string(),
        (_, SpeedPhase::Cold, Some(_)) => {
            format!("{:.2} s", sample.times.right_us.unwrap_or(0) as f64 / 1e6)
        }
        (_, SpeedPhase::Steady, Some(speed)) => format!("{} frames/s", count(speed as u64)),
        (_, _, None) => "no rate".into(),
    };
    let remarks = sample.remarks.join("; ");
    if remarks.is_empty() { format!("{what}: {result}") } else { format!("{what}: {result} ({remarks})") }
}

/// A line for each engine that was wrong in some run, with its first verdict.
pub fn wrong(samples: &[SpeedSample]) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for sample in samples.iter().filter(|sample| !sample.verdict.is_right()) {
        let SpeedSample { key, verdict, .. } = sample;
        if !names.contains(&key.engine.as_str()) {
            names.push(&key.engine);
            lines.push(format!(
                "{}: {verdict} ({}, {} frames, round {})",
                key.engine,
                key.phase,
                count(key.frames),
                key.round
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::speed::estimates::of_input;
    use kuu_core::scorecard::{CellTimes, Used};
    use kuu_core::speed::{Beside, SampleKey};

    fn sample(engine: &str, round: u32, seconds: f64, verdict: CellVerdict) -> SpeedSample {
        SpeedSample {
            key: SampleKey { phase: SpeedPhase::Cold, frames: 1_000_000, round, turn: 1, engine: engine.into() },
            started: String::new(),
            verdict,
            times: CellTimes { right_us: Some((seconds * 1e6) as i64), ..CellTimes::default() },
            used: Used { cpu_us: 2_500_000, peak_resident_bytes: 0, peak_pss_bytes: 80_000_000 },
            beside: Beside { broker_cpu_us: Some(750_000), ..Beside::default() },
            answered: 1_000_000,
            steady: None,
            frontier: Vec::new(),
            remarks: Vec::new(),
        }
    }

    #[test]
    fn wrong_engines_have_no_figures() {
        let mut samples = Vec::new();
        for (round, seconds) in (1..).zip([2.0, 2.2]) {
            samples.push(sample("kuu", round, seconds, CellVerdict::Exact));
            samples.push(sample("go", round, 2.0 * seconds, CellVerdict::Exact));
        }
        let mut hung = sample("bad", 1, 0.1, CellVerdict::Hung { state: "no row after 60 s".into() });
        hung.remarks.push("the observer took 4.0 % of the processors, more than 3 %".into());
        samples.push(hung);
        let estimates = of_input(&samples, SpeedPhase::Cold, 1_000_000, "kuu", &[]);
        let table = input_table(&estimates, &samples, "kuu", &[]);
        let expected = "\
engine  seconds  frames/s                95 %  ratio to kuu            95 %          rank  CPU s/M  broker s/M      PSS   state
kuu        2.10   476,731  260,196 to 873,465             1                             1     2.50        0.75  80.0 MB  0.0 MB
go         4.20   238,365  130,098 to 436,732         0.500  0.500 to 0.500  slower     2     2.50        0.75  80.0 MB  0.0 MB";
        assert_eq!(table, expected);
        assert_eq!(sample_line(&samples[0]), "cold, 1,000,000 frames, round 1: kuu: 2.00 s");
        assert_eq!(
            sample_line(&samples[4]),
            "cold, 1,000,000 frames, round 1: bad: hung: no row after 60 s (the observer took 4.0 % of the processors, more \
             than 3 %)"
        );
        assert_eq!(wrong(&samples), ["bad: hung: no row after 60 s (cold, 1,000,000 frames, round 1)"]);
    }

    #[test]
    fn engines_that_estimate_stand_apart() {
        let mut samples = Vec::new();
        for (round, more) in (1..).zip([3, 1_200]) {
            samples.push(sample("kuu", round, 2.0, CellVerdict::Exact));
            samples.push(sample("hll", round, 1.0, CellVerdict::WithinPolicy { windows: 17, more, fewer: 4 }));
        }
        let engines =
            [RacedEngine { name: "hll".into(), version: None, ranking: Ranking::Approximate, obstacle: None }];
        let estimates = of_input(&samples, SpeedPhase::Cold, 1_000_000, "kuu", &engines);
        let table = input_table(&estimates, &samples, "kuu", &engines);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[1].starts_with("kuu "), "{table}");
        assert_eq!(lines[2..4], ["", "engines that estimate, with their error:"], "{table}");
        assert!(lines[5].starts_with("hll ") && lines[5].ends_with("  +1,200 -4 users in 17 windows"), "{table}");
        assert!(lines[5].contains("2.000 to 2.000       -"), "{table}");
    }
}
