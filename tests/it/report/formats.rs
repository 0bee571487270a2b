//! Each format, by a reader as strict as the tool's own: its schema, its specification, or a struct that takes no other member.

use crate::report::records::{BENCH, RACE, bench, of_races, scorecard};
use crate::support::broker::Mock;
use crate::support::frames::{frames, lines};
use crate::support::kuu::Kuu;
use crate::support::open_metrics;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// `JsonMetric` of Bencher.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BencherMetric {
    value: f64,
    lower_value: Option<f64>,
    upper_value: Option<f64>,
}

#[test]
fn bencher() {
    let done = of_races().run(&format!("report --export bencher {BENCH} sustained.json {RACE}")).exits(0);
    let read_back: BTreeMap<String, BTreeMap<String, BencherMetric>> = serde_json::from_str(&done.out).unwrap();
    for (benchmark, measures) in &read_back {
        assert!((1..=1_024).contains(&benchmark.len()));
        for (measure, metric) in measures {
            // A slug, which Bencher takes as it is.
            let words: Vec<&str> = measure.split('-').collect();
            let is_word =
                |word: &&str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
            assert!(words.iter().all(is_word) && measure.len() <= 64, "{measure}");
            assert!(metric.lower_value.is_none_or(|lower| lower <= metric.value), "{benchmark}");
            assert!(metric.upper_value.is_none_or(|upper| upper >= metric.value), "{benchmark}");
        }
    }
    let mut samples = numbers(&bench()["figures"]["count_frames_per_s"]["samples"]);
    samples.sort_by(f64::total_cmp);
    let count = &read_back["count"]["frames-per-s"];
    assert_eq!((count.value, count.lower_value, count.upper_value), (samples[2], Some(samples[0]), Some(samples[4])));
    assert_eq!(read_back["kuu sustained"]["frames-per-s"].value, 4_000.0);
    // statistics.median of 1e6 * answered / right_us over these ten runs, by Python.
    let cold = &read_back["kuu cold_1000000"]["frames-per-s"];
    let [lower, upper] = [cold.lower_value, cold.upper_value].map(|value| value.unwrap().round());
    assert_eq!((cold.value.round(), lower, upper), (728_418.0, 586_116.0, 796_414.0));
}

/// `BenchmarkResult` of github-action-benchmark.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomResult {
    name: String,
    value: f64,
    range: Option<String>,
    unit: String,
    extra: Option<String>,
}

#[test]
fn github_action_benchmark() {
    let kuu = Kuu::new();
    let figures = |format: &str| {
        let done = kuu.run(&format!("report --export {format} {BENCH} {RACE}")).exits(0);
        let results: Vec<CustomResult> = serde_json::from_str(&done.out).unwrap();
        let count = results.len();
        let by_name: BTreeMap<String, CustomResult> = results.into_iter().map(|it| (it.name.clone(), it)).collect();
        // The action compares results by their names.
        assert_eq!(by_name.len(), count);
        by_name
    };
    let (bigger, smaller) = (figures("custom-bigger"), figures("custom-smaller"));
    let units =
        |of: &BTreeMap<String, CustomResult>| of.values().map(|it| it.unit.clone()).collect::<BTreeSet<String>>();
    assert_eq!(units(&bigger).into_iter().collect::<Vec<_>>(), ["frames/s", "share"]);
    assert_eq!(units(&smaller).into_iter().collect::<Vec<_>>(), ["bytes", "ns/frame", "us", "us/frame"]);
    let record = bench();
    let peak = &smaller["peak_resident_bytes"];
    assert_eq!(peak.value, record["figures"]["peak_resident_bytes"]["value"].as_f64().unwrap());
    assert_eq!((peak.range.as_deref(), peak.extra.as_deref()), (None, Some("1 sample")));
    let cold = &bigger["kuu cold_1000000_frames_per_s"];
    assert!(cold.range.as_ref().unwrap().contains(" to ") && cold.extra.as_deref() == Some("10 samples"));
}

