//! The counter itself, which owns all counting state.

use crate::counter::config::Config;
use crate::counter::emission::{Emission, Fate, Timing};
use crate::counter::interner::Users;
use crate::counter::journal::Journal;
use crate::counter::members::User;
use crate::counter::open_windows::{ByEnd, Far, Lane, Open};
use crate::counter::watermark::Clocks;
use crate::distinct::Distinct;
use crate::ledger::Ledger;
use crate::sketch::UserHash;
use crate::window::Window;
use kuu_frame::{Frame, Malformed};
use std::collections::BTreeSet;
use std::time::Duration;

/// Windows in the order in which the watermark passes their ends, shorter ones first.
pub(super) type Queue = BTreeSet<ByEnd>;

/// Counts windows, and owns all counting state.
pub struct Counter {
    pub(super) config: Config,
    pub(super) clocks: Clocks,
    pub(super) users: Users,
    pub(super) lanes: Vec<Lane>,
    /// For each lane, the longest shorter lane that nests in it: a user that is not new there is not new here. None of
    /// sketches, which do not know it.
    within: Vec<Option<usize>>,
    /// For each lane, whether the user of this frame is new to its window; kept for its memory.
    fresh: Vec<bool>,
    /// Windows without an on-time result.
    pub(super) pending: Queue,
    /// Windows with an on-time result that still accept frames.
    pub(super) closed: Queue,
    /// Closed windows that changed since their last result.
    pub(super) corrected: Queue,
    pub(super) far: Far,
    pub(super) ledger: Ledger,
    ready: Vec<Emission>,
    pub(super) journal: Option<Journal>,
}

impl Counter {
    /// A counter for a source of `partitions` partitions.
    pub fn new(mut config: Config, partitions: usize) -> Counter {
        config.units.sort();
        config.units.dedup();
        let units = &config.units;
        let is_exact = config.distinct == Distinct::Exact;
        let within: Vec<_> =
            (0..units.len()).map(|i| (0..i).rev().find(|j| is_exact && units[*j].nests_in(units[i]))).collect();
        Counter {
            clocks: Clocks::new(partitions, config.lateness, config.max_jump),
            users: Users::default(),
            lanes: units.iter().map(|unit| Lane::new(*unit)).collect(),
            fresh: vec![false; within.len()],
            within,
            pending: Queue::new(),
            closed: Queue::new(),
            corrected: Queue::new(),
            far: Far::default(),
            ledger: Ledger::default(),
            ready: Vec::new(),
            journal: None,
            config,
        }
    }

    /// Takes the next value of `partition`: counts the frame, or records in the ledger why the value is not a frame.
    ///
    /// The results that this causes wait in [`Counter::drain`].
    #[inline]
    pub fn observe(&mut self, partition: usize, value: Result<Frame<'_>, Malformed>) -> Option<Fate> {
        match value {
            Ok(frame) => Some(self.frame(partition, frame)),
            Err(reason) => {
                self.ledger.malformed(reason);
                self.moved();
                None
            }
        }
    }

    fn frame(&mut self, partition: usize, frame: Frame<'_>) -> Fate {
        self.ledger.read += 1;
        let fate = self.count(partition, frame);
        if self.clocks.observe(partition, frame.ts) {
            self.advance();
        }
        fate
    }

    /// Adds the frame to its window of every unit. The window that ends first decides whether the frame is too late: so
    /// longer windows stay unions of the shorter ones, and a week that is still open does not reopen an expired month.
    fn count(&mut self, partition: usize, frame: Frame<'_>) -> Fate {
        let first_end = self.lanes.iter_mut().map(|lane| lane.window(frame.ts).end).min().unwrap_or(i64::MAX);
        if self.clocks.watermark().is_some_and(|at| self.expired(first_end, at)) {
            self.ledger.too_late += 1;
            self.moved();
            return Fate::TooLate;
        }
        let far = !self.clocks.is_near(partition, frame.ts);
        if far && !self.admits(frame) {
            self.ledger.too_far += 1;
            self.moved();
            return Fate::TooFar;
        }
        self.ledger.counted += 1;
        let user = match self.config.distinct {
            Distinct::Exact => User::Numbered(self.users.intern(frame.uid)),
            Distinct::Hll(precision) => User::Hashed(UserHash::of(frame.uid), precision),
        };
        for (i, lane) in self.lanes.iter_mut().enumerate() {
            let window = lane.window(frame.ts);
            let open = lane.open(window);
            open.frames += 1;
            if i == 0 && open.revision.is_some() {
                self.ledger.late += 1;
            }
            self.fresh[i] = self.within[i].is_none_or(|shorter| self.fresh[shorter]) && open.users.insert(user);
            if open.frames == 1 {
                self.pending.insert(ByEnd::from(window));
                open.far = far;
                self.far.add(open);
            } else if open.far {
                self.far.users += u64::from(self.fresh[i]);
                if !far {
                    self.far.remove(open);
                    open.far = false;
                }
            }
            if let Some(journal) = &mut self.journal {
                journal.touch(&window, open);
            }
            if !open.changed {
                open.changed = true;
                if open.revision.is_some() {
                    self.corrected.insert(ByEnd::from(window));
                }
            }
        }
        Fate::Counted
    }

