//! Answers beside the truth.

use crate::result::Count;
use crate::window::Window;

/// One window in a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which window.
    pub window: Window,
    /// The exact count, none if no frame names this window.
    pub truth: Option<Count>,
    /// The final answer, none if there is no row.
    pub answer: Option<Count>,
    /// The first answer at or after the watermark, none if the topic does not have it.
    pub first: Option<Count>,
    /// Rows that changed the answer after that.
    pub corrections: u64,
    /// Rows that said it again.
    pub repeats: u64,
    /// What its rows must not do, a sentence each.
    pub breaches: Vec<String>,
}

impl Line {
    /// A window of which nothing is known.
    pub fn new(window: Window) -> Line {
        Line { window, truth: None, answer: None, first: None, corrections: 0, repeats: 0, breaches: Vec::new() }
    }

    /// What is wrong with the answer, in words.
    pub fn fault(&self) -> Option<String> {
        let Line { window, .. } = self;
        let unit = window.unit;
        match (self.truth, self.answer) {
            (Some(truth), None) => Some(format!("{unit} {window} is missing: {} users in truth", truth.users)),
            (None, Some(answer)) => {
                Some(format!("{unit} {window} is extra: {} users where there is none", answer.users))
            }
            (Some(truth), Some(answer)) if truth.users != answer.users => {
                Some(format!("{unit} {window} has {} users instead of {}", answer.users, truth.users))
            }
            (Some(truth), Some(answer)) => match (truth.frames, answer.frames) {
                (Some(true_frames), Some(frames)) if true_frames != frames => {
                    Some(format!("{unit} {window} has {frames} frames instead of {true_frames}"))
                }
                _ => None,
            },
            (None, None) => None,
        }
    }

    /// The first answer less the truth, in users.
    pub fn first_error(&self) -> Option<i64> {
        Some(self.first?.users as i64 - self.truth?.users as i64)
    }

    /// Whether the first answer was right in users, but not in frames.
    fn is_off_in_frames(&self) -> bool {
        let off = self.first.zip(self.truth).is_some_and(|(first, truth)| !first.agrees(&truth));
        off && self.first_error() == Some(0)
    }
}

/// Every window of the results and of the truth, side by side, in the order of a table.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The windows.
    pub lines: Vec<Line>,
    /// Messages that are no rows, and why, a sentence each.
    pub unreadable: Vec<String>,
    /// Rows of units that nobody asked for.
    pub left_out: u64,
}

impl Comparison {
    /// What is wrong with the answers, a sentence a window.
    pub fn faults(&self) -> Vec<String> {
        self.lines.iter().filter_map(Line::fault).collect()
    }

    /// What is wrong with the rows, a sentence each; they begin with the place, where there is one.
    pub fn breaches(&self) -> impl Iterator<Item = &String> {
        self.unreadable.iter().chain(self.lines.iter().flat_map(|line| &line.breaches))
    }

    /// Windows of the truth.
    pub fn windows(&self) -> u64 {
        self.lines.iter().filter(|line| line.truth.is_some()).count() as u64
    }

    /// Windows of the truth whose first answer had the right users.
    pub fn exact_at_first(&self) -> u64 {
        self.lines.iter().filter(|line| line.first_error() == Some(0)).count() as u64
    }

    /// Those of them whose frames were corrected.
    pub fn off_in_frames(&self) -> u64 {
        self.lines.iter().filter(|line| line.is_off_in_frames()).count() as u64
    }

    /// Windows of the truth whose first answer had other users.
    pub fn corrected(&self) -> u64 {
        self.off().count() as u64
    }

    fn off(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.first_error().is_some_and(|error| error != 0))
    }

    /// Windows of the truth whose first answer is unknown. With those of the two before, they are all.
    pub fn first_unknown(&self) -> u64 {
        self.windows() - self.exact_at_first() - self.corrected()
    }

    /// Rows that changed the answers of windows whose first one had other users.
    pub fn corrections(&self) -> u64 {
        self.off().map(|line| line.corrections).sum()
    }

    /// Whether every window of the truth has one first answer, which was right, and nothing after it.
    pub fn is_each_first(&self) -> bool {
        let once = |line: &Line| line.first.is_some() && line.corrections + line.repeats == 0;
        self.lines.iter().all(once) && self.exact_at_first() == self.windows() && self.off_in_frames() == 0
    }

    /// Rows that said an answer again.
    pub fn repeats(&self) -> u64 {
        self.lines.iter().map(|line| line.repeats).sum()
    }

    /// The window whose first answer was furthest from the truth, if one was off.
    pub fn largest_first_error(&self) -> Option<&Line> {
        self.off().max_by_key(|line| line.first_error().map(i64::unsigned_abs))
    }

    /// Sum of the distances of the first answers from the truth, in users.
    pub fn total_first_error(&self) -> u64 {
        self.lines.iter().filter_map(Line::first_error).map(i64::unsigned_abs).sum()
    }
}
