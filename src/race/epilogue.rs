//! Frames after the data, for engines that never end: a set for each of three later hours, then one more every second. Event
//! time ends at half of the retention: an engine that is not yet through with the data of one partition may go by the time
//! of another, and must not drop what it has not read.

use crate::kafka::admin::Cluster;
use crate::kafka::produce::fitting::sender_for;
use crate::kafka::produce::frame_sender::{Outgoing, Sender};
use crate::race::question::RaceWorkload;
use crate::race::setup::CellNames;
use crate::system::clock::steady_us;
use anyhow::Result;
use kuu_core::workload::{EPILOGUE_STEPS, epilogue_step};

/// How many sets there are: enough for an engine that takes 5,000 messages at once. With more, engines would not become idle.
const SETS: i64 = 12;
/// The time between further sets.
const EVERY_US: i64 = 1_000_000;

/// Sends the epilogue of a cell.
pub struct EpilogueSender<'a> {
    of: &'a RaceWorkload,
    sender: Sender,
    /// The sets that were sent.
    sets: i64,
    begun_us: i64,
}

impl<'a> EpilogueSender<'a> {
    /// Sends the first sets.
    ///
    /// # Errors
    /// If no producer can be made.
    pub fn begin(cluster: &Cluster, names: &CellNames, of: &'a RaceWorkload) -> Result<EpilogueSender<'a>> {
        let sender = sender_for(cluster, &names.input, of.workload.delivery.compression, &[])?;
        let mut epilogue = EpilogueSender { of, sender, sets: 0, begun_us: steady_us() };
        (0..EPILOGUE_STEPS).for_each(|_| epilogue.send());
        Ok(epilogue)
    }

    /// When the first set was sent.
    pub fn begun_us(&self) -> i64 {
        self.begun_us
    }

    /// Sends a further set, if it is time.
    pub fn tick(&mut self) {
        if self.sets < SETS && steady_us() >= self.begun_us + (self.sets - EPILOGUE_STEPS + 1) * EVERY_US {
            self.send();
        }
        self.sender.poll();
    }

    fn send(&mut self) {
        self.sets += 1;
        let step = self.of.question.epilogue_step();
        let most = (i64::from(self.of.workload.frames.retention) / 2 / step).max(EPILOGUE_STEPS);
        let ts = self.of.question.last() + self.sets.min(most) * step;
        let sender = &mut self.sender;
        epilogue_step(&self.of.workload.frames, ts, |partition, user, frame| {
            let message = Outgoing {
                key: Some(user),
                value: Some(frame.as_bytes()),
                block: None,
                partition: Some(partition.into()),
                headers: None,
                tag: 0,
            };
            sender.put(message);
        });
    }
}
