//! The smallest transaction: one record and one offset.

use crate::kafka::client::context::Context;
use crate::kafka::client::settings::{Settings, unusable};
use crate::kafka::commit::insist::insist;
use crate::kafka::produce::sending::serve_and_rest;
use crate::system::deadline::Deadline;
use anyhow::{Context as _, Result, anyhow, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use std::time::{Duration, Instant};

/// A producer of such transactions.
pub struct BareTransactions {
    producer: BaseProducer,
    consumer: BaseConsumer<Context>,
    timeout: Duration,
    input: String,
    output: String,
}

impl BareTransactions {
    /// Transactions that write to `output`, and offsets of partition 0 of `input` under `group`, which is also the
    /// transactional id.
    ///
    /// # Errors
    /// If the brokers reject the transactional id, or do not answer in time.
    pub fn new(settings: &Settings, group: &str, input: &str, output: &str) -> Result<BareTransactions> {
        let ours = [("transactional.id", group), ("linger.ms", "0"), ("retry.backoff.ms", "1")];
        let producer: BaseProducer = settings.client(&ours).create().map_err(unusable)?;
        let ours = [("group.id", group), ("enable.auto.commit", "false")];
        let consumer = settings.client(&ours).create_with_context(Context::default()).map_err(unusable)?;
        let begun = producer.init_transactions(settings.timeout);
        begun.with_context(|| format!("no transaction can be started (transactional id {group})"))?;
        let (input, output) = (input.to_owned(), output.to_owned());
        Ok(BareTransactions { producer, consumer, timeout: settings.timeout, input, output })
    }

    /// Runs one transaction, with this offset; returns the time from its begin to the answer to its commit.
    ///
    /// # Errors
    /// If the transaction is not committed.
    pub fn run(&self, offset: i64) -> Result<Duration> {
        let started = Instant::now();
        self.transact(offset).context("a bare transaction, beside the load, was not committed")?;
        Ok(started.elapsed())
    }

    fn transact(&self, offset: i64) -> Result<()> {
        let BareTransactions { producer, consumer, timeout, input, output } = self;
        producer.begin_transaction()?;
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(input, 0, Offset::Offset(offset))?;
        let group = consumer.group_metadata().context("the consumer belongs to no group")?;
        insist(*timeout, || producer.send_offsets_to_transaction(&offsets, &group, *timeout))?;
        producer.send(BaseRecord::<(), [u8]>::to(output).payload(b"bare")).map_err(|(error, _)| anyhow!(error))?;
        // With a message in flight, committing takes 100 ms.
        let deadline = Deadline::after(*timeout);
        while producer.in_flight_count() > 0 {
            serve_and_rest(producer);
            if deadline.is_over() {
                bail!("topic {output} did not take its record in time");
            }
        }
        Ok(insist(*timeout, || producer.commit_transaction(*timeout))?)
    }
}
