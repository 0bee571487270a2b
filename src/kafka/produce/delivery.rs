//! Delivers the frames of a workload to a topic.

use crate::engine::schedule::{Hold, LoadPace, Schedule};
use crate::engine::stop::Stop;
use crate::input::is_blank;
use crate::input::several::{self, Reading};
use crate::kafka::headers::{DUE_HEADER, SENT_HEADER, with_us};
use crate::kafka::produce::frame_sender::{Outgoing, Sender};
use crate::system::clock::steady_us;
use anyhow::Result;
use kuu_core::workload::{
    DeliveryPlan, DeliveryStep, GeneratedBlock, Generator, Meant, Messages, Role, TopicMessage, Workload,
};
use rdkafka::message::{Header, OwnedHeaders};
use std::time::Duration;

/// What was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Lines of the data that are not blank.
    pub frames: u64,
    /// Their bytes.
    pub frame_bytes: u64,
    /// Messages without a value.
    pub tombstones: u64,
    /// Frames of aborted transactions.
    pub aborted: u64,
    /// Frames of the epilogue.
    pub epilogue: u64,
}

impl Sent {
    /// Messages in all.
    pub fn messages(&self) -> u64 {
        self.frames + self.tombstones + self.aborted + self.epilogue
    }
}

/// What was sent, and how the schedule was held, if there was one.
pub struct Delivered {
    pub sent: Sent,
    pub schedule: Option<Schedule>,
}

/// One delivery of a workload.
pub struct Delivery<'a> {
    workload: &'a Workload,
    messages: Messages<'a>,
    sending: Sending<'a>,
}

/// How messages are sent, and what was sent.
struct Sending<'a> {
    plan: &'a DeliveryPlan,
    sender: &'a mut Sender,
    /// When the frames of the data are due, if they have a rate.
    schedule: Option<Schedule>,
    /// Puts the schedule off.
    hold: Hold,
    /// How long to wait for the end of a transaction.
    patience: Duration,
    /// When the next frame of the data is due, if the delivery has a rate.
    due: Option<i64>,
    sent: Sent,
}

impl<'a> Delivery<'a> {
    /// A delivery by this sender, which has a transactional id if the workload has transactions, at this rate in frames
    /// per second.
    pub fn new(workload: &'a Workload, sender: &'a mut Sender, rate: Option<f64>, patience: Duration) -> Delivery<'a> {
        let schedule = rate.map(LoadPace::Rate).map(Schedule::new);
        let hold = Hold::default();
        let sending =
            Sending { plan: &workload.delivery, sender, schedule, hold, patience, due: None, sent: Sent::default() };
        Delivery { workload, messages: Messages::new(workload), sending }
    }

    /// The same delivery, whose schedule this puts off.
    pub fn held_by(mut self, hold: Hold) -> Delivery<'a> {
        self.sending.hold = hold;
        self
    }

    /// Sends all frames that the generator makes, and the epilogue; `tell` gets the number of messages so far. Ends early
    /// if `stop` is interrupted.
    ///
    /// # Errors
    /// If a transaction fails.
    pub fn made(mut self, generator: &Generator, stop: &Stop, tell: impl Fn(u64)) -> Result<Delivered> {
        self.begin()?;
        let mut block = GeneratedBlock::default();
        for number in 0..generator.blocks() {
            generator.fill(number, &mut block);
            for line in block.lines().filter(|line| line.meant != Meant::Blank) {
                if !self.sending.wait(stop) {
                    return self.break_off();
                }
                self.messages.made_line(&line, |step| self.sending.step(step))?;
            }
            tell(self.sending.sent.messages());
        }
        self.end()
    }

    /// Sends all frames of a file, as [`Delivery::made`] does.
    ///
    /// # Errors
    /// If a transaction fails, or the file cannot be read to its end.
    pub fn of_file(mut self, name: &str, stop: &Stop, tell: impl Fn(u64)) -> Result<(Delivered, Reading)> {
        self.begin()?;
        let (mut failed, mut is_whole) = (None, true);
        let mut reading = several::read(
            &[name.to_owned()],
            self.workload.part.frames,
            stop,
            |_| {},
            |_, block| {
                for (_, line) in block.lines().filter(|(_, line)| !is_blank(line)) {
                    is_whole = self.sending.wait(stop);
                    if !is_whole {
                        return false;
                    }
                    if let Err(error) = self.messages.file_line(line, |step| self.sending.step(step)) {
                        failed = Some(error);
                        return false;
                    }
                }
                tell(self.sending.sent.messages());
                true
            },
        );
        match (failed, reading.error.take()) {
            (Some(error), _) => Err(error),
            (None, Some(error)) => Err(error.into()),
            (None, None) if is_whole => Ok((self.end()?, reading)),
            (None, None) => Ok((self.break_off()?, reading)),
        }
    }

    fn begin(&self) -> Result<()> {
        match self.workload.delivery.transactions {
            Some(_) => self.sending.sender.init_transactions(self.sending.patience),
            None => Ok(()),
        }
    }

    fn end(mut self) -> Result<Delivered> {
        self.messages.end(|step| self.sending.step(step))?;
        Ok(self.sending.done())
    }

    fn break_off(mut self) -> Result<Delivered> {
        self.messages.close(|step| self.sending.step(step))?;
        Ok(self.sending.done())
    }
}

impl Sending<'_> {
    /// Waits until the next frame is due; false if it is not sent, because of an interrupt.
    fn wait(&mut self, stop: &Stop) -> bool {
        if stop.interrupted() {
            return false;
        }
        let Sending { schedule, hold, sender, due, .. } = self;
        let Some(schedule) = schedule else { return true };
        *due = hold.wait_until(schedule.due(None), stop, || sender.poll());
        due.is_some()
    }

    fn step(&mut self, step: DeliveryStep<'_>) -> Result<()> {
        match step {
            DeliveryStep::Begin => self.sender.begin(),
            DeliveryStep::Commit => self.sender.end(true, self.patience),
            DeliveryStep::Abort => self.sender.end(false, self.patience),
            DeliveryStep::Send(message) => {
                self.put(&message);
                Ok(())
            }
        }
    }

    fn put(&mut self, message: &TopicMessage<'_>) {
        let TopicMessage { role, partition, key, value } = *message;
        let mut headers = self.plan.headers.then(|| {
            let number = self.sent.messages().to_string();
            let headers = OwnedHeaders::new().insert(Header { key: "number", value: Some(&number) });
            headers.insert(Header { key: "nothing", value: None::<&str> })
        });
        let now = steady_us();
        // What is sent beside the data has no schedule.
        let due = if matches!(role, Role::Data { .. }) { self.due.take() } else { None };
        if let Some(due) = due {
            let before = headers.unwrap_or_else(|| OwnedHeaders::new_with_capacity(2));
            headers = Some(with_us(with_us(before, DUE_HEADER, due), SENT_HEADER, now));
            if let Some(schedule) = &mut self.schedule {
                schedule.sent(due, now);
            }
        }
        let tag = self.sent.messages() as usize;
        self.sender.put(Outgoing { key, value, block: None, partition: Some(partition.into()), headers, tag });
        match role {
            Role::Data { .. } => {
                self.sent.frames += 1;
                self.sent.frame_bytes += value.map_or(0, <[u8]>::len) as u64;
            }
            Role::Tombstone => self.sent.tombstones += 1,
            Role::Aborted => self.sent.aborted += 1,
            Role::Epilogue => self.sent.epilogue += 1,
        }
    }

    fn done(self) -> Delivered {
        Delivered { sent: self.sent, schedule: self.schedule }
    }
}
