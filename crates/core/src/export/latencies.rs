//! The histograms of a record that mean something.

use super::left_out::wrong_engines;
use crate::latency::{HistogramRecord, Leg, LegRecords};
use crate::race_live::LiveSample;
use crate::record::Record;

/// One histogram, and what it is of.
pub(crate) struct LatencyOf<'a> {
    /// The leg, as in `end_to_end`, or `last_frame`: from the last frame of a window to its right row.
    pub leg: &'static str,
    /// The engine, the frames per second, the round and the turn: of a live race.
    pub engine: Option<&'a str>,
    pub rate: Option<f64>,
    pub round: Option<u32>,
    pub turn: Option<u32>,
    /// When the run began, RFC 3339 in UTC.
    pub begun: &'a str,
    pub histogram: &'a HistogramRecord,
}

/// The histograms of a run, and those of a race at a given rate; the probes of a search for a rate are no result.
pub(crate) fn latencies(record: &Record) -> Vec<LatencyOf<'_>> {
    let LegRecords(legs) = &record.latency;
    let own = legs.iter().filter(|_| record.why_no_latency().is_none()).map(|(leg, histogram)| LatencyOf {
        leg: leg.name(),
        engine: None,
        rate: None,
        round: None,
        turn: None,
        begun: &record.written,
        histogram,
    });
    let wrong = wrong_engines(record);
    let live = record.live.iter().filter(|live| live.brackets.is_empty()).flat_map(|live| &live.samples);
    let valid = live.filter(|sample| sample.is_valid() && !wrong.contains(sample.engine.as_str()));
    own.chain(valid.flat_map(of_sample)).collect()
}

/// The legs of a live run that are the engine's.
fn of_sample(sample: &LiveSample) -> impl Iterator<Item = LatencyOf<'_>> {
    let LegRecords(legs) = &sample.legs;
    let own = [Leg::Result, Leg::EndToEnd].into_iter().filter_map(|leg| Some((leg.name(), legs.get(&leg)?)));
    let last = sample.last_frame.iter().map(|histogram| ("last_frame", histogram));
    last.chain(own).map(|(leg, histogram)| LatencyOf {
        leg,
        engine: Some(&sample.engine),
        rate: Some(sample.rate),
        round: Some(sample.round),
        turn: Some(sample.turn),
        begun: &sample.started,
        histogram,
    })
}
