//! The reader threads of a topic, and the one that watches the topic while they follow it: whether it still is the same, and
//! whether partitions were added.

use crate::engine::queue::{Event, Feed};
use crate::engine::stop::Stop;
use crate::kafka::admin::Range;
use crate::kafka::client::context::Context;
use crate::kafka::client::outage::is_outage;
use crate::kafka::client::settings::Settings;
use crate::kafka::consume::reader::{Assigned, Reader, ReaderOptions, consumer};
use crate::kafka::topics::identity::Identity;
use crate::system::deadline::Deadline;
use crate::system::fault::{died, planted};
use anyhow::{Context as _, Result};
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// How often the watcher looks at the topic, and how often at the rest of the run.
const LOOK: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(20);

/// All readers of a topic.
pub struct Readers {
    crew: Arc<Mutex<Crew>>,
}

#[derive(Default)]
struct Crew {
    contexts: Vec<Arc<Context>>,
    threads: Vec<JoinHandle<()>>,
}

/// What each reader gets.
#[derive(Clone)]
struct Instructions {
    settings: Settings,
    options: ReaderOptions,
    identity: Identity,
    feed: Feed,
    stop: Stop,
}

impl Readers {
    /// Starts the readers on all partitions from the low end of `ranges`; each stops at the known high end unless it
    /// follows. Then partitions that are added are read too, and the run ends when the topics are not those of `identity`.
    ///
    /// # Errors
    /// If librdkafka refuses the configuration.
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
            let client = consumer(settings, true, threads, 1)?;
            let watcher = Watcher { instructions, client, known: ranges.len(), threads, crew: Arc::clone(&crew) };
            let thread = Builder::new().name("watcher".into());
            // Not joined: it may wait for a broker that is away.
            thread.spawn(move || watcher.run()).context("a thread cannot be started")?;
        }
        Ok(Readers { crew })
    }

    /// Frames that are not read yet, where the readers follow.
    pub fn lag(&self) -> u64 {
        self.sum(Context::lag)
    }

    /// Offsets that no read_committed reader sees, as a transaction is open before them; where the readers follow.
    pub fn hidden(&self) -> u64 {
        self.sum(Context::hidden)
    }

    fn sum(&self, of: impl Fn(&Context) -> i64) -> u64 {
        let crew = self.crew.lock().unwrap_or_else(PoisonError::into_inner);
        crew.contexts.iter().map(|context| of(context)).sum::<i64>().max(0) as u64
    }

    /// Waits for the readers, which have told their ends.
    ///
    /// # Errors
    /// If one died.
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
    /// Starts a reader, one of `readers` that there are to be.
    fn spawn(&self, crew: &Mutex<Crew>, shares: Vec<Assigned>, readers: usize) -> Result<()> {
        let consumer = consumer(&self.settings, self.options.follow, readers, shares.len())?;
        let mut crew = crew.lock().unwrap_or_else(PoisonError::into_inner);
        crew.contexts.push(consumer.context().clone());
        let Instructions { settings, options, identity, feed, stop } = self.clone();
        let reader = Reader { consumer, shares, timeout: settings.timeout, options, identity, feed, stop };
        let thread = Builder::new().name(format!("reader-{}", crew.threads.len()));
        let thread = thread.spawn(move || reader.run()).context("a reader thread cannot be started")?;
        crew.threads.push(thread);
        Ok(())
    }
}

struct Watcher {
    instructions: Instructions,
    client: BaseConsumer<Context>,
    /// Partitions that are read.
    known: usize,
    threads: usize,
    crew: Arc<Mutex<Crew>>,
}

impl Watcher {
    /// Until the run ends; whatever is wrong with the topics goes to the feed.
    fn run(mut self) {
        while self.rest() {
            planted("watcher");
            match self.look() {
                Ok(()) => {}
                // It is asked again.
                Err(error) if is_outage(&error) => {}
                Err(error) => return self.instructions.feed.send(Event::Failed(error)),
            }
        }
    }

    /// Waits for the time of the next look; whether there is to be one.
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
                // Its leader has yet to hear of it.
                return Ok(());
            };
            shares.push(Assigned::new(partition, Range { low, high }));
        }
        // Before any of their frames.
        feed.send(Event::Grown(there));
        self.known = there;
        self.instructions.spawn(&self.crew, shares, self.threads)
    }
}
