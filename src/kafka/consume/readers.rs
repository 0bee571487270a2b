//! The reader threads of a topic, and a watcher thread, which checks while they follow whether the topic is the same,
//! and whether partitions were added.

use crate::engine::queue::{Event, Feed};
use crate::engine::stop::Stop;
use crate::kafka::admin::Range;
use crate::kafka::client::context::Context;
use crate::kafka::client::outage::is_outage;
use crate::kafka::client::settings::Settings;
use crate::kafka::consume::inbox::Inbox;
use crate::kafka::consume::reader::{Assigned, Reader, ReaderOptions, consumer};
use crate::kafka::topics::identity::Identity;
use crate::system::deadline::Deadline;
use crate::system::fault::{died, planted};
use anyhow::{Context as _, Result};
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The time between two checks of the topic, and between two checks whether the run has ended.
const LOOK: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(20);

/// All readers of a topic, and the watcher.
pub struct Readers {
    crew: Arc<Mutex<Crew>>,
}

#[derive(Default)]
struct Crew {
    contexts: Vec<Arc<Context>>,
    threads: Vec<JoinHandle<()>>,
}

/// The configuration that all readers share.
#[derive(Clone)]
struct Instructions {
    settings: Settings,
    options: ReaderOptions,
    identity: Identity,
    feed: Feed,
    stop: Stop,
}

impl Readers {
    /// Starts the readers on all partitions from the low end of `ranges`. Without `follow`, each partition ends at its
    /// high end. With it, added partitions are read too, and the run ends once the topics differ from `identity`.
    ///
    /// # Errors
    /// If librdkafka rejects the configuration.
    pub fn start(
        settings: &Settings,
        options: &ReaderOptions,
        identity: Identity,
        ranges: &[Range],
        feed: Feed,
        stop: &Stop,
    ) -> Result<Readers> {
        let threads = options.threads.min(ranges.len()).max(1);
        let instructions =
            Instructions { settings: settings.clone(), options: options.clone(), identity, feed, stop: stop.clone() };
        let crew = Arc::default();
        for thread in 0..threads {
            let mine = (0..ranges.len()).filter(|partition| partition % threads == thread);
            let shares = mine.map(|partition| Assigned::new(partition, ranges[partition])).collect();
            instructions.spawn(&crew, shares, threads)?;
        }
        if options.follow {
            let client = consumer(settings, options, threads, 1)?;
            let watcher = Watcher { instructions, client, known: ranges.len(), threads, crew: Arc::clone(&crew) };
            let thread = Builder::new().name("watcher".into());
            // The thread is not joined: it may wait for a broker that is away.
            thread.spawn(move || watcher.run()).context("a thread cannot be started")?;
        }
        Ok(Readers { crew })
    }

    /// The consumer lag in frames, if the readers follow.
    pub fn lag(&self) -> u64 {
        self.sum(Context::lag)
    }

    /// The number of offsets behind an open transaction, which no read_committed reader sees; if the readers follow.
    pub fn hidden(&self) -> u64 {
        self.sum(Context::hidden)
    }

    fn sum(&self, of: impl Fn(&Context) -> i64) -> u64 {
        let crew = self.crew.lock().unwrap_or_else(PoisonError::into_inner);
        crew.contexts.iter().map(|context| of(context)).sum::<i64>().max(0) as u64
    }

    /// Waits for the readers, after they have reported their ends.
    ///
    /// # Errors
    /// If a reader died.
    pub fn join(self) -> Result<()> {
        let threads = std::mem::take(&mut self.crew.lock().unwrap_or_else(PoisonError::into_inner).threads);
        for thread in threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            thread.join().map_err(|_| died(&name))?;
        }
        Ok(())
    }
}

impl Instructions {
    /// Starts one of `readers` readers.
    fn spawn(&self, crew: &Mutex<Crew>, shares: Vec<Assigned>, readers: usize) -> Result<()> {
        let consumer = consumer(&self.settings, &self.options, readers, shares.len())?;
        let mut crew = crew.lock().unwrap_or_else(PoisonError::into_inner);
        crew.contexts.push(consumer.context().clone());
        let Instructions { settings, options, identity, feed, stop } = self.clone();
        let inbox = Inbox::new(consumer);
        let reader = Reader { inbox, shares, timeout: settings.timeout, options, identity, feed, stop };
        let thread = Builder::new().name(format!("reader-{}", crew.threads.len()));
        let thread = thread.spawn(move || reader.run()).context("a reader thread cannot be started")?;
        crew.threads.push(thread);
        Ok(())
    }
}

struct Watcher {
    instructions: Instructions,
    client: BaseConsumer<Context>,
    /// Number of partitions that are read.
    known: usize,
    threads: usize,
    crew: Arc<Mutex<Crew>>,
}

impl Watcher {
    /// Checks the topics until the run ends, and sends an error to the feed.
    fn run(mut self) {
        while self.rest() {
            planted("watcher");
            match self.look() {
                Ok(()) => {}
                // The next check asks the broker again.
                Err(error) if is_outage(&error) => {}
                Err(error) => return self.instructions.feed.send(Event::Failed(error)),
            }
        }
    }

    /// Waits until the next check; returns false if the run has ended.
    fn rest(&self) -> bool {
        let mut next = Deadline::after(LOOK).every(TICK);
        let Instructions { feed, stop, .. } = &self.instructions;
        loop {
            if feed.is_closed() || stop.interrupted() || stop.finishing() {
                return false;
            }
            if !next.wait() {
                return true;
            }
        }
    }

    fn look(&mut self) -> Result<()> {
        let there = self.instructions.identity.check(self.client.client())?;
        let Instructions { settings, options, feed, .. } = &self.instructions;
        if there <= self.known {
            return Ok(());
        }
        let mut shares = Vec::new();
        for partition in self.known..there {
            let Ok((low, high)) = self.client.fetch_watermarks(&options.topic, partition as i32, settings.timeout)
            else {
                // The leader of the new partition does not know it yet.
                return Ok(());
            };
            shares.push(Assigned::new(partition, Range { low, high }));
        }
        // The counter must know the partitions before their first frames.
        feed.send(Event::Grown(there));
        self.known = there;
        self.instructions.spawn(&self.crew, shares, self.threads)
    }
}