/// `BenchmarkResult` of hyperfine, as it is written; `user` and `system` are numbers there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HyperfineResult {
    command: String,
    mean: f64,
    stddev: Option<f64>,
    median: f64,
    user: Option<f64>,
    system: Option<f64>,
    min: f64,
    max: f64,
    times: Vec<f64>,
    #[serde(default)]
    memory_usage_byte: Vec<u64>,
    exit_codes: Vec<Option<i32>>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HyperfineDocument {
    results: Vec<HyperfineResult>,
}

#[test]
fn hyperfine() {
    let done = Kuu::new().run(&format!("report --export hyperfine {BENCH} {RACE}")).exits(0);
    let HyperfineDocument { results } = serde_json::from_str(&done.out).unwrap();
    for of in &results {
        assert!(of.min <= of.median && of.median <= of.max && of.min <= of.mean && of.mean <= of.max, "{}", of.command);
        assert_eq!((of.times.len(), of.stddev.is_some()), (of.exit_codes.len(), of.times.len() > 1));
        assert_eq!((of.user, of.system, &of.exit_codes[0]), (None, None, &None));
    }
    let phases: Vec<&str> = results[..4].iter().map(|of| of.command.as_str()).collect();
    let names =
        ["batch", "produce", "count", "count_at_least_once"].map(|phase| format!("kuu bench: {phase} ({BENCH})"));
    assert_eq!(phases, names);
    let rates = numbers(&bench()["figures"]["batch_frames_per_s"]["samples"]);
    assert_eq!(results[0].times, rates.iter().map(|rate| 50_000.0 / rate).collect::<Vec<f64>>());
    // Six engines on three inputs, ten rounds each.
    assert_eq!(results.len(), 4 + 18);
    let first = &results[4];
    assert_eq!(first.command, format!("kuu race: go, cold, 62500 frames ({RACE})"));
    assert_eq!(
        (first.times.len(), first.memory_usage_byte.len(), first.parameters["frames"].as_str()),
        (10, 10, "62500")
    );
}

#[test]
fn open_metrics_of_every_command() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    let file = kuu.file("f.jsonl", lines(&frames(300)));
    kuu.file("batch.json", kuu.run(&format!("batch {file} --json")).exits(0).out);
    // Whether this machine keeps up or not.
    kuu.run(&format!("produce {file} --rate 1000"));
    kuu.run("count").exits(0);
    kuu.file("verify.json", kuu.run("verify --json").exits(0).out);
    kuu.file("scorecard.json", scorecard().to_string());
    let names =
        ["batch.json", "results/produce.json", "results/count.json", "verify.json", "scorecard.json", BENCH, RACE];
    let done = kuu.run(&format!("report --export openmetrics {}", names.join(" "))).exits(0);
    let samples = open_metrics::read(&done.out).unwrap();
    let of = |name: &str, labels: &[(&str, &str)]| {
        let has = |it: &&open_metrics::Sample| {
            it.name == name && labels.iter().all(|(label, value)| it.labels.get(*label).is_some_and(|its| its == value))
        };
        samples.iter().filter(has).cloned().collect::<Vec<_>>()
    };
    for name in names {
        assert_eq!(of("kuu_build_info", &[("record", name)]).len(), 1, "{name}");
    }
    let ledger = of("kuu_ledger_frames", &[("record", "results/count.json"), ("fate", "counted")]);
    assert_eq!((ledger[0].value, ledger[0].unit.as_str()), (300.0, "frames"));
    assert_eq!(of("kuu_cell_info", &[("engine", "go"), ("verdict", "wrong")]).len(), 1);
    let schedule = of("kuu_latency_seconds_count", &[("record", "results/produce.json"), ("leg", "schedule")]);
    assert_eq!((schedule[0].value, schedule[0].kind.as_str()), (300.0, "summary"));
    let figures = &bench()["figures"];
    let count = of("kuu_figure_frames_per_second", &[("record", BENCH), ("figure", "count")]);
    assert_eq!(count[0].value, figures["count_frames_per_s"]["value"].as_f64().unwrap());
    assert_eq!(count[0].family, "kuu_figure_frames_per_second");
    let p99 = of("kuu_latency_seconds", &[("leg", "schedule"), ("quantile", "0.99")]);
    assert_eq!(p99[0].value, bench()["latency"]["schedule"]["percentiles"]["p99_us"].as_f64().unwrap() / 1e6);
    // 2026-11-30T09:28:48Z
    assert!(of("kuu_figure_frames_per_second", &[("record", RACE)]).iter().all(|it| it.at == Some(1_796_030_928.0)));
}

