//! A steady run: the rate of an engine on an input without an end.

use crate::race::claims::Ends;
use crate::race::descriptor::Descriptor;
use crate::race::drive::{Launched, clean_up, launch, make_directory, timeline_of};
use crate::race::feeding::make_output;
use crate::race::incidents::sum;
use crate::race::judge::{error, faults, keep_answered, right_or_within};
use crate::race::setup::CellNames;
use crate::race::speed::beside::{BesideMeter, observer_remark};
use crate::race::speed::cold::{SpeedSetup, cores};
use crate::race::speed::field::Starter;
use crate::race::speed::frontier::Frontier;
use crate::race::speed::quiet::settle;
use crate::race::speed::stream::Stream;
use crate::race::supervisor::{EndStatus, Ended};
use crate::system::clock::steady_us;
use anyhow::{Result, bail};
use kuu_core::result::Count;
use kuu_core::scorecard::{CellTimes, CellVerdict, Used};
use kuu_core::speed::{SampleKey, SpeedSample};
use kuu_core::verdict::{Line, Timeline};
use std::time::Duration;

/// How often the race looks.
const TICK: Duration = Duration::from_millis(100);
/// The emission intervals that a run has at least.
const EMISSIONS: u32 = 20;

/// How a steady run came to its end.
enum SteadyEnd {
    /// Its time was over.
    Stopped,
    /// The engine came to the end of the input, or gave up.
    Itself(Ended),
    /// There was no row in time.
    NoRow,
}

/// Runs an engine for this time from its first row on, or 20 times as long as it takes to write.
///
/// # Errors
/// If the broker fails, or the race is interrupted.
pub fn run(
    speed: &SpeedSetup<'_>,
    stream: &Stream<'_>,
    topic: &str,
    starter: &Starter<'_>,
    key: SampleKey,
    time: Duration,
) -> Result<SpeedSample> {
    let names = speed.names(&key, starter.engine.name(), topic.to_owned());
    make_directory(&names)?;
    make_output(speed.race.cluster, &names.output)?;
    settle(speed.broker.as_ref(), &speed.race.stop);
    let sample = measured(speed, stream, &names, starter, key, time);
    let cleaned = clean_up(speed.race.cluster, &names.group);
    let sample = sample?;
    cleaned?;
    Ok(sample)
}

fn measured(
    speed: &SpeedSetup<'_>,
    stream: &Stream<'_>,
    names: &CellNames,
    starter: &Starter<'_>,
    key: SampleKey,
    time: Duration,
) -> Result<SpeedSample> {
    let (setup, engine) = (speed.race, starter.engine);
    let spec = stream.spec();
    let ranges = setup.cluster.ranges(&names.input)?;
    let ends: Vec<i64> = ranges.iter().map(|range| range.high).collect();
    let timeline = timeline_of(engine, stream.unit(), stream.accepted(engine.descriptor()), |_| false);
    let meter = BesideMeter::begin(speed.broker.as_ref());
    let mut launched = launch(setup, engine, spec, names, engine.ends_itself().then_some(ends.as_slice()), timeline)?;
    let every = Duration::from_millis(engine.descriptor().emits_every_ms.unwrap_or(0));
    let end = wait(speed, &mut launched, time.max(every * EMISSIONS))?;
    let Launched { mut supervised, observer, started, started_us, .. } = launched;
    // Measured first, as far as the engine still runs.
    let _ = supervised.usage();
    supervised.stop()?;
    let used = sum(&Used::default(), &supervised.usage());
    let wall_us = steady_us() - started_us;
    let beside = meter.end(&names.directory.join("state"));
    let (timeline, _) = observer.finish(setup.cluster)?;
    let since = |us: Option<i64>| us.map(|us| us - started_us);
    let times = CellTimes { first_row_us: since(timeline.first_us()), ..CellTimes::default() };
    let frontier = Frontier::of(&stream.frames(), timeline.times(), started_us);
    let mut remarks: Vec<String> = observer_remark(&beside, wall_us, cores()).into_iter().collect();
    let steady = match frontier.rate(time.as_secs_f64()) {
        Ok(rate) => {
            remarks.extend((!rate.is_steady()).then(|| format!("not steady: {:+.1} %", rate.drift * 100.0)));
            Some(rate)
        }
        Err(why) => {
            remarks.push(format!("no steady rate: {why}"));
            None
        }
    };
    if let SteadyEnd::Itself(Ended { status: EndStatus::Code(0), .. }) = end {
        remarks.push(format!("it came to the end of the input after {:.0} s", wall_us as f64 / 1e6));
    }
    let verdict = verdict(engine.descriptor(), stream, timeline, &end, &supervised.last_lines(1));
    let answered = frontier.answered();
    let started = started.rfc3339();
    Ok(SpeedSample { key, started, verdict, times, used, beside, answered, steady, frontier: frontier.points, remarks })
}

