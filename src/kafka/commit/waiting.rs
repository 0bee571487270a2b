//! Records that wait until they may be written.

use crate::engine::sink::Letter;
use crate::kafka::produce::deliveries::Loss;
use crate::kafka::produce::result_writer::Writer;
use kuu_core::counter::Emission;
use kuu_core::frame_batch::Times;

/// How many records may wait.
const MOST_RECORDS: usize = 1000;
/// How many bytes of values may wait.
const MOST_BYTES: usize = 1 << 20;

/// Something to write.
pub enum WaitingRecord {
    /// A result, what brought it about, and when it was emitted, in microseconds since the Unix epoch.
    Result(Emission, Option<Times>, i64),
    /// A value that no window counts, and why.
    DeadLetter(Letter, &'static str),
    /// The next frame of the ordered output.
    Ordered(Letter),
}

impl WaitingRecord {
    /// Size of the value, where it can be large.
    fn bytes(&self) -> usize {
        match self {
            WaitingRecord::Result(..) => 0,
            WaitingRecord::DeadLetter(letter, _) | WaitingRecord::Ordered(letter) => letter.value.len(),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the producer does not take it.
    pub fn write(self, writer: &mut Writer) -> Result<(), Loss> {
        match self {
            WaitingRecord::Result(result, cause, emitted_us) => writer.result(&result, cause, emitted_us),
            WaitingRecord::DeadLetter(letter, reason) => writer.dead_letter(&letter, reason),
            WaitingRecord::Ordered(letter) => writer.ordered(&letter),
        }
    }
}

/// Records in their order.
#[derive(Default)]
pub struct Waiting {
    records: Vec<WaitingRecord>,
    bytes: usize,
}

impl Waiting {
    /// Takes one more.
    pub fn push(&mut self, record: WaitingRecord) {
        self.bytes += record.bytes();
        self.records.push(record);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether no more should wait.
    pub fn is_full(&self) -> bool {
        self.records.len() >= MOST_RECORDS || self.bytes >= MOST_BYTES
    }

    /// Writes the first `count` of them.
    ///
    /// # Errors
    /// If the producer does not take one.
    pub fn write(&mut self, count: usize, writer: &mut Writer) -> Result<(), Loss> {
        let bytes: usize = self.records[..count].iter().map(WaitingRecord::bytes).sum();
        self.bytes -= bytes;
        self.records.drain(..count).try_for_each(|record| record.write(writer))
    }
}
