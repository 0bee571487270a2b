//! The ids of topics (KIP-516): a topic that was deleted and created again has the same name and another id. Only
//! DescribeTopics of librdkafka returns them, which rdkafka does not offer, so this module calls the C interface: only
//! these calls are unsafe. Every object of librdkafka has an owner that frees it.
#![allow(unsafe_code)]

use rdkafka::bindings::*;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::time::Duration;

/// A broker's description of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The id, as Kafka's own tools print it; none if the broker has no topic ids.
    pub id: Option<String>,
    /// The number of partitions.
    pub partitions: usize,
}

/// An object of librdkafka, freed on drop.
struct Owned<T>(*mut T, unsafe extern "C" fn(*mut T));

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the matching function created the object, and this frees it only once.
            unsafe { (self.1)(self.0) }
        }
    }
}

/// The broker to ask if librdkafka finds none: it asks the controller, and the embedded broker has none.
///
/// # Errors
/// If no broker tells its brokers within this time.
pub fn substitute<C: ClientContext>(client: &Client<C>, timeout: Duration) -> Result<Option<i32>, KafkaError> {
    let metadata = client.fetch_metadata(None, timeout)?;
    // SAFETY: the client outlives this call, which only reads the metadata of the request above.
    let controller = unsafe { rd_kafka_controllerid(client.native_ptr(), 0) };
    let is_there = metadata.brokers().iter().any(|broker| broker.id() == controller);
    Ok((!is_there).then(|| metadata.orig_broker_id()))
}

/// Asks a broker, or the controller, for the topics of these names; missing topics are left out, and not created.
///
/// # Errors
/// If a name holds a zero byte, or the broker does not answer within this time, or refuses.
pub fn describe<C: ClientContext>(
    client: &Client<C>,
    broker: Option<i32>,
    names: &[String],
    timeout: Duration,
) -> Result<BTreeMap<String, Described>, KafkaError> {
    let texts = names.iter().map(|name| CString::new(name.as_str())).collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
    let milliseconds = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX / 2).clamp(1, c_int::MAX / 2);
    let handle = client.native_ptr();
    // SAFETY: the client outlives this call, and the names outlive the collection, which copies them; results belong to
    // the event and are copied before it is freed. No pointer that may be null is used.
    unsafe {
        let queue = Owned(rd_kafka_queue_new(handle), rd_kafka_queue_destroy);
        let topics = Owned(
            rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()),
            rd_kafka_TopicCollection_destroy,
        );
        let options = Owned(
            rd_kafka_AdminOptions_new(handle, rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS),
            rd_kafka_AdminOptions_destroy,
        );
        let mut error = [0; 256];
        rd_kafka_AdminOptions_set_request_timeout(options.0, milliseconds, error.as_mut_ptr(), error.len());
        if let Some(broker) = broker {
            rd_kafka_AdminOptions_set_broker(options.0, broker, error.as_mut_ptr(), error.len());
        }
        rd_kafka_DescribeTopics(handle, topics.0, options.0, queue.0);
        // librdkafka answers within the timeout of the request in any case.
        let event = Owned(rd_kafka_queue_poll(queue.0, milliseconds.saturating_add(1000)), rd_kafka_event_destroy);
        if event.0.is_null() {
            return Err(KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut));
        }
        judge(rd_kafka_event_error(event.0))?;
        let result = rd_kafka_event_DescribeTopics_result(event.0);
        if result.is_null() {
            return Err(KafkaError::MetadataFetch(RDKafkaErrorCode::Fail));
        }
        let mut count = 0;
        let found = rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        let mut described = BTreeMap::new();
        for index in 0..count {
            let topic = *found.add(index);
            match judge(rd_kafka_error_code(rd_kafka_TopicDescription_error(topic))) {
                Ok(()) => {}
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(error),
            }
            let name = CStr::from_ptr(rd_kafka_TopicDescription_name(topic)).to_string_lossy().into_owned();
            let mut partitions = 0;
            rd_kafka_TopicDescription_partitions(topic, &raw mut partitions);
            described.insert(name, Described { id: id(rd_kafka_TopicDescription_topic_id(topic)), partitions });
        }
        Ok(described)
    }
}

/// # Safety
/// The pointer is null or points to an id.
unsafe fn id(uuid: *const rd_kafka_Uuid_t) -> Option<String> {
    if uuid.is_null() {
        return None;
    }
    // SAFETY: the caller guarantees it.
    unsafe {
        let bits = (rd_kafka_Uuid_most_significant_bits(uuid), rd_kafka_Uuid_least_significant_bits(uuid));
        let text = rd_kafka_Uuid_base64str(uuid);
        (bits != (0, 0) && !text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
    }
}

fn judge(code: RDKafkaRespErr) -> Result<(), KafkaError> {
    match code {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        code => Err(KafkaError::MetadataFetch(code.into())),
    }
}

fn is_missing(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    matches!(code, Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic))
}
