//! Partitions that come to a run, that fall silent, and that are left when it should be over.

use crate::engine::run::counting::Run;
use crate::engine::status::Doubtful;
use anyhow::Result;

impl Run<'_> {
    /// Takes in partitions that were added; they hold the watermark back until they speak, or are known to be silent.
    pub(super) fn grow(&mut self, partitions: usize) {
        self.counter.grow(partitions);
        self.summary.positions.resize(partitions, -1);
        self.start.resize(partitions, -1);
        self.again.resize(partitions, None);
        self.silent_since.resize(partitions, None);
        self.ended.resize(partitions, false);
        if let Some(order) = &mut self.order {
            order.grow(partitions);
        }
    }

    /// Notes that a partition is read up to `at`: behind its last frame there may be markers and aborted messages, and one
    /// without a frame has a position too. What retention removes there later was, or was not, counted.
    fn stands(&mut self, partition: usize, at: i64) {
        let position = &mut self.summary.positions[partition];
        *position = (*position).max(at);
    }

    /// Notes that a partition of a live stream has no more for now.
    pub(super) fn caught_up(&mut self, partition: usize, at: i64) -> Result<()> {
        self.stands(partition, at);
        self.silent_since[partition] = Some(self.pace.now());
        self.is_read_again(partition)
    }

    /// Notes that a partition has ended; whether all have.
    pub(super) fn ended(&mut self, partition: usize, at: i64) -> Result<bool> {
        self.stands(partition, at);
        self.is_read_again(partition)?;
        self.silence(partition)?;
        self.ended[partition] = true;
        Ok(self.ended.iter().all(|ended| *ended))
    }

    /// Why a run cannot be over whose readers are gone.
    pub(super) fn unfinished(&self) -> String {
        let left: Vec<usize> = (0..self.ended.len()).filter(|partition| !self.ended[*partition]).collect();
        format!(
            "nobody reads on, but partitions {left:?} have not reported their ends, which is a fault of kuu: nothing is taken for \
             final; run again, and report it"
        )
    }

    /// What time alone brings about has itself as its cause, and no frame.
    pub(super) fn silence(&mut self, partition: usize) -> Result<()> {
        self.counter.silence(partition);
        self.release()?;
        self.emit(None)
    }

    /// Leaves out the partitions that have been silent, or without a plausible clock, for long enough.
    pub(super) fn excuse_idle(&mut self) -> Result<()> {
        let Some(idle) = self.options.idle else { return Ok(()) };
        let now = self.pace.look();
        self.relief.look(now);
        for partition in 0..self.silent_since.len() {
            if self.silent_since[partition].is_some_and(|since| now.saturating_sub(since) >= idle) {
                self.silent_since[partition] = None;
                self.silence(partition)?;
            }
        }
        self.counter.leave_out_doubtful(now, idle);
        if self.counter.has_results() {
            self.release()?;
            self.emit(None)?;
        }
        Ok(())
    }

    pub(super) fn doubtful(&self) -> Option<Doubtful> {
        self.options.idle?;
        let mut doubtful = self.counter.clocks().doubtful();
        let (partition, left_out) = doubtful.next()?;
        Some(Doubtful { partition, left_out, others: doubtful.count() })
    }
}
