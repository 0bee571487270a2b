//! The metrics of a count that follows, and what packaging/ and the documentation make of them.

use crate::support::broker::Mock;
use crate::support::frames::{DAMAGED, MINUTE, frame, lines};
use crate::support::http::ask;
use crate::support::kuu::{Kuu, eventually};
use crate::support::open_metrics::{Sample, read_live};
use std::collections::BTreeSet;
use std::path::Path;

/// All samples of one scrape.
struct Scrape(Vec<Sample>);

impl Scrape {
    fn of(address: &str) -> Scrape {
        let answer = ask(address, "GET /metrics");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let content_type = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert!(answer.head.contains(content_type), "{}", answer.head);
        Scrape(read_live(&answer.body).unwrap_or_else(|rule| panic!("{rule}\n{}", answer.body)))
    }

    /// The value of the sample with this name and these labels.
    fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        self.0.iter().find(|sample| sample.name == name && sample.labels == wanted).map(|sample| sample.value)
    }

    fn plain(&self, name: &str) -> Option<f64> {
        self.get(name, &[])
    }

    fn results(&self) -> [Option<f64>; 3] {
        ["early", "on_time", "late"].map(|timing| self.get("kuu_results_total", &[("timing", timing)]))
    }

    fn names(&self) -> BTreeSet<String> {
        self.0.iter().map(|sample| sample.name.clone()).collect()
    }
}

#[test]
fn what_a_count_exports() {
    let mock = Mock::new(2);
    let kuu = Kuu::with(&mock.address);
    // One user: one of the two partitions stays without frames.
    let mut first: Vec<_> = (0..150).map(|i| frame("alone", MINUTE + i)).collect();
    first.extend(DAMAGED.iter().map(|(_, value)| value.to_vec()));
    let second = [frame("alone", MINUTE + 1), frame("alone", MINUTE - 3 * 86_400)];
    let (a, b) = (kuu.file("a.jsonl", lines(&first)), kuu.file("b.jsonl", lines(&second)));
    kuu.run(&format!("produce {a}")).exits(0);
    let mut running = kuu.spawn("count --follow --idle 200ms --commit-interval 100ms --metrics 0");
    let said = running.complaint();
    let address = said.strip_prefix("metrics: http://").and_then(|rest| rest.strip_suffix("/metrics")).unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{said}");
    eventually("two windows", || (Scrape::of(address).results()[1] == Some(2.0)).then_some(()));

    kuu.run(&format!("produce --append {b}")).exits(0);
    let scrape = eventually("a correction, and the lag", || {
        let scrape = Scrape::of(address);
        let lag = |partition| scrape.get("kuu_lag_frames", &[("partition", partition)]);
        let done = scrape.plain("kuu_frames_total") == Some(174.0) && [lag("0"), lag("1")] == [Some(0.0); 2];
        done.then_some(scrape)
    });
    assert_eq!(scrape.results(), [Some(0.0), Some(2.0), Some(1.0)]);
    let bytes: usize = first.iter().chain(&second).map(Vec::len).sum();
    for (name, value) in [
        ("kuu_read_bytes_total", bytes as f64),
        ("kuu_late_frames_total", 1.0),
        ("kuu_out_of_order_frames_total", 0.0),
        ("kuu_open_windows", 1.0),
        ("kuu_hidden_offsets", 0.0),
        ("kuu_setbacks_total", 0.0),
        ("kuu_in_setback", 0.0),
        ("kuu_watermark_timestamp_seconds", (MINUTE + 144) as f64),
    ] {
        assert_eq!(scrape.plain(name), Some(value), "{name}");
    }
    ledger(&scrape);
    // The frames are of 2016.
    assert!(scrape.plain("kuu_watermark_age_seconds").unwrap() > 3e8);
    assert!(scrape.plain("kuu_last_commit_timestamp_seconds").unwrap() > 1.7e9);
    assert!(scrape.plain("kuu_commit_duration_seconds_count").unwrap() >= 2.0);
    assert!(scrape.plain("process_resident_memory_bytes").unwrap() > 1e6);
    let build = scrape.0.iter().find(|sample| sample.name == "kuu_build_info").unwrap();
    assert_eq!(build.labels["version"], env!("CARGO_PKG_VERSION"));
    pages(address);
    let port = address.rsplit(':').next().unwrap();
    kuu.run(&format!("count --follow --metrics {port}")).exits(2).complains("metrics cannot be served at 127.0.0.1:");
    mentioned(&scrape);
    running.signal("TERM");
    running.wait().exits(130).says("ledger: 174 read = 151 counted");
}

fn ledger(scrape: &Scrape) {
    let fate = |fate| scrape.get("kuu_ledger_frames_total", &[("fate", fate)]);
    assert_eq!(["counted", "too_late", "too_far"].map(fate), [Some(151.0), Some(1.0), Some(0.0)]);
    let reasons: BTreeSet<_> = DAMAGED.iter().map(|(reason, _)| *reason).collect();
    for reason in reasons {
        let labels = [("fate", "malformed"), ("reason", reason)];
        let wanted = DAMAGED.iter().filter(|(other, _)| *other == reason).count() as f64;
        assert_eq!(scrape.get("kuu_ledger_frames_total", &labels), Some(wanted), "{reason}");
    }
    let all = scrape.0.iter().filter(|sample| sample.name == "kuu_ledger_frames_total");
    assert_eq!(all.map(|sample| sample.value).sum::<f64>(), 174.0);
}

fn pages(address: &str) {
    let health = ask(address, "GET /health");
    assert_eq!((health.status, health.body.as_str()), (200, "fine\n"));
    let head = ask(address, "HEAD /health");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(ask(address, "GET /metrics?name=x").status, 200);
    assert_eq!(ask(address, "GET /else").status, 404);
    let refused = ask(address, "POST /metrics");
    assert!(refused.status == 405 && refused.head.contains("allow: get, head"), "{}", refused.head);
}

/// Every metric that the dashboard, the alerts and the documentation name is one that kuu exports, and the documentation
/// names them all.
fn mentioned(scrape: &Scrape) {
    let exported = scrape.names();
    let text = |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text("packaging/grafana-dashboard.json")).unwrap();
    let mut queries = Vec::new();
    expressions(&dashboard, &mut queries);
    assert!(queries.len() >= 10, "{queries:?}");
    for (place, words) in [
        ("the dashboard", queries.join("\n")),
        ("the alerts", text("packaging/prometheus-alerts.yml")),
        ("docs/operation.md", text("docs/operation.md")),
    ] {
        let named = metric_names(&words);
        let unknown: Vec<_> = named.difference(&exported).collect();
        assert!(!named.is_empty() && unknown.is_empty(), "{place} names {unknown:?}");
    }
    let documented = metric_names(&text("docs/operation.md"));
    // Those of a histogram have one name in the table.
    let is_part = |name: &str| name.starts_with("kuu_commit_duration_seconds_");
    let missing: Vec<_> = exported.difference(&documented).filter(|name| !is_part(name)).collect();
    assert!(missing.is_empty(), "docs/operation.md lacks {missing:?}");
}

/// The values of all members `expr`.
fn expressions(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => members.iter().for_each(|(name, value)| match value.as_str() {
            Some(text) if name == "expr" => found.push(text.to_owned()),
            _ => expressions(value, found),
        }),
        serde_json::Value::Array(all) => all.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

/// The words that are names of metrics.
fn metric_names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("kuu_") || word.starts_with("process_")).map(str::to_owned).collect()
}
