//! Takes the messages of a consumer from librdkafka in batches. `BaseConsumer::poll` makes an event, reads the clock three
//! times and locks the position of the partition for each message, which is a fifth of the time of reading; rdkafka
//! offers nothing else, so this module calls the C interface: only these calls are unsafe. The value of a message stays
//! where librdkafka unpacked it.
//!
//! A queue of kuu's own gets the messages of all partitions, and their errors and ends. The consumer's queue keeps what
//! concerns the whole client: errors of brokers, statistics.
#![allow(unsafe_code)]

use crate::kafka::client::context::Context;
use crate::kafka::positions::position;
use crate::system::clock::steady_us;
use anyhow::{Context as _, Result};
use rdkafka::bindings::*;
use rdkafka::client::ClientContext as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{IsError as _, KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{null, null_mut};
use std::slice::from_raw_parts;
use std::time::Duration;

/// How many messages are taken at once. They are no longer in librdkafka's queue, so that for as long as they wait here
/// it may fetch others: twice what its queue holds is the most.
const BATCH: usize = 64;

/// A consumer with assigned partitions, and its messages.
pub struct Inbox {
    consumer: BaseConsumer<Context>,
    /// What comes from the partitions.
    queue: *mut rd_kafka_queue_t,
    /// What was taken and not polled yet, the next one last.
    batch: RefCell<Vec<*mut rd_kafka_message_t>>,
    /// When it was taken.
    taken_us: Cell<i64>,
    /// The offset of the last error or end of a partition.
    notices: RefCell<BTreeMap<usize, i64>>,
}

// SAFETY: the pointers belong to this value alone, and librdkafka's objects are not bound to a thread.
unsafe impl Send for Inbox {}

impl Inbox {
    /// The messages of a consumer without an assignment.
    pub fn new(consumer: BaseConsumer<Context>) -> Inbox {
        // SAFETY: the consumer outlives the queue, which is freed on drop.
        let queue = unsafe { rd_kafka_queue_new(consumer.client().native_ptr()) };
        let batch = RefCell::new(Vec::with_capacity(BATCH));
        Inbox { consumer, queue, batch, taken_us: Cell::new(0), notices: RefCell::default() }
    }

    /// The consumer, which must not be polled or assigned but here.
    pub fn consumer(&self) -> &BaseConsumer<Context> {
        &self.consumer
    }

    /// Reads partitions of `topic`, each from an offset. To be called once.
    ///
    /// # Errors
    /// If librdkafka rejects the topic or a partition.
    pub fn assign(&self, topic: &str, starts: impl Iterator<Item = (usize, i64)>) -> Result<()> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in starts {
            // Before it is assigned: afterwards, its first messages might already be in the other queue.
            self.forward(topic, partition as i32)?;
            // An absolute offset: "beginning" needs a look-up, which is retried only after 500 ms.
            list.add_partition_offset(topic, partition as i32, Offset::Offset(offset))?;
        }
        self.consumer.assign(&list).context("the partitions cannot be assigned")
    }

    /// Directs what comes from a partition to the queue of this value.
    fn forward(&self, topic: &str, partition: i32) -> Result<()> {
        let name = CString::new(topic)?;
        // SAFETY: client, name and queues live; the handle of the partition's queue is freed here, not the queue.
        unsafe {
            let source = rd_kafka_queue_get_partition(self.consumer.client().native_ptr(), name.as_ptr(), partition);
            if source.is_null() {
                return Err(KafkaError::Subscription(topic.to_owned()).into());
            }
            rd_kafka_queue_forward(source, self.queue);
            rd_kafka_queue_destroy(source);
        }
        Ok(())
    }

    /// What came next; waits for up to `timeout`.
    #[inline]
    pub fn poll(&self, timeout: Duration) -> Option<Incoming<'_>> {
        let waiting = self.batch.borrow_mut().pop();
        match waiting {
            Some(message) => Some(self.incoming(message)),
            None => self.take(timeout),
        }
    }

    /// Serves what concerns the whole client, and takes what the partitions have, or the first that they get.
    fn take(&self, timeout: Duration) -> Option<Incoming<'_>> {
        match self.consumer.poll(Duration::ZERO) {
            None => {}
            Some(Err(error)) => return Some(Incoming::Error(error)),
            // Every partition is forwarded: a message that came this way would be out of order.
            Some(Ok(_)) => return Some(Incoming::Error(KafkaError::MessageConsumption(RDKafkaErrorCode::State))),
        }
        let mut batch = self.batch.borrow_mut();
        // librdkafka waits until it has as many as it may give.
        let most = if timeout.is_zero() { BATCH } else { 1 };
        let milliseconds = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: the queue lives, and the batch, which is empty, has room for so many pointers, of which librdkafka
        // writes the first `got`. It passes the ownership of these messages.
        unsafe {
            let got = rd_kafka_consume_batch_queue(self.queue, milliseconds, batch.as_mut_ptr(), most);
            batch.set_len(usize::try_from(got).unwrap_or(0));
        }
        batch.reverse();
        let first = batch.pop()?;
        drop(batch);
        self.taken_us.set(steady_us());
        Some(self.incoming(first))
    }

    #[inline]
    fn incoming(&self, message: *mut rd_kafka_message_t) -> Incoming<'_> {
        let message = Fetched { message, taken_us: self.taken_us.get(), inbox: PhantomData };
        let code = message.raw().err;
        if code.is_error() { self.notice(&message, code) } else { Incoming::Message(message) }
    }

    /// The position of each partition: all before it was taken, or is a marker or an aborted message. -1 if there is none.
    /// (librdkafka takes an error or an end for a message, and is one offset too far after it. Of a position that may be
    /// so, the offset before is given: the end of the partition comes once more after what is there.)
    ///
    /// # Errors
    /// If the consumer does not know.
    pub fn positions(&self, topic: &str) -> Result<impl Fn(usize) -> i64 + use<>> {
        let positions = self.consumer.position().context("the consumer does not know its position")?;
        let (topic, notices) = (topic.to_owned(), self.notices.borrow().clone());
        Ok(move |partition| {
            let at = position(&positions, &topic, partition);
            notices.get(&partition).copied().filter(|notice| notice + 1 == at).unwrap_or(at)
        })
    }

    /// What comes in the place of a message. The context gets errors too, as from rdkafka's own poll.
    #[cold]
    fn notice(&self, notice: &Fetched<'_>, code: rd_kafka_resp_err_t) -> Incoming<'_> {
        self.notices.borrow_mut().insert(notice.partition(), notice.offset());
        if code == rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF {
            return Incoming::End { partition: notice.partition(), offset: notice.offset() };
        }
        let reason = String::from_utf8_lossy(notice.value().unwrap_or_default());
        self.consumer.context().error(KafkaError::Global(code.into()), reason.trim());
        Incoming::Error(KafkaError::MessageConsumption(code.into()))
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let batch = std::mem::take(self.batch.get_mut());
        // SAFETY: these messages are owned here, and the queue is; the consumer is dropped after them.
        unsafe {
            batch.into_iter().for_each(|message| rd_kafka_message_destroy(message));
            rd_kafka_queue_destroy(self.queue);
        }
    }
}

