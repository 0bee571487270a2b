//! At least once: results to a topic, then positions to a consumer group.

use super::writer::{Topics, Writer};
use super::{Committer, Settings};
use crate::core::frames::Times;
use crate::core::stream::Emission;
use crate::edge::clock::now_us;
use crate::edge::pipeline::{Commit, Letter, Sink};
use crate::edge::stop::Stop;
use anyhow::Result;

/// Commits a position only after the results that it led to are acknowledged. After a crash the topic is counted anew,
/// and results are written again.
pub struct AtLeastOnce {
    writer: Writer,
    committer: Committer,
}

impl AtLeastOnce {
    /// A sink for these topics, with positions under `group`.
    ///
    /// # Errors
    /// If librdkafka refuses the configuration.
    pub fn new(settings: &Settings, group: &str, topics: Topics, stop: &Stop) -> Result<AtLeastOnce> {
        // Idempotent only where frames go through it: librdkafka takes 500 ms to get a producer id. Rows keep their order
        // with one request at a time, and one that is written twice is an upsert.
        let ours: &[_] = match topics.dead_letters.is_some() || topics.ordered.is_some() {
            true => &[("enable.idempotence", "true")],
            false => &[("max.in.flight.requests.per.connection", "1")],
        };
        let committer = Committer::new(settings, group, &topics.input)?;
        Ok(AtLeastOnce { writer: Writer::new(settings, topics, ours, stop)?, committer })
    }
}

impl Sink for AtLeastOnce {
    fn result(&mut self, result: &Emission, cause: Option<Times>) -> Result<()> {
        Ok(self.writer.result(result, cause, now_us())?)
    }

    fn dead_letter(&mut self, letter: Letter, reason: &'static str) -> Result<()> {
        Ok(self.writer.dead_letter(&letter, reason)?)
    }

    fn ordered(&mut self, letter: Letter) -> Result<()> {
        Ok(self.writer.ordered(&letter)?)
    }

    fn commit(&mut self, commit: Commit<'_>) -> Result<()> {
        self.writer.flush()?;
        if commit.last {
            return self.committer.finish(commit.positions);
        }
        // Not waited for: a broker that is away for a while must not end the run.
        self.committer.start(commit.positions).map(|_| ())
    }

    fn poll(&mut self) -> Result<()> {
        Ok(self.writer.poll()?)
    }
}
