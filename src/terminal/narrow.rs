//! Where progress is drawn.

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};
use std::io::Result;

/// How often progress is drawn at most, as indicatif does by itself.
const HZ: u8 = 20;
/// What a terminal echoes on Ctrl-C.
const ECHO: &str = "^C";

/// Standard error, without its last columns. indicatif fills a line to its end: on a line without room for the echo of Ctrl-C the
/// cursor goes to the next one, and the bar would stay above it for good.
#[derive(Debug)]
struct Narrow(Term);

/// The terminal, or nothing where there is none.
pub(super) fn target() -> ProgressDrawTarget {
    let term = Term::buffered_stderr();
    match term.features().is_attended() {
        true => ProgressDrawTarget::term_like_with_hz(Box::new(Narrow(term)), HZ),
        false => ProgressDrawTarget::hidden(),
    }
}

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        TermLike::width(&self.0).saturating_sub(ECHO.len() as u16).max(1)
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.0)
    }

    fn move_cursor_up(&self, n: usize) -> Result<()> {
        TermLike::move_cursor_up(&self.0, n)
    }

    fn move_cursor_down(&self, n: usize) -> Result<()> {
        TermLike::move_cursor_down(&self.0, n)
    }

    fn move_cursor_right(&self, n: usize) -> Result<()> {
        TermLike::move_cursor_right(&self.0, n)
    }

    fn move_cursor_left(&self, n: usize) -> Result<()> {
        TermLike::move_cursor_left(&self.0, n)
    }

    fn write_line(&self, line: &str) -> Result<()> {
        TermLike::write_line(&self.0, line)
    }

    fn write_str(&self, text: &str) -> Result<()> {
        TermLike::write_str(&self.0, text)
    }

    fn clear_line(&self) -> Result<()> {
        TermLike::clear_line(&self.0)
    }

    fn flush(&self) -> Result<()> {
        TermLike::flush(&self.0)
    }
}
