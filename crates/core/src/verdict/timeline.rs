//! When the rows of an output topic became right: each message is folded as it arrives.

use crate::result::Count;
use crate::scorecard::RowCounts;
use crate::verdict::debezium;
use crate::verdict::fold::{Fold, Message};
use crate::verdict::repetition::Repetition;
use crate::window::Window;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// When a window was answered. Times are microseconds of the clock of [`Timeline::take`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowTimes {
    /// Its first row.
    pub first_us: Option<i64>,
    /// The row since which its answer is acceptable; none if it is not now.
    pub right_us: Option<i64>,
}

/// The rows of an output topic in the order in which they arrive, beside the users that are acceptable.
pub struct Timeline {
    fold: Fold,
    /// Whether messages are change events of Debezium.
    has_events: bool,
    /// The users that each window may have; one that may have none may be missing.
    expected: BTreeMap<Window, RangeInclusive<u64>>,
    /// Windows of frames that follow the data: they are not judged.
    is_epilogue: Box<dyn Fn(Window) -> bool + Send>,
    times: BTreeMap<Window, WindowTimes>,
    /// The answer of each window that had one.
    answers: BTreeMap<Window, Count>,
    /// Windows that are not acceptable now: missing, extra or different.
    wrong: BTreeSet<Window>,
    right_us: Option<i64>,
    changed_us: Option<i64>,
    counts: RowCounts,
    repetition: Repetition,
}

impl Timeline {
    /// A timeline without a message. The fold is empty.
    pub fn new(
        fold: Fold,
        expected: BTreeMap<Window, RangeInclusive<u64>>,
        is_epilogue: impl Fn(Window) -> bool + Send + 'static,
    ) -> Timeline {
        Timeline {
            fold,
            has_events: false,
            wrong: expected.iter().filter(|(_, users)| !users.contains(&0)).map(|(window, _)| *window).collect(),
            expected,
            is_epilogue: Box::new(is_epilogue),
            times: BTreeMap::new(),
            answers: BTreeMap::new(),
            right_us: None,
            changed_us: None,
            counts: RowCounts::default(),
            repetition: Repetition::default(),
        }
    }

    /// The same timeline, of change events of Debezium with rows in them.
    #[must_use]
    pub fn of_events(self) -> Timeline {
        Timeline { has_events: true, ..self }
    }

    /// Takes the next message of its partition, which arrived at this time.
    pub fn take(&mut self, arrived_us: i64, message: &Message<'_>) {
        self.repetition.hear(message.offset);
        let mut key = String::new();
        let opened =
            if self.has_events { debezium::opened(self.fold.format(), message, &mut key) } else { Some(*message) };
        if let Some(message) = opened {
            self.take_row(arrived_us, &message);
        }
    }

    fn take_row(&mut self, arrived_us: i64, message: &Message<'_>) {
        self.counts.retractions += u64::from(message.value.is_none());
        let Some(window) = self.fold.take(message) else {
            self.counts.unreadable += u64::from(message.value.is_some());
            return;
        };
        if (self.is_epilogue)(window) {
            self.counts.epilogue += 1;
            return;
        }
        self.counts.judged += u64::from(message.value.is_some());
        let answer = self.fold.answer(window);
        if let (Some(count), Some(_)) = (answer, message.value) {
            self.repetition.take(arrived_us, message.offset, window, count);
        }
        let before = answer.and_then(|count| self.answers.insert(window, count));
        if answer.is_none() || before != answer {
            self.changed_us = Some(arrived_us);
        }
        self.counts.repeats += u64::from(before.is_some() && before == answer && message.value.is_some());
        let is_right = match self.expected.get(&window) {
            Some(expected) => expected.contains(&answer.map_or(0, |count| count.users)),
            None => answer.is_none(),
        };
        let times = self.times.entry(window).or_default();
        times.first_us.get_or_insert(arrived_us);
        times.right_us = if is_right { times.right_us.or(Some(arrived_us)) } else { None };
        if is_right {
            self.wrong.remove(&window);
        } else {
            self.wrong.insert(window);
        }
        self.right_us = if self.wrong.is_empty() { self.right_us.or(Some(arrived_us)) } else { None };
    }

