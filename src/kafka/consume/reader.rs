//! Reader threads: they read and parse the messages of their partitions, in the order of each partition.

use crate::engine::queue::{Event, Feed};
use crate::engine::stop::Stop;
use crate::kafka::admin::Range;
use crate::kafka::client::background_close::Aside;
use crate::kafka::client::context::Context;
use crate::kafka::client::settings::{READING, Settings, queue_kbytes, queue_messages, unusable};
use crate::kafka::consume::listener::{Failure, Heard, Listener};
use crate::kafka::headers::{DUE_HEADER, SENT_HEADER, decode_us};
use crate::kafka::positions::position;
use crate::kafka::topics::identity::Identity;
use crate::system::clock::steady_us;
use crate::system::fault::planted;
use anyhow::{Context as _, Result, anyhow};
use kuu_core::frame_batch::{Frames, Times};
use kuu_frame::{Parser, ParserOptions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;

/// A run of frames is handed over when it has this many bytes...
const RUN_BYTES: usize = 32 * 1024;
/// ...or values of this many bytes, if they are kept; and always when the consumer's queue is empty.
const RUN_VALUE_BYTES: usize = 1024 * 1024;
/// How long a broker may be away before a reader gives up.
const PATIENCE: Duration = Duration::from_secs(300);

/// The options of all readers of a topic.
#[derive(Clone, Debug)]
pub struct ReaderOptions {
    /// The topic.
    pub topic: String,
    /// Number of consumers, each with a thread and a share of the partitions.
    pub threads: usize,
    /// The parser of the frames.
    pub parser: ParserOptions,
    /// Whether the original bytes are kept.
    pub keep_values: bool,
    /// Whether the reader continues at the end, and records the times of each frame.
    pub follow: bool,
}

/// The consumer of one of `threads` readers.
///
/// # Errors
/// If librdkafka rejects the configuration.
pub fn consumer(settings: &Settings, follow: bool, threads: usize, partitions: usize) -> Result<BaseConsumer<Context>> {
    let live = [("enable.partition.eof", "true"), ("statistics.interval.ms", "1000")];
    let (queue, messages) = (queue_kbytes(threads), queue_messages(partitions));
    let own = [
        ("group.id", "kuu-reader"),
        ("queued.max.messages.kbytes", queue.as_str()),
        ("queued.min.messages", messages.as_str()),
    ];
    let ours = [&READING[..], &own, if follow { &live[..] } else { &[] }].concat();
    settings.client(&ours).create_with_context(Context::default()).map_err(unusable)
}

/// A partition that a reader is assigned.
pub struct Assigned {
    partition: usize,
    low: i64,
    /// The end offset; it moves up when a run without an end is told to finish.
    high: i64,
    ended: bool,
}

impl Assigned {
    /// A partition that is read from the low end of `range`, and to its high end unless the reader follows.
    pub fn new(partition: usize, range: Range) -> Assigned {
        Assigned { partition, low: range.low, high: range.high, ended: false }
    }
}

/// Reads some partitions of a topic.
pub struct Reader {
    /// The consumer of this reader.
    pub consumer: BaseConsumer<Context>,
    /// The partitions of this reader.
    pub shares: Vec<Assigned>,
    /// The timeout of requests.
    pub timeout: Duration,
    /// The options of all readers.
    pub options: ReaderOptions,
    /// The topics at the start of the count.
    pub identity: Identity,
    /// The queue to the counter.
    pub feed: Feed,
    /// Stops the reader.
    pub stop: Stop,
}

impl Reader {
    /// Reads until all partitions have ended, and sends an error to the feed.
    pub fn run(mut self) {
        if let Err(error) = self.read() {
            self.feed.send(Event::Failed(error));
        }
        // The counter waits until this thread drops the feed; closing the consumer takes up to 100 ms.
        let Reader { feed, consumer, .. } = self;
        drop(feed);
        drop(Aside::new(consumer));
    }

    fn read(&mut self) -> Result<()> {
        let mut bounded = self.begin()?;
        let mut parser = Parser::new(&self.options.parser);
        let mut run = Frames::default();
        let mut listener = Listener::new(PATIENCE);
        while !self.stop.interrupted() && !self.feed.is_closed() && self.shares.iter().any(|share| !share.ended) {
            let heard = listener.next(&self.consumer, || idle(&mut self.feed, &mut run));
            match heard.or_else(|failure| self.fail(failure))? {
                Heard::Message(message) => {
                    self.feed.set_busy();
                    let partition = message.partition() as usize;
                    if partition != run.partition || run.bytes() >= self.run_bytes() {
                        self.hand_over(&mut run);
                        // A full queue may have blocked this thread for a long time.
                        listener.hears();
                        run.restart(partition);
                    }
                    self.take(&message, &mut parser, &mut run);
                    let next = message.offset() + 1;
                    drop(message);
                    if bounded && self.share(partition).is_some_and(|share| next >= share.high && !share.ended) {
                        self.hand_over(&mut run);
                        self.end(partition)?;
                    }
                }
                Heard::PartitionEnd(partition) => {
                    self.hand_over(&mut run);
                    let at = position(&self.positions()?, &self.options.topic, partition);
                    let low = self.share(partition).map_or(-1, |share| share.low);
                    self.feed.send(Event::CaughtUp(partition, at.max(low)));
                }
                Heard::Nothing => {}
            }
            if listener.waited() && self.stop.finishing() && !bounded {
                self.refresh_ends()?;
                bounded = true;
            }
            if bounded && listener.is_dry() {
                self.end_reached(&mut run)?;
                listener.expect_news(&self.consumer).or_else(|failure| self.fail(failure))?;
            }
        }
        self.hand_over(&mut run);
        Ok(())
    }

    /// Assigns the partitions; returns whether they have fixed ends.
    fn begin(&mut self) -> Result<bool> {
        self.assign()?;
        let bounded = !self.options.follow;
        if bounded {
            self.end_where(|share| share.low >= share.high)?;
        }
        Ok(bounded)
    }

    /// Ends the partitions whose position is at their end: transaction markers have offsets, but the reader gets no
    /// message for them.
    fn end_reached(&mut self, run: &mut Frames) -> Result<()> {
        let positions = self.positions()?;
        self.hand_over(run);
        let topic = self.options.topic.clone();
        self.end_where(|share| !share.ended && position(&positions, &topic, share.partition) >= share.high)
    }

    fn run_bytes(&self) -> usize {
        if self.options.keep_values { RUN_VALUE_BYTES } else { RUN_BYTES }
    }

    fn assign(&self) -> Result<()> {
        let mut list = TopicPartitionList::new();
        for share in &self.shares {
            // An absolute offset: "beginning" needs a look-up, which is retried only after 500 ms.
            list.add_partition_offset(&self.options.topic, share.partition as i32, Offset::Offset(share.low))?;
        }
        self.consumer.assign(&list).context("the partitions cannot be assigned")
    }

    fn take(&self, message: &BorrowedMessage<'_>, parser: &mut Parser, run: &mut Frames) {
        let value = message.payload().unwrap_or_default();
        run.push(message.offset(), parser.parse(value));
        run.read_bytes += value.len() as u64;
        if self.options.keep_values {
            run.keep(value);
        }
        if self.options.follow {
            run.time(times(message));
        }
    }

    fn share(&mut self, partition: usize) -> Option<&mut Assigned> {
        self.shares.iter_mut().find(|share| share.partition == partition)
    }

    fn end_where(&mut self, at_end: impl Fn(&Assigned) -> bool) -> Result<()> {
        let ended: Vec<usize> = self.shares.iter().filter(|share| at_end(share)).map(|share| share.partition).collect();
        ended.into_iter().try_for_each(|partition| self.end(partition))
    }

    /// Reports the end of a partition, and stops fetching messages after it.
    fn end(&mut self, partition: usize) -> Result<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.options.topic, partition as i32);
        self.consumer.pause(&list)?;
        let mut at = -1;
        if let Some(share) = self.share(partition) {
            share.ended = true;
            at = share.high;
        }
        self.feed.send(Event::Ended(partition, at));
        Ok(())
    }

    fn positions(&self) -> Result<TopicPartitionList> {
        self.consumer.position().context("the consumer does not know its position")
    }

    fn refresh_ends(&mut self) -> Result<()> {
        for share in &mut self.shares {
            let (_, high) = self
                .consumer
                .fetch_watermarks(&self.options.topic, share.partition as i32, self.timeout)
                .context("the end of the topic cannot be read")?;
            share.high = high;
        }
        Ok(())
    }

    fn hand_over(&self, run: &mut Frames) {
        if let Some(whole) = whole(&self.feed, run) {
            self.feed.send(Event::Frames(whole));
        }
    }

    /// Says what a failure means for this count.
    fn fail<T>(&self, failure: Failure) -> Result<T> {
        let topic = &self.options.topic;
        let error = match failure {
            Failure::Error(error) => error,
            Failure::Silence(why) => {
                let seconds = PATIENCE.as_secs();
                return Err(anyhow!(
                    "the broker has sent nothing for {seconds} s ({why}): start it again, then count again"
                ));
            }
        };
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset) => {
                // The topic may be another one, with fewer offsets.
                self.identity.check(self.consumer.client())?;
                Err(anyhow!(
                    "topic {topic}: frames were deleted before they were read ({error}): make its retention longer; `kuu count --recreate` counts what is left, anew"
                ))
            }
            Some(
                RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition,
            ) => {
                self.identity.check(self.consumer.client())?;
                Err(anyhow!("topic {topic} was deleted while it was being read: produce it again"))
            }
            _ => Err(anyhow!(error).context(format!("topic {topic} cannot be read"))),
        }
    }
}

/// Nothing is at hand: frames must not wait for later ones while the counter is idle; while it is busy, the run may
/// grow. Returns whether this thread may sleep long: the counter commits once no reader is busy.
fn idle(feed: &mut Feed, run: &mut Frames) -> bool {
    if feed.is_awaited() {
        let last = whole(feed, run);
        feed.send_last(last);
    }
    !feed.is_busy()
}

/// Takes the current run, if it has frames, and starts a new one.
fn whole(feed: &Feed, run: &mut Frames) -> Option<Frames> {
    if run.is_empty() {
        return None;
    }
    planted(std::thread::current().name().unwrap_or_default());
    let partition = run.partition;
    let whole = std::mem::replace(run, feed.spare());
    run.restart(partition);
    Some(whole)
}

fn times(message: &BorrowedMessage<'_>) -> Times {
    let mut times = Times { arrived_us: steady_us(), ..Times::default() };
    for header in message.headers().into_iter().flat_map(|headers| headers.iter()) {
        match header.key {
            DUE_HEADER => times.due_us = header.value.and_then(decode_us),
            SENT_HEADER => times.sent_us = header.value.and_then(decode_us),
            _ => {}
        }
    }
    times
}
