//! Sends frames when they are due.

use crate::engine::schedule::{LATE_US, Schedule, wait_until};
use crate::engine::stop::Stop;
use crate::input::LentBlock;
use crate::kafka::produce::frame_sender::{SendReport, Sender};
use crate::system::clock::steady_us;
use std::sync::Arc;
use std::time::Duration;

/// Sends frames by a schedule, or as fast as it goes; perhaps only for some time.
pub struct PacedSender {
    sender: Sender,
    schedule: Option<Schedule>,
    stop: Stop,
    time: Option<Duration>,
    start_us: Option<i64>,
}

/// The outcome of all frames.
pub struct PacedReport {
    /// What the brokers answered.
    pub outcome: SendReport,
    /// How the schedule was held, if there was one.
    pub schedule: Option<Schedule>,
}

impl PacedSender {
    /// Sends through `sender` until `stop` is interrupted.
    pub fn new(sender: Sender, schedule: Option<Schedule>, stop: &Stop) -> PacedSender {
        PacedSender { sender, schedule, stop: stop.clone(), time: None, start_us: None }
    }

    /// Sends only what is due within this time after the first frame, if it is set; and nothing more once a frame is so
    /// late that the schedule is lost.
    pub fn within(mut self, time: Option<Duration>) -> PacedSender {
        self.time = time;
        self
    }

    /// Waits until a frame is due, and sends it. `ts` is its event time, if it has one; `block` as in
    /// [`Outgoing::block`](crate::kafka::produce::frame_sender::Outgoing). Returns false if it is not sent, because of an
    /// interrupt or because the time is over: later ones are not due either.
    pub fn send(
        &mut self,
        key: Option<&str>,
        value: &[u8],
        block: Option<&Arc<LentBlock>>,
        tag: usize,
        ts: Option<i64>,
    ) -> bool {
        if self.schedule.is_some() {
            return self.send_when_due(key, value, tag, ts);
        }
        if self.time.is_some() {
            let now = steady_us();
            if self.stop.interrupted() || now >= self.end_us(now) {
                return false;
            }
        }
        self.sender.lend(key, value, block, tag);
        true
    }

    fn send_when_due(&mut self, key: Option<&str>, value: &[u8], tag: usize, ts: Option<i64>) -> bool {
        let Some(schedule) = &mut self.schedule else { return false };
        let due = schedule.due(ts);
        let end = self.end_us(due);
        if due >= end || !wait_until(due, &self.stop, || self.sender.poll()) {
            return false;
        }
        let now = steady_us();
        if self.stop.interrupted() || now >= end.saturating_add(LATE_US) {
            return false;
        }
        self.sender.send_timed(key, value, tag, due, now);
        if let Some(schedule) = &mut self.schedule {
            schedule.sent(due, now);
        }
        true
    }

    /// When the time is over; the first call starts it.
    fn end_us(&mut self, first_us: i64) -> i64 {
        let start = *self.start_us.get_or_insert(first_us);
        let time = self.time.and_then(|time| i64::try_from(time.as_micros()).ok());
        time.map_or(i64::MAX, |time| start.saturating_add(time))
    }

    /// The schedule, if there is one.
    pub fn schedule(&self) -> Option<&Schedule> {
        self.schedule.as_ref()
    }

    /// The input begins anew, later in event time.
    pub fn begin_repeat(&mut self) {
        if let Some(schedule) = &mut self.schedule {
            schedule.begin_repeat();
        }
    }

    /// Waits until every frame is acknowledged or given up, and returns the report.
    pub fn finish(self) -> PacedReport {
        PacedReport { outcome: self.sender.finish(), schedule: self.schedule }
    }
}
