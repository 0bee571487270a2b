//! The ordered output of a stream of several partitions: frames that wait for their turn, and frames that are refused.
//!
//! A frame waits until the watermark has passed its timestamp. A frame further ahead of its partition's clock than a
//! plausible jump could wait for years, and would hold the position back as long. It waits separately, until the clock
//! comes near (after a pause of a night, the clock jumps with the eighth frame of the morning), or until a number of
//! further frames of its partition, or a time, has passed. Then it is refused.

use crate::reorder::Reorder;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use strum::IntoStaticStr;

/// The number of further frames of its partition that a frame far ahead waits for...
const PATIENCE_FRAMES: u64 = 32;
/// ...and the longest time that it waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// An item that was read from a partition.
pub trait Placed {
    /// The partition.
    fn partition(&self) -> usize;
    /// The offset in the partition.
    fn offset(&self) -> i64;
}

/// Why an item is refused by the ordered output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
pub enum Rejection {
    /// The item came after its turn.
    #[strum(serialize = "out_of_order")]
    Late,
    /// The item is far ahead of its partition's clock, and the clock did not come near.
    #[strum(serialize = "far_ahead")]
    Ahead,
}

impl Rejection {
    /// The name used in headers.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The part of the ordered output that a restart needs to read the waiting items again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// All items before this second were released.
    pub released: i64,
    /// For each partition the offset of the first item that waits, or else the next offset to read.
    pub from: Vec<i64>,
    /// For each partition, the later offsets that do not wait although they are not before `released`: a roaring bitmap
    /// in the portable format, in base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passed: BTreeMap<usize, String>,
}

/// The state of one partition.
struct Backlog<T> {
    /// Items far ahead, in order of arrival.
    ahead: VecDeque<FarAhead<T>>,
    /// Number of frames so far.
    frames: u64,
    /// Offsets of items that do not wait although their turn has not come.
    passed: RoaringTreemap,
}

impl<T> Default for Backlog<T> {
    fn default() -> Backlog<T> {
        Backlog { ahead: VecDeque::new(), frames: 0, passed: RoaringTreemap::new() }
    }
}

struct FarAhead<T> {
    ts: i64,
    item: T,
    /// The number of the frame in its partition.
    number: u64,
    since: Duration,
}

/// Items that wait for their turn.
pub struct Ordered<T> {
    queue: Reorder<T>,
    backlogs: Vec<Backlog<T>>,
    refused: Vec<(T, Rejection)>,
}

impl<T: Placed> Ordered<T> {
    /// Starts without waiting items; `held` comes from an earlier run, if there was one.
    ///
    /// # Errors
    /// If `held` is damaged.
    pub fn new(partitions: usize, held: Option<&Held>) -> Result<Ordered<T>, String> {
        let released = held.map_or(i64::MIN, |held| held.released);
        let passed = |partition: &usize| -> Result<RoaringTreemap, String> {
            let Some(text) = held.and_then(|held| held.passed.get(partition)) else { return Ok(RoaringTreemap::new()) };
            let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
            RoaringTreemap::deserialize_from(&bytes[..]).map_err(|error| error.to_string())
        };
        let backlog = |partition| Ok(Backlog { passed: passed(&partition)?, ..Backlog::default() });
        let backlogs = (0..partitions).map(backlog).collect::<Result<_, String>>()?;
        Ok(Ordered { queue: Reorder::from(released), backlogs, refused: Vec::new() })
    }

    /// Adds partitions, up to `partitions` in all.
    pub fn grow(&mut self, partitions: usize) {
        self.backlogs.resize_with(partitions.max(self.backlogs.len()), Backlog::default);
    }

    /// Takes the next counted frame of its partition, with the timestamp `ts`, read at the time `at`. `horizon` is the
    /// last plausible second of that partition, if there is a clock.
    #[inline]
    pub fn push(&mut self, ts: i64, item: T, horizon: Option<i64>, at: Duration) {
        let partition = item.partition();
        let backlog = &mut self.backlogs[partition];
        backlog.frames += 1;
        if !backlog.ahead.is_empty() {
            self.settle(partition, horizon, at);
        }
        if ts < self.queue.released() || horizon.is_some_and(|horizon| ts <= horizon) {
            self.enter(ts, item);
        } else {
            let backlog = &mut self.backlogs[partition];
            backlog.ahead.push_back(FarAhead { ts, item, number: backlog.frames, since: at });
        }
    }

    /// Takes a frame that was already taken before a restart; a frame that was released or refused then does not wait
    /// again.
    pub fn push_again(&mut self, ts: i64, item: T, horizon: Option<i64>, at: Duration) {
        let passed = &self.backlogs[item.partition()].passed;
        if ts >= self.queue.released() && !passed.contains(item.offset() as u64) {
            self.push(ts, item, horizon, at);
        }
    }

    /// Records a frame with the timestamp `ts` that must not be released.
    pub fn pass(&mut self, partition: usize, offset: i64, ts: i64) {
        if ts >= self.queue.released() {
            self.backlogs[partition].passed.insert(offset as u64);
        }
    }

