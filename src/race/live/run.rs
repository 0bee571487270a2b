//! A live run: an engine that is awake gets frames at a rate, and its results are timed.

use crate::race::claims::Emits;
use crate::race::descriptor::Descriptor;
use crate::race::drive::{Launched, clean_up, launch, make_directory, timeline_of};
use crate::race::feeding::make_output;
use crate::race::incidents::sum;
use crate::race::input::make_topic;
use crate::race::live::closing::ClosedWindow;
use crate::race::live::generator::{LiveGenerator, LiveSent};
use crate::race::live::keeping::{RateSeen, bound, judge_rate, late_after};
use crate::race::live::load::LiveLoad;
use crate::race::live::verdict::{LiveRows, judge_rows};
use crate::race::question::RaceWorkload;
use crate::race::setup::{CellNames, RaceSetup};
use crate::race::speed::field::Starter;
use crate::race::speed::frontier::Frontier;
use crate::race::speed::stream::Stream;
use crate::race::supervisor::Ended;
use crate::system::clock::{Time, steady_us};
use anyhow::{Result, bail};
use kuu_core::latency::{Histogram, HistogramRecord, Leg, LegRecords, Legs};
use kuu_core::race_live::{LiveSample, LiveWindow, RateVerdict};
use kuu_core::scorecard::{CellVerdict, Used};
use kuu_core::verdict::WindowTimes;
use kuu_core::window::Window;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often the race looks.
const TICK: Duration = Duration::from_millis(20);
/// What comes in this time after everything was right counts, in microseconds.
const SETTLE_US: i64 = 2_000_000;
/// An engine that writes, but nothing right, is taken as awake when nothing more has come for this time, in microseconds.
const QUIET_US: i64 = 10_000_000;

/// What engines get in a live race.
pub struct LiveInput<'a> {
    /// The frames of the file, and the answer to them.
    pub of: &'a RaceWorkload,
    /// The frames in memory.
    pub load: &'a LiveLoad,
}

/// At which rate, and how long.
#[derive(Clone, Copy, Debug)]
pub struct LivePace {
    /// Frames per second.
    pub rate: f64,
    /// The warm-up: what closes in it is not measured.
    pub warm: Duration,
    /// How long frames are sent, the warm-up included.
    pub time: Duration,
    /// Whether acknowledgements are timed.
    pub has_acks: bool,
}

/// Whose run it is.
#[derive(Clone, Debug)]
pub struct LiveTurn {
    /// The round, from 1.
    pub round: u32,
    /// The turn in the round, or the probe, from 1.
    pub turn: u32,
}

/// The interval at which rows of an engine come, as it says; 0 if they come as soon as they are there.
pub fn interval(engine: &Descriptor) -> Duration {
    Duration::from_millis(engine.emits_every_ms.unwrap_or(0))
}

/// Runs an engine.
///
/// # Errors
/// If the broker fails, or the race is interrupted.
pub fn run(
    setup: &RaceSetup<'_>,
    input: &LiveInput<'_>,
    starter: &Starter<'_>,
    turn: &LiveTurn,
    pace: &LivePace,
) -> Result<LiveSample> {
    let names = setup.names(starter.engine.name(), &format!("live-{}-{}", turn.round, turn.turn));
    make_directory(&names)?;
    make_output(setup.cluster, &names.output)?;
    make_topic(setup.cluster, &names.input, input.of.workload.frames.partitions)?;
    let sample = measured(setup, input, starter, turn, pace, &names);
    let cleaned = clean_up(setup.cluster, &names.group);
    let sample = sample?;
    cleaned?;
    Ok(sample)
}

