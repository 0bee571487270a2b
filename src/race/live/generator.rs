//! Sends the frames of a live race: a few to wake the engine, then all that are due, in an open loop.

use crate::engine::schedule::{LoadPace, Schedule, wait_until};
use crate::engine::stop::Stop;
use crate::kafka::client::settings::Settings;
use crate::kafka::headers::{DUE_HEADER, SENT_HEADER, with_us};
use crate::kafka::produce::frame_sender::{Outgoing, SendReport, Sender};
use crate::race::live::closing::{ClosedWindow, ClosingClock, FrameTime};
use crate::race::live::load::{LiveFrame, LiveLoad};
use crate::system::clock::steady_us;
use crate::terminal::count;
use anyhow::{Context as _, Result, bail};
use kuu_core::latency::Histogram;
use kuu_core::window::Window;
use kuu_frame::{FrameFormat, Later};
use rdkafka::message::OwnedHeaders;
use std::collections::BTreeMap;
use std::time::Duration;

/// The most frames that wake an engine.
const MOST_WAKING: u64 = 5_000_000;
/// A generator that is this much too late has lost its schedule for good, in microseconds; or a fifth of the whole time.
const LOST_US: i64 = 1_000_000;
/// How often it looks whether the engine still runs.
const LOOK_US: i64 = 250_000;

/// Sends frames, and keeps when they were due.
pub struct LiveGenerator<'a> {
    load: &'a LiveLoad,
    topic: String,
    sender: Sender,
    later: Later,
    clock: ClosingClock,
    /// The number of the next frame.
    next: u64,
    stop: Stop,
    /// When each frame was sent, if acknowledgements are timed; the frames that wake the engine count from here, too.
    sent_us: Option<Vec<i64>>,
}

/// What was sent, and when.
pub struct LiveSent {
    /// How the schedule was held.
    pub schedule: Schedule,
    /// The windows that are closed, with the times of their frames; those that closed while the engine woke included.
    pub closed: BTreeMap<Window, ClosedWindow>,
    /// From sent to acknowledged, if it was timed.
    pub acks: Histogram,
    /// When the first frame was due, and when sending ended, in microseconds.
    pub begun_us: i64,
    /// See `begun_us`.
    pub ended_us: i64,
}

impl<'a> LiveGenerator<'a> {
    /// Sends to this topic.
    ///
    /// # Errors
    /// If librdkafka rejects the configuration.
    pub fn new(
        load: &'a LiveLoad,
        settings: &Settings,
        topic: &str,
        has_acks: bool,
        stop: &Stop,
    ) -> Result<LiveGenerator<'a>> {
        let clock = has_acks.then_some(steady_us as fn() -> i64);
        let sender = Sender::new(settings, topic, &[("linger.ms", "5")], clock)?.until(stop);
        Ok(LiveGenerator {
            load,
            topic: topic.to_owned(),
            sender,
            later: Later::new(&FrameFormat::default()),
            clock: ClosingClock::new(load.unit(), load.lateness(), load.partitions()),
            next: 0,
            stop: stop.clone(),
            sent_us: has_acks.then(Vec::new),
        })
    }

    /// Sends frames at once until a window is closed: an engine that answers it is awake. Returns that window, and the
    /// number of frames.
    ///
    /// # Errors
    /// If no window closes, or the race is interrupted.
    pub fn wake(&mut self) -> Result<(Window, u64)> {
        while self.next < MOST_WAKING {
            if self.stop.interrupted() {
                bail!("interrupted");
            }
            let now = steady_us();
            self.send(FrameTime { due_us: now, sent_us: now }, None);
            if let Some(window) = self.clock.closed().keys().next() {
                let window = *window;
                self.sender.flush();
                return Ok((window, self.next));
            }
        }
        bail!("no window is over after {MOST_WAKING} frames: race with shorter ones (--window)")
    }

    /// Sends frames when they are due, at this rate per second, for this time, or until the engine has ended.
    ///
    /// # Errors
    /// If a frame is not acknowledged, or the race is interrupted.
    pub fn pace(mut self, rate: f64, time: Duration, mut has_ended: impl FnMut() -> Result<bool>) -> Result<LiveSent> {
        let mut schedule = Schedule::new(LoadPace::Rate(rate));
        let begun_us = steady_us();
        let end_us = begun_us + time.as_micros() as i64;
        let lost_us = LOST_US.max(time.as_micros() as i64 / 5);
        let mut looked_us = begun_us;
        loop {
            let due_us = schedule.due(None);
            if due_us >= end_us {
                break;
            }
            if due_us - looked_us > LOOK_US {
                looked_us = due_us;
                if has_ended()? {
                    break;
                }
            }
            let Self { sender, stop, .. } = &self;
            if !wait_until(due_us, stop, || sender.poll()) || stop.interrupted() {
                bail!("interrupted");
            }
            let time = FrameTime { due_us, sent_us: steady_us() };
            let headers = with_us(OwnedHeaders::new_with_capacity(2), DUE_HEADER, due_us);
            self.send(time, Some(with_us(headers, SENT_HEADER, time.sent_us)));
            schedule.sent(due_us, time.sent_us);
            if time.sent_us - due_us > lost_us {
                break;
            }
        }
        let ended_us = steady_us();
        let LiveGenerator { topic, sender, clock, next, sent_us, .. } = self;
        let SendReport { delivered, failures, acks, .. } = sender.finish();
        if delivered != next {
            let why = failures.first().map_or_else(String::new, |(_, why)| format!(": {why}"));
            bail!("topic {topic}: {} messages sent, {} acknowledged{why}", count(next), count(delivered));
        }
        let mut times = Histogram::default();
        if let Some(sent_us) = sent_us {
            acks.iter().filter_map(|(tag, us)| Some(us - sent_us.get(*tag)?)).for_each(|us| times.record(us));
        }
        let begun_us = schedule.start_us().context("no frame was due: send for a longer time (--for)")?;
        Ok(LiveSent { schedule, closed: clock.into_closed(), acks: times, begun_us, ended_us })
    }

    fn send(&mut self, time: FrameTime, headers: Option<OwnedHeaders>) {
        let LiveFrame { key, value, partition, ts } = self.load.frame(self.next, &mut self.later);
        // Frames that wake the engine have no schedule, and a tag that is none of a frame that has.
        let mut tag = usize::MAX;
        if let (Some(sent_us), Some(_)) = (&mut self.sent_us, &headers) {
            tag = sent_us.len();
            sent_us.push(time.sent_us);
        }
        let (value, block) = (Some(value), None);
        self.sender.put(Outgoing { key, value, block, partition: Some(partition.into()), headers, tag });
        if let Some(ts) = ts {
            self.clock.take(partition, ts, time);
        }
        self.next += 1;
    }
}