    fn enter(&mut self, ts: i64, item: T) {
        if let Err(item) = self.queue.push(ts, item) {
            self.refused.push((item, Rejection::Late));
        }
    }

    fn refuse_ahead(&mut self, ts: i64, item: T) {
        self.pass(item.partition(), item.offset(), ts);
        self.refused.push((item, Rejection::Ahead));
    }

    /// Checks the items far ahead in a partition: the clock may have come near, or they may have waited for too long.
    pub fn settle(&mut self, partition: usize, horizon: Option<i64>, at: Duration) {
        for _ in 0..self.backlogs[partition].ahead.len() {
            let backlog = &mut self.backlogs[partition];
            let Some(ahead) = backlog.ahead.pop_front() else { return };
            if horizon.is_some_and(|horizon| ahead.ts <= horizon) {
                self.enter(ahead.ts, ahead.item);
            } else if backlog.frames - ahead.number > PATIENCE_FRAMES || at.saturating_sub(ahead.since) > PATIENCE {
                self.refuse_ahead(ahead.ts, ahead.item);
            } else {
                backlog.ahead.push_back(ahead);
            }
        }
    }

    /// Releases, in order, the items before the watermark.
    pub fn release(&mut self, watermark: i64) -> impl Iterator<Item = T> + use<T> {
        if watermark > self.queue.released() {
            self.overtake(watermark);
        }
        self.queue.release(watermark)
    }

    /// Refuses items far ahead of their own partition's clock but behind the watermark, which can advance without that
    /// partition: their turn is over, and a restart would assume that items behind the watermark were released.
    fn overtake(&mut self, watermark: i64) {
        for backlog in &mut self.backlogs {
            let (over, waiting) = backlog.ahead.drain(..).partition(|ahead| ahead.ts < watermark);
            let over: VecDeque<FarAhead<T>> = over;
            backlog.ahead = waiting;
            self.refused.extend(over.into_iter().map(|ahead| (ahead.item, Rejection::Late)));
        }
    }

    /// Ends the input of `partition`: items that are still beyond its `horizon` are refused. Without any clock, none
    /// is.
    pub fn end(&mut self, partition: usize, horizon: Option<i64>) {
        while let Some(ahead) = self.backlogs[partition].ahead.pop_front() {
            match horizon.is_none_or(|horizon| ahead.ts <= horizon) {
                true => self.enter(ahead.ts, ahead.item),
                false => self.refuse_ahead(ahead.ts, ahead.item),
            }
        }
    }

    /// Releases everything, in order, once every partition has ended.
    pub fn finish(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.queue.finish()
    }

    /// The items refused since the last call, and why.
    #[inline]
    pub fn refused(&mut self) -> Vec<(T, Rejection)> {
        std::mem::take(&mut self.refused)
    }