    /// Since when all windows are acceptable, if they are now.
    pub fn right_us(&self) -> Option<i64> {
        self.right_us
    }

    /// When the first row of a window that is judged arrived.
    pub fn first_us(&self) -> Option<i64> {
        self.times.values().filter_map(|times| times.first_us).min()
    }

    /// When the last message that changed the answer of a window that is judged arrived. Some engines send the same rows
    /// again and again.
    pub fn changed_us(&self) -> Option<i64> {
        self.changed_us
    }

    /// Number of windows that are missing, extra or different now.
    pub fn wrong(&self) -> usize {
        self.wrong.len()
    }

    /// Waits for the first row from this offset on that is news: its window has had no row with as many users. An earlier
    /// wait ends.
    pub fn await_news(&mut self, from: i64) {
        self.repetition.await_news(from);
    }

    /// For each call of [`Timeline::await_news`], when the news arrived; none if it did not before the next call.
    pub fn news_us(&self) -> Vec<Option<i64>> {
        self.repetition.news_us()
    }

    /// Whether no message has come since the last call of [`Timeline::await_news`]; false if there was none.
    pub fn is_silent(&self) -> bool {
        self.repetition.is_silent()
    }

    /// Windows of which a row came again.
    pub fn repeated_windows(&self) -> u64 {
        self.repetition.windows()
    }

    /// Rows that are the first answer of their window again.
    pub fn repeated_firsts(&self) -> u64 {
        self.repetition.firsts()
    }

    /// Number of windows that are missing now, or have fewer users than are acceptable.
    pub fn lost(&self) -> u64 {
        let users = |window: &Window| self.fold.answer(*window).map_or(0, |count| count.users);
        self.expected.iter().filter(|(window, expected)| users(window) < *expected.start()).count() as u64
    }

    /// The windows that had a row, and when.
    pub fn times(&self) -> &BTreeMap<Window, WindowTimes> {
        &self.times
    }

    /// What was seen so far, without the messages of aborted transactions.
    pub fn counts(&self) -> &RowCounts {
        &self.counts
    }

