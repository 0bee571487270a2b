//! Reads a whole topic, message by message.

use crate::kafka::admin::Range;
use crate::kafka::client::background_close::Aside;
use crate::kafka::client::context::Context;
use crate::kafka::client::refusal::denied;
use crate::kafka::client::settings::{READING, Settings, queue_kbytes, unusable};
use crate::kafka::consume::inbox::{Fetched, Inbox, Incoming};
use crate::kafka::consume::listener::{Failure, Heard, Listener, passes};
use anyhow::{Result, anyhow};
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use std::panic::resume_unwind;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

/// One message.
#[derive(Clone, Copy)]
pub struct ScannedMessage<'a> {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The key, empty if the message has none.
    pub key: &'a [u8],
    /// The value, none for a tombstone.
    pub value: Option<&'a [u8]>,
    message: &'a Fetched<'a>,
}

impl ScannedMessage<'_> {
    /// The timestamp of the message in milliseconds since the Unix epoch: the time at which the broker appended it, if
    /// the topic has LogAppendTime.
    pub fn timestamp_ms(&self) -> Option<i64> {
        self.message.timestamp_ms()
    }

    /// The value of a header, if the message has it.
    pub fn header(&self, key: &str) -> Option<&[u8]> {
        self.message.headers().find(|(name, _)| *name == key.as_bytes())?.1
    }
}

/// Reads `ranges` of `topic`, as a read_committed reader, until its positions are at the ends; returns the number of
/// messages.
///
/// # Errors
/// If no message arrives within the timeout, the topic is deleted, or `take` fails.
pub fn read_all(
    settings: &Settings,
    topic: &str,
    ranges: &[Range],
    take: impl FnMut(ScannedMessage<'_>) -> Result<()>,
) -> Result<u64> {
    let inbox = assigned(settings, topic, ranges, 1)?;
    drain(&inbox, settings, topic, ranges, take)
}

fn drain(
    inbox: &Inbox,
    settings: &Settings,
    topic: &str,
    ranges: &[Range],
    mut take: impl FnMut(ScannedMessage<'_>) -> Result<()>,
) -> Result<u64> {
    let mut messages = 0;
    let mut listener = Listener::new(settings.timeout);
    let ends = || -> Result<bool> {
        let position = inbox.positions(topic)?;
        let mut read = ranges.iter().enumerate().filter(|(_, range)| !range.is_empty());
        Ok(read.all(|(partition, range)| position(partition) >= range.high))
    };
    let fail = |failure| match failure {
        Failure::Error(error) => unreadable(settings, topic, error),
        Failure::Silence(why) => {
            let seconds = settings.timeout.as_secs_f64();
            anyhow!("topic {topic}: the broker has sent nothing for {seconds} s: {why}")
        }
    };
    let mut left = ranges.iter().map(Range::len).sum::<u64>();
    while left > 0 {
        if let Heard::Message(message) = listener.next(inbox, || true).map_err(fail)? {
            if message.offset() < ranges.get(message.partition()).map_or(0, |range| range.high) {
                messages += 1;
                left = left.saturating_sub(1);
                take(record(&message))?;
            }
        } else if listener.is_dry() {
            // Transaction markers and compacted rows have offsets too, so the position decides.
            if ends()? {
                break;
            }
            listener.expect_news(inbox).map_err(fail)?;
        }
    }
    Ok(messages)
}

/// Reads `ranges` of `topic` on several threads, each with a share of the partitions, and discards the messages: the
/// ceiling of reading. Returns the number of messages, and the time from the first one to the last.
///
/// # Errors
/// As [`read_all`].
pub fn read_shared(settings: &Settings, topic: &str, ranges: &[Range], threads: usize) -> Result<(u64, Duration)> {
    let threads = threads.min(ranges.len()).max(1);
    let share = |thread: usize| -> Result<ShareRead> {
        let mine = |(partition, range): (usize, &Range)| match partition % threads == thread {
            true => *range,
            false => Range { low: range.high, ..*range },
        };
        let mine: Vec<Range> = ranges.iter().enumerate().map(mine).collect();
        let mut first = None;
        let inbox = assigned(settings, topic, &mine, threads)?;
        let messages = drain(&inbox, settings, topic, &mine, |record| {
            std::hint::black_box(record.value);
            // Reading the clock for every message would change the measurement.
            first.get_or_insert_with(Instant::now);
            Ok(())
        })?;
        // Closing the consumer takes up to 100 ms, which are not part of reading.
        let span = first.map(|first| (first, Instant::now()));
        drop(inbox);
        Ok(ShareRead { messages, span })
    };
    let shares = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        let join = |thread: ScopedJoinHandle<'_, Result<ShareRead>>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        threads.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    let first = shares.iter().filter_map(|share| share.span).map(|(first, _)| first).min();
    let last = shares.iter().filter_map(|share| share.span).map(|(_, last)| last).max();
    let time = first.zip(last).map_or(Duration::ZERO, |(first, last)| last - first);
    Ok((shares.iter().map(|share| share.messages).sum(), time))
}

/// The result of one thread of [`read_shared`].
struct ShareRead {
    messages: u64,
    span: Option<(Instant, Instant)>,
}

/// Reads `topic` from the low ends of `ranges` until `done` returns true, which is called at least every 10 ms.
///
/// # Errors
/// If the topic cannot be read; a [`KafkaError`] is its cause.
pub fn read_until(
    settings: &Settings,
    topic: &str,
    ranges: &[Range],
    mut done: impl FnMut() -> bool,
    mut take: impl FnMut(ScannedMessage<'_>),
) -> Result<()> {
    let inbox = assigned(settings, topic, ranges, 1)?;
    while !done() {
        match inbox.poll(Duration::from_millis(10)) {
            Some(Incoming::Message(message)) => take(record(&message)),
            Some(Incoming::Error(error)) if !passes(&error) => return Err(unreadable(settings, topic, error)),
            _ => {}
        }
    }
    Ok(())
}

/// A consumer of these ranges, one of `consumers` at the same time.
fn assigned(settings: &Settings, topic: &str, ranges: &[Range], consumers: usize) -> Result<Aside<Inbox>> {
    let queue = queue_kbytes(consumers);
    let own = [("group.id", "kuu-watch"), ("queued.max.messages.kbytes", queue.as_str())];
    let consumer: BaseConsumer<Context> =
        settings.client(&[&READING[..], &own].concat()).create_with_context(Context::default()).map_err(unusable)?;
    let inbox = Inbox::new(consumer);
    inbox.assign(topic, ranges.iter().enumerate().map(|(partition, range)| (partition, range.low)))?;
    Ok(Aside::new(inbox))
}

fn record<'a>(message: &'a Fetched<'a>) -> ScannedMessage<'a> {
    ScannedMessage {
        partition: message.partition() as i32,
        offset: message.offset(),
        key: message.key(),
        value: message.value(),
        message,
    }
}

fn unreadable(settings: &Settings, topic: &str, error: KafkaError) -> anyhow::Error {
    denied(settings, error, "Read", topic).context(format!("topic {topic} cannot be read"))
}