fn measured(
    setup: &RaceSetup<'_>,
    input: &LiveInput<'_>,
    starter: &Starter<'_>,
    turn: &LiveTurn,
    pace: &LivePace,
    names: &CellNames,
) -> Result<LiveSample> {
    let engine = starter.engine;
    let settings = setup.cluster.settings();
    let mut generator = LiveGenerator::new(input.load, settings, &names.input, pace.has_acks, &setup.stop)?;
    let (first, waking) = generator.wake()?;
    // One window more than is sent: rounding must not leave one without its truth.
    let frames = waking + (pace.rate * pace.time.as_secs_f64()) as u64 + input.load.once();
    let stream = Stream::new(input.of, frames, 0)?;
    let accepted = stream.accepted(engine.descriptor());
    let timeline = timeline_of(engine, stream.unit(), accepted.clone(), |_| false);
    let started = Time::now().rfc3339();
    let mut launched = launch(setup, engine, stream.spec(), names, None, timeline)?;
    let mut sample = LiveSample {
        engine: starter.name.clone(),
        round: turn.round,
        turn: turn.turn,
        started,
        rate: pace.rate,
        achieved: 0.0,
        sending_us: pace.time.as_micros() as i64,
        warm_us: pace.warm.as_micros() as i64,
        every_ms: interval(engine.descriptor()).as_millis() as u64,
        from_closing: engine.descriptor().emits == Emits::Final,
        verdict: CellVerdict::Exact,
        keeps_up: RateVerdict::Undecided { why: "it was not measured".into() },
        slope: None,
        windows: Vec::new(),
        late: 0,
        legs: LegRecords::default(),
        last_frame: None,
        frontier: Vec::new(),
        used: Used::default(),
    };
    if let Some(verdict) = wait_until_awake(setup, &mut launched, first)? {
        sample.verdict = verdict;
        return Ok(sample);
    }
    let (generated, ended) = send(setup, generator, &mut launched, pace, interval(engine.descriptor()))?;
    let stopped_us = steady_us();
    let Launched { mut supervised, observer, .. } = launched;
    // Measured first, as far as the engine still runs.
    let _ = supervised.usage();
    supervised.stop()?;
    sample.used = sum(&Used::default(), &supervised.usage());
    let (timeline, _) = observer.finish(setup.cluster)?;
    measure(&mut sample, &generated, &stream, timeline.times(), stopped_us, input.load.counting_share())?;
    let closed: BTreeSet<Window> = generated.closed.keys().copied().collect();
    let every_us = sample.every_ms as i64 * 1_000;
    let rows = LiveRows { truth: stream.truth(), accepted, closed: &closed, stopped_us, every_us };
    sample.verdict = match ended {
        Some(ended) => died(ended, &supervised.last_lines(1)),
        None => judge_rows(engine.descriptor(), &rows, timeline),
    };
    Ok(sample)
}

fn died(ended: Ended, line: &str) -> CellVerdict {
    CellVerdict::Died { status: format!("{ended}, though frames were still to come"), line: line.into() }
}

/// Waits until the engine has answered the first window; returns a verdict if it never does.
fn wait_until_awake(setup: &RaceSetup<'_>, launched: &mut Launched, first: Window) -> Result<Option<CellVerdict>> {
    loop {
        std::thread::sleep(TICK);
        if setup.stop.interrupted() {
            bail!("interrupted");
        }
        if let Some(ended) = launched.supervised.ended()? {
            return Ok(Some(died(ended, &launched.supervised.last_lines(1))));
        }
        let now = steady_us();
        let is_awake = launched.observer.look(|timeline| {
            let is_right = timeline.times().get(&first).is_some_and(|times| times.right_us.is_some());
            is_right || timeline.changed_us().is_some_and(|changed| now - changed > QUIET_US)
        });
        if is_awake {
            return Ok(None);
        }
        if now - launched.started_us > setup.deadline.as_micros() as i64 {
            return Ok(Some(CellVerdict::Hung { state: format!("no row after {} s", setup.deadline.as_secs()) }));
        }
    }
}