    /// The fold of all messages.
    pub fn into_fold(self) -> Fold {
        self.fold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Repeats;
    use crate::window::Unit;

    fn row(start: i64, users: u64) -> String {
        format!(r#"{{"start":{start},"users":{users}}}"#)
    }

    /// A timeline of two windows, after these messages, each a second after the one before.
    fn after(values: &[Option<&str>]) -> Timeline {
        let expected = [(0, 2..=2), (60, 3..=5)].map(|(start, users)| (Unit::Minute.window(start), users));
        let fold = Fold::new(Repeats::Allowed, None);
        let mut timeline = Timeline::new(fold, expected.into(), |window| window.start >= 3_600);
        for (offset, value) in (0..).zip(values) {
            let key: &[u8] = if value.is_none() { b"minute:60" } else { b"" };
            let value = value.map(str::as_bytes);
            timeline.take(offset * 1_000_000, &Message { partition: 0, offset, key, value });
        }
        timeline
    }

    #[test]
    fn it_is_right_from_the_last_row_that_was_needed() {
        let (first, second, more) = (row(0, 2), row(60, 3), row(60, 5));
        let timeline = after(&[Some(&first), Some(&second), Some(&more), Some(&row(3_600, 9))]);
        assert_eq!((timeline.right_us(), timeline.changed_us()), (Some(1_000_000), Some(2_000_000)));
        assert_eq!(timeline.first_us(), Some(0));
        let times = WindowTimes { first_us: Some(1_000_000), right_us: Some(1_000_000) };
        assert_eq!(timeline.times()[&Unit::Minute.window(60)], times);
        assert_eq!(*timeline.counts(), RowCounts { judged: 3, epilogue: 1, ..RowCounts::default() });
    }

    #[test]
    fn what_is_right_can_become_wrong_and_right_again() {
        let (first, second, garbage, none) = (row(0, 2), row(60, 3), row(60, 6), row(120, 1));
        let right = [Some(first.as_str()), Some(&second)];
        for (then, wrong) in [(Some(garbage.as_str()), 1), (Some(&none), 1), (None, 1), (Some("rubbish"), 0)] {
            let messages = [&right[..], &[then]].concat();
            let timeline = after(&messages);
            assert_eq!(timeline.wrong(), wrong, "{then:?}");
            assert_eq!(timeline.right_us(), (wrong == 0).then_some(1_000_000), "{then:?}");
        }
        let timeline = after(&[&right[..], &[Some(&garbage), Some(&second), Some("rubbish"), None]].concat());
        assert_eq!((timeline.right_us(), timeline.wrong()), (None, 1));
        let counts = RowCounts { judged: 4, retractions: 1, unreadable: 1, ..RowCounts::default() };
        assert_eq!(*timeline.counts(), counts);
        let timeline = after(&[&right[..], &[Some(&garbage), Some(&second), Some(&second)]].concat());
        assert_eq!((timeline.right_us(), timeline.changed_us()), (Some(3_000_000), Some(3_000_000)));
        assert_eq!(*timeline.counts(), RowCounts { judged: 5, repeats: 1, ..RowCounts::default() });
    }

    #[test]
    fn what_is_lost_and_what_comes_again() {
        let (first, few, enough, more) = (row(0, 2), row(60, 2), row(60, 3), row(60, 6));
        let counts = |messages: &[Option<&str>]| {
            let timeline = after(messages);
            (timeline.lost(), timeline.repeated_windows(), timeline.repeated_firsts())
        };
        assert_eq!(counts(&[]), (2, 0, 0));
        assert_eq!(counts(&[Some(&first), Some(&few)]), (1, 0, 0));
        assert_eq!(counts(&[Some(&first), Some(&enough), Some(&first)]), (0, 1, 1));
        // Too many are wrong, and not lost; a row that is withdrawn is.
        assert_eq!(counts(&[Some(&first), Some(&few), Some(&more), Some(&few)]), (1, 1, 1));
        assert_eq!(counts(&[Some(&first), Some(&more)]), (0, 0, 0));
        assert_eq!(counts(&[Some(&first), Some(&row(3_600, 9)), Some(&row(3_600, 9))]), (1, 0, 0));
    }

    #[test]
    fn events_of_debezium() {
        let (first, few, enough) = (row(0, 2), row(60, 2), row(60, 3));
        let event =
            |op: &str, before: &str, after: &str| format!(r#"{{"op":"{op}","before":{before},"after":{after}}}"#);
        let writes = [event("c", "null", &first), event("c", "null", &few), event("u", &few, &enough)];
        let withdrawn = [&writes[..], &[event("d", &enough, "null")]].concat();
        let again = [&withdrawn[..], &[event("c", "null", &enough)]].concat();
        for (events, right_us, wrong, retractions) in
            [(&writes[..], Some(2_000_000), 0, 0), (&withdrawn, None, 1, 1), (&again, Some(4_000_000), 0, 1)]
        {
            let mut timeline = after(&[]).of_events();
            for (offset, text) in (0..).zip(events) {
                let message = Message { partition: 0, offset, key: b"k", value: Some(text.as_bytes()) };
                timeline.take(offset * 1_000_000, &message);
            }
            // What tells Kafka to forget a key is no row.
            timeline.take(9_000_000, &Message { partition: 0, offset: 9, key: b"k", value: None });
            assert_eq!((timeline.right_us(), timeline.wrong()), (right_us, wrong));
            assert_eq!((timeline.counts().retractions, timeline.counts().unreadable), (retractions, 0));
        }
    }

    #[test]
    fn news_is_awaited() {
        let mut timeline = after(&[Some(&row(0, 2))]);
        timeline.await_news(1);
        for (offset, text) in [(1, row(0, 2)), (2, row(3_600, 9)), (3, row(60, 3))] {
            let message = Message { partition: 0, offset, key: b"", value: Some(text.as_bytes()) };
            timeline.take(offset * 10, &message);
        }
        // Not the repeat, and not the epilogue: nothing shows that the data go on.
        assert_eq!(timeline.news_us(), [Some(30)]);
    }
}
