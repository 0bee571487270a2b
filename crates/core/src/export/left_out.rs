//! What no export repeats: figures of wrong engines, and latency that means nothing.

use crate::race_live::LiveSample;
use crate::record::Record;
use std::collections::BTreeSet;

/// What a record has that no export repeats, in words.
pub fn left_out(record: &Record) -> Vec<String> {
    let wrong: Vec<&str> = wrong_engines(record).into_iter().collect();
    let wrong = (!wrong.is_empty()).then(|| format!("no figures of engines that were wrong: {}", wrong.join(", ")));
    let live = record.live.iter().filter(|live| live.brackets.is_empty()).flat_map(|live| &live.samples);
    let is_behind = |sample: &LiveSample| sample.verdict.is_right() && !sample.is_valid();
    let behind: BTreeSet<&str> = live.filter(|it| is_behind(it)).map(|it| it.engine.as_str()).collect();
    let behind = (!behind.is_empty()).then(|| {
        let names: Vec<&str> = behind.into_iter().collect();
        format!("no latency of runs that did not keep up with the rate: {}", names.join(", "))
    });
    let invalid = record.why_no_latency().map(|why| format!("no latency: {why}"));
    wrong.into_iter().chain(behind).chain(invalid).collect()
}

/// The engines of a race for speed, or of a live one, that were wrong at least once.
pub(crate) fn wrong_engines(record: &Record) -> BTreeSet<&str> {
    let speed = record.speed.iter().flat_map(|speed| &speed.samples).map(|it| (it.key.engine.as_str(), &it.verdict));
    let live = record.live.iter().flat_map(|live| &live.samples).map(|it| (it.engine.as_str(), &it.verdict));
    speed.chain(live).filter(|(_, verdict)| !verdict.is_right()).map(|(engine, _)| engine).collect()
}