/// A line of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleLine {
    record: String,
    begun: String,
    engine: Option<String>,
    figure: String,
    unit: String,
    round: Option<u32>,
    turn: Option<u32>,
    value: f64,
}

#[test]
fn csv() {
    let kuu = of_races();
    kuu.run(&format!("report --export csv -o all.csv {BENCH} scorecard.json sustained.json {RACE}")).exits(0);
    let mut reader = csv::Reader::from_path(kuu.path("all.csv")).unwrap();
    let lines: Vec<SampleLine> = reader.deserialize().map(Result::unwrap).collect();
    let record = bench();
    let samples = |figure: &Value| {
        let ceiling = figure["ceiling"]["samples"].as_array().map_or(0, Vec::len);
        figure["samples"].as_array().map_or(1, Vec::len) + ceiling
    };
    let expected: usize = record["figures"].as_object().unwrap().values().map(samples).sum();
    let found = lines.iter().filter(|line| line.record == BENCH && !line.figure.starts_with("latency_"));
    assert_eq!(found.count(), expected);
    let is_second = |line: &&SampleLine| {
        (line.figure.as_str(), line.unit.as_str(), line.round) == ("produce", "frames_per_s", Some(2))
    };
    let second = lines.iter().find(is_second).unwrap();
    assert_eq!(second.value, record["figures"]["produce_frames_per_s"]["samples"][1].as_f64().unwrap());
    assert_eq!((second.begun.as_str(), &second.engine), ("2026-11-30T21:24:17Z", &None));
    // Three figures of each of 240 runs.
    let of_race: Vec<&SampleLine> = lines.iter().filter(|line| line.record == RACE).collect();
    assert_eq!(of_race.len(), 720);
    assert!(of_race.iter().all(|line| line.engine.is_some() && line.round.is_some() && line.turn.is_some()));
    let engines = |name: &str| {
        let of_record = lines.iter().filter(|line| line.record == name);
        of_record.map(|line| line.engine.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((engines("scorecard.json"), engines("sustained.json")), (vec!["kuu".into(); 3], vec!["kuu".into()]));
}

#[test]
fn vega_lite() {
    let packed = include_bytes!("../schemas/vega-lite-5.23.0.json.gz");
    let schema: Value = serde_json::from_reader(GzDecoder::new(&packed[..])).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let kuu = of_races();
    let all = format!("{BENCH} scorecard.json {RACE}");
    for (names, views) in [(BENCH, 2), (RACE, 1), ("scorecard.json", 1), (&all, 3)] {
        let done = kuu.run(&format!("report --export vega-lite {names}")).exits(0);
        let mut plot: Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(plot["vconcat"].as_array().unwrap().len(), views, "{names}");
        assert!(validator.is_valid(&plot), "{names}");
        // The schema sees what is wrong.
        plot["vconcat"][0]["data"] = "none".into();
        assert!(!validator.is_valid(&plot), "{names}");
    }
}

#[test]
fn wrong_engines_are_named() {
    let kuu = of_races();
    let done = kuu.run("report --export csv sustained.json").exits(0);
    assert_eq!(done.err, "kuu: sustained.json: no figures of engines that were wrong: go\n");
    assert_eq!(done.out.lines().count(), 2);
    assert_eq!(kuu.run("report --export csv sustained.json --quiet").exits(0).err, "");
    assert_eq!(kuu.run("report --export csv scorecard.json").exits(0).err, "");
}
