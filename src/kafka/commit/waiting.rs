//! Records that wait until they may be written.

use crate::engine::sink::Output;
use crate::kafka::produce::deliveries::Loss;
use crate::kafka::produce::result_writer::Writer;
use crate::system::clock::now_us;

/// How many records may wait.
const MOST_RECORDS: usize = 1000;
/// How many bytes of values may wait.
const MOST_BYTES: usize = 1 << 20;

/// Something to write.
struct WaitingRecord {
    output: Output,
    /// When a result was emitted, in microseconds since the Unix epoch; of others it is of no use.
    emitted_us: i64,
}

impl WaitingRecord {
    fn new(output: Output) -> WaitingRecord {
        let emitted_us = if matches!(output, Output::Result(..)) { now_us() } else { 0 };
        WaitingRecord { output, emitted_us }
    }

    /// Size of the value, where it can be large.
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

/// Records in their order.
#[derive(Default)]
pub struct Waiting {
    records: Vec<WaitingRecord>,
    bytes: usize,
}

impl Waiting {
    /// Takes one more.
    pub fn push(&mut self, output: Output) {
        let record = WaitingRecord::new(output);
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
