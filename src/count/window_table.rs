//! The last answers of a run, for its table.

use crate::count::observer::Observer;
use crate::terminal::{count, difference, plural, table};
use kuu_core::counter::Emission;
use kuu_core::window::Window;
use std::collections::BTreeMap;

/// Number of windows that are shown; a long run has too many for a screen, and for memory.
const SHOWN: usize = 50;

struct Answer {
    first: Option<u64>,
    last: Emission,
}

/// Keeps the latest windows.
#[derive(Default)]
pub struct WindowTable {
    answers: BTreeMap<Window, Answer>,
    forgotten: u64,
    /// Results that are not committed yet: they are not shown, as they may be undone.
    open: Vec<Emission>,
}

impl WindowTable {
    /// Whether there is no committed result.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The table: one row a window, with its first answer beside the last.
    pub fn render(&self) -> String {
        let mut rows = vec![["window", "users", "first answer", "change", "frames"].map(String::from).to_vec()];
        for (window, answer) in &self.answers {
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
        if self.forgotten > 0 {
            text = format!("... {} before these\n{text}", plural(self.forgotten, "window"));
        }
        text
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
        for result in self.open.drain(..) {
            let answer = self.answers.entry(result.window).or_insert(Answer { first: None, last: result });
            // An earlier run may have emitted the first answer.
            if result.revision == Some(0) {
                answer.first.get_or_insert(result.users);
            }
            answer.last = result;
            if self.answers.len() > SHOWN {
                self.answers.pop_first();
                self.forgotten += 1;
            }
        }
    }
}