/// Waits until the time since the first row is over, the engine ends, or there is no row in time.
fn wait(speed: &SpeedSetup<'_>, launched: &mut Launched, time: Duration) -> Result<SteadyEnd> {
    let (time_us, deadline_us) = (time.as_micros() as i64, speed.race.deadline.as_micros() as i64);
    loop {
        std::thread::sleep(TICK);
        if speed.race.stop.interrupted() {
            bail!("interrupted");
        }
        if let Some(ended) = launched.supervised.ended()? {
            return Ok(SteadyEnd::Itself(ended));
        }
        let now = steady_us();
        match launched.observer.look(Timeline::first_us) {
            Some(first) if now - first > time_us => return Ok(SteadyEnd::Stopped),
            None if now - launched.started_us > deadline_us => return Ok(SteadyEnd::NoRow),
            _ => {}
        }
    }
}

/// The verdict on what was answered until the end: windows that are still open have fewer users, and never more.
fn verdict(
    engine: &Descriptor,
    stream: &Stream<'_>,
    timeline: Timeline,
    end: &SteadyEnd,
    last_line: &str,
) -> CellVerdict {
    let line = last_line.to_owned();
    match end {
        SteadyEnd::NoRow => return CellVerdict::Hung { state: "no row in time".into() },
        SteadyEnd::Itself(ended) if ended.status != EndStatus::Code(0) || engine.ends == Ends::Never => {
            return CellVerdict::Died { status: ended.to_string(), line };
        }
        _ => {}
    }
    answered(engine, stream, timeline)
}

/// The verdict on the rows.
fn answered(engine: &Descriptor, stream: &Stream<'_>, timeline: Timeline) -> CellVerdict {
    let times = timeline.times().clone();
    let accepted = stream.accepted(engine);
    let truth = stream.truth().into_iter().map(|(window, users)| (window, Count { users, frames: None }));
    let mut comparison = timeline.into_fold().compare(truth);
    let is_too_many = |line: &&Line| {
        line.answer.is_some_and(|answer| accepted.get(&line.window).is_none_or(|users| answer.users > *users.end()))
    };
    let too_many: Vec<&Line> = comparison.lines.iter().filter(is_too_many).collect();
    let rows = faults(engine, &comparison);
    if !too_many.is_empty() || rows.is_some() {
        let why = rows.unwrap_or_else(|| "counts users who are not there".into());
        let [windows, more, _] = error(too_many);
        return CellVerdict::Wrong { why: vec![why], windows, more, fewer: 0 };
    }
    // What is below that belongs to windows that are still open.
    keep_answered(&mut comparison.lines, &accepted);
    right_or_within(engine, &comparison, &times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stop::Stop;
    use crate::race::input::Task;
    use crate::race::judge::repeats;
    use kuu_core::verdict::{Fold, Message};
    use kuu_core::window::Unit;
    use kuu_core::workload::FilePart;

    /// The verdict on these users of four windows with 100 users each, by an engine with these claims.
    fn verdict_of(claims: &str, users: &[u64]) -> CellVerdict {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("frames").display().to_string();
        let frame = |n: u64| format!("{{\"uid\":\"user {}\",\"ts\":{}}}\n", n % 100, 60 + n * 60 / 100);
        std::fs::write(&file, (0..200).map(frame).collect::<String>()).unwrap();
        let task = Task { file, unit: Unit::Minute, partitions: 1, lateness: 5 };
        let base = task.input("all", FilePart::default(), &Stop::default()).unwrap();
        let stream = Stream::new(&base, 400, 25).unwrap();
        let engine = Descriptor::parse(&format!("name = 'x'\ntitle = 'x'\nrun = ['x']\n{claims}"), "x").unwrap();
        let mut timeline = Timeline::new(Fold::new(repeats(&engine), None), stream.accepted(&engine), |_| false);
        for (number, users) in (0..).zip(users) {
            let row = format!("{{\"start\":{},\"users\":{users}}}", 60 + 60 * number);
            timeline.take(number, &Message { partition: 0, offset: number, key: b"", value: Some(row.as_bytes()) });
        }
        answered(&engine, &stream, timeline)
    }

    #[test]
    fn windows_that_are_open_have_fewer_users_and_none_has_more() {
        let wrong = |windows, more| {
            let why = vec!["counts users who are not there".into()];
            CellVerdict::Wrong { why, windows, more, fewer: 0 }
        };
        assert_eq!(verdict_of("", &[100, 100, 100, 7]), CellVerdict::Exact);
        assert_eq!(verdict_of("", &[101, 100, 103, 7]), wrong(2, 4));
        assert_eq!(verdict_of("", &[100, 100, 100, 100, 5]), wrong(1, 5));
    }

    #[test]
    fn an_estimate_may_be_off() {
        let estimates = "distinct = 'approximate'\nrsd = 0.05";
        let within = CellVerdict::WithinPolicy { windows: 2, more: 20, fewer: 3 };
        assert_eq!(verdict_of(estimates, &[120, 97, 100, 7]), within);
        assert_eq!(verdict_of(estimates, &[100, 100]), CellVerdict::Exact);
        let why = vec!["counts users who are not there".into()];
        let wrong = CellVerdict::Wrong { why, windows: 1, more: 21, fewer: 0 };
        assert_eq!(verdict_of(estimates, &[121, 97, 100, 7]), wrong);
    }
}
