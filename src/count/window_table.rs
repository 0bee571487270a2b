//! The last answers of a run, for its table.

use crate::count::observer::Observer;
use crate::count::printer::Printer;
use crate::terminal::{count, difference, plural, table};
use kuu_core::counter::Emission;
use kuu_core::window::Window;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Number of windows that are shown; a long run has too many for a screen, and for memory.
const SHOWN: usize = 50;

struct Answer {
    first: Option<u64>,
    last: Emission,
}

/// Keeps the latest windows, or all.
#[derive(Default)]
pub struct WindowTable {
    answers: BTreeMap<Window, Answer>,
    keeps_all: bool,
    /// Prints results as they come.
    pub printer: Option<Printer>,
    forgotten: u64,
    /// Results that are not committed yet: they are not shown, as they may be undone.
    open: Vec<Emission>,
}

impl WindowTable {
    /// An empty table; `keeps_all` if a JSON document will have all windows.
    pub fn new(keeps_all: bool, printer: Option<Printer>) -> WindowTable {
        WindowTable { keeps_all, printer, ..WindowTable::default() }
    }

    /// Whether there is no committed result.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The table: one row a window, with its first answer beside the last.
    pub fn render(&self) -> String {
        let mut rows = vec![["window", "users", "first answer", "change", "frames"].map(String::from).to_vec()];
        let before = self.answers.len().saturating_sub(SHOWN);
        for (window, answer) in self.answers.iter().skip(before) {
            let change = answer.first.map(|first| answer.last.users as i64 - first as i64);
            rows.push(vec![
                window.label(),
                count(answer.last.users),
                answer.first.map_or_else(|| "-".into(), count),
                change.map_or_else(|| "-".into(), difference),
                count(answer.last.frames),
            ]);
        }
        let mut text = table(&rows);
        let before = self.forgotten + before as u64;
        if before > 0 {
            text = format!("... {} before these\n{text}", plural(before, "window"));
        }
        text
    }

    /// The kept windows as JSON, each with its last answer and the users of its first one, if this run gave that.
    pub fn windows(&self) -> Vec<Value> {
        let window = |(window, answer): (&Window, &Answer)| {
            let Emission { users, frames, distinct, .. } = answer.last;
            let mut json = json!({"unit": window.unit, "start": window.start, "users": users, "frames": frames});
            if let Some(first) = answer.first {
                json["first_users"] = first.into();
            }
            if let Some(mark) = distinct.mark() {
                json["distinct"] = mark.into();
            }
            json
        };
        self.answers.iter().map(window).collect()
    }
}

impl Observer for WindowTable {
    fn begin(&mut self) {
        self.open.clear();
    }

    fn result(&mut self, result: &Emission) {
        self.open.push(*result);
    }

    fn committed(&mut self) {
        if let Some(printer) = self.printer.as_ref().filter(|_| !self.open.is_empty()) {
            printer.print(self.open.clone());
        }
        for result in self.open.drain(..) {
            let answer = self.answers.entry(result.window).or_insert(Answer { first: None, last: result });
            // An earlier run may have emitted the first answer.
            if result.revision == Some(0) {
                answer.first.get_or_insert(result.users);
            }
            answer.last = result;
            if !self.keeps_all && self.answers.len() > SHOWN {
                self.answers.pop_first();
                self.forgotten += 1;
            }
        }
    }
}
