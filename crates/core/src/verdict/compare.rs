//! Compares answers with the truth.

use crate::grouped::grouped;
use crate::result::Count;
use crate::window::Window;

/// One window in a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The window.
    pub window: Window,
    /// The exact count, none if no frame belongs to this window.
    pub truth: Option<Count>,
    /// The final answer, none if there is no row.
    pub answer: Option<Count>,
    /// The first answer at or after the watermark, none if it is not in the topic.
    pub first: Option<Count>,
    /// Number of rows that changed the answer after the first one.
    pub corrections: u64,
    /// Number of rows that repeat an answer.
    pub repeats: u64,
    /// The rules that its rows break, a sentence each.
    pub breaches: Vec<String>,
    /// Whether the row of the answer says that its users are an estimate.
    pub is_approximate: bool,
    /// By which share of those in truth the users of the answer may be off; if none, they must be exact.
    pub within: Option<f64>,
}

impl Line {
    /// A window without an answer or a truth.
    pub fn new(window: Window) -> Line {
        Line {
            window,
            truth: None,
            answer: None,
            first: None,
            corrections: 0,
            repeats: 0,
            breaches: Vec::new(),
            is_approximate: false,
            within: None,
        }
    }

    /// What is wrong with the answer, in words.
    pub fn fault(&self) -> Option<String> {
        let Line { window, .. } = self;
        let unit = window.unit;
        match (self.truth, self.answer) {
            (Some(truth), None) => Some(format!("{unit} {window} is missing: {} users in truth", grouped(truth.users))),
            (None, Some(answer)) => {
                Some(format!("{unit} {window} is extra: {} users where there is none", grouped(answer.users)))
            }
            (Some(truth), Some(answer)) if !self.has_users(truth.users, answer.users) => {
                let (users, instead_of) = (grouped(answer.users), grouped(truth.users));
                let off = self.within.zip(self.error());
                let off = off.map_or_else(String::new, |(within, off)| {
                    format!(": off by {:.2} %, more than {} %", 100.0 * off, percent(within))
                });
                Some(format!("{unit} {window} has {users} users instead of {instead_of}{off}"))
            }
            (Some(truth), Some(answer)) => match (truth.frames, answer.frames) {
                (Some(true_frames), Some(frames)) if true_frames != frames => {
                    let (frames, instead_of) = (grouped(frames), grouped(true_frames));
                    Some(format!("{unit} {window} has {frames} frames instead of {instead_of}"))
                }
                _ => None,
            },
            (None, None) => None,
        }
    }

    /// Whether so many users are those in truth, or near enough.
    fn has_users(&self, truth: u64, users: u64) -> bool {
        match self.within {
            None => truth == users,
            Some(within) => truth.abs_diff(users) as f64 <= within * truth as f64,
        }
    }

    /// By which share of the users in truth those of the answer are off; none if one of them is missing.
    pub fn error(&self) -> Option<f64> {
        let (truth, answer) = (self.truth?.users, self.answer?.users);
        Some(truth.abs_diff(answer) as f64 / truth.max(1) as f64)
    }

    /// The users of the first answer minus those of the truth.
    pub fn first_error(&self) -> Option<i64> {
        Some(self.first?.users as i64 - self.truth?.users as i64)
    }

    /// Whether the first answer had the right users but the wrong frames.
    fn is_off_in_frames(&self) -> bool {
        let off = self.first.zip(self.truth).is_some_and(|(first, truth)| !first.agrees(&truth));
        off && self.first_error() == Some(0)
    }
}

/// Every window of the results and of the truth, in the order of a table.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The windows.
    pub lines: Vec<Line>,
    /// Messages that other options of `kuu verify` could read, and which options, a sentence for each kind.
    pub misread: Vec<String>,
    /// Other messages that are not rows, and why, a sentence each.
    pub unreadable: Vec<String>,
    /// Number of rows of units that were not asked for.
    pub left_out: u64,
    /// By which share of those in truth the users of a window may be off; if none, they must be exact.
    pub within: Option<f64>,
}

