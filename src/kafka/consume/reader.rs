//! Reader threads: they read and parse the messages of their partitions, in the order of each partition.

use crate::engine::queue::{Event, Feed};
use crate::engine::stop::Stop;
use crate::kafka::admin::Range;
use crate::kafka::client::background_close::Aside;
use crate::kafka::client::context::Context;
use crate::kafka::client::lags::Lags;
use crate::kafka::client::settings::{READING, Settings, queue_kbytes, queue_messages, unusable};
use crate::kafka::consume::inbox::{Fetched, Inbox};
use crate::kafka::consume::listener::{Failure, Heard, Listener};
use crate::kafka::consume::lost_ends::{LostEnds, Silent};
use crate::kafka::headers::{DUE_HEADER, SENT_HEADER, decode_us};
use crate::kafka::topics::identity::Identity;
use crate::system::fault::planted;
use anyhow::{Context as _, Result, anyhow};
use kuu_core::frame_batch::{Frames, Times};
use kuu_frame::{Parser, ParserOptions};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use std::time::{Duration, Instant};

/// A run of frames is handed over when it has this many bytes...
const RUN_BYTES: usize = 32 * 1024;
/// ...or values of this many bytes, if they are kept; and always when the consumer's queue is empty.
const RUN_VALUE_BYTES: usize = 1024 * 1024;
/// The timeout of a question for the end of a partition after an outage.
const ASK_TIMEOUT: Duration = Duration::from_millis(200);
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
    /// Where readers that follow report the lag of each partition.
    pub lags: Lags,
}