/// Sends all frames, and waits until what was closed is right, or the time for that is over. Returns how the engine ended,
/// if it did.
fn send(
    setup: &RaceSetup<'_>,
    generator: LiveGenerator<'_>,
    launched: &mut Launched,
    pace: &LivePace,
    every: Duration,
) -> Result<(LiveSent, Option<Ended>)> {
    let generated = generator.pace(pace.rate, pace.time, || Ok(launched.supervised.ended()?.is_some()))?;
    let patience_us = bound(every).as_micros() as i64 + SETTLE_US;
    loop {
        if setup.stop.interrupted() {
            bail!("interrupted");
        }
        if let Some(ended) = launched.supervised.ended()? {
            return Ok((generated, Some(ended)));
        }
        let now = steady_us();
        let since_us = now - generated.ended_us;
        let is_right = launched.observer.look(|timeline| {
            let right = |window| timeline.times().get(window).is_some_and(|times| times.right_us.is_some());
            generated.closed.keys().all(right)
        });
        if since_us > patience_us || (is_right && since_us > SETTLE_US) {
            return Ok((generated, None));
        }
        std::thread::sleep(TICK);
    }
}

/// Fills in what was measured.
fn measure(
    sample: &mut LiveSample,
    generated: &LiveSent,
    stream: &Stream<'_>,
    times: &BTreeMap<Window, WindowTimes>,
    stopped_us: i64,
    counting_share: f64,
) -> Result<()> {
    let begun_us = generated.begun_us;
    let sending_us = sample.sending_us.min(generated.ended_us - begun_us);
    let live = |(window, closed): (&Window, &ClosedWindow)| LiveWindow {
        start: window.start,
        last_due_us: closed.last_due_us - begun_us,
        closed_due_us: closed.closing.due_us - begun_us,
        closed_sent_us: closed.closing.sent_us - begun_us,
        right_us: times.get(window).and_then(|times| times.right_us).map(|us| us - begun_us),
    };
    let measured = generated.closed.iter().map(live).filter(|window| window.closed_due_us >= sample.warm_us);
    sample.windows = measured.collect();
    let end_us = stopped_us - begun_us;
    let latencies_us: Vec<i64> =
        sample.windows.iter().map(|window| window.right_us.unwrap_or(end_us) - sample.reference_us(window)).collect();
    let every = Duration::from_millis(sample.every_ms);
    let late_us = late_after(every).as_micros() as i64;
    sample.late = latencies_us.iter().filter(|us| **us > late_us).count() as u64;
    sample.frontier = Frontier::of(&stream.frames(), times, begun_us).points;
    sample.achieved = generated.schedule.achieved_per_s();
    let seen = RateSeen {
        windows: &sample.windows,
        latencies_us: &latencies_us,
        frontier: &sample.frontier,
        rate: sample.achieved.min(sample.rate) * counting_share,
        from_s: sample.warm_us as f64 / 1e6,
        to_s: sending_us as f64 / 1e6,
        every,
    };
    let (keeps_up, slope) = judge_rate(&seen);
    sample.slope = slope;
    // Who does not keep up with less does not keep up with more.
    let is_refuted = matches!(keeps_up, RateVerdict::Refuted { .. });
    sample.keeps_up =
        if generated.schedule.is_behind() && !is_refuted { RateVerdict::GeneratorBehind } else { keeps_up };
    record_legs(sample, generated)
}

fn record_legs(sample: &mut LiveSample, generated: &LiveSent) -> Result<()> {
    let (mut legs, mut last_frame) = (Legs::default(), Histogram::default());
    legs.merge_leg(Leg::Schedule, generated.schedule.lateness());
    legs.merge_leg(Leg::Ack, &generated.acks);
    for window in &sample.windows {
        let Some(right_us) = window.right_us else { continue };
        last_frame.record(right_us - window.last_due_us);
        if sample.from_closing {
            legs.record(Leg::Result, right_us - window.closed_sent_us);
            legs.record(Leg::EndToEnd, right_us - window.closed_due_us);
        }
    }
    sample.legs = (&legs).try_into()?;
    sample.last_frame = Some(HistogramRecord::try_from(&last_frame)?);
    Ok(())
}
