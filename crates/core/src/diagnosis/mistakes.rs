//! Every mistake as a way to count, or as bounds where chance has a part.

use super::case::{Case, CaseFrame};
use super::damage::Damage;
use super::lenience::Lenience;
use super::tally::UsersByWindow;
use crate::window::Window;
use crate::workload::{Incident, Mistake, Tier};
use std::collections::BTreeMap;

/// A way to be wrong that gives one answer.
pub(super) struct Variant {
    pub(super) mistake: Mistake,
    pub(super) words: String,
    pub(super) users: UsersByWindow,
}

/// The fewest and the most users of every window; of a window that is missing there are none.
pub(super) type UserRange = BTreeMap<Window, (u64, u64)>;

/// A way to be wrong in which chance has a part.
pub(super) struct Chance {
    pub(super) mistake: Mistake,
    pub(super) words: String,
    pub(super) range: UserRange,
}

/// Which frames a count has besides its mistake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    All,
    /// Without those after the retention of their window.
    Kept,
    /// Without those that are late in their own partition.
    InTime,
}

/// The lateness after which frames may be dropped, in seconds; that of the workload first.
const LATENESSES: [i64; 9] = [5, 0, 1, 2, 10, 15, 30, 60, 120];

/// The time zones there are, in minutes east of UTC.
fn zones() -> impl Iterator<Item = i64> {
    let halves = (-24..=28).map(|half| half * 30);
    // Nepal, Eucla and the Chatham Islands.
    halves.chain([345, 525, 765, 825]).filter(|minutes| *minutes != 0)
}

/// The order in which the partitions are read.
#[derive(Clone, Copy)]
enum Order {
    Sent,
    Ascending,
    Descending,
}

impl Case {
    /// Every answer that a mistake gives which leaves nothing to chance. Some are right here.
    pub(super) fn variants(&self) -> Vec<Variant> {
        let mut all = self.order_variants();
        let has = |is: fn(&CaseFrame) -> bool| self.data().any(|(_, frame)| is(frame));
        let clocks = self.clocks(true, true);
        let is_late = self.data().any(|(at, frame)| frame.ts < clocks[at].saturating_sub(self.lateness()));
        let bases = [(Base::All, true), (Base::Kept, has(|frame| frame.is_expired)), (Base::InTime, is_late)];
        for base in bases.into_iter().filter(|(_, is_there)| *is_there).map(|(base, _)| base) {
            all.extend(self.last_variants(base, &clocks));
            all.extend(self.sum_variants(base, &clocks));
            all.extend(self.zone_variants(base, &clocks));
        }
        // Where a mistake makes no difference, the frames that are dropped do.
        let in_time = self.count(|at, frame, window| self.keeps(Base::InTime, &clocks, at, frame, window));
        all.retain(|variant| variant.users != in_time);
        all.extend(self.late_variants());
        for variant in &mut all {
            variant.users = self.judged(&variant.users);
        }
        all
    }

    fn lateness(&self) -> i64 {
        self.workload.frames.lateness.into()
    }

    fn keeps(&self, base: Base, clocks: &[i64], at: usize, frame: &CaseFrame, window: Window) -> bool {
        match base {
            Base::All => true,
            Base::Kept => !frame.is_expired,
            Base::InTime => !frame.is_expired && window.end > clocks[at].saturating_sub(self.lateness()),
        }
    }

    /// Frames that are late within their own partition are dropped.
    fn late_variants(&self) -> Vec<Variant> {
        let clocks = self.clocks(true, true);
        let mut all = Vec::new();
        for lateness in LATENESSES {
            let after = |at: usize| clocks[at].saturating_sub(lateness);
            let closed = self.count(|at, _, window| window.end > after(at));
            let old = self.count(|at, frame, _| frame.ts >= after(at));
            let words = format!("drops frames that come more than {lateness} s after the end of their window");
            all.push(Variant { mistake: Mistake::DropsLate, words, users: closed });
            let words = format!("drops frames later than {lateness} s");
            all.push(Variant { mistake: Mistake::DropsLate, words, users: old });
        }
        all
    }

