//! Watches an engine while it runs, until it ends, has answered, or is out of time.

use crate::kafka::admin::Cluster;
use crate::race::cell::RaceWorkload;
use crate::race::entrant::Entrant;
use crate::race::epilogue::EpilogueSender;
use crate::race::feeding::deliver;
use crate::race::incidents::Incidents;
use crate::race::judge::Ending;
use crate::race::observer::OutputObserver;
use crate::race::setup::{CellNames, RaceSetup};
use crate::race::supervisor::{Launch, Supervised};
use crate::system::clock::steady_us;
use anyhow::{Result, bail};
use kuu_core::scorecard::Used;
use std::panic::resume_unwind;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

/// How often the race looks.
const TICK: Duration = Duration::from_millis(20);
/// How long the race goes on after the answer is right: what comes then counts.
const SETTLE: Duration = Duration::from_secs(10);

/// An engine that runs.
pub struct Running<'a> {
    pub setup: &'a RaceSetup<'a>,
    pub engine: &'a Entrant,
    pub of: &'a RaceWorkload,
    pub names: &'a CellNames,
    pub observer: &'a OutputObserver,
    /// How it is started.
    pub launch: &'a Launch,
    /// How it is started after a crash.
    pub again: &'a Launch,
    /// Whether frames come while it runs.
    pub is_live: bool,
    /// When it was started.
    pub started_us: i64,
}

/// How it went.
pub struct Run {
    pub supervised: Supervised,
    pub ending: Ending,
    /// What broke, and when.
    pub incidents: Vec<String>,
    /// What processes used that were killed before.
    pub used: Used,
}

impl Running<'_> {
    /// Watches until the end.
    ///
    /// # Errors
    /// If the race is interrupted, or the frames cannot be sent.
    pub fn wait(&self, supervised: Supervised) -> Result<Run> {
        let Running { setup, of, names, is_live, .. } = self;
        std::thread::scope(|scope| {
            let rate = of.workload.delivery.rate;
            let (settings, stop) = (setup.cluster.settings().clone(), setup.stop.clone());
            let send = move || deliver(&Cluster::connect(&settings)?, &names.input, &of.workload, rate, &stop);
            let sending = is_live.then(|| scope.spawn(send));
            self.watch(supervised, sending)
        })
    }

    fn watch(&self, supervised: Supervised, mut sending: Option<ScopedJoinHandle<'_, Result<()>>>) -> Result<Run> {
        let deadline_us = self.started_us + self.setup.deadline.as_micros() as i64 + self.sending_us();
        let mut incidents = Incidents::new(self, supervised);
        let mut epilogue: Option<EpilogueSender> = None;
        let ending = loop {
            std::thread::sleep(TICK);
            if self.setup.stop.interrupted() {
                bail!("interrupted");
            }
            incidents.happen()?;
            if let Some(ended) = incidents.ended()? {
                break Ending::Itself(ended);
            }
            if sending.as_ref().is_some_and(ScopedJoinHandle::is_finished)
                && let Some(thread) = sending.take()
            {
                thread.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            }
            if self.never_ends() && sending.is_none() && incidents.are_over() {
                match &mut epilogue {
                    None => epilogue = Some(EpilogueSender::begin(self.setup.cluster, self.names, self.of)?),
                    Some(epilogue) => epilogue.tick(),
                }
                if self.has_settled(epilogue.as_ref().map_or(0, EpilogueSender::begun_us)) {
                    break Ending::Stopped;
                }
            }
            if steady_us() > deadline_us {
                break Ending::OutOfTime { after_s: self.setup.deadline.as_secs() };
            }
        };
        if let Some(thread) = sending {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        }
        let Incidents { engine, told, used, .. } = incidents;
        Ok(Run { supervised: engine, ending, incidents: told, used })
    }

    /// Whether only the race ends the engine.
    pub fn never_ends(&self) -> bool {
        self.is_live || !self.engine.ends_itself()
    }

    /// How long the frames take that come while the engine runs, in microseconds.
    pub fn sending_us(&self) -> i64 {
        let seconds = |rate: f64| self.of.workload.expect.read as f64 / rate;
        if self.is_live { self.of.workload.delivery.rate.map_or(0, |rate| (seconds(rate) * 1e6) as i64) } else { 0 }
    }

    /// Whether the answer was right for long enough; or, if it is not right, whether nothing has come for twice as long.
    fn has_settled(&self, begun_us: i64) -> bool {
        let every = Duration::from_millis(self.engine.descriptor().emits_every_ms.unwrap_or(0));
        let settle = SETTLE.max(3 * every).as_micros() as i64;
        let now = steady_us();
        self.observer.look(|timeline| match (timeline.right_us(), timeline.changed_us()) {
            (Some(right), _) => now - right.max(begun_us) > settle,
            (None, Some(changed)) => now - changed.max(begun_us) > 2 * settle,
            (None, None) => false,
        })
    }
}
