//! A run of parsed values of one partition, compact enough to pass between threads.

use kuu_frame::{Frame, Malformed};

/// When one value was due, sent and read, in microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// When the load generator's schedule required it to be sent.
    pub due_us: Option<i64>,
    /// When it was sent.
    pub sent_us: Option<i64>,
    /// When it was read.
    pub arrived_us: i64,
}

struct Item {
    offset: i64,
    outcome: Result<i64, Malformed>,
    uid_end: usize,
}

/// Parsed values of one partition, in order of arrival. Clear and reuse it: it keeps its memory.
#[derive(Default)]
pub struct Frames {
    /// The partition of the values.
    pub partition: usize,
    /// Blank lines that were skipped.
    pub blank: u64,
    /// Bytes of the values, as read.
    pub read_bytes: u64,
    items: Vec<Item>,
    uids: String,
    values: Vec<u8>,
    value_ends: Vec<usize>,
    times: Vec<Times>,
}

/// One value of a [`Frames`].
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    /// Its offset in the partition, or its line number.
    pub offset: i64,
    /// The frame, or why the value is not one.
    pub outcome: Result<Frame<'a>, Malformed>,
    /// The original bytes, if the reader keeps them.
    pub bytes: Option<&'a [u8]>,
    /// The times, if the reader records them.
    pub times: Option<Times>,
}

impl Frames {
    /// Clears the run, for values of `partition`.
    pub fn restart(&mut self, partition: usize) {
        self.partition = partition;
        self.blank = 0;
        self.read_bytes = 0;
        self.items.clear();
        self.uids.clear();
        self.values.clear();
        self.value_ends.clear();
        self.times.clear();
    }

    /// Appends a value.
    #[inline]
    pub fn push(&mut self, offset: i64, outcome: Result<Frame<'_>, Malformed>) {
        let outcome = outcome.map(|frame| {
            self.uids.push_str(frame.uid);
            frame.ts
        });
        self.items.push(Item { offset, outcome, uid_end: self.uids.len() });
    }

    /// Keeps the original bytes of the last value; call it for every value of a run or for none.
    pub fn keep(&mut self, bytes: &[u8]) {
        self.values.extend_from_slice(bytes);
        self.value_ends.push(self.values.len());
    }

    /// Keeps the times of the last value; call it for every value of a run or for none.
    pub fn time(&mut self, times: Times) {
        self.times.push(times);
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether the run has no values.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes of memory that the values take, to bound a run.
    pub fn bytes(&self) -> usize {
        self.items.len() * size_of::<Item>() + self.uids.len() + self.values.len()
    }

    /// The values in order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = Value<'_>> {
        let mut uid_start = 0;
        let mut value_start = 0;
        self.items.iter().enumerate().map(move |(i, item)| {
            let uid = &self.uids[uid_start..item.uid_end];
            uid_start = item.uid_end;
            let bytes = self.value_ends.get(i).map(|end| {
                let bytes = &self.values[value_start..*end];
                value_start = *end;
                bytes
            });
            Value {
                offset: item.offset,
                outcome: item.outcome.map(|ts| Frame { uid, ts }),
                bytes,
                times: self.times.get(i).copied(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_pushed() {
        let mut frames = Frames::default();
        for _ in 0..2 {
            frames.restart(3);
            frames.push(7, Ok(Frame { uid: "ab", ts: 5 }));
            frames.keep(b"first");
            frames.push(9, Err(Malformed::NotJson));
            frames.keep(b"");
            frames.push(10, Ok(Frame { uid: "c", ts: 6 }));
            frames.keep(b"third");
        }
        let got: Vec<_> = frames.iter().map(|value| (value.offset, value.outcome, value.bytes)).collect();
        assert_eq!(
            got,
            [
                (7, Ok(Frame { uid: "ab", ts: 5 }), Some(&b"first"[..])),
                (9, Err(Malformed::NotJson), Some(&b""[..])),
                (10, Ok(Frame { uid: "c", ts: 6 }), Some(&b"third"[..])),
            ]
        );
        assert_eq!((frames.partition, frames.len()), (3, 3));
    }
}
