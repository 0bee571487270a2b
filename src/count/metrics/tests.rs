use super::gathered::Metrics;
use super::metered::Metered;
use super::server::page;
use crate::count::observer::{Observer, Standing};
use crate::count::recovery::Activity;
use kuu_core::counter::{Emission, Timing};
use kuu_core::distinct::Distinct;
use kuu_core::ledger::Ledger;
use kuu_core::record::Program;
use kuu_core::window::Unit;
use std::time::Duration;

fn metrics() -> Metrics {
    Metrics::new(Program { version: "1.0".into(), git: "a\"b".into(), rustc: "r".into(), librdkafka: "l".into() })
}

/// The values of a metric, by what stands in its braces.
fn values(metrics: &Metrics, name: &str) -> Vec<(String, String)> {
    let (status, _, text) = page("/metrics", metrics);
    assert_eq!(status, 200);
    let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
    let lines = lines.filter(|(labels, _)| labels.is_empty() || labels.starts_with('{'));
    lines.map(|(labels, value)| (labels.to_owned(), value.to_owned())).collect()
}

fn value(metrics: &Metrics, name: &str) -> Option<String> {
    values(metrics, name).pop().map(|(_, value)| value)
}

fn result(timing: Timing) -> Emission {
    let window = Unit::Minute.window(0);
    Emission { window, users: 1, frames: 1, distinct: Distinct::Exact, timing, revision: None }
}

fn standing(ledger: &Ledger, read_bytes: u64, took_us: Option<u64>) -> Standing<'_> {
    Standing { ledger, read_bytes, took: took_us.map(Duration::from_micros) }
}

fn set_back() -> Activity {
    Activity::SetBack { why: "the broker is away".into() }
}

#[test]
fn a_setback_is_unhealthy_until_the_next_commit() {
    let metrics = metrics();
    let health = || page("/health", &metrics);
    assert_eq!(health().0, 200);
    metrics.note(&Activity::Failed { why: "who knows".into() });
    assert_eq!((health().0, value(&metrics, "kuu_setbacks_total").as_deref()), (503, Some("0")));
    metrics.note(&set_back());
    let (status, _, text) = health();
    assert_eq!((status, text.as_str()), (503, "goes back to the last commit: the broker is away\n"));
    // That it reads its state again is no sign that it can commit.
    metrics.note(&Activity::Restoring { read: 1, total: 1 });
    assert_eq!((health().0, value(&metrics, "kuu_in_setback").as_deref()), (503, Some("1.0")));
    metrics.note(&set_back());
    let ledger = Ledger::default();
    Metered::new(Some(&metrics), &mut ()).stands(&standing(&ledger, 0, None));
    assert_eq!((health().0, value(&metrics, "kuu_in_setback").as_deref()), (200, Some("0.0")));
    assert_eq!(value(&metrics, "kuu_setbacks_total").as_deref(), Some("2"));
    assert_eq!(value(&metrics, "kuu_last_commit_timestamp_seconds"), None);
}

#[test]
fn what_a_setback_undoes_is_not_counted() {
    let metrics = metrics();
    let mut inner = ();
    let mut metered = Metered::new(Some(&metrics), &mut inner);
    let ledger = |read| Ledger { read, counted: read, ..Ledger::default() };
    let counts = || ["kuu_frames_total", "kuu_read_bytes_total"].map(|name| value(&metrics, name).unwrap());
    metered.begin();
    metered.result(&result(Timing::OnTime));
    metered.result(&result(Timing::Late));
    // Nothing is committed yet.
    assert_eq!(counts(), ["0", "0"]);
    metered.stands(&standing(&ledger(10), 100, Some(31_250)));
    assert_eq!(counts(), ["10", "100"]);
    metered.result(&result(Timing::OnTime));
    metered.begin();
    metered.result(&result(Timing::OnTime));
    metered.result(&result(Timing::Early));
    metered.stands(&standing(&ledger(15), 50, Some(312_500)));
    assert_eq!(counts(), ["15", "150"]);
    metered.stands(&standing(&ledger(15), 50, None));
    assert_eq!(counts(), ["15", "150"]);
    let by_timing = values(&metrics, "kuu_results_total");
    let wanted = [("early", "1"), ("on_time", "2"), ("late", "1")];
    assert_eq!(by_timing, wanted.map(|(timing, n)| (format!("{{timing=\"{timing}\"}}"), n.to_owned())));
    let buckets = values(&metrics, "kuu_commit_duration_seconds_bucket");
    let at = |le: &str| buckets.iter().find(|(label, _)| label == &format!("{{le=\"{le}\"}}")).unwrap().1.clone();
    assert_eq!(["0.025", "0.05", "0.25", "0.5", "+Inf"].map(at), ["0", "1", "1", "2", "2"]);
    assert_eq!(value(&metrics, "kuu_commit_duration_seconds_sum").as_deref(), Some("0.34375"));
}

#[test]
fn pages() {
    let metrics = metrics();
    assert_eq!(
        ["/metrics", "/health", "/", "/metrics/", "/else"].map(|path| page(path, &metrics).0),
        [200, 200, 200, 404, 404]
    );
    let (_, content_type, text) = page("/metrics", &metrics);
    assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(text.ends_with("# EOF\n"));
    let build = [("{version=\"1.0\",git=\"a\\\"b\",rustc=\"r\",librdkafka=\"l\"}".to_owned(), "1".to_owned())];
    assert_eq!(values(&metrics, "kuu_build_info"), build);
}
