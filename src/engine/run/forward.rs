//! Forwards the original bytes: counted frames to the ordered output, all other values to the dead letters with a
//! reason.

use crate::engine::run::feeding::Run;
use crate::engine::sink::{Letter, Output};
use anyhow::Result;
use kuu_core::counter::Fate;
use kuu_core::frame_batch::Value;
use kuu_core::ordered::{Held, Placed};

impl Placed for Letter {
    fn partition(&self) -> usize {
        self.partition
    }

    fn offset(&self) -> i64 {
        self.offset
    }
}

impl Run<'_> {
    /// Takes a value that was counted before a restart: a frame that waited for its turn then waits again.
    pub(super) fn hold_again(&mut self, partition: usize, value: &Value<'_>) {
        if let (Some(order), Ok(frame)) = (&mut self.order, value.outcome) {
            let horizon = self.counter.clocks().horizon(partition);
            order.push_again(frame.ts, Letter::of(partition, value), horizon, self.pace.now());
        }
    }

    /// Marks the waiting frames of `partition` as read again after a restart; once this holds for all partitions,
    /// frames may be released.
    #[inline]
    pub(super) fn is_read_again(&mut self, partition: usize) -> Result<()> {
        match self.again.get_mut(partition) {
            Some(again @ Some(_)) => *again = None,
            _ => return Ok(()),
        }
        self.release()
    }

    fn is_reading_again(&self) -> bool {
        self.again.iter().any(Option::is_some)
    }

    /// Forwards the original bytes of one value: a counted frame to the ordered output, any other value with a reason.
    pub(super) fn forward(&mut self, partition: usize, value: &Value<'_>, fate: Option<Fate>) -> Result<()> {
        let reason = match (value.outcome, fate) {
            (Err(malformed), _) => malformed.name(),
            (Ok(frame), Some(fate @ (Fate::TooLate | Fate::TooFar))) => {
                if let Some(order) = &mut self.order {
                    order.pass(partition, value.offset, frame.ts);
                }
                if fate == Fate::TooLate { "too_late" } else { "too_far" }
            }
            (Ok(frame), _) => {
                let Some(order) = &mut self.order else { return Ok(()) };
                let horizon = self.counter.clocks().horizon(partition);
                order.push(frame.ts, Letter::of(partition, value), horizon, self.pace.now());
                return self.release();
            }
        };
        if self.options.dead_letters {
            self.sink.take(Output::DeadLetter(Letter::of(partition, value), reason))?;
        }
        Ok(())
    }

    /// Sends refused frames to the dead letters, and releases frames that the watermark has passed: not before all
    /// waiting frames are read again after a restart, as some of them come first.
    pub(super) fn release(&mut self) -> Result<()> {
        let is_reading_again = self.is_reading_again();
        let Some(order) = &mut self.order else { return Ok(()) };
        if let Some(watermark) = self.counter.watermark().filter(|_| !is_reading_again) {
            order.release(watermark).try_for_each(|letter| self.sink.take(Output::Ordered(letter)))?;
        }
        // A commit assumes that refused frames are sent, so they never wait.
        self.refuse()
    }

    /// Checks the frames that are far ahead again: if no more frames arrive, time decides.
    pub(super) fn settle(&mut self) -> Result<()> {
        let Some(order) = &mut self.order else { return Ok(()) };
        for partition in 0..self.start.len() {
            order.settle(partition, self.counter.clocks().horizon(partition), self.pace.now());
        }
        self.release()
    }

    pub(super) fn release_all(&mut self) -> Result<()> {
        let Some(order) = &mut self.order else { return Ok(()) };
        for partition in 0..self.start.len() {
            order.end(partition, self.counter.clocks().horizon(partition));
        }
        order.finish().try_for_each(|letter| self.sink.take(Output::Ordered(letter)))?;
        self.refuse()
    }

    fn refuse(&mut self) -> Result<()> {
        let Some(order) = &mut self.order else { return Ok(()) };
        for (letter, rejection) in order.refused() {
            self.counter.out_of_order();
            if self.options.dead_letters {
                self.sink.take(Output::DeadLetter(letter, rejection.name()))?;
            }
        }
        Ok(())
    }

    /// The frames that the ordered output has not released; while frames are read again, from the first of those.
    pub(super) fn held(&mut self) -> Option<Held> {
        let positions = self.summary.positions.iter().zip(&self.again);
        let from: Vec<i64> = positions.map(|(position, again)| again.unwrap_or(*position)).collect();
        Some(self.order.as_mut()?.held(&from))
    }
}