    /// One watermark for all partitions, and watermarks that follow a stamp in the future.
    fn order_variants(&self) -> Vec<Variant> {
        let mut all = Vec::new();
        let mut push = |mistake, words: &str, users| all.push(Variant { mistake, words: words.into(), users });
        let is_wild = self.data().any(|(_, frame)| frame.is_wild);
        for order in [Order::Sent, Order::Ascending, Order::Descending] {
            let greatest = "takes the greatest watermark of the partitions";
            if self.workload.frames.partitions > 1 {
                push(Mistake::GreatestWatermark, greatest, self.with_one_clock(order, true));
            }
            if is_wild {
                let words = "drops what comes after a stamp in the future";
                push(Mistake::FutureStamp, words, self.with_one_clock(order, false));
                push(Mistake::FutureStamp, words, self.without_what_follows(order));
            }
        }
        if is_wild {
            let clocks = self.clocks(false, true);
            let words = "drops what comes after a stamp in the future, in its partition";
            let users = self.count(|at, _, window| window.end > clocks[at].saturating_sub(self.lateness()));
            push(Mistake::FutureStamp, words, users);
            let users = self.count(|_, frame, _| !frame.is_wild);
            push(Mistake::FutureStamp, "leaves out frames with a stamp in the future", users);
        }
        all
    }

    /// The data in this order.
    fn in_order(&self, order: Order) -> Vec<(usize, &CaseFrame)> {
        let mut read: Vec<(usize, &CaseFrame)> = self.data().collect();
        match order {
            Order::Sent => {}
            Order::Ascending => read.sort_by_key(|(_, frame)| frame.partition),
            Order::Descending => read.sort_by_key(|(_, frame)| std::cmp::Reverse(frame.partition)),
        }
        read
    }

    /// Counts up to the first stamp in the future, and what is not before it.
    fn without_what_follows(&self, order: Order) -> UsersByWindow {
        let mut jumps = vec![i64::MIN; self.frames.len()];
        let mut jump = i64::MIN;
        for (at, frame) in self.in_order(order) {
            jumps[at] = jump;
            jump = if frame.is_wild { jump.max(frame.ts) } else { jump };
        }
        self.count(|at, _, window| window.end > jumps[at])
    }

    /// Counts what is not late by the greatest time of all partitions, which are read in this order.
    fn with_one_clock(&self, order: Order, is_plausible: bool) -> UsersByWindow {
        let (mut clock, mut clocks) = (i64::MIN, vec![i64::MIN; self.frames.len()]);
        for (at, frame) in self.in_order(order) {
            clocks[at] = clock;
            clock = if is_plausible && frame.is_wild { clock } else { clock.max(frame.ts) };
        }
        self.count(|at, _, window| window.end > clocks[at].saturating_sub(self.lateness()))
    }

    /// Windows that nothing closes are missing.
    fn last_variants(&self, base: Base, clocks: &[i64]) -> Vec<Variant> {
        let whole = self.judged(&self.count(|at, frame, window| self.keeps(base, clocks, at, frame, window)));
        let ends = self.ends();
        let least = ends.iter().min().copied().unwrap_or(i64::MAX) - self.lateness();
        let greatest = ends.iter().max().copied().unwrap_or(i64::MAX) - self.lateness();
        let until = |last: i64| whole.iter().filter(|(w, _)| w.end <= last).map(|(w, n)| (*w, *n)).collect();
        let last = |within: i64| {
            let mut rest = whole.clone();
            for unit in &self.workload.frames.window {
                let last = whole.keys().rfind(|window| window.unit == *unit && window.start <= within);
                last.map(|last| rest.remove(last));
            }
            rest
        };
        [
            ("misses the last window", last(i64::MAX)),
            ("misses the last window before a stamp in the future", last(greatest + self.lateness())),
            ("misses the windows that the least watermark does not close", until(least)),
            ("misses the windows that the greatest watermark does not close", until(greatest)),
        ]
        .map(|(words, users)| Variant { mistake: Mistake::MissesLastWindow, words: words.into(), users })
        .into()
    }

    /// The latest plausible time of every partition that has frames.
    fn ends(&self) -> Vec<i64> {
        let mut ends = BTreeMap::new();
        for (_, frame) in self.data().filter(|(_, frame)| !frame.is_wild) {
            let end = ends.entry(frame.partition).or_insert(frame.ts);
            *end = frame.ts.max(*end);
        }
        ends.into_values().collect()
    }

    /// Aborted frames count, or the users of each partition are added up.
    fn sum_variants(&self, base: Base, clocks: &[i64]) -> Vec<Variant> {
        let keep = |at: usize, frame: &CaseFrame, window| self.keeps(base, clocks, at, frame, window);
        let pairs = self.frames.iter().enumerate().flat_map(|(at, frame)| {
            let kept = |window: &&u32| frame.is_aborted || keep(at, frame, self.numbers.window(**window));
            frame.windows.iter().filter(kept).map(|window| (*window, frame.user)).collect::<Vec<_>>()
        });
        let with_aborted = self.numbers.count(pairs);
        let mut sum = UsersByWindow::new();
        for partition in 0..self.workload.frames.partitions {
            let own = self.count(|at, frame, window| frame.partition == partition && keep(at, frame, window));
            own.into_iter().for_each(|(window, users)| *sum.entry(window).or_default() += users);
        }
        let of = |mistake, words: &str, users| Variant { mistake, words: words.into(), users };
        vec![
            of(Mistake::CountsAborted, "counts aborted frames", with_aborted),
            of(Mistake::AddsPartitions, "adds up the users of the partitions", sum),
        ]
    }

