//! Delivers the frames of a workload to a topic.

use crate::engine::schedule::{LoadPace, Schedule, wait_until};
use crate::engine::stop::Stop;
use crate::input::is_blank;
use crate::input::several::{self, Reading};
use crate::kafka::headers::{DUE_HEADER, SENT_HEADER, with_us};
use crate::kafka::produce::frame_sender::{Outgoing, Sender};
use crate::system::clock::steady_us;
use anyhow::Result;
use kuu_core::workload::{GeneratedBlock, Generator, Key, Meant, Share, Transactions, Workload, epilogue};
use kuu_frame::{FrameFormat, Member, Root, fast::FastParser};
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

/// Something that happens in a share of the cases, evenly spread.
#[derive(Default)]
struct Now {
    share: f64,
    due: f64,
}

impl Now {
    fn new(share: Option<Share>) -> Now {
        Now { share: share.map_or(0.0, f64::from), due: 0.0 }
    }

    fn happens(&mut self) -> bool {
        self.due += self.share;
        let happens = self.due >= 1.0;
        self.due -= f64::from(u8::from(happens));
        happens
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
    sender: &'a mut Sender,
    parser: FastParser,
    tombstone: Now,
    abort: Now,
    /// When the frames of the data are due, if they have a rate.
    schedule: Option<Schedule>,
    /// How long to wait for the end of a transaction.
    patience: Duration,
    /// Frames in the open transaction.
    open: u32,
    /// When the frame is due that is sent next, if the delivery has a rate.
    due: Option<i64>,
    /// The latest time of a frame that is plausible.
    last: i64,
    sent: Sent,
}

impl<'a> Delivery<'a> {
    /// A delivery by this sender, which has a transactional id if the workload has transactions, at this rate in frames
    /// per second.
    pub fn new(workload: &'a Workload, sender: &'a mut Sender, rate: Option<f64>, patience: Duration) -> Delivery<'a> {
        let delivery = &workload.delivery;
        Delivery {
            tombstone: Now::new(delivery.tombstones),
            abort: Now::new(delivery.transactions.map(|transactions| transactions.abort)),
            schedule: rate.map(LoadPace::Rate).map(Schedule::new),
            parser: FastParser::new(&FrameFormat::default()),
            open: 0,
            due: None,
            last: workload.frames.start,
            sent: Sent::default(),
            workload,
            sender,
            patience,
        }
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
                self.last = self.last.max(line.plausible_ts().unwrap_or(self.last));
                if !self.wait(stop) {
                    return self.end();
                }
                self.frame(line.bytes, Some(line.partition))?;
            }
            tell(self.sent.messages());
        }
        if self.workload.epilogue {
            self.epilogue()?;
        }
        self.end()
    }

    /// Sends all frames of a file, as [`Delivery::made`] does.
    ///
    /// # Errors
    /// If a transaction fails, or the file cannot be read to its end.
    pub fn of_file(mut self, name: &str, stop: &Stop, tell: impl Fn(u64)) -> Result<(Delivered, Reading)> {
        self.begin()?;
        let mut failed = None;
        let mut reading = several::read(
            &[name.to_owned()],
            None,
            stop,
            |_| {},
            |_, block| {
                for (_, line) in block.lines().filter(|(_, line)| !is_blank(line)) {
                    if !self.wait(stop) {
                        return false;
                    }
                    // With a key, the partition is that of the key.
                    let partitions = u64::from(self.workload.frames.partitions);
                    let turn = (self.sent.frames % partitions) as u16;
                    let partition = (self.workload.delivery.key == Key::None).then_some(turn);
                    if let Err(error) = self.frame(line, partition) {
                        failed = Some(error);
                        return false;
                    }
                }
                tell(self.sent.messages());
                true
            },
        );
        match (failed, reading.error.take()) {
            (Some(error), _) => Err(error),
            (None, Some(error)) => Err(error.into()),
            (None, None) => Ok((self.end()?, reading)),
        }
    }

    fn begin(&self) -> Result<()> {
        match self.workload.delivery.transactions {
            Some(_) => self.sender.init_transactions(self.patience),
            None => Ok(()),
        }
    }

    /// Waits until the next frame is due; false if it is not sent, because of an interrupt.
    fn wait(&mut self, stop: &Stop) -> bool {
        if stop.interrupted() {
            return false;
        }
        let Delivery { schedule, sender, due, .. } = self;
        *due = schedule.as_mut().map(|schedule| schedule.due(None));
        due.is_none_or(|due| wait_until(due, stop, || sender.poll()))
    }

    fn frame(&mut self, bytes: &[u8], partition: Option<u16>) -> Result<()> {
        // What is sent beside the frames has no schedule.
        let due = self.due.take();
        if let Some(transactions) = self.workload.delivery.transactions {
            self.transaction(transactions, partition)?;
        }
        if self.tombstone.happens() {
            self.put(Some("nobody"), None, partition);
            self.sent.tombstones += 1;
        }
        self.due = due;
        let root = self.parser.root(bytes).ok();
        if let (Some(Member::Good(ts)), true) = (root.map(|root| root.ts), self.workload.file.is_some()) {
            self.last = ts;
        }
        let key = root.and_then(Root::key).map(str::to_owned);
        self.put(key.as_deref(), Some(bytes), partition);
        self.sent.frames += 1;
        self.sent.frame_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Begins a transaction where one is due, and before some of them another one that is aborted.
    fn transaction(&mut self, Transactions { frames, .. }: Transactions, partition: Option<u16>) -> Result<()> {
        if self.open > 0 && self.open < frames {
            self.open += 1;
            return Ok(());
        }
        if self.open > 0 {
            self.sender.end(true, self.patience)?;
        }
        if self.abort.happens() {
            self.sender.begin()?;
            for _ in 0..frames {
                let user = format!("aborted-{}", self.sent.aborted);
                let frame = format!(r#"{{"uid":"{user}","ts":{}}}"#, self.last);
                self.put(Some(&user), Some(frame.as_bytes()), partition);
                self.sent.aborted += 1;
            }
            self.sender.end(false, self.patience)?;
        }
        self.sender.begin()?;
        self.open = 1;
        Ok(())
    }

    fn epilogue(&mut self) -> Result<()> {
        if self.workload.delivery.transactions.is_some() && self.open == 0 {
            self.sender.begin()?;
            self.open = 1;
        }
        let (spec, last) = (&self.workload.frames, self.last);
        epilogue(spec, last, |partition, user, frame| {
            self.put(Some(user), Some(frame.as_bytes()), Some(partition));
            self.sent.epilogue += 1;
        });
        Ok(())
    }

    fn put(&mut self, key: Option<&str>, value: Option<&[u8]>, partition: Option<u16>) {
        let delivery = &self.workload.delivery;
        let key = key.filter(|_| delivery.key == Key::User);
        let mut headers = delivery.headers.then(|| {
            let number = self.sent.messages().to_string();
            let headers = OwnedHeaders::new().insert(Header { key: "number", value: Some(&number) });
            headers.insert(Header { key: "nothing", value: None::<&str> })
        });
        let now = steady_us();
        if let Some(due) = self.due.take() {
            let before = headers.unwrap_or_else(|| OwnedHeaders::new_with_capacity(2));
            headers = Some(with_us(with_us(before, DUE_HEADER, due), SENT_HEADER, now));
            if let Some(schedule) = &mut self.schedule {
                schedule.sent(due, now);
            }
        }
        let (partition, tag) = (partition.map(i32::from), self.sent.messages() as usize);
        self.sender.put(Outgoing { key, value, partition, headers, tag });
    }

    fn end(self) -> Result<Delivered> {
        if self.open > 0 {
            self.sender.end(true, self.patience)?;
        }
        Ok(Delivered { sent: self.sent, schedule: self.schedule })
    }
}
