//! When frames are due: the open loop of a load generator, and whether it held it.

use crate::engine::stop::Stop;
use crate::system::clock::steady_us;
use kuu_core::latency::Histogram;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A generator holds its schedule if its last frame is late by at most this fraction of the whole duration...
const SLIP: f64 = 0.05;
/// ...and 99 % of the frames are late by at most this time, in microseconds.
pub const LATE_US: i64 = 250_000;
/// Microseconds of a second.
const SECOND: f64 = 1e6;

/// What decides when a frame is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LoadPace {
    /// Its number: so many frames per second.
    Rate(f64),
    /// Its event time: so many seconds of it per second. A frame whose time lies back, or that has none, is due with the
    /// frame before it.
    Speed(f64),
}

/// When each frame is due, from the first one on, whether or not earlier ones are acknowledged; and how late each was.
pub struct Schedule {
    pace: LoadPace,
    start_us: Option<i64>,
    frames: u64,
    /// When the last frame was due after the start, and was sent, in microseconds.
    last_due: i64,
    last_sent: i64,
    /// The event time, in Unix seconds, of the frame that was due at `origin_due`.
    origin: Option<i64>,
    origin_due: i64,
    lateness: Histogram,
}

impl Schedule {
    /// A schedule whose first frame is due as soon as it is there.
    pub fn new(pace: LoadPace) -> Schedule {
        Schedule {
            pace,
            start_us: None,
            frames: 0,
            last_due: 0,
            last_sent: 0,
            origin: None,
            origin_due: 0,
            lateness: Histogram::default(),
        }
    }

    /// When the next frame is due, in microseconds since the Unix epoch. `ts` is its event time, if it has one.
    pub fn due(&mut self, ts: Option<i64>) -> i64 {
        let start = *self.start_us.get_or_insert_with(steady_us);
        start.saturating_add(self.offset(ts))
    }

    fn offset(&mut self, ts: Option<i64>) -> i64 {
        match (self.pace, ts) {
            (LoadPace::Rate(rate), _) => (self.frames as f64 / rate * SECOND) as i64,
            (LoadPace::Speed(_), None) => self.last_due.max(self.origin_due),
            (LoadPace::Speed(speed), Some(ts)) => {
                let since = ts - *self.origin.get_or_insert(ts);
                self.origin_due.saturating_add((since as f64 / speed * SECOND) as i64).max(self.last_due)
            }
        }
    }

    /// Records that the frame that was due at this time is sent at another, both in microseconds since the Unix epoch.
    pub fn sent(&mut self, due_us: i64, now_us: i64) {
        let start = self.start_us.unwrap_or(due_us);
        self.frames += 1;
        (self.last_due, self.last_sent) = (due_us - start, now_us - start);
        self.lateness.record(now_us - due_us);
    }

    /// The input begins anew: its first event time is due a second of event time after the last frame.
    pub fn begin_repeat(&mut self) {
        if let LoadPace::Speed(_) = self.pace {
            self.origin = None;
            self.origin_due = self.planned_us() as i64;
        }
    }

    /// How long all frames so far should take, in microseconds.
    fn planned_us(&self) -> f64 {
        match self.pace {
            LoadPace::Rate(rate) => self.frames as f64 / rate * SECOND,
            LoadPace::Speed(speed) => self.last_due as f64 + SECOND / speed,
        }
    }

    /// When the first frame was due, in microseconds since the Unix epoch, if there was one.
    pub fn start_us(&self) -> Option<i64> {
        self.start_us
    }

    /// When the last frame was sent, in microseconds since the Unix epoch, if there was one.
    pub fn sent_us(&self) -> Option<i64> {
        self.start_us.filter(|_| self.frames > 0).map(|start| start + self.last_sent)
    }

    /// Frames per second that the schedule asks for.
    pub fn asked_per_s(&self) -> f64 {
        match self.pace {
            LoadPace::Rate(rate) => rate,
            LoadPace::Speed(_) => self.frames as f64 / (self.planned_us() / SECOND),
        }
    }

    /// Frames per second that were sent, from the start to the last one.
    pub fn achieved_per_s(&self) -> f64 {
        self.frames as f64 / (self.last_sent as f64 / SECOND).max(1e-6)
    }

    /// How late the frames were sent.
    pub fn lateness(&self) -> &Histogram {
        &self.lateness
    }

    /// How late the last frame was sent, in microseconds.
    pub fn slip_us(&self) -> i64 {
        self.last_sent - self.last_due
    }

    /// Whether the generator did not hold the schedule.
    pub fn is_behind(&self) -> bool {
        let slow = self.lateness.at_quantile(0.99) > LATE_US.unsigned_abs();
        slow || self.slip_us() as f64 > self.planned_us() * SLIP
    }
}

/// Waits until a time, in microseconds since the Unix epoch, and calls `serve` meanwhile. Returns false if it was
/// interrupted.
pub fn wait_until(due_us: i64, stop: &Stop, serve: impl Fn()) -> bool {
    loop {
        match due_us - steady_us() {
            left if left <= 0 => return true,
            _ if stop.interrupted() => return false,
            // A delivery gets its time when it is served, so this serves often.
            left => {
                serve();
                std::thread::sleep(Duration::from_micros(left.min(500) as u64));
            }
        }
    }
}

