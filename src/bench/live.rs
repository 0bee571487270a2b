//! Live: sends frames at a fixed rate, and measures when a reader can see each result.

use crate::bench::load::Load;
use crate::bench::timing::Timing;
use crate::count::recovery::{Activity, Counted, Job};
use crate::engine::schedule::{LoadPace, Schedule};
use crate::engine::start::RunOptions;
use crate::engine::stop::Stop;
use crate::kafka::admin::{Cluster, Range};
use crate::kafka::client::lags::Lags;
use crate::kafka::client::settings::Settings;
use crate::kafka::commit::bare_transaction::BareTransactions;
use crate::kafka::consume::whole_topic::{ScannedMessage, read_until};
use crate::kafka::headers::{ARRIVED_HEADER, DUE_HEADER, decode_us};
use crate::kafka::produce::frame_sender::Sender;
use crate::kafka::produce::paced::{PacedReport, PacedSender};
use crate::kafka::topics::count_topics::{CountTopics, Limits};
use crate::system::clock::steady_us;
use anyhow::{Context as _, Result, anyhow, bail};
use kuu_core::configuration::Guarantee;
use kuu_core::counter::Config;
use kuu_core::latency::{Histogram, Leg, Legs};
use kuu_core::ledger::Ledger;
use kuu_frame::{Later, ParserOptions};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

/// The time between two samples of consumer lag.
const LAG_INTERVAL: Duration = Duration::from_millis(100);
/// The time between two bare transactions: long enough that they are no load.
const BARE_INTERVAL: Duration = Duration::from_millis(50);
/// The load and the settings of the count.
#[derive(Clone, Debug)]
pub struct LivePlan {
    /// Frames per second.
    pub rate: f64,
    /// Number of frames: all that are kept, fewer, or all of them several times.
    pub frames: u64,
    /// Lag below the number of frames in this time is no growth, whatever its trend.
    pub harmless_lag: Duration,
    /// The parser of the count.
    pub parser: ParserOptions,
    /// The settings of the counter.
    pub counting: Config,
    /// Number of consumers of the count.
    pub threads: usize,
    /// The compression, by librdkafka's name.
    pub compression: &'static str,
    /// The topic of the frames, which exists and is empty.
    pub messages: String,
    /// The topic of the results, which exists and is empty.
    pub output: String,
    /// The group of the positions; the topic of its state exists and is empty.
    pub group: String,
    /// The topic of the bare transactions, and their group. It exists and is empty.
    pub bare: String,
    /// The guarantee of the count.
    pub guarantee: Guarantee,
}

/// The outcome of the measurement.
#[derive(Default)]
pub struct LiveFigures {
    /// One histogram for each leg.
    pub legs: Legs,
    /// Number of frames that were sent.
    pub frames: u64,
    /// Frames per second that the generator achieved.
    pub rate: f64,
    /// Why bare transactions were not timed to the end, if so.
    pub bare_error: Option<String>,
    /// The fate of the frames.
    pub ledger: Ledger,
    /// Number of result rows.
    pub results: u64,
    /// Consumer lag in frames, every 100 ms while frames were sent.
    pub lag: Vec<u64>,
    /// Frames counted per second between two samples of lag.
    pub counted_per_s: Vec<f64>,
    /// When these were sampled; none if there was no time for it.
    pub sampled: Option<Timing>,
    /// Whether the generator held its schedule.
    pub on_schedule: bool,
    /// Whether the consumer kept up: otherwise latency means nothing.
    pub sustained: bool,
    /// The start, in microseconds since the Unix epoch.
    pub started_us: i64,
    /// The duration in microseconds.
    pub duration_us: i64,
}

/// State that the threads share.
#[derive(Default)]
struct Signals {
    caught_up: AtomicBool,
    failed: AtomicBool,
    sent: AtomicU64,
    counted: AtomicU64,
    counting: AtomicBool,
    results: AtomicU64,
    seen: AtomicU64,
}

