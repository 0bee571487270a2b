//! What breaks while an engine runs, as its workload says.

use crate::engine::schedule::Hold;
use crate::race::running::Running;
use crate::race::supervisor::{Ended, Supervised, Usage};
use crate::system::clock::steady_us;
use anyhow::{Context as _, Result, bail};
use kuu_core::recovery::{Interruption, InterruptionKind};
use kuu_core::scorecard::Used;
use kuu_core::workload::{Action, Moment, moments};
use std::collections::VecDeque;
use std::process::Command;

/// How much longer than its group waits for it an engine is stopped, and how much longer an interruption waits for the
/// engine to go on after the one before: the group waits for a member that was killed until its session is over.
const SESSION_MORE_US: i64 = 5_000_000;

/// A stall of the engine.
struct Stall {
    begun_us: i64,
    until_us: i64,
}

/// The incidents of a run, those that come still and those that happened, and the engine to which they happen.
pub struct Incidents<'a> {
    /// The engine that runs now.
    pub engine: Supervised,
    /// What happened, and when.
    pub told: Vec<String>,
    /// The times in which the engine could not count, without their news.
    pub interruptions: Vec<Interruption>,
    running: &'a Running<'a>,
    second: Option<Supervised>,
    left: VecDeque<Moment>,
    /// The stall of now.
    stall: Option<Stall>,
    /// Puts off the frames that are not sent yet, with what is due; in microseconds.
    hold: Hold,
    put_off_us: i64,
    /// What processes used that were killed.
    pub used: Used,
    /// How long the engine was stopped, the broker away and what is due put off, which does not count as its time, in
    /// microseconds.
    pub held_us: i64,
}

