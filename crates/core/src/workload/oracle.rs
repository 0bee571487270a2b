//! The right answer about a stream, from what its lines were meant to say. It has no code in common with the counts
//! that it checks: neither their windows nor their sets, and it parses nothing.

use super::block::{GeneratedBlock, Meant};
use super::calendar;
use super::spec::Spec;
use super::truth_file::{FORMAT, Header, Kept, Totals, TroubleCount, TruthFile, TruthRow};
use crate::window::Unit;
use roaring::RoaringBitmap;
use std::collections::HashMap;

/// Takes the blocks of a stream in order. Its memory grows with the users of every window: a few bytes each.
pub struct Oracle {
    spec: Spec,
    /// The greatest `ts` of each partition so far, without stamps that have nothing to do with its time.
    clocks: Vec<Option<i64>>,
    windows: HashMap<(Unit, i64), Tally>,
    totals: Totals,
    counts: Vec<u64>,
}

/// The frames of one window.
#[derive(Default)]
struct Tally {
    frames: u64,
    expired_frames: u64,
    on_time: RoaringBitmap,
    late: RoaringBitmap,
    expired: RoaringBitmap,
}

impl Oracle {
    /// An oracle of the stream of this specification.
    pub fn new(spec: &Spec) -> Oracle {
        Oracle {
            clocks: vec![None; usize::from(spec.partitions)],
            windows: HashMap::new(),
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
        let window = |unit: &Unit| (*unit, calendar::window(*unit, ts));
        let first_end = self.spec.window.iter().map(|unit| window(unit).1.1).min().unwrap_or(i64::MAX);
        let is_expired = first_end.saturating_add(self.spec.retention.into()) <= watermark;
        self.totals.late += u64::from(first_end <= watermark);
        self.totals.too_late += u64::from(is_expired);
        for unit in &self.spec.window {
            let (unit, (start, end)) = window(unit);
            let tally = self.windows.entry((unit, start)).or_default();
            tally.frames += 1;
            if is_expired {
                tally.expired_frames += 1;
                tally.expired.insert(user);
            } else if end <= watermark {
                tally.late.insert(user);
            } else {
                tally.on_time.insert(user);
            }
        }
    }

    /// The answer after the last block.
    pub fn finish(self) -> TruthFile {
        let Oracle { spec, windows, totals, mut counts, .. } = self;
        let delayed = counts.pop().unwrap_or(0);
        let troubles = spec.troubles.iter().zip(counts);
        let troubles = troubles.map(|(trouble, lines)| TroubleCount { trouble: *trouble, lines }).collect();
        let mut rows: Vec<TruthRow> =
            windows.into_iter().map(|((unit, start), tally)| tally.row(unit, start)).collect();
        rows.sort_unstable_by_key(|row| (row.start, row.unit));
        let header = Header { format: FORMAT, windows: rows.len() as u64, spec, totals, delayed, troubles };
        TruthFile { header, rows }
    }
}

impl Tally {
    fn row(self, unit: Unit, start: i64) -> TruthRow {
        let in_time = self.on_time.union_len(&self.late);
        let users = (self.on_time.clone() | &self.late).union_len(&self.expired);
        let counted =
            (self.expired_frames > 0).then(|| Kept { users: in_time, frames: self.frames - self.expired_frames });
        TruthRow { unit, start, users, users_min: self.on_time.len(), users_max: users, frames: self.frames, counted }
    }
}