/// What a consumer has.
pub enum Incoming<'a> {
    /// The next message.
    Message(Fetched<'a>),
    /// All messages of a partition before this offset, its present end, were polled.
    End {
        /// The partition.
        partition: usize,
        /// The end.
        offset: i64,
    },
    /// An error of the client or of a partition.
    Error(KafkaError),
}

/// A message in librdkafka's memory.
pub struct Fetched<'a> {
    message: *mut rd_kafka_message_t,
    /// When it left librdkafka's queue, in microseconds: see [`steady_us`].
    pub taken_us: i64,
    /// It must be freed before the consumer is.
    inbox: PhantomData<&'a Inbox>,
}

impl Fetched<'_> {
    #[inline]
    fn raw(&self) -> &rd_kafka_message_t {
        // SAFETY: librdkafka returned this pointer, and only drop frees what is there.
        unsafe { &*self.message }
    }

    /// The partition.
    #[inline]
    pub fn partition(&self) -> usize {
        self.raw().partition as usize
    }

    /// The offset.
    #[inline]
    pub fn offset(&self) -> i64 {
        self.raw().offset
    }

    /// The key, empty if the message has none.
    pub fn key(&self) -> &[u8] {
        // SAFETY: as of `bytes`: the key is of this length, and lives as long as the message.
        unsafe { bytes(self.raw().key, self.raw().key_len) }.unwrap_or_default()
    }

    /// The value, none for a tombstone.
    #[inline]
    pub fn value(&self) -> Option<&[u8]> {
        // SAFETY: as of `bytes`: the value is of this length, and lives as long as the message.
        unsafe { bytes(self.raw().payload, self.raw().len) }
    }

    /// The timestamp of the message in milliseconds since the Unix epoch: the time at which the broker appended it, if
    /// the topic has LogAppendTime.
    pub fn timestamp_ms(&self) -> Option<i64> {
        // SAFETY: the message lives, and the type of its timestamp is not asked for.
        let timestamp = unsafe { rd_kafka_message_timestamp(self.message, null_mut()) };
        (timestamp != -1).then_some(timestamp)
    }

    /// The headers: name and value.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let mut headers = null_mut();
        // SAFETY: the message lives. It keeps the headers, or has none.
        let has_any = unsafe { !rd_kafka_message_headers(self.message, &raw mut headers).is_error() };
        (0..).map_while(move |index| {
            let (mut name, mut value, mut len) = (null(), null(), 0);
            // SAFETY: the headers live as long as the message; librdkafka refuses an index that they do not have.
            let found = has_any
                && unsafe {
                    !rd_kafka_header_get_all(headers, index, &raw mut name, &raw mut value, &raw mut len).is_error()
                };
            // SAFETY: the name is a string of C, the value has this length, and both belong to the headers.
            found.then(|| unsafe { (CStr::from_ptr(name).to_bytes(), bytes(value, len)) })
        })
    }
}

impl Drop for Fetched<'_> {
    fn drop(&mut self) {
        // SAFETY: the message is owned here, and its consumer lives, as it is borrowed.
        unsafe { rd_kafka_message_destroy(self.message) }
    }
}

/// The bytes at a pointer, none if it is null.
///
/// # Safety
/// If it is not null, `len` bytes must live there for as long as `'a`.
#[inline]
unsafe fn bytes<'a>(at: *const c_void, len: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller promises.
    (!at.is_null()).then(|| unsafe { from_raw_parts(at.cast::<u8>(), len) })
}

#[cfg(test)]
mod tests;
