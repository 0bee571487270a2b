//! Records that wait for permission to be written.

use crate::engine::sink::Output;
use crate::kafka::produce::result_outcome::Loss;
use crate::kafka::produce::result_writer::Writer;
use crate::system::clock::now_us;

/// The largest number of records that may wait.
const MOST_RECORDS: usize = 1000;
/// The largest number of bytes of values that may wait.
const MOST_BYTES: usize = 1 << 20;

struct WaitingRecord {
    output: Output,
    /// When a result was emitted, in microseconds since the Unix epoch; unused for other records.
    emitted_us: i64,
}

impl WaitingRecord {
    fn new(output: Output) -> WaitingRecord {
        let emitted_us = if matches!(output, Output::Result(..)) { now_us() } else { 0 };
        WaitingRecord { output, emitted_us }
    }

    /// Size of the value in bytes, if it can be large.
    fn bytes(&self) -> usize {
        match &self.output {
            Output::Result(..) => 0,
            Output::DeadLetter(letter, _) | Output::Ordered(letter) => letter.value.len(),
        }
    }

    fn write(self, writer: &mut Writer) -> Result<(), Loss> {
        match self.output {
            Output::Result(result, cause) => writer.result(&result, cause, self.emitted_us),
            Output::DeadLetter(letter, reason) => writer.dead_letter(&letter, reason),
            Output::Ordered(letter) => writer.ordered(&letter),
        }
    }
}

/// The records in order.
#[derive(Default)]
pub struct Waiting {
    records: Vec<WaitingRecord>,
    bytes: usize,
}

impl Waiting {
    /// Adds a record.
    pub fn push(&mut self, output: Output) {
        let record = WaitingRecord::new(output);
        self.bytes += record.bytes();
        self.records.push(record);
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no record waits.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether no more records should wait.
    pub fn is_full(&self) -> bool {
        self.records.len() >= MOST_RECORDS || self.bytes >= MOST_BYTES
    }

    /// Writes the first `count` records.
    ///
    /// # Errors
    /// If the producer rejects a record.
    pub fn write(&mut self, count: usize, writer: &mut Writer) -> Result<(), Loss> {
        let bytes: usize = self.records[..count].iter().map(WaitingRecord::bytes).sum();
        self.bytes -= bytes;
        self.records.drain(..count).try_for_each(|record| record.write(writer))
    }
}