/// The consumer of one of `threads` readers.
///
/// # Errors
/// If librdkafka rejects the configuration.
pub fn consumer(
    settings: &Settings,
    options: &ReaderOptions,
    threads: usize,
    partitions: usize,
) -> Result<BaseConsumer<Context>> {
    let live = [("statistics.interval.ms", "1000")];
    let (queue, messages) = (queue_kbytes(threads), queue_messages(partitions));
    let own = [
        ("group.id", "kuu-reader"),
        ("queued.max.messages.kbytes", queue.as_str()),
        ("queued.min.messages", messages.as_str()),
    ];
    let ours = [&READING[..], &own, if options.follow { &live[..] } else { &[] }].concat();
    settings.client(&ours).create_with_context(Context::reporting(&options.lags)).map_err(unusable)
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
    pub inbox: Inbox,
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
        let Reader { feed, inbox, .. } = self;
        drop(feed);
        drop(Aside::new(inbox));
    }

    fn read(&mut self) -> Result<()> {
        let mut bounded = self.begin()?;
        let mut parser = Parser::new(&self.options.parser);
        let mut run = Frames::default();
        let mut listener = Listener::new(PATIENCE);
        let mut lost_ends = LostEnds::none(Instant::now());
        while !self.stop.interrupted() && !self.feed.is_closed() && self.shares.iter().any(|share| !share.ended) {
            let taken = {
                let heard = listener.next(&self.inbox, || idle(&mut self.feed, &mut run));
                match heard.or_else(|failure| self.fail(failure))? {
                    Heard::Message(message) => {
                        let partition = message.partition();
                        let at = self.shares.iter().position(|share| share.partition == partition && !share.ended);
                        // A message of a partition that has ended came in one batch with the last one that counts.
                        let Some(at) = at else { continue };
                        self.feed.set_busy();
                        if partition != run.partition || run.bytes() >= self.run_bytes() {
                            self.hand_over(&mut run);
                            // A full queue may have blocked this thread for a long time.
                            listener.hears();
                            run.restart(partition);
                        }
                        self.take(&message, &mut parser, &mut run);
                        Some((at, message.offset() + 1))
                    }
                    Heard::PartitionEnd { partition, offset } if self.options.follow => {
                        self.hand_over(&mut run);
                        self.feed.send(Event::CaughtUp(partition, offset));
                        None
                    }
                    Heard::Outage if self.options.follow => {
                        let open = self.shares.iter().filter(|share| !share.ended);
                        lost_ends.suspect(open.map(|share| share.partition), Instant::now());
                        None
                    }
                    _ => None,
                }
            };
            if let Some((at, next)) = taken
                && bounded
                && next >= self.shares[at].high
            {
                self.hand_over(&mut run);
                self.end(at)?;
            }
            if listener.is_dry() {
                self.find_ends(&mut run, &mut lost_ends)?;
            }
            if listener.waited() && self.stop.finishing() && !bounded {
                self.refresh_ends()?;
                // A partition that never had a message has no position that could be at its end.
                self.end_where(|share| !share.ended && share.high <= share.low)?;
                bounded = true;
            }
            if bounded && listener.is_dry() {
                self.end_reached(&mut run)?;
                listener.expect_news(&self.inbox).or_else(|failure| self.fail(failure))?;
            }
        }
        self.hand_over(&mut run);
        Ok(())
    }

    /// Assigns the partitions; returns whether they have fixed ends.
    fn begin(&mut self) -> Result<bool> {
        let starts = self.shares.iter().map(|share| (share.partition, share.low));
        self.inbox.assign(&self.options.topic, starts)?;
        let bounded = !self.options.follow;
        if bounded {
            self.end_where(|share| share.low >= share.high)?;
        }
        Ok(bounded)
    }

    /// Ends the partitions whose position is at their end: transaction markers have offsets, but the reader gets no
    /// message for them.
    fn end_reached(&mut self, run: &mut Frames) -> Result<()> {
        let position = self.inbox.positions(&self.options.topic)?;
        self.hand_over(run);
        self.end_where(|share| !share.ended && position(share.partition) >= share.high)
    }

    fn run_bytes(&self) -> usize {
        if self.options.keep_values { RUN_VALUE_BYTES } else { RUN_BYTES }
    }

    fn take(&self, message: &Fetched<'_>, parser: &mut Parser, run: &mut Frames) {
        let value = message.value().unwrap_or_default();
        run.push(message.offset(), parser.parse(value));
        run.read_bytes += value.len() as u64;
        if self.options.keep_values {
            run.keep(value);
        }
        if self.options.follow {
            run.time(times(message));
        }
    }

    fn end_where(&mut self, at_end: impl Fn(&Assigned) -> bool) -> Result<()> {
        let ended: Vec<usize> = (0..self.shares.len()).filter(|at| at_end(&self.shares[*at])).collect();
        ended.into_iter().try_for_each(|at| self.end(at))
    }

    /// Reports the end of a partition, and stops fetching messages after it.
    fn end(&mut self, at: usize) -> Result<()> {
        let share = &mut self.shares[at];
        share.ended = true;
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.options.topic, share.partition as i32);
        self.inbox.consumer().pause(&list)?;
        self.feed.send(Event::Ended(share.partition, share.high));
        Ok(())
    }

    fn refresh_ends(&mut self) -> Result<()> {
        for at in 0..self.shares.len() {
            let high =
                self.present_end(&self.shares[at], self.timeout).context("the end of the topic cannot be read")?;
            self.shares[at].high = high;
        }
        Ok(())
    }

    fn present_end(&self, share: &Assigned, timeout: Duration) -> KafkaResult<i64> {
        let ends = self.inbox.consumer().fetch_watermarks(&self.options.topic, share.partition as i32, timeout);
        ends.map(|(_, high)| high)
    }

    /// Asks for the ends of partitions after an error of a broker, if it is time, and reports those that do not answer. Of
    /// those that answer again, it reports the ones that are caught up, as librdkafka reports an end once; the others have
    /// frames, and their end comes after these. Only for a dry listener: what it has at hand is before the position.
    fn find_ends(&self, run: &mut Frames, lost: &mut LostEnds) -> Result<()> {
        let due = lost.due(Instant::now());
        if due.is_empty() {
            return Ok(());
        }
        let position = self.inbox.positions(&self.options.topic)?;
        self.hand_over(run);
        let mut answered = Vec::new();
        for share in self.shares.iter().filter(|share| due.contains(&share.partition)) {
            if self.stop.interrupted() {
                return Ok(());
            }
            let Ok(high) = self.present_end(share, ASK_TIMEOUT) else { continue };
            answered.push(share.partition);
            let at = position(share.partition);
            if lost.is_lost(share.partition) && !share.ended && at.max(share.low) >= high {
                self.feed.send(Event::CaughtUp(share.partition, at));
            }
        }
        let Silent { lost, given_up } = lost.found(&answered, Instant::now());
        lost.into_iter().for_each(|partition| self.feed.send(Event::Unreachable(partition)));
        given_up.into_iter().for_each(|it| self.feed.send(Event::CaughtUp(it, position(it))));
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
                self.identity.check(self.inbox.consumer().client())?;
                Err(anyhow!(
                    "topic {topic}: frames were deleted before they were read ({error}): make its retention longer; `kuu count --recreate` counts what is left, anew"
                ))
            }
            Some(
                RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition,
            ) => {
                self.identity.check(self.inbox.consumer().client())?;
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

fn times(message: &Fetched<'_>) -> Times {
    let mut times = Times { arrived_us: message.taken_us, ..Times::default() };
    for (name, value) in message.headers() {
        if name == DUE_HEADER.as_bytes() {
            times.due_us = value.and_then(decode_us);
        } else if name == SENT_HEADER.as_bytes() {
            times.sent_us = value.and_then(decode_us);
        }
    }
    times
}
