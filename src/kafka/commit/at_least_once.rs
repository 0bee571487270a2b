//! At least once: writes results to a topic, then positions to a consumer group.

use crate::engine::patience::Patience;
use crate::engine::sink::{Commit, Output, Sink};
use crate::engine::stop::Stop;
use crate::kafka::client::settings::Settings;
use crate::kafka::commit::offsets::Committer;
use crate::kafka::commit::waiting::Waiting;
use crate::kafka::produce::result_writer::Writer;
use crate::kafka::produce::sending::connect;
use crate::kafka::topics::count_topics::CountTopics;
use crate::kafka::topics::identity::Identity;
use anyhow::{Result, bail};
use std::time::Duration;

/// Commits a position only after the results before it are acknowledged. After a crash the topic is counted from its
/// start, and results are written again.
///
/// Each record waits for a check that starts later than the record arrives: the group must still belong to this run,
/// and the topics must be the same as at the start.
pub struct AtLeastOnce {
    writer: Writer,
    committer: Committer,
    waiting: Waiting,
    /// The number of waiting records that the current check covers.
    covered: usize,
    group: String,
    timeout: Duration,
    stop: Stop,
}

impl AtLeastOnce {
    /// A sink for these topics, with positions under `group`, for the instance `owner`, which counts from the offsets
    /// of `from`.
    ///
    /// # Errors
    /// If librdkafka rejects the configuration.
    pub fn new(
        settings: &Settings,
        group: &str,
        topics: CountTopics,
        owner: &str,
        identity: Identity,
        from: Vec<i64>,
        stop: &Stop,
    ) -> Result<AtLeastOnce> {
        // The producer is idempotent only if it writes frames. With one request at a time, rows keep their order, and a
        // duplicate row is an upsert.
        let is_idempotent = topics.dead_letters.is_some() || topics.ordered.is_some();
        let ours = match is_idempotent {
            true => ("enable.idempotence", "true"),
            false => ("max.in.flight.requests.per.connection", "1"),
        };
        let mut committer = Committer::new(settings, group, &topics.input, owner, identity, from)?;
        // Claims the group before there is anything to write.
        committer.look()?;
        let writer = Writer::new(settings, topics, &[ours], stop)?;
        if is_idempotent {
            connect(writer.producer(), &writer.topics().output);
        }
        Ok(AtLeastOnce {
            writer,
            committer,
            waiting: Waiting::default(),
            covered: 0,
            group: group.to_owned(),
            timeout: settings.timeout,
            stop: stop.clone(),
        })
    }

    /// Writes the records that the check covers, if it ends within `wait`, and starts a check for the others.
    fn pass(&mut self, wait: Duration) -> Result<()> {
        if let Some(may) = self.committer.settle(wait)? {
            let covered = std::mem::take(&mut self.covered);
            if may {
                self.waiting.write(covered, &mut self.writer)?;
            }
        }
        if self.covered == 0 && !self.waiting.is_empty() && self.committer.look()? {
            self.covered = self.waiting.len();
        }
        Ok(())
    }

    /// Writes all waiting records. Waits without limit, as a broker may be away, until the user interrupts the run.
    fn pass_all(&mut self) -> Result<()> {
        let stop = self.stop.clone();
        let mut patience = Patience::new(&stop, self.timeout);
        while !self.waiting.is_empty() {
            self.pass(Duration::from_millis(20))?;
            self.writer.poll()?;
            if patience.is_over(0) {
                bail!(
                    "cannot check whether group {} still belongs to this run: its last results are not written. See that \
                     the brokers run, then count again",
                    self.group
                );
            }
        }
        Ok(())
    }
}

impl Sink for AtLeastOnce {
    fn take(&mut self, output: Output) -> Result<()> {
        self.waiting.push(output);
        if self.waiting.is_full() { self.pass_all() } else { Ok(()) }
    }

    fn commit(&mut self, commit: Commit<'_>) -> Result<()> {
        self.pass_all()?;
        self.writer.flush()?;
        if commit.last {
            return self.committer.finish(commit.positions);
        }
        // Does not wait for the answer: a broker that is away for a while must not end the run.
        self.committer.start(commit.positions).map(|_| ())
    }

    fn poll(&mut self) -> Result<()> {
        self.pass(Duration::ZERO)?;
        Ok(self.writer.poll()?)
    }
}
