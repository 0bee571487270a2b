//! What the rows of an output topic say again, and when an engine that was interrupted says something new.

use crate::result::Count;
use crate::window::Window;
use std::collections::{BTreeMap, HashSet};

/// The rows that one window had.
struct Said {
    /// Its first row.
    first: Count,
    /// All its rows: a correction may have the same users, and other frames.
    all: HashSet<Count>,
    /// The most users of any row.
    most: u64,
    is_repeated: bool,
}

/// A time at which an engine was interrupted.
struct WaitForNews {
    /// Rows before this offset were written before.
    from: i64,
    news_us: Option<i64>,
    /// Whether any message was written since.
    is_heard: bool,
}

/// Compares each row with those that its window had before.
#[derive(Default)]
pub(super) struct Repetition {
    windows: BTreeMap<Window, Said>,
    firsts: u64,
    waits: Vec<WaitForNews>,
}

impl Repetition {
    /// Waits from this offset on for news. An earlier wait is over: its news did not come in time.
    pub(super) fn await_news(&mut self, from: i64) {
        self.waits.push(WaitForNews { from, news_us: None, is_heard: false });
    }

    /// Takes note of a message, whatever it says.
    pub(super) fn hear(&mut self, offset: i64) {
        if let Some(wait) = self.waits.last_mut() {
            wait.is_heard |= offset >= wait.from;
        }
    }

    /// Whether no message has come since the last wait began; false if none ever did.
    pub(super) fn is_silent(&self) -> bool {
        self.waits.last().is_some_and(|wait| !wait.is_heard)
    }

    /// Takes a row. It is news if no row of its window has had as many users: an engine that begins again from less
    /// repeats itself until it has more.
    pub(super) fn take(&mut self, arrived_us: i64, offset: i64, window: Window, count: Count) {
        let is_news = match self.windows.get_mut(&window) {
            None => {
                let said = Said { first: count, all: [count].into(), most: count.users, is_repeated: false };
                self.windows.insert(window, said);
                true
            }
            Some(said) => {
                self.firsts += u64::from(said.first == count);
                said.is_repeated |= !said.all.insert(count);
                let is_more = count.users > said.most;
                said.most = said.most.max(count.users);
                is_more
            }
        };
        if let Some(wait) = self.waits.last_mut()
            && is_news
            && offset >= wait.from
        {
            wait.news_us.get_or_insert(arrived_us);
        }
    }

    /// For each wait, when its news arrived; none if it did not before the next one began.
    pub(super) fn news_us(&self) -> Vec<Option<i64>> {
        self.waits.iter().map(|wait| wait.news_us).collect()
    }

    /// Windows of which a row came again.
    pub(super) fn windows(&self) -> u64 {
        self.windows.values().filter(|said| said.is_repeated).count() as u64
    }

    /// Rows that are the first answer of their window again.
    pub(super) fn firsts(&self) -> u64 {
        self.firsts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Unit;

    /// Takes rows of a window's start and users, each at the offset of its number and a second after the one before.
    fn take(repetition: &mut Repetition, from: i64, rows: &[(i64, u64)]) {
        for (offset, (start, users)) in (from..).zip(rows) {
            let count = Count { users: *users, frames: None };
            repetition.take(offset * 1_000_000, offset, Unit::Minute.window(*start), count);
        }
    }

    #[test]
    fn what_was_said_before_is_counted() {
        let mut repetition = Repetition::default();
        take(&mut repetition, 0, &[(0, 5), (60, 3), (60, 4)]);
        assert_eq!((repetition.windows(), repetition.firsts()), (0, 0));
        // The first answer and its correction again, in this window alone.
        take(&mut repetition, 3, &[(60, 3), (60, 4), (60, 3)]);
        assert_eq!((repetition.windows(), repetition.firsts()), (1, 2));
        take(&mut repetition, 6, &[(0, 6), (120, 1)]);
        assert_eq!((repetition.windows(), repetition.firsts()), (1, 2));
    }

    #[test]
    fn a_correction_of_the_frames_alone_is_no_repeat_and_no_news() {
        let mut repetition = Repetition::default();
        repetition.await_news(1);
        for (offset, frames) in (0..).zip([7, 8, 8]) {
            repetition.take(offset, offset, Unit::Minute.window(0), Count { users: 5, frames: Some(frames) });
            assert_eq!(repetition.windows(), u64::from(offset == 2));
        }
        assert_eq!((repetition.firsts(), repetition.news_us()), (0, vec![None]));
    }

    #[test]
    fn news_is_what_goes_beyond_all_before() {
        let mut repetition = Repetition::default();
        take(&mut repetition, 0, &[(0, 5), (60, 3)]);
        repetition.await_news(4);
        // Written before the interruption, read after it.
        take(&mut repetition, 2, &[(60, 4), (120, 9)]);
        take(&mut repetition, 4, &[(0, 5), (60, 1), (60, 4)]);
        assert_eq!(repetition.news_us(), [None]);
        take(&mut repetition, 7, &[(60, 5), (180, 1)]);
        assert_eq!(repetition.news_us(), [Some(7_000_000)]);
    }

    #[test]
    fn whatever_is_written_after_an_interruption_ends_the_silence() {
        let mut repetition = Repetition::default();
        assert!(!repetition.is_silent());
        repetition.await_news(4);
        repetition.hear(3);
        assert!(repetition.is_silent());
        repetition.hear(4);
        assert!(!repetition.is_silent());
        repetition.await_news(5);
        assert!(repetition.is_silent());
    }

    #[test]
    fn the_next_interruption_ends_the_wait() {
        let mut repetition = Repetition::default();
        repetition.await_news(0);
        repetition.await_news(0);
        take(&mut repetition, 0, &[(0, 5)]);
        assert_eq!(repetition.news_us(), [None, Some(0)]);
    }
}