    fn zone_variants(&self, base: Base, clocks: &[i64]) -> Vec<Variant> {
        let mut numbers = self.numbers.clone();
        let shifted = |minutes: i64| {
            let mut pairs = Vec::new();
            for (at, frame) in self.data() {
                let windows = numbers.windows(frame.ts + minutes * 60);
                let kept = windows.iter().zip(&frame.windows);
                let kept = kept.filter(|(_, own)| self.keeps(base, clocks, at, frame, self.numbers.window(**own)));
                pairs.extend(kept.map(|(window, _)| (*window, frame.user)));
            }
            let (sign, hours, rest) = (if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60);
            let rest = if rest == 0 { String::new() } else { format!(" {rest} min") };
            let words = format!("shifts by {sign}{hours} h{rest}");
            Variant { mistake: Mistake::ShiftsTimeZone, words, users: numbers.count(pairs.into_iter()) }
        };
        zones().map(shifted).collect()
    }

    /// The bounds of every mistake in which chance has a part, but those of the machine's clock and of a sketch.
    pub(super) fn chances(&self) -> Vec<Chance> {
        let lateness = self.lateness();
        let own = self.clocks(true, true);
        let mut all = Vec::new();
        let mut push = |mistake, words: &str, low: &UsersByWindow, high: &UsersByWindow| {
            let (low, high) = (self.judged(low), self.judged(high));
            let low = |window| low.get(window).copied().unwrap_or(0);
            let range = high.iter().map(|(window, high)| (*window, (low(window).min(*high), *high))).collect();
            all.push(Chance { mistake, words: words.into(), range });
        };
        let every = self.count(|_, _, _| true);
        let kept = self.count(|_, frame, _| !frame.is_expired);
        let in_time = self.count(|at, frame, _| !frame.is_expired && frame.ts >= own[at].saturating_sub(lateness));
        push(Mistake::DropsLate, "drops late frames", &in_time, &every);
        if self.workload.frames.partitions > 1 {
            let safe = self.safe_from_others(true);
            push(Mistake::GreatestWatermark, "takes the greatest watermark of the partitions", &safe, &every);
        }
        if self.data().any(|(_, frame)| frame.is_wild) {
            let safe = self.safe_from_others(false);
            push(Mistake::FutureStamp, "drops what comes after a stamp in the future", &safe, &every);
        }
        let closed = self.ends().into_iter().min().map_or(i64::MAX, |end| end - lateness);
        let low = kept.iter().filter(|(window, _)| window.end <= closed).map(|(w, n)| (*w, *n)).collect();
        push(Mistake::MissesLastWindow, "misses a part of the last windows", &low, &every);
        if self.workload.tier == Tier::Fault {
            let times = self.workload.meanwhile.iter().map(Incident::times).sum::<u64>() + 1;
            let high = every.iter().map(|(window, users)| (*window, users * times)).collect();
            push(Mistake::CountsTwice, "counts twice after a crash", &kept, &high);
            push(Mistake::LosesFrames, "loses frames after a fault", &UsersByWindow::new(), &every);
        }
        if !self.damaged.is_empty() {
            push(Mistake::CountsDamaged, "counts some damaged frames", &kept, &Damage::new(self).most());
        }
        all
    }

    /// The frames that nothing in another partition can make late, whatever the order in which partitions are read.
    fn safe_from_others(&self, is_plausible: bool) -> UsersByWindow {
        let mut ends = vec![i64::MIN; usize::from(self.workload.frames.partitions)];
        for (_, frame) in self.data().filter(|(_, frame)| !(is_plausible && frame.is_wild)) {
            let end = &mut ends[usize::from(frame.partition)];
            *end = frame.ts.max(*end);
        }
        let own = self.clocks(is_plausible, true);
        self.count(|at, frame, window| {
            let others = ends.iter().enumerate().filter(|(partition, _)| *partition != usize::from(frame.partition));
            let clock = others.map(|(_, end)| *end).chain([own[at]]).max().unwrap_or(i64::MIN);
            window.end > clock
        })
    }

    /// The words for damage that is counted.
    pub(super) fn damage_words(leniences: &[Lenience]) -> String {
        let words: Vec<String> = leniences.iter().map(ToString::to_string).collect();
        format!("counts damaged frames: {}", words.join("; "))
    }
}
