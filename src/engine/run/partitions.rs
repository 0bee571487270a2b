//! Partitions that are added, that fall silent, and that end.

use crate::engine::run::feeding::Run;
use crate::engine::run::quiet::Quiet;
use crate::engine::status::Doubtful;
use anyhow::Result;

impl Run<'_> {
    /// Adds partitions, up to `partitions` in all; the new ones hold the watermark back until they have frames or are
    /// silent.
    pub(super) fn grow(&mut self, partitions: usize) {
        self.counter.grow(partitions);
        self.summary.positions.resize(partitions, -1);
        self.start.resize(partitions, -1);
        self.again.resize(partitions, None);
        self.silent_since.resize(partitions, None);
        self.ended.resize(partitions, false);
        if let Some(quiet) = &mut self.quiet {
            quiet.grow(partitions);
        }
        if let Some(order) = &mut self.order {
            order.grow(partitions);
        }
    }

    /// Records that a partition is read up to `at`: markers and aborted messages may follow its last frame, and a
    /// partition without frames has a position too. With this offset a restart can tell whether retention deleted
    /// frames that were not counted.
    fn stands(&mut self, partition: usize, at: i64) {
        let position = &mut self.summary.positions[partition];
        *position = (*position).max(at);
    }

    /// Records that a partition of a live stream has no more frames for now.
    pub(super) fn caught_up(&mut self, partition: usize, at: i64) -> Result<()> {
        self.stands(partition, at);
        self.silent_since[partition] = Some(self.pace.now());
        if let Some(quiet) = &mut self.quiet {
            quiet.ends(partition);
        }
        self.is_read_again(partition)
    }

    /// Records that a partition may have more frames than is known. While the brokers are away its silence says nothing, and
    /// once they are back the frames of another partition may come first.
    pub(super) fn unreachable(&mut self, partition: usize) {
        if self.ended[partition] {
            return;
        }
        self.silent_since[partition] = None;
        self.counter.expect(partition);
        if let Some(quiet) = &mut self.quiet {
            quiet.hears(partition);
        }
    }

    /// Records that a partition has ended; returns whether all have.
    pub(super) fn ended(&mut self, partition: usize, at: i64) -> Result<bool> {
        self.stands(partition, at);
        self.is_read_again(partition)?;
        self.silence(partition)?;
        self.ended[partition] = true;
        Ok(self.ended.iter().all(|ended| *ended))
    }

    /// Why a run without readers is not complete.
    pub(super) fn unfinished(&self) -> String {
        let left: Vec<usize> = (0..self.ended.len()).filter(|partition| !self.ended[*partition]).collect();
        format!(
            "all readers are gone, but partitions {left:?} have not reported their ends, which is a fault of kuu: the results \
             are not final; run again, and report it"
        )
    }

    /// Results that are due to the passing of time have no frame as their cause.
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

    /// Closes every open window if no frame came for long enough. The watermark stays: frames that come later are counted
    /// as before, and correct the windows.
    pub(super) fn close_idle(&mut self) -> Result<()> {
        if self.quiet.as_mut().is_some_and(Quiet::is_over) && self.counter.pending() > 0 {
            self.counter.finish();
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