impl<'a> Incidents<'a> {
    /// The incidents of the workload, for this engine.
    pub fn new(running: &'a Running<'a>, engine: Supervised, hold: Hold) -> Incidents<'a> {
        let left = moments(&running.of.workload.meanwhile, running.setup.seed, &running.of.name);
        Incidents {
            engine,
            told: Vec::new(),
            interruptions: Vec::new(),
            running,
            second: None,
            left: left.into(),
            stall: None,
            hold,
            put_off_us: 0,
            used: Used::default(),
            held_us: 0,
        }
    }

    /// Whether everything has happened.
    pub fn are_over(&self) -> bool {
        self.left.is_empty() && self.stall.is_none()
    }

    /// How the engine ended, none while an instance of it runs: of two, each may take over from the other.
    ///
    /// # Errors
    /// If an instance cannot be watched any more.
    pub fn ended(&mut self) -> Result<Option<Ended>> {
        let Some(ended) = self.engine.ended()? else { return Ok(None) };
        let Some(second) = self.second.take() else { return Ok(Some(ended)) };
        self.used = sum(&self.used, &self.engine.usage());
        self.engine = second;
        self.tell(steady_us(), &format!("the first instance ended ({ended}), the second one goes on"));
        self.engine.ended()
    }

    /// Lets happen what is due now.
    ///
    /// # Errors
    /// If it cannot happen.
    pub fn happen(&mut self) -> Result<()> {
        let now = steady_us();
        if let Some(stall) = self.stall.take_if(|stall| now >= stall.until_us) {
            // All that it wrote before was read long ago.
            self.running.observer.await_news(None);
            // Before it goes on, or its first row may come before it is back.
            self.is_back(InterruptionKind::Stall, stall.begun_us);
            self.engine.resume()?;
            self.tell(now, "the engine goes on");
        }
        let due = |moment: &Moment| {
            let share_us = self.running.sending_us() * i64::from(moment.per_mille) / 1_000;
            self.running.sending_from_us + share_us + self.held_us
        };
        let next = self.left.front().map(|moment| (moment.action, now - due(moment)));
        let Some((action, late_us)) = next.filter(|(_, late_us)| *late_us >= 0) else { return Ok(()) };
        // The frames wait, too: else an engine that is slow to come back had all of them, and nothing to lose.
        self.hold.set_us(self.put_off_us + late_us);
        if self.has_gone_on(now) {
            self.put_off_us += late_us;
            self.held_us += late_us;
            self.left.pop_front();
            self.carry_out(action)?;
            self.tell(now, &action.to_string());
        }
        Ok(())
    }

    /// Whether the engine has counted again since the last interruption, or had enough time for that: what is due before is
    /// put off.
    fn has_gone_on(&self, now: i64) -> bool {
        let Some(last) = self.interruptions.last() else { return self.stall.is_none() };
        let has_news = || self.running.observer.look(|timeline| timeline.news_us().last().is_some_and(Option::is_some));
        let wait_us = self.session_us() + SESSION_MORE_US;
        self.stall.is_none() && (now - self.running.started_us - last.back_us > wait_us || has_news())
    }

    fn session_us(&self) -> i64 {
        self.running.engine.descriptor().session().as_micros() as i64
    }

    /// How much later than it should an engine may be done, in microseconds. One that was killed may have to wait for two
    /// sessions: that of the member it was, and that of one that was killed while it waited.
    pub fn grace_us(&self) -> i64 {
        self.held_us + if self.interruptions.is_empty() { 0 } else { 2 * self.session_us() }
    }

    /// Records that an interruption is over.
    fn is_back(&mut self, kind: InterruptionKind, begun_us: i64) {
        let since = |us: i64| us - self.running.started_us;
        let (begun_us, back_us) = (since(begun_us), since(steady_us()));
        self.interruptions.push(Interruption { kind, begun_us, back_us, news_us: None });
    }

    fn tell(&mut self, now: i64, what: &str) {
        let seconds = (now - self.running.started_us) as f64 / 1e6;
        self.told.push(format!("at {seconds:.1} s: {what}"));
    }

    fn carry_out(&mut self, action: Action) -> Result<()> {
        let Running { setup, again, names, observer, .. } = self.running;
        let begun_us = steady_us();
        match action {
            Action::KillEngine => {
                self.engine.kill()?;
                self.used = sum(&self.used, &self.engine.usage());
                let ranges = setup.cluster.uncommitted_ranges(&names.output)?;
                observer.await_news(ranges.first().map(|range| range.high));
                self.engine = Supervised::start(again)?;
                self.is_back(InterruptionKind::Crash, begun_us);
            }
            Action::StallEngine => {
                self.engine.pause()?;
                let stall_us = self.session_us() + SESSION_MORE_US;
                self.stall = Some(Stall { begun_us, until_us: begun_us + stall_us });
                self.held_us += stall_us;
            }
            Action::StartSecond => self.second = Some(self.second()?),
            Action::RestartBroker => {
                let command = setup.restart_broker.as_deref().context("no command restarts the broker")?;
                let done = Command::new("sh").args(["-c", command]).output();
                let done = done.with_context(|| format!("`{command}` cannot be run"))?;
                if !done.status.success() {
                    let words = String::from_utf8_lossy(&done.stderr);
                    bail!("`{command}` did not restart the broker: {}: {}", done.status, words.trim());
                }
                self.held_us += steady_us() - begun_us;
                observer.await_news(None);
                self.is_back(InterruptionKind::BrokerRestart, begun_us);
            }
        }
        Ok(())
    }

    /// A second instance of the engine, as if on another machine: with a state directory of its own.
    fn second(&self) -> Result<Supervised> {
        let mut launch = self.running.launch.clone();
        let state = self.running.names.directory.join("state-2");
        std::fs::create_dir_all(&state)?;
        launch.logs = self.running.names.directory.join("second");
        std::fs::create_dir_all(&launch.logs)?;
        launch.env.insert("KUU_STATE_DIR".into(), std::path::absolute(state)?.display().to_string());
        Supervised::start(&launch)
    }
}

/// What was used in all: processor time adds up, memory is that of the larger one.
pub fn sum(before: &Used, usage: &Usage) -> Used {
    Used {
        cpu_us: before.cpu_us + usage.cpu_us,
        peak_resident_bytes: before.peak_resident_bytes.max(usage.peak_resident_bytes),
        peak_pss_bytes: before.peak_pss_bytes.max(usage.peak_pss_bytes),
    }
}
