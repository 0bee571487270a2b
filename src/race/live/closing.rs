//! When the frames of a window were due: the last one that belongs to it, and the one that closes it.

use kuu_core::window::{Unit, Window};
use std::collections::BTreeMap;

/// When a frame was due, and when it was sent, in microseconds of one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameTime {
    /// When it was due.
    pub due_us: i64,
    /// When it was sent.
    pub sent_us: i64,
}

/// A window, and the frames that decide about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedWindow {
    /// When its last frame was due, in microseconds.
    pub last_due_us: i64,
    /// Its closing frame.
    pub closing: FrameTime,
}

/// Follows frames as they are sent. A window closes with the frame by which every partition has had one that is later than
/// its end and the lateness.
pub struct ClosingClock {
    unit: Unit,
    lateness: i64,
    /// The latest event time of each partition; none before its first frame. Partitions that never get one are left out.
    latest: Vec<(u16, Option<i64>)>,
    /// Windows that end here, or earlier, are closed.
    reached: i64,
    window: Window,
    open: BTreeMap<Window, i64>,
    closed: BTreeMap<Window, ClosedWindow>,
}

impl ClosingClock {
    /// Before the first frame. `lateness` is in seconds; the partitions are those that get frames.
    pub fn new(unit: Unit, lateness: u32, partitions: impl IntoIterator<Item = u16>) -> ClosingClock {
        ClosingClock {
            unit,
            lateness: lateness.into(),
            latest: partitions.into_iter().map(|partition| (partition, None)).collect(),
            reached: i64::MIN,
            window: unit.window(0),
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
        }
    }

    /// Takes the next frame.
    pub fn take(&mut self, partition: u16, ts: i64, time: FrameTime) {
        if !(self.window.start..self.window.end).contains(&ts) {
            self.window = self.unit.window(ts);
        }
        let is_late = self.window.end <= self.reached;
        match if is_late { self.closed.get_mut(&self.window) } else { None } {
            Some(closed) => closed.last_due_us = time.due_us,
            None => _ = self.open.insert(self.window, time.due_us),
        }
        let Some(latest) = self.latest.iter_mut().find(|latest| latest.0 == partition) else { return };
        if latest.1.is_some_and(|before| before >= ts) {
            return;
        }
        latest.1 = Some(ts);
        let least = self.latest.iter().map(|latest| latest.1).min().flatten();
        let Some(reached) = least.map(|least| least - self.lateness).filter(|reached| *reached > self.reached) else {
            return;
        };
        self.reached = reached;
        while let Some(entry) = self.open.first_entry().filter(|entry| entry.key().end <= reached) {
            let (window, last_due_us) = entry.remove_entry();
            self.closed.insert(window, ClosedWindow { last_due_us, closing: time });
        }
    }

    /// The windows that are closed.
    pub fn closed(&self) -> &BTreeMap<Window, ClosedWindow> {
        &self.closed
    }

    /// The windows that are closed.
    pub fn into_closed(self) -> BTreeMap<Window, ClosedWindow> {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: i64) -> FrameTime {
        FrameTime { due_us: us, sent_us: us + 1 }
    }

    #[test]
    fn a_window_closes_when_every_partition_is_past_it_and_the_lateness() {
        let mut clock = ClosingClock::new(Unit::Minute, 5, [0, 2]);
        let frames = [(0, 10), (2, 59), (0, 70), (2, 64), (0, 130), (2, 58), (2, 65), (2, 125)];
        for (n, (partition, ts)) in (0..).zip(frames) {
            clock.take(partition, ts, at(n * 10));
            // Only the seventh frame moves the partition that is behind to the end of the first minute.
            assert_eq!(clock.closed().len(), usize::from(n >= 6) + usize::from(n >= 7), "{n}");
        }
        let closed = clock.into_closed();
        let first = ClosedWindow { last_due_us: 50, closing: at(60) };
        let second = ClosedWindow { last_due_us: 60, closing: at(70) };
        assert_eq!(closed, [(Unit::Minute.window(0), first), (Unit::Minute.window(60), second)].into());
    }

    #[test]
    fn one_frame_closes_several_windows_and_a_late_one_opens_none() {
        let mut clock = ClosingClock::new(Unit::Second, 3, [0]);
        [(0, 0), (0, 1), (0, 9), (0, 0)].iter().zip(0..).for_each(|((p, ts), n)| clock.take(*p, *ts, at(n)));
        let closed: Vec<_> = clock.closed().iter().map(|(window, it)| (window.start, it.last_due_us)).collect();
        assert_eq!(closed, [(0, 3), (1, 1)]);
        assert!(clock.closed().values().all(|it| it.closing == at(2)));
    }

    #[test]
    fn a_partition_without_its_first_frame_holds_all_windows_open() {
        let mut clock = ClosingClock::new(Unit::Second, 0, [0, 1]);
        clock.take(0, 100, at(0));
        assert!(clock.closed().is_empty());
        clock.take(1, 50, at(1));
        clock.take(1, 101, at(2));
        assert_eq!(clock.closed().keys().map(|window| window.start).collect::<Vec<_>>(), [50]);
    }
}