    /// Whether a frame that is far from every clock may open its windows, and add its user to those that are far.
    /// Frames near a clock are always admitted: the limits do not apply to a window that holds such a frame.
    #[cold]
    fn admits(&mut self, frame: Frame<'_>) -> bool {
        let user = self.users.find(frame.uid);
        let mut more = Far::default();
        for lane in &mut self.lanes {
            let window = lane.window(frame.ts);
            match lane.get(&window) {
                None => more = Far { windows: more.windows + 1, users: more.users + 1 },
                Some(open) if open.far && !user.is_some_and(|user| open.users.contains(user)) => more.users += 1,
                Some(_) => {}
            }
        }
        let Config { max_open_windows, max_far_users, .. } = self.config;
        (more.windows == 0 || self.far.windows + more.windows <= max_open_windows)
            && (more.users == 0 || self.far.users + more.users <= max_far_users)
    }

    fn moved(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.moved();
        }
    }

    fn expired(&self, end: i64, watermark: i64) -> bool {
        end + self.config.retention <= watermark
    }

    /// Marks `partition` as ended, or silent at its end: it no longer holds the watermark back.
    pub fn silence(&mut self, partition: usize) {
        if self.clocks.silence(partition) {
            self.advance();
        }
    }

    /// Marks `partition` as one that may have frames: it holds the watermark back again if it was silent.
    pub fn expect(&mut self, partition: usize) {
        self.clocks.expect(partition);
    }

    /// Sets the processing time, and leaves out the partitions that have had no plausible clock for `idle`: see
    /// [`Clocks::leave_out_doubtful`]. Only for streams without an end.
    pub fn leave_out_doubtful(&mut self, at: Duration, idle: Duration) {
        if self.clocks.leave_out_doubtful(at, idle) {
            self.advance();
        }
    }

    /// Adds partitions, up to `partitions` in all: the new ones hold the watermark back until they have a clock or are
    /// silent.
    pub fn grow(&mut self, partitions: usize) {
        self.clocks = std::mem::take(&mut self.clocks).grown(partitions);
    }

    /// Emits every window whose end the watermark has passed, then the corrections, and evicts expired windows.
    fn advance(&mut self) {
        let Some(watermark) = self.clocks.watermark() else { return };
        let before = self.ready.len();
        while let Some(first) = self.pending.first().copied().filter(|first| first.end <= watermark) {
            self.pending.remove(&first);
            self.close(first);
        }
        if self.ready.len() > before {
            self.flush_late();
        }
        while let Some(first) = self.closed.first().copied().filter(|first| self.expired(first.end, watermark)) {
            if self.corrected.contains(&first) {
                self.flush_late();
            }
            self.closed.remove(&first);
            let (lane, window) = self.locate(first);
            let Some(open) = self.lanes[lane].evict(&window) else { continue };
            self.far.remove(&open);
            if let Some(journal) = &mut self.journal {
                journal.evict(&window, &open);
            }
        }
    }

    fn close(&mut self, at: ByEnd) {
        self.closed.insert(at);
        self.emit(at, Timing::OnTime);
    }

    fn emit(&mut self, at: ByEnd, timing: Timing) {
        let (lane, window) = self.locate(at);
        let Some(open) = self.lanes[lane].get(&window) else { return };
        open.revision = match timing {
            Timing::Early => None,
            _ => Some(open.revision.map_or(0, |revision| revision + 1)),
        };
        open.changed = false;
        if let Some(journal) = &mut self.journal {
            journal.touch(&window, open);
        }
        self.ready.push(emission(window, open, timing, self.config.distinct));
    }

    pub(super) fn locate(&self, at: ByEnd) -> (usize, Window) {
        let lane = self.config.units.iter().position(|unit| *unit == at.unit).unwrap_or_default();
        (lane, at.window())
    }

    /// Emits a correction of every closed window that changed since its last result.
    pub fn flush_late(&mut self) {
        for at in std::mem::take(&mut self.corrected) {
            self.emit(at, Timing::Late);
        }
    }

    /// Emits an early result of every open window that changed since its last one.
    pub fn flush_early(&mut self) {
        let mut changed: Vec<_> = self
            .lanes
            .iter()
            .flat_map(Lane::windows)
            .filter(|(_, open)| open.changed && open.revision.is_none())
            .map(|(window, _)| ByEnd::from(window))
            .collect();
        changed.sort_unstable();
        for at in changed {
            self.emit(at, Timing::Early);
        }
    }

    /// Ends the input: every open window gets its on-time result.
    pub fn finish(&mut self) {
        for at in std::mem::take(&mut self.pending) {
            self.close(at);
        }
        self.flush_late();
    }

    /// Returns the results that are due, in order.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Emission> {
        self.ready.drain(..)
    }

    /// Whether results wait in [`Counter::drain`].
    #[inline]
    pub fn has_results(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The fate of every frame so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger, for counts that only the source knows, such as blank lines.
    pub fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Records a counted frame that came too late for the ordered output.
    pub fn out_of_order(&mut self) {
        self.ledger.out_of_order += 1;
        self.moved();
    }

    /// The overall watermark in Unix seconds.
    pub fn watermark(&self) -> Option<i64> {
        self.clocks.watermark()
    }

    /// The clocks of the partitions.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// Windows without an on-time result.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Bytes of memory of the users of all open windows, and of the ids that number them.
    pub fn user_bytes(&self) -> usize {
        let windows = self.lanes.iter().flat_map(Lane::windows);
        self.users.bytes() + windows.map(|(_, open)| open.users.bytes()).sum::<usize>()
    }

    /// Distinct users ever seen; unknown to a counter of sketches.
    pub fn users(&self) -> Option<usize> {
        (self.config.distinct == Distinct::Exact).then(|| self.users.count())
    }
}

fn emission(window: Window, open: &Open, timing: Timing, distinct: Distinct) -> Emission {
    Emission { window, users: open.users.len(), frames: open.frames, distinct, timing, revision: open.revision }
}

#[cfg(test)]
mod restart_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wild_tests;
