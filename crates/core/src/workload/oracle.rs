//! The right answer about a stream, from what its lines were meant to say. It has no code in common with the counts
//! that it checks: neither their windows nor their sets, and it parses nothing.

use super::block::{GeneratedBlock, Meant};
use super::calendar;
use super::spec::Spec;
use super::truth_file::{FORMAT, Header, Kept, Totals, TroubleCount, TruthFile, TruthRow};
use super::user_set::UserSet;
use crate::window::Unit;
use roaring::RoaringBitmap;
use std::collections::HashMap;

/// Takes the blocks of a stream in order. Its memory grows with the frames of every window, a few bytes each,
/// up to a bit for each user of the stream.
pub struct Oracle {
    spec: Spec,
    /// The greatest `ts` of each partition so far, without stamps that have nothing to do with its time.
    clocks: Vec<Option<i64>>,
    tallies: Vec<Tally>,
    /// Where the tally of a window is, by its start.
    windows: HashMap<(Unit, i64), usize>,
    /// For each unit the window of the frame before: most frames are in the same.
    recent: Vec<Window>,
    totals: Totals,
    counts: Vec<u64>,
}

/// A window, and where its tally is.
#[derive(Clone, Copy, Default)]
struct Window {
    start: i64,
    end: i64,
    tally: usize,
}

/// The frames of one window.
#[derive(Default)]
struct Tally {
    frames: u64,
    expired_frames: u64,
    /// Most frames are.
    on_time: UserSet,
    late: RoaringBitmap,
    expired: RoaringBitmap,
}

impl Oracle {
    /// An oracle of the stream of this specification.
    pub fn new(spec: &Spec) -> Oracle {
        Oracle {
            clocks: vec![None; usize::from(spec.partitions)],
            tallies: Vec::new(),
            windows: HashMap::new(),
            recent: vec![Window::default(); spec.window.len()],
            totals: Totals::default(),
            counts: vec![0; spec.troubles.len() + 1],
            spec: spec.clone(),
        }
    }

    /// Takes the next block.
    pub fn take(&mut self, block: &GeneratedBlock) {
        self.totals.bytes += block.bytes().len() as u64;
        self.totals.lines += block.lines.len() as u64;
        for (sum, count) in self.counts.iter_mut().zip(&block.counts) {
            *sum += count;
        }
        for line in &block.lines {
            match line.meant {
                Meant::Blank => self.totals.blank += 1,
                Meant::Malformed(reason) => {
                    self.totals.read += 1;
                    *self.totals.malformed.entry(reason.name().into()).or_default() += 1;
                }
                Meant::Frame { user, ts, is_wild } => {
                    self.totals.read += 1;
                    self.totals.counted += 1;
                    self.frame(usize::from(line.partition), user, ts);
                    let clock = &mut self.clocks[usize::from(line.partition)];
                    *clock = if is_wild { *clock } else { (*clock).max(Some(ts)) };
                }
            }
        }
    }

    fn frame(&mut self, partition: usize, user: u32, ts: i64) {
        // The watermark before this frame: all that ends by then is late.
        let watermark = self.clocks[partition].map_or(i64::MIN, |clock| clock - i64::from(self.spec.lateness));
        let mut first_end = i64::MAX;
        for at in 0..self.recent.len() {
            if !(self.recent[at].start..self.recent[at].end).contains(&ts) {
                self.recent[at] = self.window(self.spec.window[at], ts);
            }
            first_end = first_end.min(self.recent[at].end);
        }
        let is_expired = first_end.saturating_add(self.spec.retention.into()) <= watermark;
        self.totals.late += u64::from(first_end <= watermark);
        self.totals.too_late += u64::from(is_expired);
        for window in &self.recent {
            let tally = &mut self.tallies[window.tally];
            tally.frames += 1;
            if is_expired {
                tally.expired_frames += 1;
                tally.expired.insert(user);
            } else if window.end <= watermark {
                tally.late.insert(user);
            } else {
                tally.on_time.insert(user, self.spec.users);
            }
        }
    }

    fn window(&mut self, unit: Unit, ts: i64) -> Window {
        let (start, end) = calendar::window(unit, ts);
        let tally = *self.windows.entry((unit, start)).or_insert(self.tallies.len());
        if tally == self.tallies.len() {
            self.tallies.push(Tally::default());
        }
        Window { start, end, tally }
    }

    /// The answer after the last block.
    pub fn finish(self) -> TruthFile {
        let Oracle { spec, mut tallies, windows, totals, mut counts, .. } = self;
        let delayed = counts.pop().unwrap_or(0);
        let troubles = spec.troubles.iter().zip(counts);
        let troubles = troubles.map(|(trouble, lines)| TroubleCount { trouble: *trouble, lines }).collect();
        let mut rows: Vec<TruthRow> =
            windows.into_iter().map(|((unit, start), at)| std::mem::take(&mut tallies[at]).row(unit, start)).collect();
        rows.sort_unstable_by_key(|row| (row.start, row.unit));
        let header = Header { format: FORMAT, windows: rows.len() as u64, spec, totals, delayed, troubles };
        TruthFile { header, rows }
    }
}

impl Tally {
    fn row(self, unit: Unit, start: i64) -> TruthRow {
        let on_time = self.on_time.into_bitmap();
        let users_min = on_time.len();
        let in_time = on_time | &self.late;
        let users = in_time.union_len(&self.expired);
        let counted =
            (self.expired_frames > 0).then(|| Kept { users: in_time.len(), frames: self.frames - self.expired_frames });
        TruthRow { unit, start, users, users_min, users_max: users, frames: self.frames, counted }
    }
}