/// By how much a schedule is put off, in microseconds. Its clones are one: who holds a schedule need not be who follows it.
#[derive(Clone, Debug, Default)]
pub struct Hold(Arc<AtomicI64>);

impl Hold {
    /// From now on what is due later is due later by this.
    pub fn set_us(&self, us: i64) {
        self.0.store(us, Ordering::Relaxed);
    }

    /// Waits until something is due that is put off; `due_us` is the time without that. Returns the time with it, or none
    /// if `stop` was interrupted.
    pub fn wait_until(&self, due_us: i64, stop: &Stop, serve: impl Fn()) -> Option<i64> {
        loop {
            let put_off_us = self.0.load(Ordering::Relaxed);
            if !wait_until(due_us + put_off_us, stop, &serve) {
                return None;
            }
            if self.0.load(Ordering::Relaxed) <= put_off_us {
                return Some(due_us + put_off_us);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_off_is_due_later() {
        let (stop, hold) = (Stop::default(), Hold::default());
        let due_us = steady_us() - 2_000_000;
        assert_eq!(hold.wait_until(due_us, &stop, || {}), Some(due_us));
        hold.clone().set_us(1_500_000);
        assert_eq!(hold.wait_until(due_us, &stop, || {}), Some(due_us + 1_500_000));
        // Somebody puts it off further while it waits.
        let more = || hold.set_us(1_700_000);
        hold.set_us(2_100_000);
        assert_eq!(hold.wait_until(due_us, &stop, more), Some(due_us + 2_100_000));
        let much_more = || hold.set_us(2_200_000);
        hold.set_us(2_100_000);
        assert!(hold.wait_until(due_us, &stop, much_more) > Some(due_us));
    }

    /// The times at which frames with these event times are due, in microseconds after the start.
    fn due(schedule: &mut Schedule, times: &[Option<i64>]) -> Vec<i64> {
        let due = |ts: &Option<i64>| {
            let due = schedule.due(*ts);
            schedule.sent(due, due);
            due - schedule.start_us().unwrap()
        };
        times.iter().map(due).collect()
    }

    #[test]
    fn a_fixed_rate() {
        assert_eq!(due(&mut Schedule::new(LoadPace::Rate(3.0)), &[None; 4]), [0, 333_333, 666_666, 1_000_000]);
        assert_eq!(due(&mut Schedule::new(LoadPace::Rate(1e9)), &[Some(7); 3]), [0, 0, 0]);
        let slow = &mut Schedule::new(LoadPace::Rate(1e-300));
        assert_eq!(due(slow, &[None]), [0]);
        assert_eq!(slow.due(None), i64::MAX);
    }

    #[test]
    fn event_time() {
        let mut schedule = Schedule::new(LoadPace::Speed(2.0));
        let times = [None, Some(10), Some(11), None, Some(9), Some(14), Some(12), None];
        let expected = [0, 0, 500_000, 500_000, 500_000, 2_000_000, 2_000_000, 2_000_000];
        assert_eq!(due(&mut schedule, &times), expected);
        // The next repeat begins a second of event time later, whatever its event time is.
        schedule.begin_repeat();
        assert_eq!(due(&mut schedule, &[None, Some(90_010), Some(90_011)]), [2_500_000, 2_500_000, 3_000_000]);
        schedule.begin_repeat();
        assert_eq!(due(&mut schedule, &[Some(180_010)]), [3_500_000]);
    }

    #[test]
    fn behind() {
        let sent = |pace, late: &[i64]| {
            let mut schedule = Schedule::new(pace);
            for (ts, late) in late.iter().enumerate() {
                let due = schedule.due(Some(ts as i64));
                schedule.sent(due, due + late);
            }
            schedule
        };
        // Ten frames in a second, or one a second for ten.
        for (pace, slip) in [(LoadPace::Rate(10.0), 50_000), (LoadPace::Speed(10.0), 50_000)] {
            let mut late = [0; 10];
            assert!(!sent(pace, &late).is_behind());
            late[9] = slip;
            assert!(!sent(pace, &late).is_behind(), "{pace:?}");
            late[9] = slip + 1;
            assert!(sent(pace, &late).is_behind(), "{pace:?}");
            late = [LATE_US + 1_000; 10];
            late[9] = 0;
            assert!(sent(pace, &late).is_behind(), "{pace:?}");
        }
        let late = sent(LoadPace::Rate(10.0), &[0, 0, 0, 0, 0, 0, 0, 0, 0, 900_000]);
        assert_eq!((late.asked_per_s(), late.slip_us()), (10.0, 900_000));
        assert!((late.achieved_per_s() - 10.0 / 1.8).abs() < 1e-9);
        let nothing = Schedule::new(LoadPace::Rate(1.0));
        assert!(!nothing.is_behind() && nothing.lateness().is_empty());
        assert!((sent(LoadPace::Speed(10.0), &[0; 10]).asked_per_s() - 10.0).abs() < 1e-9);
    }
}
