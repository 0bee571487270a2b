//! The last answers of a run, for its table.

use super::pipeline::{Letter, Sink};
use super::screen::{count, difference, plural, table};
use crate::core::frames::Times;
use crate::core::stream::{Emission, Timing};
use crate::core::window::Window;
use anyhow::Result;
use std::collections::BTreeMap;

/// Windows that are shown; a long run has too many for a screen, and for memory.
const SHOWN: usize = 50;

struct Answer {
    first: Option<u64>,
    last: Emission,
}

/// Passes results on and remembers the latest windows.
pub struct WindowTable<'a> {
    sink: &'a mut dyn Sink,
    answers: BTreeMap<Window, Answer>,
    forgotten: u64,
}

impl<'a> WindowTable<'a> {
    /// In front of `sink`.
    pub fn new(sink: &'a mut dyn Sink) -> WindowTable<'a> {
        WindowTable { sink, answers: BTreeMap::new(), forgotten: 0 }
    }

    /// The table: one row a window, with its first answer beside the last.
    pub fn render(&self) -> String {
        let mut rows = vec![["window", "users", "first answer", "change", "frames"].map(String::from).to_vec()];
        for (window, answer) in &self.answers {
            let first = answer.first.unwrap_or(answer.last.users);
            rows.push(vec![
                window.to_string(),
                count(answer.last.users),
                count(first),
                difference(answer.last.users as i64 - first as i64),
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

impl Sink for WindowTable<'_> {
    fn result(&mut self, result: &Emission, cause: Option<Times>) -> Result<()> {
        let answer = self.answers.entry(result.window).or_insert(Answer { first: None, last: *result });
        if result.timing != Timing::Early {
            answer.first.get_or_insert(result.users);
        }
        answer.last = *result;
        if self.answers.len() > SHOWN {
            self.answers.pop_first();
            self.forgotten += 1;
        }
        self.sink.result(result, cause)
    }

    fn dead_letter(&mut self, letter: Letter, reason: &str) -> Result<()> {
        self.sink.dead_letter(letter, reason)
    }

    fn ordered(&mut self, letter: Letter) -> Result<()> {
        self.sink.ordered(letter)
    }

    fn commit(&mut self, positions: &[i64], last: bool) -> Result<()> {
        self.sink.commit(positions, last)
    }

    fn poll(&mut self) -> Result<()> {
        self.sink.poll()
    }
}