/// A share in percent, without zeros at its end.
pub fn percent(share: f64) -> String {
    let text = format!("{:.4}", 100.0 * share);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Comparison {
    /// Number of windows whose answer is an estimate, as its row says.
    pub fn approximate(&self) -> u64 {
        self.lines.iter().filter(|line| line.is_approximate).count() as u64
    }

    /// Number of windows of the truth whose users are right, or near enough.
    pub fn inside(&self) -> u64 {
        let is_inside = |line: &&Line| {
            let both = line.truth.zip(line.answer);
            both.is_some_and(|(truth, answer)| line.has_users(truth.users, answer.users))
        };
        self.lines.iter().filter(is_inside).count() as u64
    }

    /// The window whose answer is off by the largest share.
    pub fn largest_error(&self) -> Option<&Line> {
        let known = self.lines.iter().filter(|line| line.error().is_some());
        known.max_by(|a, b| a.error().unwrap_or_default().total_cmp(&b.error().unwrap_or_default()))
    }

    /// The faults of the answers, a sentence for each window.
    pub fn faults(&self) -> Vec<String> {
        self.lines.iter().filter_map(Line::fault).collect()
    }

    /// The faults of the rows, a sentence each; a sentence begins with the place, if there is one.
    pub fn breaches(&self) -> impl Iterator<Item = &String> {
        self.misread.iter().chain(&self.unreadable).chain(self.lines.iter().flat_map(|line| &line.breaches))
    }

    /// Whether there is no answer at all, and other options could read the messages: then it is no use to name every
    /// window that is missing.
    pub fn is_misread(&self) -> bool {
        !self.misread.is_empty() && self.lines.iter().all(|line| line.answer.is_none())
    }

    /// Number of windows of the truth.
    pub fn windows(&self) -> u64 {
        self.lines.iter().filter(|line| line.truth.is_some()).count() as u64
    }

    /// Number of windows of the truth whose first answer had the right users.
    pub fn exact_at_first(&self) -> u64 {
        self.lines.iter().filter(|line| line.first_error() == Some(0)).count() as u64
    }

    /// The number of those whose frames were corrected.
    pub fn off_in_frames(&self) -> u64 {
        self.lines.iter().filter(|line| line.is_off_in_frames()).count() as u64
    }

    /// Number of windows of the truth whose first answer had wrong users.
    pub fn corrected(&self) -> u64 {
        self.off().count() as u64
    }

    fn off(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.first_error().is_some_and(|error| error != 0))
    }

    /// Number of windows of the truth whose first answer is unknown. With those of the two before, these are all
    /// windows.
    pub fn first_unknown(&self) -> u64 {
        self.windows() - self.exact_at_first() - self.corrected()
    }

    /// Number of rows that changed the answer of a window whose first answer had wrong users.
    pub fn corrections(&self) -> u64 {
        self.off().map(|line| line.corrections).sum()
    }

    /// Whether every window of the truth has exactly one answer, and it was right.
    pub fn is_each_first(&self) -> bool {
        let once = |line: &Line| line.first.is_some() && line.corrections + line.repeats == 0;
        self.lines.iter().all(once) && self.exact_at_first() == self.windows() && self.off_in_frames() == 0
    }

    /// Number of rows that repeat an answer.
    pub fn repeats(&self) -> u64 {
        self.lines.iter().map(|line| line.repeats).sum()
    }

    /// The window with the largest error of the first answer, if one had an error.
    pub fn largest_first_error(&self) -> Option<&Line> {
        self.off().max_by_key(|line| line.first_error().map(i64::unsigned_abs))
    }

    /// Sum of the errors of the first answers, in users.
    pub fn total_first_error(&self) -> u64 {
        self.lines.iter().filter_map(Line::first_error).map(i64::unsigned_abs).sum()
    }
}
