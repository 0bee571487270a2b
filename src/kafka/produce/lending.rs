//! Gives messages to librdkafka whose values stay where they are, in the blocks of lines that were read. Its own copy of each
//! value, and the memory for it, took 8 % of the processor time of `produce`; rdkafka always copies, so this module calls
//! the C interface: only these calls are unsafe.
#![allow(unsafe_code)]

use crate::input::LentBlock;
use crate::kafka::produce::deliveries::{Deliveries, Outcome};
use anyhow::{Result, bail};
use rdkafka::bindings::*;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer as _};
use std::ffi::{CString, c_void};
use std::ops::Deref;
use std::ptr::{null, null_mut};
use std::sync::Arc;

/// The partition of a message that has none yet (RD_KAFKA_PARTITION_UA).
const UNASSIGNED: i32 = -1;

/// A message without headers.
pub struct LentMessage<'a> {
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// Where the value may stay; else it is copied.
    pub block: Option<&'a Arc<LentBlock>>,
    /// None leaves it to the key.
    pub partition: Option<i32>,
    pub tag: usize,
}

/// A producer that is lent values for one topic.
pub struct LendingProducer<O: Outcome + 'static> {
    /// Before the producer, as it must be dropped first.
    topic: TopicHandle,
    producer: BaseProducer<Deliveries<O>>,
}

/// A topic as librdkafka knows it.
struct TopicHandle(*mut rd_kafka_topic_t);

// SAFETY: the pointer belongs to this value alone, and librdkafka's objects are not bound to a thread.
unsafe impl Send for TopicHandle {}

impl Drop for TopicHandle {
    fn drop(&mut self) {
        // SAFETY: it is owned here, and its producer is dropped after it.
        unsafe { rd_kafka_topic_destroy(self.0) }
    }
}

impl<O: Outcome> Deref for LendingProducer<O> {
    type Target = BaseProducer<Deliveries<O>>;

    fn deref(&self) -> &BaseProducer<Deliveries<O>> {
        &self.producer
    }
}

impl<O: Outcome> LendingProducer<O> {
    /// A producer of messages for a topic, which need not exist.
    ///
    /// # Errors
    /// If it is no name of a topic.
    pub fn new(producer: BaseProducer<Deliveries<O>>, topic: &str) -> Result<LendingProducer<O>> {
        let name = CString::new(topic)?;
        // SAFETY: client and name live; without a configuration the topic has that of the client.
        let handle = unsafe { rd_kafka_topic_new(producer.client().native_ptr(), name.as_ptr(), null_mut()) };
        if handle.is_null() {
            bail!("librdkafka does not take topic {topic}");
        }
        Ok(LendingProducer { topic: TopicHandle(handle), producer })
    }

    /// Puts a message into the queue.
    ///
    /// # Errors
    /// If the queue is full, or librdkafka refuses the message.
    pub fn lend(&self, message: &LentMessage<'_>) -> Result<(), KafkaError> {
        let LentMessage { key, value, block, partition, tag } = *message;
        let value = value.unwrap_or_default();
        let deliveries = self.producer.context();
        let is_held = block.is_some_and(|block| deliveries.with_held(|held| held.hold(block, value)));
        let (key, key_len) = key.map_or((null(), 0), |key| (key.as_ptr().cast::<c_void>(), key.len()));
        let at = if message.value.is_some() { value.as_ptr().cast_mut().cast::<c_void>() } else { null_mut() };
        let flags = if is_held { 0 } else { RD_KAFKA_MSG_F_COPY };
        // SAFETY: handle and key live, and the key is copied. So is the value, or else its block is held by the context of the
        // producer, which outlives librdkafka's client, until the message is settled. librdkafka only reads it.
        let code = unsafe {
            rd_kafka_produce(
                self.topic.0,
                partition.unwrap_or(UNASSIGNED),
                flags,
                at,
                value.len(),
                key,
                key_len,
                tag as *mut c_void,
            )
        };
        if code == 0 {
            return Ok(());
        }
        if is_held {
            deliveries.with_held(|held| held.release(value));
        }
        // SAFETY: it is the error of the call above, on the same thread.
        Err(KafkaError::MessageProduction(unsafe { rd_kafka_last_error() }.into()))
    }
}
