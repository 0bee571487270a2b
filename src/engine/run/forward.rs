//! What becomes of the original bytes: counted frames go out in their order, all others with a reason.

use crate::engine::run::counting::Run;
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
    /// Takes a value that was counted before a restart: if it waited for its turn then, it waits again.
    pub(super) fn hold_again(&mut self, partition: usize, value: &Value<'_>) {
        if let (Some(order), Ok(frame)) = (&mut self.order, value.outcome) {
            let horizon = self.counter.clocks().horizon(partition);
            order.push_again(frame.ts, Letter::of(partition, value), horizon, self.pace.now());
        }
    }

    /// Notes that what `partition` held back before a restart is there again; once all is, it may go out.
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

    /// Passes the original bytes on: counted frames in their order, all others with a reason.
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

    /// Sends what is refused to the dead letters, and what the watermark has passed: not before all that waited is read
    /// again, as some of it may come before that.
    pub(super) fn release(&mut self) -> Result<()> {
        let is_reading_again = self.is_reading_again();
        let Some(order) = &mut self.order else { return Ok(()) };
        if let Some(watermark) = self.counter.watermark().filter(|_| !is_reading_again) {
            order.release(watermark).try_for_each(|letter| self.sink.take(Output::Ordered(letter)))?;
        }
        // A commit takes the refused for sent, so they never wait.
        self.refuse()
    }

    /// Looks again at frames that are far ahead: where nothing more comes, time decides.
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

    /// What the ordered output has still to come; until all is read again, from where that began.
    pub(super) fn held(&mut self) -> Option<Held> {
        let positions = self.summary.positions.iter().zip(&self.again);
        let from: Vec<i64> = positions.map(|(position, again)| again.unwrap_or(*position)).collect();
        Some(self.order.as_mut()?.held(&from))
    }
}