/// Sends the frames in memory, counts them, and measures.
///
/// # Errors
/// If a step fails, or a frame or a result is lost.
pub fn measure(
    plan: &LivePlan,
    load: &Load,
    cluster: &Cluster,
    stop: &Stop,
    tell: impl Fn(&str),
) -> Result<LiveFigures> {
    // The embedded broker stays on this thread; the other threads only need its address.
    let settings = cluster.settings();
    let output = cluster.ranges(&plan.output)?;
    let shared = Signals::default();
    shared.counting.store(true, Relaxed);
    // Only the count gets the end of the run; an interrupt by a signal reaches all threads.
    let end = stop.child();
    let started_us = steady_us();
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| watch(plan, settings, &output, &shared));
        let count = scope.spawn(|| {
            let counted = count(plan, settings, &end, &shared);
            shared.failed.fetch_or(counted.is_err(), Relaxed);
            shared.counting.store(false, Relaxed);
            counted
        });
        let bare = scope.spawn(|| match plan.guarantee {
            Guarantee::ExactlyOnce => bare(plan, settings, &shared),
            Guarantee::AtLeastOnce => Bare::default(),
        });
        let generate = scope.spawn(|| generate(plan, load, settings, stop, &shared));
        let Sampled { lag, counted_per_s, timing } = sample(plan, &generate, &shared, &tell);
        let generated = join(generate);
        // Ends the other threads in any case.
        if generated.is_ok() {
            end.finish();
        } else {
            end.interrupt();
        }
        let Counted { summary, counter, .. } = join(count)?;
        let ledger = counter.ledger().clone();
        let mut legs = join(watch)?;
        let bare = join(bare);
        legs.merge_leg(Leg::Transaction, &bare.times);
        let Generated { schedule, acks } = generated?;
        legs.merge_leg(Leg::Schedule, schedule.lateness());
        legs.merge_leg(Leg::Ack, &acks);
        legs.merge_leg(Leg::Transit, &summary.transit);
        Ok(LiveFigures {
            frames: plan.frames,
            rate: schedule.achieved_per_s(),
            results: summary.results,
            on_schedule: !schedule.is_behind(),
            sustained: !grows(&lag, (plan.rate * plan.harmless_lag.as_secs_f64()) as u64),
            lag,
            counted_per_s,
            sampled: timing,
            ledger,
            legs,
            bare_error: bare.error.map(|error| format!("bare transactions were not timed to the end: {error:#}")),
            started_us,
            duration_us: steady_us() - started_us,
        })
    })
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

struct Generated {
    schedule: Schedule,
    /// How long each acknowledgement took.
    acks: Histogram,
}

