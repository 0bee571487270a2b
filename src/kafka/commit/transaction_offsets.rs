//! Adds the positions of a consumer group to a transaction on a thread of its own: librdkafka waits without limit for a
//! coordinator of the group that is missing in the metadata, as a broker is for a moment after an outage (its issue
//! 5511, open).

use crate::kafka::client::background_close::Aside;
use crate::kafka::client::context::Context;
use crate::kafka::commit::insist::insist;
use crate::kafka::produce::deliveries::Deliveries;
use crate::kafka::produce::result_outcome::ResultOutcome;
use crate::system::errand::Errand;
use anyhow::Result;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer as _};
use std::sync::Arc;
use std::time::Duration;

/// How much longer than the timeout an answer may take: librdkafka's own error, if it gives one, says more.
const GRACE: Duration = Duration::from_secs(5);

/// Adds positions to the transactions of one producer.
pub struct TransactionOffsets {
    errand: Errand<TopicPartitionList, KafkaResult<()>>,
    timeout: Duration,
}

impl TransactionOffsets {
    /// For the group of `consumer`.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn new(
        producer: &Arc<BaseProducer<Deliveries<ResultOutcome>>>,
        consumer: &Arc<Aside<BaseConsumer<Context>>>,
        timeout: Duration,
    ) -> Result<TransactionOffsets> {
        let (producer, consumer) = (producer.clone(), consumer.clone());
        let add = move |positions: TopicPartitionList| {
            let no_group = KafkaError::OffsetFetch(RDKafkaErrorCode::UnknownGroup);
            let group = consumer.group_metadata().ok_or(no_group)?;
            insist(timeout, || producer.send_offsets_to_transaction(&positions, &group, timeout))
        };
        Ok(TransactionOffsets { errand: Errand::new("offsets", add)?, timeout })
    }

    /// Adds positions; none if there is no answer in time. Then the producer cannot be used any more.
    ///
    /// # Errors
    /// If the thread has died.
    pub fn add(&mut self, positions: TopicPartitionList) -> Result<Option<KafkaResult<()>>> {
        self.errand.ask(positions)?;
        self.errand.answer(self.timeout + GRACE)
    }
}
