//! The messages of one workload, and what every count of them must have.

use super::bounds::{Bounds, are_kept};
use super::lenience::Found;
use super::reading::ObjectText;
use super::tally::{Numbers, UsersByWindow};
use super::taste::{AcceptedAnswer, Taste};
use crate::window::Window;
use crate::workload::{Role, Workload};
use std::collections::BTreeMap;

/// A frame that all readers take for the same, or that one reading of it is.
#[derive(Clone, Debug)]
pub(super) struct CaseFrame {
    pub(super) partition: u16,
    pub(super) user: u32,
    pub(super) ts: i64,
    pub(super) is_wild: bool,
    pub(super) is_aborted: bool,
    /// Whether sane readers may take it for something else.
    pub(super) is_dialect: bool,
    /// Whether it comes after the retention of its shortest window.
    pub(super) is_expired: bool,
    /// Its windows, one of each unit.
    pub(super) windows: Vec<u32>,
}

impl CaseFrame {
    pub(super) fn new(numbers: &mut Numbers, uid: &str, ts: i64, partition: u16, role: Role) -> CaseFrame {
        let (user, windows) = (numbers.user(uid), numbers.windows(ts));
        let (is_wild, is_aborted) = (role == Role::Data { is_wild: true }, role == Role::Aborted);
        CaseFrame { partition, user, ts, is_wild, is_aborted, is_dialect: false, is_expired: false, windows }
    }
}

/// A line that sane readers may take for different things.
pub(super) struct DialectLine {
    pub(super) object: ObjectText,
    /// How many frames come before it.
    pub(super) at: usize,
    pub(super) partition: u16,
    pub(super) role: Role,
}

/// Everything that is known about the messages of a workload: the right answers, and the wrong ones that have a name.
pub struct Case {
    pub(super) workload: Workload,
    pub(super) numbers: Numbers,
    /// All frames in the order in which they are sent, also those of aborted transactions.
    pub(super) frames: Vec<CaseFrame>,
    pub(super) dialects: Vec<DialectLine>,
    /// What lenient readers find in each message that is no frame.
    pub(super) damaged: Vec<Vec<Found>>,
    /// The first and the last second of the epilogue, if there is one.
    pub(super) epilogue: Option<(i64, i64)>,
    pub(super) bounds: BTreeMap<Window, Bounds>,
    pub(super) answers: Vec<AcceptedAnswer>,
}

/// How long a race may go on with its epilogue, in seconds of event time.
const MORE_EPILOGUE: i64 = 86_400;

impl Case {
    /// The bounds of every window with a frame, by the rules of a frame. Those of the epilogue are left out.
    pub fn bounds(&self) -> &BTreeMap<Window, Bounds> {
        &self.bounds
    }

    /// The right answers to a dialect, with what each takes for right; none to other tiers.
    pub fn answers(&self) -> &[AcceptedAnswer] {
        &self.answers
    }

    /// The number of frames that sane readers may take for different things.
    pub fn dialects(&self) -> usize {
        self.dialects.len()
    }

    /// Whether the window counts: that is, whether it is none of the epilogue.
    pub fn is_judged(&self, window: &Window) -> bool {
        self.epilogue.is_none_or(|(first, last)| window.end <= first || window.start > last + MORE_EPILOGUE)
    }

    /// What an answer has in the windows that count.
    pub fn judged(&self, answer: &UsersByWindow) -> UsersByWindow {
        answer.iter().filter(|(window, users)| **users > 0 && self.is_judged(window)).map(|(w, n)| (*w, *n)).collect()
    }

    /// Whether an answer is right for a count that corrects: every frame counts, but those after the retention need not.
    pub fn is_right(&self, answer: &UsersByWindow) -> bool {
        are_kept(&self.bounds, &self.judged(answer))
    }