/// Sends every frame when it is due, whether or not earlier frames are acknowledged: an open loop.
fn generate(plan: &LivePlan, load: &Load, settings: &Settings, stop: &Stop, shared: &Signals) -> Result<Generated> {
    let ours = [("compression.type", plan.compression), ("linger.ms", "1")];
    let sender = Sender::new(settings, &plan.messages, &ours, Some(steady_us))?;
    let patience = Instant::now() + settings.timeout;
    while !shared.caught_up.load(Relaxed) && !shared.failed.load(Relaxed) {
        if Instant::now() > patience {
            bail!("the count does not start reading topic {}", plan.messages);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut sent_us = Vec::with_capacity(plan.frames as usize);
    let mut later = Later::new(&plan.parser.format);
    let mut sender = PacedSender::new(sender, Some(Schedule::new(LoadPace::Rate(plan.rate))), stop);
    for number in 0..plan.frames {
        let (key, value) = load.frame(number, &mut later);
        if !sender.send(key, value, None, number as usize, None) {
            break;
        }
        sent_us.extend(sender.schedule().and_then(Schedule::sent_us));
        shared.sent.store(number + 1, Relaxed);
        if shared.failed.load(Relaxed) {
            break;
        }
    }
    let PacedReport { outcome, schedule } = sender.finish();
    if let Some((_, why)) = outcome.failures.first() {
        bail!("{} frames were not delivered to topic {}: {why}", outcome.failed, plan.messages);
    }
    let mut acks = Histogram::default();
    for (tag, acknowledged) in outcome.acks {
        acks.record(acknowledged - sent_us[tag]);
    }
    let schedule = schedule.context("the load was sent without a schedule")?;
    Ok(Generated { schedule, acks })
}

#[derive(Default)]
struct Bare {
    times: Histogram,
    error: Option<anyhow::Error>,
}

/// Times bare transactions while frames are sent: the cost of a commit on this machine at this time. Stops at the first
/// error: the measured count handles errors in its own way.
fn bare(plan: &LivePlan, settings: &Settings, shared: &Signals) -> Bare {
    let mut bare = Bare::default();
    let mut time = || -> Result<()> {
        let transactions = BareTransactions::new(settings, &plan.bare, &plan.messages, &plan.bare)?;
        for offset in 0.. {
            let sent = shared.sent.load(Relaxed);
            let time = transactions.run(offset)?;
            // The first transaction must find the brokers' coordinators.
            if offset > 0 && sent > 0 && sent < plan.frames {
                bare.times.record(time.as_micros() as i64);
            }
            std::thread::sleep(BARE_INTERVAL);
            if !shared.counting.load(Relaxed) {
                break;
            }
        }
        Ok(())
    };
    let error = time().err();
    Bare { error, ..bare }
}

fn count(plan: &LivePlan, settings: &Settings, end: &Stop, shared: &Signals) -> Result<Counted> {
    let job = Job {
        topics: CountTopics {
            input: plan.messages.clone(),
            output: plan.output.clone(),
            dead_letters: None,
            ordered: None,
            limits: Limits::default(),
        },
        group: plan.group.clone(),
        guarantee: plan.guarantee,
        threads: plan.threads,
        parser: plan.parser.clone(),
        counting: plan.counting.clone(),
        follow: true,
        lags: Lags::default(),
        // No partition of a paced replay is idle; before the replay starts, all of them are silent.
        options: RunOptions { idle: Some(Duration::from_secs(60)), ..RunOptions::default() },
    };
    let cluster = Cluster::connect(settings)?;
    let counted = job.run(&cluster, end, &mut (), |progress| {
        if let Activity::Counting { status, .. } = progress {
            shared.counted.store(status.frames, Relaxed);
            shared.caught_up.fetch_or(status.caught_up, Relaxed);
        }
    })?;
    shared.results.store(counted.summary.results, Relaxed);
    Ok(counted)
}

/// Reads the results as any other reader, and records the latency.
fn watch(plan: &LivePlan, settings: &Settings, ranges: &[Range], shared: &Signals) -> Result<Legs> {
    let mut legs = Legs::default();
    let mut last = Instant::now();
    let timeout = settings.timeout;
    let mut lost = false;
    let done = || {
        if shared.counting.load(Relaxed) {
            last = Instant::now();
            return false;
        }
        lost = last.elapsed() > timeout;
        lost || shared.failed.load(Relaxed) || shared.seen.load(Relaxed) >= shared.results.load(Relaxed)
    };
    read_until(settings, &plan.output, ranges, done, |row: ScannedMessage<'_>| {
        let now = steady_us();
        shared.seen.fetch_add(1, Relaxed);
        let time = |key| row.header(key).and_then(decode_us);
        if let Some(arrived) = time(ARRIVED_HEADER) {
            legs.record(Leg::Result, now - arrived);
        }
        if let Some(due) = time(DUE_HEADER) {
            legs.record(Leg::EndToEnd, now - due);
        }
    })?;
    match lost {
        true => Err(anyhow!("{} of {} results were seen", shared.seen.load(Relaxed), shared.results.load(Relaxed)))
            .with_context(|| format!("topic {}", plan.output)),
        false => Ok(legs),
    }
}

/// What is sampled while frames are sent.
#[derive(Default)]
struct Sampled {
    lag: Vec<u64>,
    counted_per_s: Vec<f64>,
    /// From the first sample to the last.
    timing: Option<Timing>,
}

fn sample<T>(plan: &LivePlan, generate: &ScopedJoinHandle<'_, T>, shared: &Signals, tell: &impl Fn(&str)) -> Sampled {
    let mut sampled = Sampled::default();
    let mut first: Option<Instant> = None;
    let mut before: Option<(Instant, u64)> = None;
    while !generate.is_finished() {
        std::thread::sleep(LAG_INTERVAL);
        let (now, sent, counted) = (Instant::now(), shared.sent.load(Relaxed), shared.counted.load(Relaxed));
        let lag = sent.saturating_sub(counted);
        if sent > 0 && sent < plan.frames {
            sampled.lag.push(lag);
            sampled.timing = Some(Timing::since(*first.get_or_insert(now)));
            if let Some((then, already)) = before {
                let seconds = now.duration_since(then).as_secs_f64();
                sampled.counted_per_s.push(counted.saturating_sub(already) as f64 / seconds);
            }
            before = Some((now, counted));
        }
        tell(&format!("live, {:.0} frames/s: {sent} of {} sent, lag {lag}", plan.rate, plan.frames));
    }
    sampled
}

/// Whether lag keeps growing: its last fifth is above `harmless`, and above twice its second fifth (the first one is
/// warm-up).
fn grows(lag: &[u64], harmless: u64) -> bool {
    let fifth = lag.len() / 5;
    if fifth == 0 {
        return false;
    }
    let mean = |part: &[u64]| part.iter().sum::<u64>() / part.len() as u64;
    let (then, now) = (mean(&lag[fifth..2 * fifth]), mean(&lag[lag.len() - fifth..]));
    now > harmless && now > 2 * then
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_lag_is_seen() {
        let steady: Vec<u64> = (0..100).map(|i| 50 + i % 7).collect();
        let growing: Vec<u64> = (0..100).map(|i| i * 100).collect();
        let small: Vec<u64> = (0..100).collect();
        assert!(!grows(&steady, 10));
        assert!(grows(&growing, 2500));
        assert!(!grows(&small, 2500));
        assert!(!grows(&[], 0));
    }
}