    /// The part that a restart needs, if it reads each partition from `positions`.
    pub fn held(&mut self, positions: &[i64]) -> Held {
        let mut from = positions.to_vec();
        let ahead = self.backlogs.iter().flat_map(|backlog| backlog.ahead.iter().map(|ahead| &ahead.item));
        for item in self.queue.iter().chain(ahead) {
            from[item.partition()] = from[item.partition()].min(item.offset());
        }
        let mut passed = BTreeMap::new();
        for (partition, backlog) in self.backlogs.iter_mut().enumerate() {
            backlog.passed.remove_range(..from[partition].max(0) as u64);
            if !backlog.passed.is_empty() {
                let mut bytes = Vec::with_capacity(backlog.passed.serialized_size());
                backlog.passed.serialize_into(&mut bytes).expect("a vector takes all bytes");
                passed.insert(partition, STANDARD.encode(bytes));
            }
        }
        Held { released: self.queue.released(), from, passed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Item {
        ts: i64,
        partition: usize,
        offset: i64,
    }

    impl Placed for Item {
        fn partition(&self) -> usize {
            self.partition
        }

        fn offset(&self) -> i64 {
            self.offset
        }
    }

    const AT: Duration = Duration::ZERO;

    fn push(order: &mut Ordered<Item>, offset: i64, ts: i64, horizon: Option<i64>) {
        order.push(ts, Item { ts, partition: 0, offset }, horizon, AT);
    }

    fn offsets(items: impl IntoIterator<Item = Item>) -> Vec<i64> {
        items.into_iter().map(|item| item.offset).collect()
    }

    fn refused(order: &mut Ordered<Item>) -> Vec<(i64, &'static str)> {
        order.refused().into_iter().map(|(item, why)| (item.offset, why.name())).collect()
    }

    #[test]
    fn what_is_far_ahead_waits_for_the_clock_to_come_near() {
        let mut order = Ordered::new(1, None).unwrap();
        // No clock at first, then a clock at 100 with a plausible jump of 50.
        for offset in 0..3 {
            push(&mut order, offset, 100 - offset, None);
        }
        push(&mut order, 3, 900, None);
        push(&mut order, 4, 99, Some(150));
        assert_eq!(offsets(order.release(100)), [2, 1, 4]);
        assert_eq!(order.held(&[5]).from, [0]);
        assert_eq!(offsets(order.release(101)), [0]);
        assert_eq!(order.held(&[5]), Held { released: 101, from: vec![3], passed: BTreeMap::new() });
        push(&mut order, 5, 901, Some(951));
        assert_eq!(offsets(order.release(902)), [3, 5]);
        assert_eq!(refused(&mut order), []);
    }

    #[test]
    fn after_so_many_frames_it_waits_no_longer_and_pins_nothing() {
        let mut order = Ordered::new(1, None).unwrap();
        push(&mut order, 0, 900_000, Some(150));
        for offset in 1..=32 {
            push(&mut order, offset, 100, Some(150));
        }
        assert_eq!((refused(&mut order), order.held(&[33]).from), (vec![], vec![0]));
        push(&mut order, 33, 100, Some(150));
        assert_eq!(refused(&mut order), [(0, "far_ahead")]);
        assert_eq!(offsets(order.release(101)).len(), 33);
        assert_eq!(order.held(&[34]), Held { released: 101, from: vec![34], passed: BTreeMap::new() });
        push(&mut order, 34, 100, Some(150));
        assert_eq!(refused(&mut order), [(34, "out_of_order")]);
    }

    #[test]
    fn where_nothing_more_comes_time_decides() {
        let mut order = Ordered::new(1, None).unwrap();
        push(&mut order, 0, 900_000, Some(150));
        order.settle(0, Some(150), PATIENCE);
        assert_eq!(refused(&mut order), []);
        order.settle(0, Some(150), PATIENCE + Duration::from_millis(1));
        assert_eq!(refused(&mut order), [(0, "far_ahead")]);
    }

    #[test]
    fn the_end_of_the_input() {
        let mut order = Ordered::new(1, None).unwrap();
        for (offset, ts) in [(0, 900_000), (1, 120), (2, 110)] {
            push(&mut order, offset, ts, Some(150));
        }
        order.end(0, Some(150));
        assert_eq!(offsets(order.finish()), [2, 1]);
        assert_eq!(refused(&mut order), [(0, "far_ahead")]);
        // The wild frame has not moved the end: later frames are not after their turn.
        assert_eq!(order.held(&[3]).released, 120);
        // Without any clock no frame can be far ahead.
        let mut order = Ordered::new(1, None).unwrap();
        push(&mut order, 0, 900_000, None);
        push(&mut order, 1, 120, None);
        order.end(0, None);
        assert_eq!(offsets(order.finish()), [1, 0]);
    }

    /// A good clock and one that stands still, half of the frames wild: every frame is released or refused once,
    /// wherever the run is restarted.
    fn with_restarts(frames: &[(usize, bool, i64)], restarts: &[usize]) -> Vec<Item> {
        let mut out: Vec<Item> = Vec::new();
        let mut positions = [0i64; 2];
        let mut items: Vec<Item> = Vec::new();
        let mut order = Ordered::new(2, None).unwrap();
        for (i, (partition, wild, jitter)) in frames.iter().enumerate() {
            let now = 1_000 + i as i64;
            // The clock of partition 0 stands still: the watermark advances without it, past the frames that wait.
            let horizon = Some(if *partition == 0 { 1_050 } else { now + 50 });
            let ts = match (*wild, jitter % 2) {
                (true, 0) => 1_000_000,
                (true, _) => now + 60,
                (false, _) => now - jitter,
            };
            let item = Item { ts, partition: *partition, offset: positions[*partition] };
            items.push(item.clone());
            positions[*partition] += 1;
            match jitter % 7 {
                // A frame that is not counted.
                6 => order.pass(*partition, item.offset, ts),
                _ => order.push(ts, item, horizon, AT),
            }
            if jitter % 5 > 0 {
                out.extend(order.release(now - 5));
            }
            out.extend(order.refused().into_iter().map(|(item, _)| item));
            if restarts.contains(&i) {
                let held = order.held(&positions);
                order = Ordered::new(2, Some(&held)).unwrap();
                let again = items.iter().filter(|item| item.offset >= held.from[item.partition]);
                again.for_each(|item| order.push_again(item.ts, item.clone(), horizon, AT));
            }
        }
        (0..2).for_each(|partition| order.end(partition, Some(2_000)));
        out.extend(order.finish());
        out.extend(order.refused().into_iter().map(|(item, _)| item));
        out.sort();
        out
    }

    proptest! {
        #[test]
        fn a_restart_neither_repeats_nor_loses(
            frames in prop::collection::vec((0usize..2, any::<bool>(), 0i64..20), 0..200),
            restarts in prop::collection::vec(0usize..200, 0..10),
        ) {
            let once = with_restarts(&frames, &[]);
            let passed = frames.iter().filter(|(_, _, jitter)| jitter % 7 == 6).count();
            prop_assert_eq!(once.len(), frames.len() - passed);
            prop_assert_eq!(with_restarts(&frames, &restarts), once);
        }
    }
}