    /// The right answer of a dialect that this is, if it is one.
    pub fn accepted(&self, answer: &UsersByWindow) -> Option<&AcceptedAnswer> {
        let judged = self.judged(answer);
        self.answers.iter().find(|accepted| accepted.fits(&judged))
    }

    /// The data that is committed, with its place among all frames.
    pub(super) fn data(&self) -> impl Iterator<Item = (usize, &CaseFrame)> + Clone {
        self.frames.iter().enumerate().filter(|(_, frame)| !frame.is_aborted)
    }

    /// Counts the frames of the data in the windows in which `keep` wants them.
    pub(super) fn count(&self, keep: impl Fn(usize, &CaseFrame, Window) -> bool) -> UsersByWindow {
        self.numbers.count(self.data().flat_map(|(at, frame)| {
            let windows = frame.windows.iter().filter(|window| keep(at, frame, self.numbers.window(**window)));
            windows.map(|window| (*window, frame.user)).collect::<Vec<_>>()
        }))
    }

    /// The greatest time before each frame of the data in its own partition, or in all so far.
    pub(super) fn clocks(&self, is_plausible: bool, is_own: bool) -> Vec<i64> {
        let mut clocks = vec![i64::MIN; usize::from(self.workload.frames.partitions)];
        let of = |frame: &CaseFrame| if is_own { usize::from(frame.partition) } else { 0 };
        let before = |frame: &CaseFrame| {
            let clock = &mut clocks[of(frame)];
            let before = *clock;
            let is_left_out = frame.is_aborted || (is_plausible && frame.is_wild);
            if !is_left_out {
                *clock = before.max(frame.ts);
            }
            before
        };
        self.frames.iter().map(before).collect()
    }

    /// The case of a reader with this taste, for whom there are no dialects.
    pub(super) fn read_as(&self, taste: &Taste) -> Case {
        let mut numbers = self.numbers.clone();
        let mut frames = Vec::with_capacity(self.frames.len() + self.dialects.len());
        let mut add = |line: &DialectLine, frames: &mut Vec<CaseFrame>| {
            let read = taste.read(&line.object);
            frames.extend(read.map(|(uid, ts)| CaseFrame::new(&mut numbers, &uid, ts, line.partition, line.role)));
        };
        let mut lines = self.dialects.iter().peekable();
        for (at, frame) in self.frames.iter().enumerate() {
            while let Some(line) = lines.next_if(|line| line.at <= at) {
                add(line, &mut frames);
            }
            frames.extend((!frame.is_dialect).then(|| frame.clone()));
        }
        lines.for_each(|line| add(line, &mut frames));
        let (workload, damaged, epilogue) = (self.workload.clone(), self.damaged.clone(), self.epilogue);
        let (dialects, bounds, answers) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut case = Case { workload, numbers, frames, dialects, damaged, epilogue, bounds, answers };
        case.fill();
        case
    }

    /// Fills the bounds, once all frames are there.
    pub(super) fn fill(&mut self) {
        let lateness = i64::from(self.workload.frames.lateness);
        let retention = i64::from(self.workload.frames.retention);
        let clocks = self.clocks(true, true);
        for (frame, clock) in self.frames.iter_mut().zip(&clocks) {
            let ends = frame.windows.iter().map(|window| self.numbers.window(*window).end);
            frame.is_expired = ends.min().is_some_and(|end| end + retention <= clock.saturating_sub(lateness));
        }
        let min = self.count(|at, frame, window| !frame.is_expired && window.end > clocks[at].saturating_sub(lateness));
        let kept = self.count(|_, frame, _| !frame.is_expired);
        let max = self.count(|_, _, _| true);
        let users = |of: &UsersByWindow, window: &Window| of.get(window).copied().unwrap_or(0);
        self.bounds = max
            .iter()
            .filter(|(window, _)| self.is_judged(window))
            .map(|(window, max)| (*window, Bounds { min: users(&min, window), kept: users(&kept, window), max: *max }))
            .collect();
    }
}
